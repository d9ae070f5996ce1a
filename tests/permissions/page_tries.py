"""How each route is tried: whom it reaches for, and a form filled in as a person would."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from chassis.ids import new_id
from tests.permissions.browsing import FOLLOW_UP, Browser
from tests.permissions.calendars_probes import enter_day, newest_rule
from tests.permissions.cascade_probes import goal, objective
from tests.permissions.content import course_of
from tests.permissions.documents import document
from tests.permissions.enterprise import NODES, PASSWORD, PEOPLE

_NEW_PASSWORD: Final = "a short and busy morning"
_numbers = count(1)
_months = count()

Form = Callable[[Browser, str], Mapping[str, str]]


@dataclass(frozen=True)
class Try:
    """How a route is tried.

    `reaches` says for what: `people`, `nodes` or `nothing`; `arguments` makes the route's arguments from the
    target's id, and `form` what is sent to it.
    """

    reaches: str = "nothing"
    arguments: Callable[[Browser, str], Mapping[str, str]] = lambda _browser, _target: {}
    form: Form = lambda _browser, _target: {}
    headers: Mapping[str, str] = field(default_factory=dict)
    disposable: bool = False

    def relations(self) -> Mapping[str, str]:
        if self.reaches == "people":
            return {"own": "", **PEOPLE}
        return NODES if self.reaches == "nodes" else {"-": ""}


def _period(_browser: Browser, target: str) -> Mapping[str, str]:
    number = next(_numbers)
    day = f"{2001 + number // 12 % 15}-{number % 12 + 1:02}-01"
    return {"request_id": new_id(), "node_id": target, "kind": "month", "on": day}


_COURSE_FORM: Final = {
    "action": "save",
    "minutes": "5",
    "lessons": "1",
    "lesson-0-id": "l1",
    "lesson-0-title": "One",
    "questions": "1",
    "pass_mark": "80",
    "question-0-id": "q1",
    "question-0-text": "Yes?",
    "question-0-points": "1",
    "question-0-options": "2",
    "question-0-right": "a",
    "question-0-option-0-id": "a",
    "question-0-option-0-text": "Yes",
    "question-0-option-1-id": "b",
    "question-0-option-1-text": "No",
}


def _somebody(_browser: Browser, _target: str) -> Mapping[str, str]:
    name = f"typed-{next(_numbers)}"
    return {"name": name, "employee_number": name, "job_role": "sales", "parent_id": "shanghai-sales"}


def _typed_person(_browser: Browser, target: str) -> Mapping[str, str]:
    return {"name": target, "employee_number": target, "job_role": "sales"}


def _typed_target(_browser: Browser, target: str) -> Mapping[str, str]:
    return {
        "node_id": target,
        "job_role": f"typed-{next(_numbers)}",
        "metric": "customers_followed",
        "value": "20",
        "period": "month",
        "effective_from": "2030-01-01",
        "reason": "as everywhere",
    }


def _typed_rule(browser: Browser, target: str) -> Mapping[str, str]:
    return {
        "what": "calendar",
        "node_id": target,
        "kind": "five",
        "effective_from": "2030-01-01",
        "replaces": str(newest_rule(browser.enterprise, target)),
        "reason": "as everywhere",
    }


def _typed_day(_browser: Browser, target: str) -> Mapping[str, str]:
    return {"node_id": target, "first_day": "2030-01-01", "name": "Founders' day", "reason": "as announced"}


def _entered_day(browser: Browser, target: str) -> Mapping[str, str]:
    day = enter_day(browser.enterprise, target)
    return {"node_id": target, "day": f"{day.year}-{day.month:02}-{day.day:02}"}


def _account(browser: Browser, _target: str) -> Mapping[str, str]:
    id = f"typed-account-{next(_numbers)}"
    browser.enterprise.add_account(id)
    return {"account_id": id}


def _binding(browser: Browser, target: str) -> Mapping[str, str]:
    return {"binding_id": browser.enterprise.bind("mentor", "dummy", target).binding.id}


def _target(browser: Browser, target: str) -> Mapping[str, str]:
    return {"target_id": browser.enterprise.content.add_target(target, f"typed-{next(_numbers)}")}


def _restoring(browser: Browser, _target: str) -> Mapping[str, str]:
    # Of the target that the address has just been made for.
    revision = str(browser.enterprise.content.last_revision)
    return {"revision": revision, "effective_from": "2030-01-01", "reason": "again"}


def _proposal(browser: Browser, target: str) -> Mapping[str, str]:
    return {"target_id": browser.enterprise.content.add_proposal(target, f"typed-{next(_numbers)}")}


def _adopting(_browser: Browser, target: str) -> Mapping[str, str]:
    """The KPI of a metric that is built in, for a job role of its own."""
    return {
        "action": "adopt",
        "kpi": "4",
        "value-4": "4",
        "node_id": target,
        "job_role": f"typed-{next(_numbers)}",
        "effective_from": "2030-01-01",
        "reason": "we sell cars",
    }


def _template(browser: Browser, _target: str) -> Mapping[str, str]:
    return {"industry_id": browser.enterprise.content.add_template(f"typed-{next(_numbers)}")}


def _typed_goal(_browser: Browser, target: str) -> Mapping[str, str]:
    # A month of its own each time, of years that a calendar still knows.
    number = next(_months)
    return {
        "node_id": target,
        "metric": "meetings_attended",
        "year": str(2030 + number // 12),
        "span": f"m{number % 12 + 1}",
        "value": "20",
        "reason": "the plan",
    }


def _typed_assignment(_browser: Browser, _target: str) -> Mapping[str, str]:
    # About another metric than the goal's, of days that lie within none of them: each person is refused by name.
    return {
        "metric": "meetings_attended",
        "year": "2029",
        "span": "m1",
        "value": "20",
        "reason": "the plan",
        "action": "apply",
    }


def _goal(browser: Browser, target: str) -> Mapping[str, str]:
    return {"goal_id": browser.enterprise.content.add_goal(goal(target))}


def _objective(browser: Browser, target: str) -> Mapping[str, str]:
    return {"objective_id": browser.enterprise.content.add_objective(objective(target))}


def _typed_objective(_browser: Browser, target: str) -> Mapping[str, str]:
    return {
        "node_id": target,
        "title": "Write to customers",
        "year": "2030",
        "span": "q1",
        "reason": "the plan",
        "results": "1",
        "kr-0-weight": "100",
        "kr-0-metric": "emails_sent",
        "kr-0-value": "10",
        "action": "save",
    }


def _as_now(_browser: Browser, _target: str) -> Mapping[str, str]:
    return {"known": str(time.time_ns() // 1000), "reason": "again"}


def _named_course(_browser: Browser, target: str) -> Mapping[str, str]:
    return {**_COURSE_FORM, "title": course_of(target), "node_id": target}


def _new_course(_browser: Browser, _target: str) -> Mapping[str, str]:
    return {**_COURSE_FORM, "title": f"typed-{next(_numbers)}", "node_id": "shanghai"}


def _held(_browser: Browser, target: str) -> Mapping[str, str]:
    return {"node_id": "hq", "person_id": target, "kind": "month", "on": "2019-01-01", "reason": "Looked at"}


def _deals_of(_browser: Browser, target: str) -> Mapping[str, str]:
    return {"person_id": target, "kind": "month", "on": "2019-01-01"}


def _deal_held(_browser: Browser, _target: str) -> Mapping[str, str]:
    return {"kind": "month", "on": "2019-01-01", "source": "crm", "deal": "D-1", "reason": "Looked at"}


def _no_honour(_browser: Browser, _target: str) -> Mapping[str, str]:
    board = {"board_id": "follow-ups-month", "node_id": "shanghai", "on": "2020-01-01"}
    return {**board, "person_id": "newcomer", "reason": "Nobody"}


def _flag(browser: Browser, target: str) -> Mapping[str, str]:
    return {"flag_id": browser.enterprise.content.flag_of(target)}


def _new_flag(browser: Browser, target: str) -> Mapping[str, str]:
    return {"flag_id": browser.enterprise.content.new_flag_of(target)}


def _typed_fairness(_browser: Browser, target: str) -> Mapping[str, str]:
    return {"node_id": target, "kind": "4", "active": "yes", "reason": "as everywhere", "action": "save"}


def _no_dispute(_browser: Browser, _target: str) -> Mapping[str, str]:
    # Whose disputes one reads and answers tells tests/incentives/test_disputes.py.
    return {"dispute_id": "no-such-dispute"}


def _no_batch(_browser: Browser, _target: str) -> Mapping[str, str]:
    # Nobody is paid for a closed period here: of whose batches one reads tells tests/incentives/test_payouts.py.
    return {"batch_id": "no-such-batch"}


def _plan(browser: Browser, target: str) -> Mapping[str, str]:
    return {"plan_id": browser.enterprise.content.plan_of(target).id}


def _draft(browser: Browser, target: str) -> Mapping[str, str]:
    return {"plan_id": browser.enterprise.content.draft_at(target, f"drafted-{next(_numbers)}").id}


def _setting(browser: Browser, target: str) -> Mapping[str, str]:
    content = browser.enterprise.content
    return {"plan_id": content.plan_of("hq").id, "setting_id": content.setting_at(target)}


def _number(_browser: Browser, target: str) -> Mapping[str, str]:
    # Every node here has a plan of its own: whoever is let through is told so.
    return {
        "node_id": target,
        "number": "each.amount",
        "value": "60",
        "effective_from": "2030-01-01",
        "reason": "as elsewhere",
    }


def _own_plan(browser: Browser, _target: str) -> Mapping[str, str]:
    found = browser.enterprise.content.plan_of("shanghai-sales")
    return {"plan_id": found.id, "digest": found.digest}


def _new_plan(_browser: Browser, _target: str) -> Mapping[str, str]:
    return {
        "action": "save",
        "node_id": "hq",
        "job_role": f"typed-{next(_numbers)}",
        "name": "typed",
        "period": "month",
        "effective_from": "2030-01-01",
        "reason": "as everywhere",
        "rules": "1",
        "rule-0-label": "each",
        "rule-0-kind": "per_unit",
        "rule-0-metric": "new_customers",
        "rule-0-amount": "50",
    }


_MATTERS: Final = [
    (situation, metric)
    for situation in ("1", "2", "4", "5")
    for metric in (
        "",
        "new_customers",
        "customers_followed",
        "close_rate",
        "deals_won",
        "revenue",
        "emails_sent",
    )
]


def _opened(_browser: Browser, _target: str) -> Mapping[str, str]:
    # One task is open at a time for the same matter: each try has its own.
    situation, metric = _MATTERS[next(_numbers) % len(_MATTERS)]
    due = datetime.now(UTC).date() + timedelta(days=7)
    return {
        "situation": situation,
        "metric": metric,
        "text": "Listen in on two calls",
        "due_day": due.isoformat(),
    }


def _task(browser: Browser, target: str) -> Mapping[str, str]:
    return {"task_id": browser.enterprise.content.task_of(target)}


def _typed_step(_browser: Browser, target: str) -> Mapping[str, str]:
    return {
        "node_id": target,
        "situation": "1",
        "step_zh": "旁听两通电话",
        "step_en": "Listen in on two calls",
        "days": "3",
        "active": "yes",
        "reason": "as everywhere",
    }


def _taken_away(_browser: Browser, target: str) -> Mapping[str, str]:
    return {"node_id": target, "situation": "1", "reason": "no longer"}


def _typed_metric(_browser: Browser, _target: str) -> Mapping[str, str]:
    return {
        "name": f"typed_{next(_numbers)}",
        "title_zh": "跟进",
        "title_en": "Follow-ups",
        "description": "Follow-ups in the period.",
        "aggregation": "count",
        "direction": "least",
        "kind": "follow_up",
        "effective_from": "2030-01-01",
        "reason": "we count differently",
        "replaces": "0",
        "from": "2025-01-01",
        "to": "2025-03-31",
    }


def _metric(browser: Browser, _target: str) -> Mapping[str, str]:
    return {"name": browser.enterprise.content.add_metric(f"typed_{next(_numbers)}")}


def _next_version(browser: Browser, target: str) -> Mapping[str, str]:
    return {**_typed_metric(browser, target), "replaces": "1"}


def _newly_bound(browser: Browser, target: str) -> Mapping[str, str]:
    id = f"typed-{next(_numbers)}-{new_id()[-6:]}"
    browser.enterprise.add_person(id, "office")
    return {"role_id": "trainer", "subject_id": id, "node_id": target}


def _right_answers(browser: Browser, target: str) -> Mapping[str, str]:
    """The quiz opens once the lesson has been read."""
    browser.post(f"/learning/{course_of(target)}/lessons/l1", {}, {})
    return {"q-q1": "a"}


def _tried(browser: Browser, target: str) -> Mapping[str, str]:
    month = datetime.now(UTC).strftime("%Y-%m")
    plan_id = browser.enterprise.content.plan_of("hq").id
    return {
        "request_id": new_id(),
        "node_id": target,
        "first": plan_id,
        "first_month": month,
        "months": "1",
        "name": "Tried",
    }


def _simulation(browser: Browser, target: str) -> Mapping[str, str]:
    return {"simulation_id": browser.enterprise.content.simulation_of(target)}


_SIMULATION = Try("nodes", _simulation)
_PERSON = Try("people", lambda _, target: {"person_id": target})
_COURSE = Try("nodes", lambda _, target: {"course_id": course_of(target)})
_BOARD: Final = Try(arguments=lambda _b, _t: {"board_id": "follow-ups-month"})
_INDUSTRY: Final = Try(arguments=lambda _b, _t: {"industry_id": "car-dealership"})
_FORGED: Final = {
    "webhook-id": "msg_1",
    "webhook-timestamp": str(int(time.time())),
    "webhook-signature": "v1,Zm9yZ2Vk",
}
_ENDING: Final = {"effective_to": "2030-01-01", "reason": "no longer asked"}

TRIES: Final[Mapping[str, Try]] = {
    "POST /people/new": Try(form=_somebody),
    "GET /people/<person_id>": _PERSON,
    "POST /people/<person_id>": Try("people", _PERSON.arguments, _typed_person),
    "POST /people/<person_id>/dismiss": Try(
        "people", _PERSON.arguments, lambda _b, _t: {"reason": "leaves"}, disposable=True
    ),
    "POST /people/<person_id>/password": Try(
        "people", _PERSON.arguments, lambda _b, _t: {"password": PASSWORD}, disposable=True
    ),
    "GET /team/<person_id>": _PERSON,
    "GET /team/<person_id>/figures": _PERSON,
    "GET /team/<person_id>/effort": _PERSON,
    "GET /team/<person_id>/what-if": _PERSON,
    "GET /why/<person_id>/progress/<metric>/<period>": Try(
        "people",
        lambda _, target: {"person_id": target, "metric": "customers_followed", "period": "month"},
    ),
    "GET /why/<person_id>/line/<rule_id>": Try(
        "people", lambda _, target: {"person_id": target, "rule_id": "each"}
    ),
    "GET /learning/<course_id>": _COURSE,
    "GET /learning/<course_id>/quiz": _COURSE,
    "POST /learning/<course_id>/quiz": Try("nodes", _COURSE.arguments, _right_answers, disposable=True),
    "POST /learning/<course_id>/lessons/<lesson_id>": Try(
        "nodes", lambda _, target: {"course_id": course_of(target), "lesson_id": "l1"}
    ),
    "GET /courses/<course_id>": _COURSE,
    "POST /courses/<course_id>": Try("nodes", _COURSE.arguments, _named_course),
    "POST /organisation": Try(
        "nodes", form=lambda _, target: {"parent_id": target, "name": "Typed", "kind": "department"}
    ),
    "POST /organisation/<node_id>": Try(
        "nodes", lambda _, target: {"node_id": target}, lambda _, target: {"name": target}
    ),
    "POST /access": Try(
        "nodes",
        form=_newly_bound,
    ),
    "POST /courses/new": Try(form=_new_course),
    "POST /customers": Try(form=lambda _b, _t: FOLLOW_UP),
    "POST /customers/undo": Try(form=lambda browser, _: {"undo": browser.undo_token()}),
    "POST /boards/new": Try(form=lambda _b, _t: {"name": f"board-{next(_numbers)}", "metric": "emails_sent"}),
    "POST /boards/<board_id>/end": _BOARD,
    "POST /boards/<board_id>/resume": _BOARD,
    # Whose honours one confirms and answers, and whose photos one sees, tell tests/incentives/test_honours.py and
    # test_honour_photos.py.
    "GET /honours/<honour_id>/photo": Try(arguments=lambda _b, _t: {"honour_id": "none"}),
    "POST /honours/confirm": Try(form=_no_honour),
    "POST /honours/pass": Try(form=_no_honour),
    "POST /honours/<honour_id>/answer": Try(
        arguments=lambda _b, _t: {"honour_id": "none"}, form=lambda _b, _t: {"consent": "name"}
    ),
    "POST /plans/new": Try(form=_new_plan),
    "GET /plans/<plan_id>": Try("nodes", _plan),
    "GET /plans/<plan_id>/acknowledged.csv": Try("nodes", _plan),
    "POST /plans/<plan_id>/approve": Try("nodes", _draft),
    "POST /plans/<plan_id>/reject": Try("nodes", _draft, lambda _b, _t: {"reason": "Not yet"}),
    "GET /plans/<plan_id>/numbers": Try("nodes", _plan),
    "POST /plans/<plan_id>/numbers": Try("nodes", lambda b, _: _plan(b, "hq"), _number),
    "POST /plans/<plan_id>/numbers/<setting_id>/approve": Try("nodes", _setting),
    "POST /plans/<plan_id>/numbers/<setting_id>/refuse": Try(
        "nodes", _setting, lambda _b, _t: {"reason": "Not yet"}
    ),
    "POST /plans/<plan_id>/numbers/<setting_id>/end": Try(
        "nodes", _setting, lambda _b, _t: {"reason": "Not yet"}
    ),
    "POST /bonus/plan": Try(form=_own_plan),
    "POST /payouts/close": Try("nodes", form=_period),
    "GET /disputes/new": Try(arguments=lambda _b, _t: {"rule_id": "each"}),
    "POST /disputes/new": Try(form=lambda _b, _t: {"rule_id": "each", "words": "Too little"}),
    "GET /disputes/<dispute_id>": Try(arguments=_no_dispute),
    "POST /disputes/<dispute_id>/withdraw": Try(arguments=_no_dispute),
    "POST /disputes/<dispute_id>/answer": Try(arguments=_no_dispute, form=lambda _b, _t: {"answer": "No"}),
    "POST /payouts/approve": Try("nodes", form=_period),
    "POST /payouts/batch": Try("nodes", form=_period),
    "POST /payouts/hold": Try("people", form=_held),
    "GET /payouts/deals/<person_id>": Try("people", arguments=_deals_of),
    "POST /payouts/deals/<person_id>": Try("people", arguments=_deals_of, form=_deal_held),
    "GET /payouts/batches/<batch_id>": Try(arguments=_no_batch),
    "GET /payouts/batches/<batch_id>.csv": Try(arguments=_no_batch),
    "GET /payouts/batches/<batch_id>.xlsx": Try(arguments=_no_batch),
    "POST /payouts/batches/<batch_id>/paid": Try(
        arguments=_no_batch, form=lambda _b, _t: {"paid_on": "2030-01-01"}
    ),
    "POST /payouts/check": Try("nodes", form=_period),
    "POST /plans/simulate": Try("nodes", form=_tried),
    "GET /plans/simulate/<simulation_id>": _SIMULATION,
    "GET /plans/simulate/<simulation_id>.csv": _SIMULATION,
    "POST /plans/simulate/<simulation_id>/stop": _SIMULATION,
    "GET /metrics/<name>": Try(arguments=_metric),
    "GET /metrics/<name>/state": Try(arguments=_metric),
    "POST /metrics/new": Try(form=_typed_metric),
    "POST /metrics/new/preview": Try(form=_typed_metric),
    "POST /metrics/<name>": Try(arguments=_metric, form=_next_version),
    "POST /metrics/<name>/retire": Try(arguments=_metric, form=lambda _b, _t: {"reason": "unused"}),
    "GET /coaching/for/<person_id>": _PERSON,
    "POST /coaching/for/<person_id>": Try("people", _PERSON.arguments, _opened),
    "POST /coaching/<task_id>/answer": Try("people", _task, lambda _b, _t: {"answer": "We called two."}),
    "POST /coaching/<task_id>/close": Try("people", _task, lambda _b, _t: {"outcome": "done"}),
    "POST /coaching/rules": Try("nodes", form=_typed_step),
    "POST /coaching/rules/withdraw": Try("nodes", form=_taken_away),
    "GET /fairness/<flag_id>": Try("people", _flag),
    "POST /fairness/<flag_id>/answer": Try(
        "people", _new_flag, lambda _b, _t: {"outcome": "dismissed", "reason": "nothing in it"}
    ),
    "POST /fairness/<flag_id>/reply": Try("people", _new_flag, lambda _b, _t: {"reply": "For my aunt."}),
    "POST /fairness/rules": Try("nodes", form=_typed_fairness),
    "GET /team/<person_id>/coaching": _PERSON,
    "POST /access/<binding_id>/remove": Try("nodes", _binding),
    "POST /integrations": Try(form=lambda _b, _t: {"name": "Typed"}),
    "POST /integrations/<account_id>/token": Try(
        arguments=lambda _b, _t: {"account_id": "crm"}, form=lambda _b, _t: {"days": "1"}
    ),
    "POST /integrations/<account_id>/disable": Try(arguments=_account),
    "POST /calendar/rules": Try("nodes", form=_typed_rule),
    "POST /calendar/days": Try("nodes", form=_typed_day),
    "POST /calendar/days/remove": Try("nodes", form=_entered_day),
    "POST /standards": Try("nodes", form=_typed_target),
    "POST /standards/<target_id>/end": Try("nodes", _target, lambda _b, _t: _ENDING),
    "POST /standards/<target_id>/approve": Try("nodes", _proposal),
    "POST /standards/<target_id>/refuse": Try("nodes", _proposal, lambda _b, _t: _ENDING),
    "POST /standards/<target_id>/restore": Try("nodes", _target, _restoring),
    "GET /standards/at/<node_id>": Try("nodes", lambda _, target: {"node_id": target}),
    "POST /industries": Try(form=lambda _b, _t: {"document": document(f"typed-{next(_numbers)}")}),
    "GET /industries/<industry_id>": _INDUSTRY,
    "GET /industries/<industry_id>/document": _INDUSTRY,
    "POST /industries/<industry_id>/adopt": Try("nodes", _INDUSTRY.arguments, _adopting),
    "POST /industries/<industry_id>/remove": Try(arguments=_template),
    "POST /industries/<industry_id>/restore": Try(arguments=_template),
    "GET /goals/<goal_id>": Try("nodes", _goal),
    "GET /goals/<goal_id>/below": Try("nodes", _goal),
    "GET /goals/<goal_id>/shares.csv": Try("nodes", _goal),
    "GET /goals/<goal_id>/cut": Try("nodes", _goal),
    "POST /goals/<goal_id>/cut": Try(
        "nodes",
        _goal,
        lambda _b, _t: {"into": "people", "method": "equal", "reason": "shared out", "action": "apply"},
    ),
    "GET /goals/<goal_id>/assign": Try("nodes", _goal),
    "POST /goals/<goal_id>/assign": Try("nodes", _goal, _typed_assignment),
    "POST /goals/new": Try("nodes", form=_typed_goal),
    "POST /goals/<goal_id>": Try("nodes", _goal, lambda _b, _t: {"value": "20", "reason": "more"}),
    "POST /goals/<goal_id>/restore": Try("nodes", _goal, _as_now),
    "POST /goals/<goal_id>/withdraw": Try("nodes", _goal, lambda _b, _t: {"reason": "no longer asked"}),
    "GET /objectives/<objective_id>": Try("nodes", _objective),
    "GET /objectives/<objective_id>/edit": Try("nodes", _objective),
    "POST /objectives/<objective_id>/edit": Try("nodes", _objective, _typed_objective),
    "POST /objectives/<objective_id>/restore": Try("nodes", _objective, _as_now),
    "POST /objectives/<objective_id>/withdraw": Try(
        "nodes", _objective, lambda _b, _t: {"reason": "no longer meant"}
    ),
    "POST /objectives/new": Try("nodes", form=_typed_objective),
    "GET /today/<name>": Try(arguments=lambda _b, _t: {"name": "targets"}),
    "POST /profile/password": Try(
        form=lambda _b, _t: {"current": PASSWORD, "new": _NEW_PASSWORD, "again": _NEW_PASSWORD},
        disposable=True,
    ),
    "POST /language": Try(form=lambda _b, _t: {"language": "en"}),
    "POST /sign-in": Try(
        form=lambda browser, _: {"login": browser.person_id or "dummy", "password": PASSWORD}, disposable=True
    ),
    "POST /sign-out": Try(disposable=True),
    # Signed by somebody who does not know the secret.
    "POST /webhooks/crm": Try(headers=_FORGED),
    "GET /static/<path:filename>": Try(arguments=lambda _b, _t: {"filename": "icon.svg"}),
}
"""Routes that need more than their address; every other one is tried as it is."""
