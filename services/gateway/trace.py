"""The trace of a statement line, as lines people can follow with a pocket calculator."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Final

from foothold.incentives.v1 import statements_pb2, values_pb2

from services.gateway import course_titles, formats, tree_trace, words
from services.gateway.figures import COUNT, RATE, to_date, written
from services.gateway.language import _, language
from services.gateway.traced import Told, in_unit, plain

_STEP: Final = statements_pb2.TraceStep


def lines(answer: statements_pb2.ExplainLineResponse) -> list[str]:
    """Every step that says something, in order."""
    steps = [_STEP(), *answer.steps]
    labels = {each.rule_id: each.label for each in answer.inside}
    found = [
        _passed(answer, step) or _step(step, before, answer.line, labels) for before, step in pairwise(steps)
    ]
    return [*_placed(answer), *(line for line in found if line)]


def _placed(answer: statements_pb2.ExplainLineResponse) -> list[str]:
    """Of a prize: the rank that won it, or that ranks are not settled yet or won nothing."""
    if answer.line.kind != values_pb2.RULE_KIND_RANKING_PRIZE:
        return []
    if not answer.HasField("placing"):
        return [_("Ranks are settled when the period is closed; up to now this line has won nothing.")]
    told = answer.placing
    found = [
        _("%(metric)s: %(value)s", metric=words.metric(told.value.metric), value=written(told.value.value))
    ]
    if told.tied > 1:
        found.append(_("Rank %(rank)s, level with %(others)s more.", rank=told.rank, others=told.tied - 1))
    else:
        found.append(_("Rank %(rank)s.", rank=told.rank))
    return found


def _passed(answer: statements_pb2.ExplainLineResponse, step: statements_pb2.TraceStep) -> str:
    """Of a course that counts: the day it was passed."""
    day = to_date(answer.passed_on) if answer.HasField("passed_on") else None
    if day is None or not step.subject.startswith(course_titles.PREFIX):
        return ""
    title = course_titles.title_of(step.subject)
    return _("“%(course)s” passed on %(day)s.", course=title, day=formats.day(day, language(), weekday=False))


def _number(rational: statements_pb2.Rational) -> Fraction:
    return Fraction(int(rational.numerator or "0"), int(rational.denominator or "1"))


def _read(metric: str, result: Fraction, line: statements_pb2.Line) -> str:
    return written(line.value) if metric == line.metric and line.value.unit != COUNT else plain(result)


def _step(
    step: statements_pb2.TraceStep,
    before: statements_pb2.TraceStep,
    line: statements_pb2.Line,
    labels: Mapping[str, str],
) -> str:
    operands = [_number(each) for each in step.operands]
    told = Told(operands, _number(step.result), step.subject, before.operation, line, labels)
    write = tree_trace.writer(step.operation, told) or _WRITERS.get(step.operation)
    return write(told) if write else ""


def _read_line(told: Told) -> str:
    value = _read(told.subject, told.result, told.line)
    return _("%(metric)s: %(value)s", metric=words.metric(told.subject), value=value)


def _tier(told: Told) -> str:
    mine = in_unit(told.operands[0], told.line)
    return _("%(mine)s falls into the tier that pays %(amount)s.", mine=mine, amount=told.money)


def _whole(told: Told) -> str:
    before, after = told.operands[0], told.result
    if before == after:
        return ""
    return _("Only whole ones count: %(before)s becomes %(after)s.", before=plain(before), after=plain(after))


def _sum(told: Told) -> str:
    return f"{' + '.join(plain(each) for each in told.operands)} = {plain(told.result)}"


def _quotient(told: Told) -> str:
    above, below = (plain(each) for each in told.operands)
    return f"{above} ÷ {below} = {in_unit(told.result, told.line)}"


def _threshold(told: Told) -> str:
    mine, least = (in_unit(each, told.line) for each in told.operands)
    if told.result:
        return _("%(mine)s reaches the threshold of %(least)s.", mine=mine, least=least)
    return _("%(mine)s does not reach the threshold of %(least)s.", mine=mine, least=least)


def _above(told: Told) -> str:
    mine, least = (in_unit(each, told.line) for each in told.operands)
    if told.line.value.unit != RATE:
        return f"{mine} − {least} = {plain(told.result)}"
    points = plain(abs(told.result) * 100)
    if told.result < 0:
        return _("%(mine)s is %(points)s points below %(least)s.", mine=mine, least=least, points=points)
    return _("%(mine)s is %(points)s points above %(least)s.", mine=mine, least=least, points=points)


def _product(told: Told) -> str:
    """Points were told by the step before; of every other product the last factor is an amount of money."""
    if told.before == _STEP.OPERATION_SUBTRACT:
        return ""
    if told.before == _STEP.OPERATION_AT_LEAST:
        return _("That pays %(amount)s.", amount=told.money)
    amount = formats.money(told.operands[-1], told.line.amount.currency_code or "CNY")
    return f"{' × '.join([*(plain(each) for each in told.operands[:-1]), amount])} = {told.money}"


def _nothing_less(told: Told) -> str:
    return "" if told.operands[0] == told.result else _("It is under the threshold, so it counts as 0.")


_WRITERS: Final[Mapping[int, Callable[[Told], str]]] = {
    _STEP.OPERATION_READ: _read_line,
    _STEP.OPERATION_NO_DATA: lambda _told: _("There is no data yet, so this line pays nothing."),
    _STEP.OPERATION_TIER: _tier,
    _STEP.OPERATION_AT_LEAST: _threshold,
    _STEP.OPERATION_DIVIDE: _quotient,
    _STEP.OPERATION_SUBTRACT: _above,
    _STEP.OPERATION_FLOOR: _whole,
    _STEP.OPERATION_ROUND_HALF_UP: lambda told: _("Rounded once, half up: %(amount)s.", amount=told.money),
    _STEP.OPERATION_MAX: _nothing_less,
    _STEP.OPERATION_MIN: lambda told: _("A line pays at most %(amount)s.", amount=told.money),
    _STEP.OPERATION_ADD: _sum,
    _STEP.OPERATION_MULTIPLY: _product,
}
