"""The goal tree in words: what a goal asks, how it was made, what its parts make together, why one is refused."""

import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from flask import Flask
from foothold.goals.v1 import cascade_pb2, values_pb2

from chassis.errors import Failure
from services.gateway import formats, words
from services.gateway.faults import faults
from services.gateway.figures import MONEY, RATE, Value, exact, to_date, written
from services.gateway.formats import minor_digits, rounded
from services.gateway.language import _, language, later, ngettext
from services.gateway.me import me
from services.gateway.parts import today
from services.gateway.problems import message_of

_METHOD: Final = cascade_pb2.GoalMethod
METHODS: Final[Mapping[int, str]] = {
    _METHOD.GOAL_METHOD_GIVEN: later("given"),
    _METHOD.GOAL_METHOD_EQUAL: later("the same for each"),
    _METHOD.GOAL_METHOD_WEIGHTED: later("by given weights"),
    _METHOD.GOAL_METHOD_HEADCOUNT: later("by headcount"),
    _METHOD.GOAL_METHOD_HISTORY: later("by earlier results"),
    _METHOD.GOAL_METHOD_MONTH_PROFILE: later("by the months' weights"),
    _METHOD.GOAL_METHOD_PASSED_DOWN: later("passed down as it is"),
    _METHOD.GOAL_METHOD_ASSIGNED: later("asked of many at once"),
}
_UNDIVIDED: Final = {
    _METHOD.GOAL_METHOD_GIVEN,
    _METHOD.GOAL_METHOD_PASSED_DOWN,
    _METHOD.GOAL_METHOD_ASSIGNED,
}
MONTHS: Final[Mapping[int, int]] = {
    values_pb2.PERIOD_KIND_MONTH: 1,
    values_pb2.PERIOD_KIND_QUARTER: 3,
    values_pb2.PERIOD_KIND_YEAR: 12,
}
"""How long each kind of period is that a goal may have."""
_YEAR: Final = 12
_NOBODY: Final = re.compile(r"nobody to divide among below (\S+)")
_NOTHING: Final = re.compile(r"nothing to divide by below (\S+)")
_FIELDS: Final = {"first_day": "span", "period_kind": "span", "key_results": "weights"}


def stretch(kind: int, first: date, periods: int = 1) -> str:
    """The days of some consecutive periods: 2026, Nov 2026."""
    return formats.months(first, MONTHS.get(kind, 1) * periods, language())


def days_of(goal: cascade_pb2.Goal) -> str:
    """The days a goal is for."""
    return stretch(goal.period_kind, to_date(goal.first_day) or today(), goal.periods)


def asks(goal: cascade_pb2.Goal) -> str:
    """What a goal asks: ¥50,000.00 per month where it has several periods, else the value alone."""
    if goal.periods > 1:
        return _("%(value)s %(per)s", value=written(goal.value), per=words.per(goal.period_kind))
    return written(goal.value)


def share(goal: cascade_pb2.Goal) -> str:
    """How a value came about: 25.0 % of ¥1,200,000.00, by headcount."""
    told = goal.share
    method = str(METHODS.get(told.method, ""))
    if told.method in _UNDIVIDED or not told.weight_sum:
        return method
    first, end = to_date(told.basis_from), to_date(told.basis_to)
    if first and end:
        method = _(
            "%(method)s of %(days)s",
            method=method,
            days=formats.span(first, end, language()),
        )
    divided = values_pb2.Value(
        unit=goal.value.unit, numerator=told.divided, denominator=1, currency=goal.value.currency
    )
    return _(
        "%(part)s of %(whole)s, %(method)s",
        part=formats.percent(Fraction(told.weight, told.weight_sum)),
        whole=written(divided),
        method=method,
    )


def part(goal: cascade_pb2.Goal) -> str:
    """Which part of what was divided fell to a goal; of one that was not cut, how it was made."""
    told = goal.share
    return formats.percent(Fraction(told.weight, told.weight_sum)) if told.weight_sum else share(goal)


def covered(coverage: cascade_pb2.GoalCoverage) -> tuple[str, str]:
    """How much of a goal is given out below it, as the name of a shape and a word; nothing is ever forced to fit."""
    part = exact(coverage.share)
    if part is None or part == 1:
        return "met", _("fully covered")
    return "edge", _("%(percent)s covered", percent=formats.percent(part))


