"""The CRM webhook: signed, replay-proof, bounded, and honest about what was committed."""

import random
import time
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chassis.ids import new_id
from services.gateway.service import Gateway, build
from services.gateway.webhooks import LARGEST_BODY, signature
from tests.gateway.conftest import WEBHOOK_SECRET, settings_for
from tests.platform import Platform

_PATH: Final = "/webhooks/crm"


def fact(**changes: Any) -> dict[str, Any]:
    told = {
        "source": "crm",
        "external_id": f"hook-{new_id()}",
        "version": 1,
        "kind": "FACT_KIND_FOLLOW_UP",
        "employee_number": "SH0101",
        "occurred_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "customer": f"客户 {new_id()[-6:]}",
        "channel": "phone",
    }
    return told | changes


def send(
    client: FlaskClient,
    body: bytes,
    *,
    message_id: str = "",
    at: int | None = None,
    sign: str | None = None,
    **headers: str,
) -> TestResponse:
    message_id = message_id or f"msg_{new_id()}"
    timestamp = str(int(time.time()) if at is None else at)
    signed = signature(WEBHOOK_SECRET, message_id, timestamp, body) if sign is None else sign
    sent = {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signed,
        "Content-Type": "application/json",
    }
    return client.post(_PATH, data=body, headers=sent | headers)


def message(*facts: Any) -> bytes:
    return orjson.dumps({"facts": list(facts)})


def test_a_signed_message_is_answered_with_what_became_of_each_fact(visitor: FlaskClient) -> None:
    answer = send(visitor, message(fact(), fact(employee_number="nobody"), fact(kind="FACT_KIND_ORDER")))
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert [each["outcome"] for each in told["results"]] == ["recorded", "refused", "refused"]
    assert told["refused"] == 2
    assert told["results"][0]["fact_id"]
    assert told["results"][1]["reason"] == "PERSON_UNKNOWN"


def test_the_same_message_again_gets_the_same_answer_and_changes_nothing(visitor: FlaskClient) -> None:
    body, message_id = message(fact()), f"msg_{new_id()}"
    first = send(visitor, body, message_id=message_id)
    again = send(visitor, body, message_id=message_id)
    assert first.get_json() == again.get_json()
    elsewhere = send(visitor, body)
    assert [each["outcome"] for each in elsewhere.get_json()["results"]] == ["already_known"]


def test_another_message_under_the_same_id_is_refused(visitor: FlaskClient) -> None:
    message_id = f"msg_{new_id()}"
    assert send(visitor, message(fact()), message_id=message_id).status_code == 200
    assert send(visitor, message(fact()), message_id=message_id).status_code == 409


@pytest.mark.parametrize("away", [-301, 301, -10_000, 10**9])
def test_a_message_signed_more_than_five_minutes_away_is_refused(visitor: FlaskClient, away: int) -> None:
    answer = send(visitor, message(fact()), at=int(time.time()) + away)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["type"] == "urn:foothold:problem:webhook-stale"


@pytest.mark.parametrize(
    "sign", ["", "v1,", "v1,AAAA", "v0,AAAA", "v1,é", "v1," + "A" * 44, "nonsense " * 50]
)
def test_a_wrong_signature_is_refused(visitor: FlaskClient, sign: str) -> None:
    answer = send(visitor, message(fact()), sign=sign.encode("latin-1").decode("latin-1"))
    assert answer.status_code == 401


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed(visitor: FlaskClient) -> None:
    body, message_id, now = message(fact()), f"msg_{new_id()}", int(time.time())
    good = signature(WEBHOOK_SECRET, message_id, str(now), body)
    assert send(visitor, body, message_id=message_id, at=now, sign=f"v1,AAAA {good}").status_code == 200


def test_a_changed_body_no_longer_fits_its_signature(visitor: FlaskClient) -> None:
    body, now = message(fact()), int(time.time())
    signed = signature(WEBHOOK_SECRET, "m", str(now), body)
    assert send(visitor, body + b" ", message_id="m", at=now, sign=signed).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"facts": 1}',
        b'{"facts": []}',
        b'{"facts": [1]}',
        b'{"facts": [{"kind": 99999999999}]}',
        b'{"facts": [{"no_such_field": 1}]}',
        b'{"facts": [{"occurred_at": "yesterday"}]}',
        b'{"facts": [{"amount": {"units": 1.5}}]}',
        b'{"facts": [{}], "more": 1}',
        b"\xff\xfe",
        b'{"facts": [' + b'{"attributes":' * 200 + b"1" + b"}" * 200 + b"]}",
        b"[" * 5000,
    ],
)
def test_a_body_that_is_no_message_is_refused_as_a_problem(visitor: FlaskClient, body: bytes) -> None:
    answer = send(visitor, body)
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


def test_a_body_over_the_limit_is_refused(visitor: FlaskClient) -> None:
    body = message(fact(customer="x" * LARGEST_BODY))
    assert send(visitor, body).status_code == 413


def test_two_thousand_malformed_messages_break_nothing(visitor: FlaskClient) -> None:
    chance = random.Random(20261123)
    template = message(fact())
    for _ in range(2_000):
        body = bytearray(template)
        for _ in range(chance.randint(1, 12)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        cut = bytes(body[: chance.randint(0, len(body))] if chance.random() < 0.3 else body)
        # One in ten is signed well, so that the reading of the body meets nonsense too.
        answer = send(visitor, cut, sign=None if chance.random() < 0.1 else f"v1,{chance.random()}")
        assert answer.status_code in (200, 400, 401), answer.text
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_a_post_is_answered(visitor: FlaskClient, method: str) -> None:
    assert visitor.open(_PATH, method=method).status_code == 405


def test_when_goals_cannot_be_reached_the_sender_is_told_to_send_again(platform_all: Platform) -> None:
    closed = build(settings_for(platform_all, goals_address="127.0.0.1:1"))
    answer = send(closed.flask.test_client(), message(fact()))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.mimetype == "application/problem+json"
    closed.parts.clients.close()


@pytest.mark.parametrize("missing", ["webhook_secret", "webhook_token"])
def test_without_a_secret_or_a_token_it_is_closed(platform_all: Platform, missing: str) -> None:
    closed = build(settings_for(platform_all, **{missing: ""}))
    assert send(closed.flask.test_client(), message(fact())).status_code == 503
    closed.parts.clients.close()


def test_its_facts_are_on_the_page_of_the_person(gateway: Gateway, visitor: FlaskClient) -> None:
    told = fact(customer="网钩来的客户")
    assert send(visitor, message(told)).get_json()["refused"] == 0
