"""Thousands of messages that are signed well and are no facts: refused each, and not a row is changed."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import orjson
import pytest
from flask.testing import FlaskClient

from tests.gateway.rows import changed, settled
from tests.gateway.test_webhook import fact, message, send
from tests.platform import Platform

_MESSAGES: Final = 2_400
_TEXTS: Final = ("\x00", "a\x00b", "\x1b[31m", "x" * 5_000, "\ud7ff\x07", "\x7f\x00")
_NO_TEXT: Final[tuple[Any, ...]] = (7, 1.5, True, [], {}, [None], {"a": {}})
_INSTANTS: Final[tuple[Any, ...]] = (
    "",
    "yesterday",
    "2026-02-30T00:00:00Z",
    "1999-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    5,
    {},
)
_WRONG: Final[dict[str, tuple[Any, ...]]] = {
    "source": ("", *_TEXTS, *_NO_TEXT),
    "external_id": ("", *_TEXTS, *_NO_TEXT),
    "version": (-1, 1.5, 2**31, "one", [], "1e99"),
    "kind": ("", "FACT_KIND_UNSPECIFIED", "FACT_KIND_BIRTHDAY", 0, -1, 99_999, 99_999_999_999, [], {}),
    "employee_number": ("nobody-has-this", *_TEXTS, *_NO_TEXT),
    "occurred_at": _INSTANTS,
    "customer": (*_TEXTS, *_NO_TEXT),
    "channel": (*_TEXTS, *_NO_TEXT),
    "minutes": (-1, 2**31, 1.5, "many", [], {}),
    "amount": (
        7,
        "7",
        [],
        {"units": 1.5},
        {"units": "x"},
        {"currency_code": "money", "units": 5},
        {"nanos": 10**12},
    ),
    "attributes": ("x", 7, [], {"a": []}, {"a": {"b": 1}}),
    "no_such_field": ("", 1, {}),
    "person_id": (*_TEXTS, *_NO_TEXT, "no-such-person"),
}


def _torn(chance: random.Random) -> bytes:
    """A message with bytes exchanged and its end missing: JSON no more."""
    body = bytearray(message(fact(), fact()))
    for _ in range(chance.randint(0, 12)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body[: chance.randrange(len(body) - 1)])


def _misshapen(chance: random.Random) -> bytes:
    """JSON, but not `{"facts": [objects]}`."""
    good = fact()
    shapes: tuple[Any, ...] = (
        *(None, True, 0, "facts", [], [good], {}, {"fact": [good]}, {"facts": good}, {"facts": None}),
        *(
            {"facts": []},
            {"facts": [good], "more": 1},
            {"facts": [good, chance.choice([1, "x", None, [], True])]},
        ),
        *({"facts": [[good]]}, {"facts": [{}]}, {"facts": {"0": good}}, {"FACTS": [good]}, {"facts": "[]"}),
    )
    nested = (
        b'{"facts": [' + b'{"attributes":' * (depth := chance.randint(2, 400)) + b"1" + b"}" * depth + b"]}"
    )
    return nested if chance.random() < 0.1 else orjson.dumps(chance.choice(shapes))


def _misread(chance: random.Random) -> bytes:
    """Facts of the right shape, each wrong in one field or several."""
    told = []
    for _ in range(chance.randint(1, 4)):
        fields = chance.sample(sorted(_WRONG), chance.randint(1, 3))
        wrong = {name: chance.choice(_WRONG[name]) for name in fields}
        if chance.random() < 0.2:
            # The person is told in one way only; without any the fact is nobody's.
            wrong = {"employee_number": ""}
        told.append(fact(**wrong))
    return message(*told)


_MAKERS: Final[tuple[Callable[[random.Random], bytes], ...]] = (_torn, _misshapen, _misread, _misread)


@pytest.mark.timeout(400)
def test_signed_messages_that_are_no_facts_are_refused_and_change_nothing(
    platform_all: Platform, visitor: FlaskClient
) -> None:
    chance = random.Random(20261125)
    assert send(visitor, message(fact())).get_json()["refused"] == 0, "well signed and well made is taken"
    before = settled(platform_all.running.database)
    told: Counter[str] = Counter()
    for number in range(_MESSAGES):
        body = _MAKERS[number % len(_MAKERS)](chance)
        answer = send(visitor, body)
        said = answer.text
        assert answer.status_code in (200, 400), (answer.status_code, said, body)
        assert not any(word in said for word in ("Traceback", "psycopg", "SELECT ", "INTERNAL")), (said, body)
        if answer.status_code == 200:
            assert {each["outcome"] for each in answer.get_json()["results"]} == {"refused"}, (said, body)
            told["every fact refused"] += 1
        else:
            told[answer.get_json()["type"].rpartition(":")[2]] += 1
    # None stopped at the signature, and each way of being wrong was met.
    assert told.total() == _MESSAGES >= 2_000
    assert set(told) == {"json", "facts", "fact", "every fact refused"}, told
    assert min(told.values()) > 100, told
    assert changed(before, settled(platform_all.running.database)) == []
