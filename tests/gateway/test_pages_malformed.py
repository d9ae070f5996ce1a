"""Thousands of requests by people who may do most, each wrong somewhere: refused, and not a row is changed.

Every form is a good one with something in it spoilt, sent with the session and the form token of somebody whose role
may send it; so what refuses it is the reading of the form or the service behind it. What is read rather than written
gets addresses and queries of nonsense.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import pytest
from flask.testing import FlaskClient

from chassis.ids import new_id
from services.gateway.service import Gateway
from tests.gateway.conftest import token_in
from tests.gateway.rows import changed, settled
from tests.gateway.test_malformed import FIELDS, word
from tests.platform import Platform

_READS: Final = 600
_CONTROL: Final = ("a\x00b", "x\x1b[31mx", "x\x7fx", "x\x01x")
_TEXTS: Final = ("", "  ", *_CONTROL)
_IDS: Final = (
    "no-such-id",
    "UPPER",
    "a b",
    "%00x",
    "..",
    "x" * 65,
    "9" * 40,
    "周雨桐",
    "<script>",
    "'; DROP TABLE x; --",
)
_DAYS: Final = ("2026-02-30", "0000-00-00", "9999-99-99", "yesterday", "26-1-1", "²³", "1e9")
_NUMBERS: Final = ("", "many", "-", "1e999", "NaN", "1.2.3", "²³", "--1", "0x10")
_SENT_BEFORE: Final = ("a b", "ä", "x\x00", "../..")
_WEAK: Final = ("", "short", "password123", "aaaaaaaaaa")
_ETAGS: Final = ("made-up", "-1", "x\x00", "9" * 40)

_PERSON: Final = {"name": "新人", "job_role": "sales", "parent_id": "{department}", "salesperson": "yes"}
_TARGET: Final = {
    "node_id": "{department}",
    "job_role": "sales",
    "metric": "customers_followed",
    "value": "20",
    "period": "month",
    "effective_from": "2031-01-01",
    "reason": "as everywhere",
}
_ADOPTING: Final = {
    "action": "adopt",
    "kpi": "4",
    "value-4": "4",
    "node_id": "{department}",
    "job_role": "sales",
    "effective_from": "2031-01-01",
    "reason": "as everywhere",
}
_GOAL: Final = {
    "node_id": "{department}",
    "metric": "revenue",
    "year": "2031",
    "span": "year",
    "periods": "1",
    "value": "20",
    "reason": "the plan",
}
_OBJECTIVE: Final = {
    "action": "save",
    "node_id": "{department}",
    "title": "目标",
    "year": "2031",
    "span": "q1",
    "reason": "the plan",
    "results": "1",
    "kr-0-weight": "100",
    "kr-0-metric": "new_customers",
    "kr-0-value": "20",
    "kr-0-period": "month",
}
_SPOILT_OBJECTIVE: Final = {
    "title": _TEXTS,
    "year": ("", "1999", "2100", "²³", "many"),
    "span": ("", "q5", "m0", "m13", "q²"),
    "kr-0-weight": (*_NUMBERS, "0", "99.99", "1/0", "2/1", "1/²"),
    "kr-0-metric": _TEXTS,
    "kr-0-value": _NUMBERS,
    "kr-0-goal": _IDS,
    "request_id": _SENT_BEFORE,
    "reason": _CONTROL,
}
_PLAN: Final = {
    "action": "save",
    "node_id": "{department}",
    "job_role": "sales",
    "name": "方案",
    "period": "month",
    "effective_from": "2031-01-01",
    "reason": "as everywhere",
    "rules": "1",
    "rule-0-label": "each",
    "rule-0-kind": "per_unit",
    "rule-0-metric": "new_customers",
    "rule-0-amount": "50",
}
_METRIC: Final = {
    "name": "online_calls",
    "title_zh": "线上跟进",
    "title_en": "Online calls",
    "description": "Follow-ups through online channels.",
    "aggregation": "count",
    "direction": "least",
    "kind": "follow_up",
    "channel": "online",
    "effective_from": "2031-01-01",
    "reason": "we sell online now",
    "replaces": "0",
    "from": "2026-01-01",
    "to": "2026-03-31",
}
_COURSE: Final = {
    "action": "save",
    "node_id": "{enterprise}",
    "title": "课程",
    "minutes": "5",
    "lessons": "1",
    "lesson-0-id": "lesson-1",
    "lesson-0-title": "一",
    "lesson-0-text": "文",
}
_RULE: Final = {
    "node_id": "{enterprise}",
    "situation": "1",
    "step_zh": "旁听两通电话",
    "step_en": "Listen in on two calls",
    "days": "3",
    "active": "yes",
    "reason": "as everywhere",
}
_FOLLOW_UP: Final = {
    "customer": "客户",
    "channel": "phone",
    "result": "won",
    "minutes": "10",
    "amount": "1200",
}


@dataclass(frozen=True)
class _Form:
    """A good form of a route, and what spoils it: by field, or by a part of the address (`<part>`)."""

    route: str
    login: str
    good: Mapping[str, str] = field(default_factory=dict)
    spoilt: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)


_SPOILT_PERSON: Final = {
    "name": _TEXTS,
    "employee_number": _TEXTS,
    "job_role": _CONTROL,
    "parent_id": ("", *_IDS),
    "hire_date": _DAYS,
    "probation_end": _DAYS,
    "mentor_id": _IDS,
    "request_id": _SENT_BEFORE,
}
_SPOILT_COURSE: Final = {
    "title": _TEXTS,
    "node_id": ("", *_IDS),
    "request_id": _SENT_BEFORE,
    "lesson-0-title": _TEXTS,
    "lesson-0-id": ("", "a b", "UPPER"),
    "requires_course_id": _IDS,
    "summary": _CONTROL,
}
_SPOILT_METRIC: Final = {
    "name": ("Calls", "1st", "x" * 41, "close_rate", "new", *_CONTROL),
    "title_zh": (*_TEXTS, "x" * 41),
    "title_en": (*_TEXTS, "x" * 41),
    "description": (*_TEXTS, "x" * 301),
    "aggregation": ("", "median", "sum_amount; DROP", "ratio"),
    "kind": ("", "deal_reversed", "lunch"),
    "other_channels": ("\n".join(str(number) for number in range(21)), "x" * 121, *_CONTROL),
    "products": ("x" * 121, *_CONTROL),
    "least_amount": ("many", "-1", "1.234", "NaN", "²³"),
    "attribute-0-name": ("room", "x" * 41),
    "effective_from": ("", *_DAYS),
    "reason": _TEXTS,
    "request_id": _SENT_BEFORE,
}
_FORMS_OF: Final = (
    _Form(
        "/people/new",
        "gu.wenjing",
        {**_PERSON, "employee_number": "ZZ0001"},
        _SPOILT_PERSON | {"password": _WEAK[1:]},
    ),
    _Form("/people/<person_id>", "gu.wenjing", _PERSON, {"etag": _ETAGS}, {"person_id": "{person}"}),
    _Form("/people/<person_id>", "admin", _PERSON, {"<person_id>": _IDS}),
    _Form(
        "/people/<person_id>/dismiss",
        "gu.wenjing",
        {},
        {"reason": ("", " ", "\t")},
        {"person_id": "{person}"},
    ),
    _Form("/people/<person_id>/dismiss", "admin", {"reason": "leaves"}, {"<person_id>": _IDS}),
    _Form("/people/<person_id>/password", "admin", {}, {"password": _WEAK}, {"person_id": "{person}"}),
    _Form(
        "/people/<person_id>/password",
        "gu.wenjing",
        {"password": "a long and quiet evening"},
        {"<person_id>": _IDS},
    ),
    _Form(
        "/organisation",
        "admin",
        {"name": "新部门", "kind": "department", "parent_id": "{branch}"},
        {
            "name": _TEXTS,
            "parent_id": ("", *_IDS),
            "time_zone": ("Nowhere/At_all", "x\x00"),
            "request_id": _SENT_BEFORE,
        },
    ),
    _Form(
        "/organisation/<node_id>",
        "admin",
        {"name": "改名"},
        {"name": _TEXTS, "time_zone": ("Nowhere/At_all", "x\x00"), "etag": _ETAGS, "<node_id>": _IDS},
        {"node_id": "{department}"},
    ),
    _Form(
        "/access",
        "admin",
        {"role_id": "mentor", "subject_id": "{person}", "node_id": "{department}"},
        {"role_id": ("", *_IDS), "subject_id": ("", *_IDS), "node_id": _IDS, "request_id": _SENT_BEFORE},
    ),
    _Form("/access/<binding_id>/remove", "admin", {}, {"<binding_id>": _IDS}),
    _Form("/integrations", "admin", {"name": "CRM"}, {"name": _TEXTS, "request_id": _SENT_BEFORE}),
    _Form("/integrations/<account_id>/token", "admin", {"days": "1"}, {"<account_id>": _IDS}),
    _Form("/integrations/<account_id>/disable", "admin", {}, {"<account_id>": _IDS}),
    _Form(
        "/calendar/rules",
        "gu.wenjing",
        {"what": "calendar", "node_id": "{department}", "kind": "shifts", "effective_from": "2031-01-01"}
        | {"anchor": "2031-01-01", "pattern": "110", "reason": "shifts"},
        {
            "kind": _TEXTS,
            "pattern": ("", "2", "000", "1" * 61),
            "anchor": ("", *_DAYS),
            "effective_from": ("", *_DAYS),
            "node_id": _IDS,
            "request_id": _SENT_BEFORE,
            "reason": ("", *_CONTROL),
        },
    ),
    _Form(
        "/calendar/rules",
        "gu.wenjing",
        {"what": "ramp", "node_id": "{department}", "shares": "50 75", "effective_from": "2031-01-01"}
        | {"reason": "slowly"},
        {"shares": ("many", "101", "-1", "50.5", "1 " * 25, "²³"), "effective_from": ("", *_DAYS)},
    ),
    _Form(
        "/calendar/rules",
        "gu.wenjing",
        {"what": "leave_policy", "node_id": "{department}", "policy": "one", "effective_from": "2031-01-01"}
        | {"reason": "as usual"},
        {"policy": _TEXTS, "effective_from": ("", *_DAYS)},
    ),
    _Form(
        "/calendar/days",
        "gu.wenjing",
        {"node_id": "{department}", "first_day": "2031-01-01", "name": "x", "reason": "announced"},
        {
            "first_day": ("", *_DAYS),
            "last_day": ("2030-12-31", "2033-01-01", *_DAYS),
            "name": (*_TEXTS, "x" * 101),
            "node_id": _IDS,
            "request_id": _SENT_BEFORE,
            "reason": _TEXTS,
        },
    ),
    _Form(
        "/calendar/days",
        "gu.wenjing",
        {"node_id": "{department}", "complete_year": "2031", "off": "2031-01-01 x", "reason": "announced"},
        {
            "off": ("2031-01-01", "x y", "2031-02-30 x", "2031-01-01 a\n2031-01-01 b"),
            "complete_year": ("2026",),
        },
    ),
    _Form(
        "/calendar/days/remove",
        "gu.wenjing",
        {"node_id": "{department}", "day": "2031-01-01"},
        {"day": ("", "2031-05-05", *_DAYS), "node_id": _IDS},
    ),
    _Form(
        "/standards",
        "gu.wenjing",
        _TARGET,
        {
            "metric": _TEXTS,
            "value": _NUMBERS,
            "effective_from": ("", *_DAYS),
            "effective_to": _DAYS,
            "node_id": ("", *_IDS),
            "request_id": _SENT_BEFORE,
            "reason": _CONTROL,
        },
    ),
    _Form(
        "/standards/<target_id>/end",
        "gu.wenjing",
        {"effective_to": "2031-01-01", "reason": "over"},
        {"<target_id>": _IDS},
    ),
    _Form("/standards/<target_id>/approve", "gu.wenjing", {}, {"<target_id>": _IDS}),
    _Form("/standards/<target_id>/refuse", "gu.wenjing", {"reason": "too much"}, {"<target_id>": _IDS}),
    _Form(
        "/standards/<target_id>/restore",
        "gu.wenjing",
        {"revision": "1", "effective_from": "2031-01-01", "reason": "again"},
        {"<target_id>": _IDS, "revision": (*_NUMBERS, "9" * 18), "effective_from": ("", *_DAYS)},
        parts={"target_id": "no-such-target"},
    ),
    _Form(
        "/industries",
        "gu.wenjing",
        {},
        {"document": (*_TEXTS, "= =", "[[kpis]]", "x" * 300_000, "a = " + "[" * 5_000), "replaces": _NUMBERS},
    ),
    _Form(
        "/industries/<industry_id>/adopt",
        "gu.wenjing",
        _ADOPTING,
        {
            "kpi": ("", "99", "-1", "x"),
            "value-4": _NUMBERS,
            "effective_from": ("", *_DAYS),
            "node_id": ("", *_IDS),
            "job_role": _CONTROL,
            "reason": _TEXTS,
            "request_id": _SENT_BEFORE,
        },
        {"industry_id": "car-dealership"},
    ),
    _Form("/industries/<industry_id>/remove", "gu.wenjing", {}, {"<industry_id>": _IDS}),
    _Form("/industries/<industry_id>/restore", "gu.wenjing", {}, {"<industry_id>": _IDS}),
    _Form(
        "/disputes/new",
        "zhou.yutong",
        {"rule_id": "no-such-line", "words": "x"},
        {"rule_id": _IDS, "on": ("2031-02-30", "yesterday"), "words": (*_TEXTS, "x" * 1001)},
    ),
    _Form(
        "/disputes/<dispute_id>/withdraw", "zhou.yutong", {}, {"<dispute_id>": _IDS}, {"dispute_id": "none"}
    ),
    _Form(
        "/disputes/<dispute_id>/answer",
        "gu.wenjing",
        {"answer": "x"},
        {"<dispute_id>": _IDS, "answer": (*_TEXTS, "x" * 1001), "adjustment": _NUMBERS},
        {"dispute_id": "none"},
    ),
    _Form(
        "/payouts/approve",
        "admin",
        {"node_id": "{enterprise}", "kind": "month", "on": "2031-01-01"},
        {"node_id": ("", *_IDS), "kind": _TEXTS, "on": ("", "2031-02-30", "yesterday")},
    ),
    _Form(
        "/payouts/batch",
        "gu.wenjing",
        {"node_id": "{enterprise}", "kind": "month", "on": "2031-01-01"},
        {"node_id": ("", *_IDS), "kind": _TEXTS, "on": ("", "2031-02-30", "yesterday")},
    ),
    _Form(
        "/payouts/hold",
        "gu.wenjing",
        {"node_id": "{enterprise}", "kind": "month", "on": "2031-01-01", "reason": "x"},
        {"person_id": _IDS, "kind": _TEXTS, "on": ("", "2031-02-30"), "reason": ("", *_CONTROL)},
    ),
    _Form(
        "/payouts/deals/<person_id>",
        "gu.wenjing",
        {"kind": "month", "on": "2031-01-01", "source": "crm", "deal": "D-1", "reason": "x"},
        {
            "<person_id>": _IDS,
            "kind": _TEXTS,
            "on": ("", "2031-02-30"),
            "source": _TEXTS,
            "deal": _TEXTS,
            "reason": ("", *_CONTROL),
        },
        {"person_id": "{person}"},
    ),
    _Form(
        "/payouts/batches/<batch_id>/paid",
        "gu.wenjing",
        {"paid_on": "2031-01-01"},
        {"<batch_id>": _IDS, "paid_on": ("", "2031-02-30"), "reference": _TEXTS},
        {"batch_id": "no-such-batch"},
    ),
    _Form(
        "/payouts/close",
        "gu.wenjing",
        {"node_id": "{enterprise}", "kind": "month", "on": "2031-01-01"},
        {"node_id": ("", *_IDS), "kind": _TEXTS, "on": ("", "2031-02-30", "yesterday")},
    ),
    _Form("/plans/<plan_id>/approve", "admin", {}, {"<plan_id>": _IDS}, {"plan_id": "newcomer-sales"}),
    _Form(
        "/plans/<plan_id>/reject",
        "admin",
        {"reason": "no"},
        {"<plan_id>": _IDS, "reason": _TEXTS},
        {"plan_id": "newcomer-sales"},
    ),
    _Form(
        "/plans/<plan_id>/numbers",
        "gu.wenjing",
        {"node_id": "shanghai", "number": "no.such", "value": "1", "effective_from": "2031-01-01"},
        {
            "<plan_id>": _IDS,
            "node_id": ("", *_IDS),
            "number": _TEXTS,
            "value": _TEXTS,
            "effective_from": ("", "2031-02-30", "yesterday"),
            "effective_to": ("2031-02-30", "yesterday"),
            "reason": _TEXTS,
        },
        {"plan_id": "newcomer-sales"},
    ),
    _Form(
        "/plans/<plan_id>/numbers/<setting_id>/approve",
        "admin",
        {},
        {"<plan_id>": _IDS, "<setting_id>": _IDS},
        {"plan_id": "newcomer-sales", "setting_id": "no-such-setting"},
    ),
    _Form(
        "/plans/<plan_id>/numbers/<setting_id>/refuse",
        "admin",
        {"reason": "no"},
        {"<plan_id>": _IDS, "<setting_id>": _IDS, "reason": _TEXTS},
        {"plan_id": "newcomer-sales", "setting_id": "no-such-setting"},
    ),
    _Form(
        "/plans/<plan_id>/numbers/<setting_id>/end",
        "gu.wenjing",
        {"reason": "no"},
        {
            "<plan_id>": _IDS,
            "<setting_id>": _IDS,
            "reason": _TEXTS,
            "effective_to": ("2031-02-30", "yesterday"),
        },
        {"plan_id": "newcomer-sales", "setting_id": "no-such-setting"},
    ),
    _Form("/bonus/plan", "zhou.yutong", {"digest": "0" * 64}, {"plan_id": _IDS, "digest": _TEXTS}),
    _Form(
        "/payouts/check",
        "gu.wenjing",
        {"node_id": "{enterprise}", "kind": "month", "on": "2031-01-01"},
        {
            "node_id": ("", *_IDS),
            "kind": _TEXTS,
            "on": ("", "2031-02-30", "yesterday"),
            "page": ("x", "²³"),
            "statements": _NUMBERS,
            "request_id": _SENT_BEFORE,
        },
    ),
    _Form(
        "/boards/new",
        "gu.wenjing",
        {"name": "榜", "metric": "emails_sent", "period": "month", "measure": "level"},
        {
            "name": ("", *_TEXTS[1:]),
            "metric": _TEXTS,
            "minimum_denominator": _NUMBERS[1:],
            "tenure_from": _NUMBERS[1:],
            "job_role": ("No!", *_CONTROL),
            "request_id": _SENT_BEFORE,
        },
    ),
    _Form(
        "/honours/confirm",
        "gu.wenjing",
        {
            "board_id": "close-rate-week",
            "node_id": "{enterprise}",
            "on": "2025-01-01",
            "person_id": "{person}",
        },
        {
            "board_id": _IDS,
            "node_id": _IDS,
            "person_id": _IDS,
            "reason": _CONTROL,
            "request_id": _SENT_BEFORE,
        },
    ),
    _Form(
        "/honours/pass",
        "gu.wenjing",
        {"board_id": "close-rate-week", "node_id": "{enterprise}", "on": "2025-01-01", "reason": "no"},
        {"board_id": _IDS, "node_id": _IDS, "reason": _TEXTS, "request_id": _SENT_BEFORE},
    ),
    _Form(
        "/honours/<honour_id>/answer",
        "zhou.yutong",
        {"consent": "name"},
        {"<honour_id>": _IDS, "consent": _TEXTS, "story": _CONTROL},
        {"honour_id": "none"},
    ),
    _Form("/boards/<board_id>/end", "gu.wenjing", {}, {"<board_id>": _IDS}),
    _Form("/boards/<board_id>/resume", "gu.wenjing", {}, {"<board_id>": _IDS}),
    _Form(
        "/plans/simulate",
        "gu.wenjing",
        {"node_id": "{enterprise}", "first_month": "2025-01", "months": "1", "first": "no-such-plan"},
        {
            "node_id": ("", *_IDS),
            "first_month": ("", "2025-13", "yesterday", "1999-01"),
            "months": (*_NUMBERS, "0", "25", "99"),
            "first": ("", *_IDS),
            "second": _IDS,
            "name": _CONTROL,
            "request_id": _SENT_BEFORE,
        },
    ),
    _Form("/plans/simulate/<simulation_id>/stop", "gu.wenjing", {}, {"<simulation_id>": _IDS}),
    _Form(
        "/plans/new",
        "gu.wenjing",
        _PLAN,
        {
            "name": _TEXTS,
            "effective_from": ("", *_DAYS),
            "node_id": ("", *_IDS),
            "rule-0-amount": _NUMBERS,
            "rule-0-metric": _TEXTS,
            "request_id": _SENT_BEFORE,
            "reason": _CONTROL,
        },
    ),
    _Form(
        "/coaching/for/<person_id>",
        "gu.wenjing",
        {"situation": "4", "metric": "win_rate", "text": "旁听两通电话", "due_day": "2031-01-01"},
        {
            "situation": ("", "0", "99", "behind", "²"),
            "metric": (*_TEXTS[1:], "luck"),
            "text": (*_TEXTS, "x" * 301),
            "due_day": ("", *_DAYS),
            "course_id": ("No", "a b", *_CONTROL),
            "request_id": _SENT_BEFORE,
        },
        {"person_id": "{person}"},
    ),
    _Form(
        "/coaching/for/<person_id>",
        "admin",
        {"situation": "1", "text": "x", "due_day": "2031-01-01"},
        {"<person_id>": _IDS},
    ),
    _Form("/coaching/<task_id>/answer", "zhou.yutong", {"answer": "done"}, {"<task_id>": _IDS}),
    _Form("/coaching/<task_id>/close", "tang.wei", {"outcome": "done"}, {"<task_id>": _IDS}),
    _Form(
        "/coaching/rules",
        "gu.wenjing",
        _RULE,
        {
            "node_id": ("", *_IDS),
            "situation": ("", "0", "99", "behind", "²"),
            "step_zh": (*_TEXTS, "x" * 301),
            "step_en": (*_TEXTS, "x" * 301),
            "days": ("", "0", "31", "-1", "1.5", "²³", "99999"),
            "reason": _TEXTS,
            "request_id": _SENT_BEFORE,
        },
    ),
    _Form(
        "/coaching/rules/withdraw",
        "admin",
        {"node_id": "{enterprise}", "situation": "1", "reason": "over"},
        {"node_id": ("", *_IDS), "situation": ("", "99", "x"), "reason": _TEXTS},
    ),
    _Form(
        "/fairness/<flag_id>/answer",
        "gu.wenjing",
        {"outcome": "dismissed", "reason": "looked at"},
        {"<flag_id>": _IDS, "outcome": ("", "open", "3"), "reason": (*_TEXTS, "x" * 501)},
        {"flag_id": "none"},
    ),
    _Form(
        "/fairness/<flag_id>/reply",
        "zhou.yutong",
        {"reply": "A couple."},
        {"<flag_id>": _IDS, "reply": (*_TEXTS, "x" * 1001)},
        {"flag_id": "none"},
    ),
    _Form(
        "/fairness/rules",
        "gu.wenjing",
        {
            "node_id": "{enterprise}",
            "kind": "2",
            "most": "15",
            "minutes": "5",
            "active": "yes",
            "reason": "x",
        },
        {
            "node_id": ("", *_IDS),
            "most": ("", "0", "-1", "1001", "1.5", "²³", "99999"),
            "minutes": ("", "0", "241", "many"),
            "reason": _CONTROL,
            "action": ("look",),
            "request_id": _SENT_BEFORE,
        },
    ),
    _Form("/metrics/new", "admin", _METRIC, _SPOILT_METRIC),
    _Form(
        "/metrics/new/preview",
        "gu.wenjing",
        _METRIC,
        {**_SPOILT_METRIC, "from": ("", *_DAYS), "to": ("", *_DAYS), "node": _IDS, "by": _TEXTS},
    ),
    _Form("/metrics/<name>", "admin", _METRIC, {"<name>": (*_IDS, "close_rate")}),
    _Form("/metrics/<name>/retire", "gu.wenjing", {"reason": "unused"}, {"<name>": (*_IDS, "close_rate")}),
    _Form(
        "/goals/new",
        "gu.wenjing",
        _GOAL,
        {
            "metric": _TEXTS,
            "value": _NUMBERS,
            "year": ("", "1999", "2100", "²³", "many"),
            "span": ("", "q5", "m0", "m13", "q²"),
            "periods": ("0", "13", "-1", "many", "²"),
            "node_id": ("", *_IDS),
            "parent": _IDS,
            "request_id": _SENT_BEFORE,
            "reason": _TEXTS,
        },
    ),
    _Form(
        "/goals/<goal_id>",
        "gu.wenjing",
        {"value": "5", "reason": "more"},
        {"value": _NUMBERS, "reason": _CONTROL, "request_id": _SENT_BEFORE, "<goal_id>": _IDS},
        {"goal_id": "{goal}"},
    ),
    _Form(
        "/goals/<goal_id>/cut",
        "gu.wenjing",
        {"action": "apply", "into": "people", "method": "equal", "reason": "shared out"},
        {
            "into": ("", "pieces", *_CONTROL),
            "method": ("", "by feel", *_CONTROL),
            "amount": _NUMBERS[1:],
            "reason": _TEXTS,
            "request_id": _SENT_BEFORE,
            "<goal_id>": _IDS,
        },
        {"goal_id": "{goal}"},
    ),
    _Form(
        "/goals/<goal_id>/assign",
        "gu.wenjing",
        {**_GOAL, "action": "apply"},
        {
            "metric": _TEXTS,
            "value": _NUMBERS,
            "year": ("", "1999", "2100", "²³", "many"),
            "span": ("", "q5", "m0", "m13", "q²"),
            "periods": ("0", "13", "-1", "many", "²"),
            "job_role": ("nobody-has-it", *_CONTROL),
            "reason": _TEXTS,
            "request_id": _SENT_BEFORE,
            "<goal_id>": _IDS,
        },
        {"goal_id": "{goal}"},
    ),
    _Form(
        "/goals/<goal_id>/restore",
        "gu.wenjing",
        {"known": "1700000000000000", "reason": "again"},
        {"known": (*_NUMBERS, "9" * 16, "9" * 17), "<goal_id>": _IDS},
        {"goal_id": "no-such-goal"},
    ),
    _Form(
        "/goals/<goal_id>/withdraw",
        "gu.wenjing",
        {"reason": "over"},
        {"reason": _TEXTS, "request_id": _SENT_BEFORE, "<goal_id>": _IDS},
        {"goal_id": "{goal}"},
    ),
    _Form("/objectives/new", "gu.wenjing", _OBJECTIVE, {**_SPOILT_OBJECTIVE, "node_id": ("", *_IDS)}),
    _Form(
        "/objectives/<objective_id>/edit",
        "gu.wenjing",
        _OBJECTIVE,
        {**_SPOILT_OBJECTIVE, "reason": _TEXTS, "<objective_id>": _IDS},
        {"objective_id": "{objective}"},
    ),
    _Form(
        "/objectives/<objective_id>/restore",
        "gu.wenjing",
        {"known": "1700000000000000", "reason": "again"},
        {"known": (*_NUMBERS, "9" * 16, "9" * 17), "<objective_id>": _IDS},
        {"objective_id": "no-such-objective"},
    ),
    _Form(
        "/objectives/<objective_id>/withdraw",
        "gu.wenjing",
        {"reason": "over"},
        {"reason": _TEXTS, "request_id": _SENT_BEFORE, "<objective_id>": _IDS},
        {"objective_id": "{objective}"},
    ),
    _Form("/courses/new", "jiang.lan", _COURSE, _SPOILT_COURSE),
    _Form("/courses/<course_id>", "jiang.lan", _COURSE, {"etag": _ETAGS}, {"course_id": "{course}"}),
    _Form("/courses/<course_id>", "admin", _COURSE, {"<course_id>": _IDS}),
    _Form(
        "/learning/<course_id>/lessons/<lesson_id>",
        "zhou.yutong",
        {},
        {"<lesson_id>": _IDS},
        {"course_id": "{course}"},
    ),
    _Form(
        "/learning/<course_id>/lessons/<lesson_id>",
        "zhou.yutong",
        {},
        {"<course_id>": _IDS},
        {"lesson_id": "lesson-1"},
    ),
    _Form(
        "/learning/<course_id>/quiz",
        "zhou.yutong",
        {},
        {"quiz_version": ("99999", "888")},
        {"course_id": "{course}"},
    ),
    _Form("/learning/<course_id>/quiz", "zhou.yutong", {}, {"<course_id>": _IDS}),
    _Form(
        "/customers",
        "zhou.yutong",
        _FOLLOW_UP,
        {
            "customer": (*_TEXTS, "x" * 150),
            "channel": ("", "pigeon", "a\x00b"),
            "result": ("", "married"),
            "minutes": ("", "-5", "1.5", "99999", "²³"),
            "amount": ("-1", "1.234", "1e9", "NaN", "9" * 12),
        },
    ),
    _Form("/customers/undo", "zhou.yutong", {}, {"undo": (*_TEXTS, "a.b.c", "x" * 5_000, "eyJ9.x")}),
    _Form("/language", "zhou.yutong", {"next": "//[x"}, {"language": (*_TEXTS, "de", "x" * 5_000)}),
    _Form(
        "/profile/password",
        "zhou.yutong",
        {"current": "jiaota-shidi", "new": "a long and quiet evening", "again": "a long and quiet evening"},
        {"again": ("", "another evening", "x\x00")},
    ),
    _Form("/sign-in", "zhou.yutong", {"password": "x"}, {"login": (*_TEXTS, "x" * 65)}),
)
# Each often enough.
_FORMS: Final = 60 * len(_FORMS_OF)
# Nothing that could be spoilt: one has no field, the other ends the session.
_NO_FORM: Final = {"/running/check", "/sign-out", "/webhooks/crm"}


@pytest.fixture
def people(gateway: Gateway, as_login: Callable[..., FlaskClient]) -> Mapping[str, tuple[FlaskClient, str]]:
    """Each login's browser and form token."""
    logins = sorted({form.login for form in _FORMS_OF})
    browsers = {login: as_login(login) for login in logins}
    return {login: (browser, token_in(browser.get("/profile").text)) for login, browser in browsers.items()}


