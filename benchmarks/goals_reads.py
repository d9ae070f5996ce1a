"""A newcomer's progress against a bare echo and one statement; a whole team's against set-based SQL."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc, progress_pb2, progress_pb2_grpc

from benchmarks.baselines import echo
from benchmarks.figures import Figure, paired
from benchmarks.goals_stage import Work, bearer, channel_to, stage

_PEOPLE = 1_000
_FACTS = 60_000
_ROUNDS = 1_500
# What a page shows, in the plainest statement there is: the month's sums of one person.
_ONE = """
SELECT kind, sum(n), sum(amount_minor), sum(minutes) FROM tally
WHERE person_id = %s AND day >= date_trunc('month', now())::date GROUP BY kind
UNION ALL SELECT -1, count(DISTINCT customer), 0, 0 FROM touch
WHERE person_id = %s AND day >= date_trunc('month', now())::date
UNION ALL SELECT -2, count(*), 0, 0 FROM first_touch
WHERE person_id = %s AND day >= date_trunc('month', now())::date
"""


def measure() -> Iterator[Figure]:
    """The claims of performance.md about reading."""
    with ExitStack() as stack:
        found = stack.enter_context(stage(_PEOPLE))
        channel = stack.enter_context(channel_to(found.address))
        recording = facts_pb2_grpc.FactsServiceStub(channel)
        work = Work(_PEOPLE)
        for _ in range(_FACTS // 1000):
            batch = facts_pb2.RecordFactsRequest(facts=work.batch(1000))
            recording.RecordFacts(batch, metadata=bearer(found.crm), timeout=60)
        connection = stack.enter_context(psycopg.connect(found.url, autocommit=True))
        connection.execute("VACUUM ANALYZE")
        say = stack.enter_context(echo())
        stub = progress_pb2_grpc.ProgressServiceStub(channel)
        request = progress_pb2.GetProgressRequest(person_id="p000007")
        metadata = bearer(found.newcomer)
        answer = stub.GetProgress(request, metadata=metadata, timeout=30)
        assert len(answer.targets) == 4, answer
        payload = answer.SerializeToString()

        def ours() -> object:
            return stub.GetProgress(request, metadata=metadata, timeout=30)

        def statement() -> object:
            return connection.execute(_ONE, ["p000007"] * 3, prepare=True).fetchall()

        took, bare = paired(ours, lambda: (say(payload), statement()), _ROUNDS)
        yield Figure(
            "goals",
            "a newcomer's targets and figures, p50, against an echo of the same size and one statement",
            took / bare,
            f"{took * 1000:.2f} ms against {bare * 1000:.2f} ms",
            at_most=2.5,
            bound_by="the statement, of which a third reads customers who came again and a sixth leave (profiled"
            " apart); then judging in Python",
        )
