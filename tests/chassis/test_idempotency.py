"""A command sent twice has its effect once, and the same answer both times."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis.database import Database
from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.idempotency import answer_once, forget_requests
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
