"""Many at once come out like one after another."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from foothold.identity.v1 import directory_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import from_rpc_error
from tests.fixtures_identity import PASSWORD, Enterprise, enterprise, request_id

__all__ = ["enterprise"]

DEPARTMENT = directory_pb2.NODE_KIND_DEPARTMENT


def at_once(*calls: Callable[[], object]) -> list[str]:
    """What became of each: OK or the reason of the refusal."""

    def outcome(call: Callable[[], object]) -> str:
        try:
            call()
        except grpc.RpcError as error:
            return from_rpc_error(error).reason
        return "OK"

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))


def create(enterprise: Enterprise, node_id: str, request: str) -> directory_pb2.Node:
    node = directory_pb2.Node(id=node_id, parent_id="hq", kind=DEPARTMENT, name="same")
    asked = directory_pb2.CreateNodeRequest(request_id=request, node=node)
    return enterprise.directory("admin").CreateNode(asked).node


def move(enterprise: Enterprise, node_id: str, parent_id: str) -> None:
    request = directory_pb2.UpdateNodeRequest(
        request_id=request_id(),
        node=directory_pb2.Node(id=node_id, parent_id=parent_id),
        update_mask=FieldMask(paths=["parent_id"]),
    )
    enterprise.directory("admin").UpdateNode(request)


def test_guesses_at_once_are_slowed_like_guesses_in_a_row(enterprise: Enterprise) -> None:
    guess = lambda: enterprise.sign_in("new-bj-2", "a-wrong-guess")  # noqa: E731  one of many
    outcomes = at_once(*[guess] * 16)
    assert outcomes.count("CREDENTIALS_WRONG") == 5
    assert outcomes.count("SIGN_IN_THROTTLED") == 11


def test_one_person_signs_in_on_several_devices_at_once(enterprise: Enterprise) -> None:
    for _ in range(5):
        assert at_once(*[lambda: enterprise.sign_in("new-bj-1", PASSWORD)] * 4) == ["OK"] * 4


def test_two_moves_at_once_never_make_a_circle(enterprise: Enterprise) -> None:
    for turn in range(10):
        one, two = f"one-{turn}", f"two-{turn}"
        create(enterprise, one, request_id())
        create(enterprise, two, request_id())
        outcomes = at_once(
            lambda one=one, two=two: move(enterprise, one, two),  # type: ignore[misc]  # bound now
            lambda one=one, two=two: move(enterprise, two, one),  # type: ignore[misc]  # bound now
        )
        assert sorted(outcomes) == ["OK", "TREE_INVALID"]
        for node_id in (one, two):
            found = enterprise.directory("admin").GetNode(directory_pb2.GetNodeRequest(node_id=node_id))
            assert found.ancestors[0].id == "hq"


def test_a_command_sent_many_times_at_once_is_done_once(enterprise: Enterprise) -> None:
    one = request_id()
    enterprise.token_for("admin")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: create(enterprise, "", one).id, range(8)))
    assert len(set(made)) == 1


def test_sessions_end_while_people_are_changed(enterprise: Enterprise) -> None:
    """Whatever takes locks takes them in one order: nobody waits for ever, and nothing is refused for it."""
    for turn in range(5):
        person_id = f"busy-{turn}"
        enterprise.hire(person_id)
        tokens = [enterprise.sign_in(person_id).tokens for _ in range(2)]

        def refresh(token: str) -> None:
            from foothold.identity.v1 import sessions_pb2, sessions_pb2_grpc

            stub = sessions_pb2_grpc.SessionServiceStub(enterprise.anonymous())
            stub.RefreshSession(sessions_pb2.RefreshSessionRequest(refresh_token=token))

        def dismiss(person_id: str) -> None:
            request = directory_pb2.DismissPersonRequest(
                request_id=request_id(), person_id=person_id, reason="left"
            )
            enterprise.directory("admin").DismissPerson(request)

        outcomes = at_once(
            lambda who=person_id: dismiss(who),  # type: ignore[misc]  # bound now
            *(lambda token=each.refresh_token: refresh(token) for each in tokens * 2),
        )
        assert outcomes[0] == "OK"
        assert set(outcomes[1:]) <= {"OK", "REFRESH_TOKEN_INVALID"}