def _names(gateway: Gateway, people: Mapping[str, tuple[FlaskClient, str]]) -> Mapping[str, str]:
    """Somebody and somewhere real, for the parts of a form that are not spoilt."""
    directory = gateway.parts.replica.directory
    person = next(each for each in directory.people() if each.name == "林子涵")
    department, branch = directory.department_of(person.id), directory.branch_of(person.id)
    assert department
    assert branch
    goal = re.search(r'href="/goals/([^"]+)"><strong>', people["gu.wenjing"][0].get("/goals").text)
    assert goal
    objective = re.search(
        r'<h2><a href="/objectives/([^"]+)">', people["gu.wenjing"][0].get("/objectives?all=yes").text
    )
    assert objective
    return {
        "{objective}": objective[1],
        "{goal}": goal[1],
        "{person}": person.id,
        "{department}": department,
        "{branch}": branch,
        "{enterprise}": directory.root_id,
        "{course}": "first-follow-up",
    }


def _spoil(form: _Form, names: Mapping[str, str], chance: random.Random) -> tuple[str, dict[str, str]]:
    """The address and the form, with one to three things in them spoilt."""
    spoilt = {
        name: chance.choice(form.spoilt[name])
        for name in chance.sample(sorted(form.spoilt), chance.randint(1, min(3, len(form.spoilt))))
    }
    parts = {name: names.get(value, value) for name, value in form.parts.items()}
    parts |= {name.strip("<>"): value for name, value in spoilt.items() if name.startswith("<")}
    sent = {name: names.get(value, value) for name, value in form.good.items()}
    sent |= {name: value for name, value in spoilt.items() if not name.startswith("<")}
    sent.setdefault("request_id", new_id())
    # What no form of ours holds is overlooked.
    sent |= {f"extra-{name}": word(chance) for name in chance.sample(FIELDS, chance.randint(0, 3))}
    address = "/".join(parts[part[1:-1]] if part.startswith("<") else part for part in form.route.split("/"))
    return address, sent


