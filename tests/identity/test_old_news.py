"""Identity's feed when it has grown old: who stood where and when stays; ends of sessions go."""

from collections.abc import Callable
from typing import Any

from foothold.identity.v1 import feed_pb2, feed_pb2_grpc, sessions_pb2, sessions_pb2_grpc

from access import MemoryReplica
from tests.ageing import grow_old
from tests.fixtures_identity import Enterprise, enterprise

__all__ = ["enterprise"]


def test_ends_of_sessions_go_and_everything_else_stays(
    enterprise: Enterprise, database_for: Callable[[str], Any]
) -> None:
    token = enterprise.component_token("goals")
    feed = feed_pb2_grpc.FeedServiceStub(enterprise.channel(token))
    for _ in range(3):
        session = enterprise.sign_in("new-bj-1").tokens.access_token
        stub = sessions_pb2_grpc.SessionServiceStub(enterprise.channel(session))
        stub.SignOut(sessions_pb2.SignOutRequest())
    enterprise.hire("after-the-sessions")
    request = feed_pb2.ListEventsRequest(page_size=2_000, compacted=True)
    grow_old(database_for("identity").database, enterprise.server)
    page = feed.ListEvents(request)
    assert not [event for event in page.events if event.HasField("session_ended")]
    assert page.events[-1].position == page.head_position
    left = {event.position for event in page.events}
    # Three events are gone, no other.
    assert len(left) == page.head_position - 3
    memory = MemoryReplica(enterprise.channel(token))
    memory.start()
    assert memory.wait(10)
    memory.stop()
    assert memory.directory.person("after-the-sessions") is not None