def covering(coverage: cascade_pb2.GoalCoverage) -> str:
    """The same as a sentence, with what is missing or too much."""
    told = {"sum": written(coverage.sum), "percent": written(coverage.share)}
    gap = coverage.gap.numerator
    by_time = coverage.axis == cascade_pb2.GoalCoverage.AXIS_TIME
    if not gap:
        if by_time:
            return _("Its shorter periods make exactly all of it.")
        return _("Exactly all of it is given out below.")
    amount = values_pb2.Value()
    amount.CopyFrom(coverage.gap)
    amount.numerator = abs(gap)
    told["gap"] = written(amount)
    if by_time and gap > 0:
        return _("Its shorter periods make %(sum)s, %(percent)s of it: %(gap)s is missing.", **told)
    if by_time:
        return _("Its shorter periods make %(sum)s, %(percent)s of it: %(gap)s too much.", **told)
    if gap > 0:
        return _("%(sum)s is given out below, %(percent)s of it: %(gap)s is missing.", **told)
    return _("%(sum)s is given out below, %(percent)s of it: %(gap)s too much.", **told)


def needed(view: cascade_pb2.GoalView, above: cascade_pb2.Goal | None) -> str:
    """How many people with a goal like this cover the one above; empty where it is nobody's own."""
    number = exact(view.needed_for_parent) if view.HasField("needed_for_parent") else None
    person = me().directory.person(view.goal.node_id)
    if number is None or above is None or person is None:
        return ""
    told = {"number": rounded(number, 2), "place": name(above.node_id)}
    if MONTHS.get(above.period_kind, 1) * above.periods != _YEAR:
        return _("%(number)s people with this goal all along cover %(place)s.", **told)
    if person.on_probation(today()):
        return _("%(number)s newcomer-years like this one cover %(place)s.", **told)
    return _("%(number)s person-years like this one cover %(place)s.", **told)


def name(node_id: str) -> str:
    """A node's name; one the reader does not know is shown by its id."""
    node = me().directory.node(node_id)
    return node.name if node else node_id


def counted(attainment: values_pb2.Value) -> str:
    """What of a raw attainment counts for a score: at most all of it."""
    number = exact(attainment)
    return _("No data") if number is None else formats.percent(min(Fraction(1), number))


def typed(value: Value) -> str:
    """A value as it is typed into a form, and into a spreadsheet: percent, main units, no grouping."""
    number = exact(value)
    if number is None:
        return ""
    if value.unit == RATE:
        number *= 100
    elif value.unit == MONEY:
        number /= 10 ** minor_digits(value.currency or "CNY")
    text = rounded(number, 4).replace(",", "")
    return text.rstrip("0").rstrip(".")


def choices(table: Mapping[str, tuple[int, str]]) -> list[tuple[str, str]]:
    """What a select offers of a table of numbers and words."""
    return [(key, word) for key, (_number, word) in table.items()]


def refused(failure: Failure) -> tuple[str, dict[str, str]]:
    """Why a change of the tree was refused, in words, and what is wrong with which field of the form."""
    fields = faults(failure.fields)
    wrong = {
        _FIELDS.get(last, last): why
        for each, why in fields.items()
        if (last := each.rpartition(".")[2].partition("[")[0])
    }
    told = failure.metadata
    if failure.reason == "GOAL_OVERLAPS":
        return _(
            "%(place)s and a place within it would both be asked the same. Take one back first, or cut it otherwise.",
            place=name(told.get("node", "")),
        ), wrong
    if failure.reason == "GOAL_HAS_CHILDREN":
        number = int(told.get("children", "0"))
        return ngettext(
            "%(num)s goal hangs below it. Take that back first.",
            "%(num)s goals hang below it. Take those back first.",
            number,
        ), wrong
    if failure.reason == "ALLOCATION_IMPOSSIBLE":
        return _("This cannot be divided so. %(why)s", why=_impossible(failure)), {}
    return message_of(failure), wrong


def _impossible(failure: Failure) -> str:
    why = next(iter(failure.fields.values()), "")
    if found := _NOBODY.fullmatch(why):
        return _("Below %(place)s there is nobody and nothing of that kind.", place=name(found[1]))
    if found := _NOTHING.fullmatch(why):
        return _(
            "Below %(place)s all weights are 0: nothing is known of those days. Choose other days or another way.",
            place=name(found[1]),
        )
    if why == "the goal is not longer than one such period":
        return _("The goal is not longer than one such period.")
    return _("There would be too many shares at once.")


def install(app: Flask) -> None:
    """Make the words of the tree known to templates."""
    app.jinja_env.filters.update(
        as_date=to_date,
        asks=asks,
        days_of=days_of,
        how_made=share,
        part=part,
        covered=covered,
        covering=covering,
        typed=typed,
    )