def test_every_form_of_the_pages_is_among_those_that_are_spoilt(gateway: Gateway) -> None:
    routes = {rule.rule for rule in gateway.flask.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert {form.route for form in _FORMS_OF} | _NO_FORM == routes


@pytest.mark.timeout(600)
def test_spoilt_forms_are_refused_and_change_nothing(
    platform_all: Platform, gateway: Gateway, people: Mapping[str, tuple[FlaskClient, str]]
) -> None:
    chance, told, names = random.Random(20261125), Counter[str](), _names(gateway, people)
    before = settled(platform_all.running.database)
    for number in range(_FORMS):
        form = _FORMS_OF[number % len(_FORMS_OF)]
        browser, token = people[form.login]
        address, sent = _spoil(form, names, chance)
        headers = {"HX-Request": "true"} if chance.random() < 0.3 else {}
        answer = browser.post(address, data=sent | {"csrf_token": token}, headers=headers)
        assert answer.status_code < 500, (address, sent, answer.status_code, answer.text[-500:])
        assert answer.status_code not in (401, 403), (address, sent, "the role and the form token are right")
        assert "Traceback" not in answer.text
        told[form.route] += 1
        if number % 500 == 499:
            # Named early, so that who changed something is not looked for among thousands.
            assert changed(before, settled(platform_all.running.database)) == [], (address, sent)
    assert told.total() == _FORMS >= 2_000
    assert min(told.values()) > 50, told
    assert changed(before, settled(platform_all.running.database)) == []


@pytest.mark.timeout(600)
def test_nonsense_in_addresses_and_queries_is_no_fault_and_changes_nothing(
    platform_all: Platform, gateway: Gateway, people: Mapping[str, tuple[FlaskClient, str]]
) -> None:
    chance = random.Random(20261126)
    before = settled(platform_all.running.database)
    reads = [
        rule
        for rule in gateway.flask.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint != "static"
    ]
    for number in range(_READS):
        rule = reads[number % len(reads)]
        browser, _ = people[chance.choice(sorted(people))]
        with gateway.flask.test_request_context():
            parts = {name: word(chance).replace("/", "") or "x" for name in rule.arguments}
            built = rule.build(parts, append_unknown=False)
        assert built
        query = {chance.choice(FIELDS): word(chance) for _ in range(chance.randint(1, 8))}
        answer = browser.get(built[1], query_string=query)
        assert answer.status_code < 500, (built[1], query, answer.status_code, answer.text[-500:])
        assert "Traceback" not in answer.text
    assert changed(before, settled(platform_all.running.database)) == []
