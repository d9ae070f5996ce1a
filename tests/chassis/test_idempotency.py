"""A command sent twice has its effect once, and the same answer both times."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from chassis.database import Database
from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.housekeeping import Housekeeping
from chassis.idempotency import answer_once, forget_old_requests, forget_requests
from tests.chassis.baking import BakeRequest, BakeResponse


def _bake(database: Database, request: Any, *, caller: str = "alice", fail: bool = False) -> str:
    with database.begin() as connection:

        def produce() -> Any:
            number = connection.execute(
                text("INSERT INTO loaves SELECT count(*) + 1, :kind, '' FROM loaves RETURNING position"),
                {"kind": request.name},
            ).scalar_one()
            if fail:
                raise RuntimeError("burnt")
            return BakeResponse(loaf=f"loaf {number}")

        answer = answer_once(
            connection,
            caller=caller,
            method="/bakery/Bake",
            request=request,
            response=BakeResponse,
            produce=produce,
        )
        return str(answer.loaf)


def _loaves(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(text("SELECT count(*) FROM loaves")).scalar_one())


def test_the_same_request_is_answered_once(bakery: Database) -> None:
    request = BakeRequest(request_id="r-1", name="rye")
    assert [_bake(bakery, request) for _ in range(3)] == ["loaf 1"] * 3
    assert _loaves(bakery) == 1


def test_another_payload_under_the_same_id_is_refused(bakery: Database) -> None:
    _bake(bakery, BakeRequest(request_id="r-1", name="rye"))
    with pytest.raises(FailedPrecondition) as refused:
        _bake(bakery, BakeRequest(request_id="r-1", name="oat"))
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert _loaves(bakery) == 1


def test_another_caller_may_use_the_same_id(bakery: Database) -> None:
    assert _bake(bakery, BakeRequest(request_id="r-1", name="rye")) == "loaf 1"
    assert _bake(bakery, BakeRequest(request_id="r-1", name="oat"), caller="bob") == "loaf 2"


def test_what_failed_may_be_sent_again(bakery: Database) -> None:
    request = BakeRequest(request_id="r-1", name="rye")
    with pytest.raises(RuntimeError):
        _bake(bakery, request, fail=True)
    assert _bake(bakery, request) == "loaf 1"


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 65, "ü", "a\n"])
def test_a_missing_or_malformed_id_is_refused(bakery: Database, request_id: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        _bake(bakery, BakeRequest(request_id=request_id))
    assert "request_id" in refused.value.fields


def test_sendings_at_the_same_time_have_one_effect(bakery: Database) -> None:
    answers: list[str] = []
    request = BakeRequest(request_id="r-1", name="rye")
    gate = threading.Barrier(6)

    def send() -> None:
        gate.wait()
        answers.append(_bake(bakery, request))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["loaf 1"] * 6
    assert _loaves(bakery) == 1


def test_old_answers_can_be_forgotten(bakery: Database) -> None:
    _bake(bakery, BakeRequest(request_id="r-1", name="rye"))
    with bakery.begin() as connection:
        assert forget_requests(connection, before=datetime.now(UTC) - timedelta(days=1)) == 0
        assert forget_requests(connection, before=datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert _bake(bakery, BakeRequest(request_id="r-1", name="rye")) == "loaf 2"


def test_housekeeping_forgets_answers_after_thirty_days_and_keeps_the_younger(bakery: Database) -> None:
    for number in range(5):
        _bake(bakery, BakeRequest(request_id=f"r-{number}", name="rye"))
    with bakery.begin() as connection:
        connection.execute(
            text(
                "UPDATE requests SET created_at = now() - make_interval(days => :days) WHERE request_id = :id"
            ),
            [{"days": 31, "id": "r-0"}, {"days": 29, "id": "r-1"}, {"days": 400, "id": "r-2"}],
        )
    housekeeping = Housekeeping(bakery, [forget_old_requests], first_after=timedelta(milliseconds=10))
    housekeeping.start()
    try:
        deadline = time.monotonic() + 10
        while (kept := _remembered(bakery)) != ["r-1", "r-3", "r-4"]:
            assert time.monotonic() < deadline, kept
            time.sleep(0.02)
    finally:
        housekeeping.stop()
    assert _bake(bakery, BakeRequest(request_id="r-1", name="rye")) == "loaf 2"
    assert _bake(bakery, BakeRequest(request_id="r-0", name="rye")) == "loaf 6"


def test_housekeeping_goes_on_until_nothing_is_left_and_after_a_failure(bakery: Database) -> None:
    left = [3]
    rounds: list[str] = []

    def tidy(connection: Connection) -> int:
        if not rounds:
            rounds.append("failed")
            connection.execute(text("SELECT 1 / 0"))
        rounds.append("piece" if left[0] else "end")
        left[0] = max(0, left[0] - 1)
        return 1 if rounds[-1] == "piece" else 0

    housekeeping = Housekeeping(
        bakery, [tidy], every=timedelta(milliseconds=20), first_after=timedelta(milliseconds=1)
    )
    housekeeping.start()
    deadline = time.monotonic() + 10
    while "end" not in rounds and time.monotonic() < deadline:
        time.sleep(0.01)
    housekeeping.stop()
    assert rounds[:5] == ["failed", "piece", "piece", "piece", "end"]


def _remembered(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(text("SELECT request_id FROM requests ORDER BY 1")).scalars())
