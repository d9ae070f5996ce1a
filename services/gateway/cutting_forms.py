"""Cutting a goal, as a form: into what, how, by which weights, of which earlier days."""

from collections.abc import Mapping, Sequence
from typing import Final

from foothold.goals.v1 import allocation_pb2, cascade_pb2, values_pb2

from access.directory import Directory
from access.records import Kind
from services.gateway import goal_words
from services.gateway.figures import from_date
from services.gateway.language import _, later
from services.gateway.pages.goals import is_date

_STEP: Final = allocation_pb2.AllocationStep
_METHOD: Final = cascade_pb2.GoalMethod
INTO: Final[Mapping[str, tuple[allocation_pb2.AllocationStep.Into.ValueType, str]]] = {
    "branches": (_STEP.INTO_BRANCHES, later("branches")),
    "departments": (_STEP.INTO_DEPARTMENTS, later("departments")),
    "people": (_STEP.INTO_PEOPLE, later("people")),
    "quarters": (_STEP.INTO_QUARTERS, later("quarters")),
    "months": (_STEP.INTO_MONTHS, later("months")),
}
METHODS: Final[Mapping[str, tuple[cascade_pb2.GoalMethod.ValueType, str]]] = {
    "equal": (_METHOD.GOAL_METHOD_EQUAL, later("the same for each")),
    "weighted": (_METHOD.GOAL_METHOD_WEIGHTED, later("by given weights")),
    "headcount": (_METHOD.GOAL_METHOD_HEADCOUNT, later("by headcount")),
    "history": (_METHOD.GOAL_METHOD_HISTORY, later("by earlier results")),
}
BY_TIME: Final = frozenset({"quarters", "months"})
TWELVE: Final = tuple(str(number) for number in range(1, 13))
_LONGEST_WEIGHT: Final = 12
WEIGHT: Final = "weight-"
"""What the fields of weights are named: this, then a node's id or a month's number."""


def usual_into(goal: cascade_pb2.Goal, directory: Directory) -> str:
    """What somebody most likely wants to cut a goal into."""
    node = directory.node(goal.node_id)
    if node is None or node.kind is Kind.PERSON:
        return "months"
    below = {child.kind for each in directory.children(goal.node_id) if (child := directory.node(each))}
    if node.kind is Kind.DEPARTMENT and Kind.DEPARTMENT not in below:
        long = goal_words.MONTHS.get(goal.period_kind, 1) * goal.periods > 1
        return "months" if long else "people"
    return "branches" if Kind.BRANCH in below else "departments"


def weights_of(form: Mapping[str, str]) -> tuple[dict[str, int], dict[str, str]]:
    """The weights typed, by node or month, and what is wrong by field."""
    weights: dict[str, int] = {}
    wrong: dict[str, str] = {}
    for name, text in form.items():
        if not name.startswith(WEIGHT):
            continue
        typed = text.strip()
        if typed.isascii() and typed.isdigit() and len(typed) <= _LONGEST_WEIGHT:
            weights[name.removeprefix(WEIGHT)[:64]] = int(typed)
        else:
            wrong[name] = _("A whole number, please; only the proportions count.")
    return weights, wrong


def step_of(
    form: Mapping[str, str], weights: Mapping[str, int]
) -> tuple[allocation_pb2.AllocationStep, dict[str, str]]:
    """The step as typed, and what is wrong by field."""
    wrong: dict[str, str] = {}
    into, method = form.get("into", ""), form.get("method", "")
    if into not in INTO:
        wrong["into"] = _("Choose one of the list.")
    if method not in METHODS:
        wrong["method"] = _("Choose one of the list.")
    if wrong:
        return _STEP(), wrong
    step = _STEP(into=INTO[into][0], method=METHODS[method][0])
    if into in BY_TIME and method in ("weighted", "history"):
        step.method = _METHOD.GOAL_METHOD_MONTH_PROFILE
    if method == "weighted":
        step.weights.extend(_STEP.Weight(key=key, weight=weight) for key, weight in weights.items())
    if method == "history":
        wrong |= _read_days(step, form)
    if into == "people":
        step.job_role = form.get("job_role", "").strip()[:40]
        step.newcomers_only = form.get("newcomers") == "yes"
    return step, wrong


def _read_days(step: allocation_pb2.AllocationStep, form: Mapping[str, str]) -> dict[str, str]:
    """Take the earlier days into the step; what is wrong with them by field."""
    wrong: dict[str, str] = {}
    days = {name: form.get(name, "") for name in ("history_from", "history_to")}
    for name, text in days.items():
        day = is_date(text)
        if day is not None:
            getattr(step, name).CopyFrom(from_date(day))
        elif text:
            wrong[name] = _("A day like 2026-11-23, please.")
        elif any(days.values()):
            wrong[name] = _("Both days, or none for the year before.")
    return wrong


def key_of(share: allocation_pb2.AllocationShare) -> str:
    """What a share's weight is named after."""
    return share.goal.node_id


def sum_of(shares: Sequence[allocation_pb2.AllocationShare]) -> values_pb2.Value | None:
    """What the shares make together, over all their periods; None for rates and for none."""
    if not shares or shares[0].goal.value.unit == values_pb2.UNIT_RATE:
        return None
    total = values_pb2.Value()
    total.CopyFrom(shares[0].goal.value)
    total.numerator = sum(each.goal.value.numerator for each in shares)
    return total
