"""Thousands of malformed requests against every route, signed in as those who may do most: never a fault."""

import random
import string
from collections.abc import Callable
from typing import Final

import pytest
from flask.testing import FlaskClient

from services.gateway.service import Gateway
from tests.gateway.conftest import token_in

_REQUESTS: Final = 1_100
_NASTY: Final = (
    "",
    "0",
    "-1",
    "x" * 5_000,
    "9" * 40,
    "²³",
    "١٢",
    "\x00",
    "a\x00b",
    "\ud7ff",
    "\u202e",
    "../../etc/passwd",
    "//[",
    "<script>alert(1)</script>",
    "'; DROP TABLE people; --",
    "%s%s%n",
    "{{7*7}}",
    "2026-02-30",
    "0000-00-00",
    "9999-99-99",
    "NaN",
    "1e999",
    "=1+1",
    "zh",
    "true",
    "null",
    "[]",
    "周雨桐",
)


def word(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return chance.choice(_NASTY)
    return "".join(chance.choices(string.printable + "中文", k=chance.randint(1, 40)))


# Field names that forms and queries of the pages use.
FIELDS: Final = (
    *("q", "node", "status", "page", "on", "board", "next", "everybody", "probation", "left", "lesson"),
    *("subject", "login", "password", "customer", "channel", "result", "minutes", "amount", "key", "undo"),
    *("name", "employee_number", "parent_id", "job_role", "hire_date", "probation_end", "mentor_id"),
    *("reason", "request_id", "etag", "title", "lessons", "questions", "question-0-text", "action"),
    *("question-0-options", "question-0-right", "lesson-0-title", "pass_mark", "rules", "rule-0-kind"),
    *("rule-0-metric", "rule-0-threshold", "rule-0-amount", "rule-0-tiers", "metric", "period", "value"),
    *("effective_from", "effective_to", "node_id", "role_id", "subject_id", "days", "kind", "time_zone"),
    *("language", "current", "new", "again"),
)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("login", ["gu.wenjing", "zhou.yutong", "jiang.lan"])
def test_no_malformed_request_is_answered_with_a_fault(
    gateway: Gateway, as_login: Callable[..., FlaskClient], login: str
) -> None:
    chance = random.Random(f"malformed-{login}")
    client = as_login(login)
    token = token_in(client.get("/profile").text)
    # Signing out and switching passwords would only end the walk early.
    rules = [
        rule
        for rule in gateway.flask.url_map.iter_rules()
        if rule.endpoint not in ("static", "account.leave", "account.change_password", "people.dismiss")
    ]
    for _ in range(_REQUESTS):
        rule = chance.choice(rules)
        values = {name: word(chance).replace("/", "") or "x" for name in rule.arguments}
        with gateway.flask.test_request_context():
            built = rule.build(values, append_unknown=False)
        if built is None:
            continue
        methods = [method for method in rule.methods or () if method in ("GET", "POST")]
        method = chance.choice(methods)
        fields = {chance.choice(FIELDS): word(chance) for _ in range(chance.randint(0, 8))}
        headers = {"HX-Request": "true"} if chance.random() < 0.3 else {}
        if method == "POST":
            answer = client.post(built[1], data={**fields, "csrf_token": token}, headers=headers)
        else:
            answer = client.get(built[1], query_string=fields, headers=headers)
        assert answer.status_code < 500 or answer.status_code == 503, (
            method,
            built[1],
            fields,
            answer.text[-800:],
        )
        assert "Traceback" not in answer.text
        assert answer.status_code != 503, (method, built[1], fields, answer.text[-800:])
