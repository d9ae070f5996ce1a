"""The trace of a statement line, as lines people can follow with a pocket calculator."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Final, NamedTuple

from foothold.incentives.v1 import statements_pb2

from services.gateway import formats, words
from services.gateway.figures import COUNT, MINUTES, MONEY, RATE, written
from services.gateway.language import _, language

_STEP: Final = statements_pb2.TraceStep
_SHARE_PLACES: Final = 2


def lines(answer: statements_pb2.ExplainLineResponse) -> list[str]:
    """Every step that says something, in order."""
    steps = [_STEP(), *answer.steps]
    found = [_step(step, before, answer.line) for before, step in pairwise(steps)]
    return [line for line in found if line]


def _number(rational: statements_pb2.Rational) -> Fraction:
    return Fraction(int(rational.numerator or "0"), int(rational.denominator or "1"))


def _plain(number: Fraction) -> str:
    """A number of the trace: whole as it is, otherwise with up to four decimals."""
    return formats.rounded(number, 0) if number.denominator == 1 else formats.rounded(number, 4).rstrip("0")


def _in_unit(number: Fraction, line: statements_pb2.Line) -> str:
    unit = line.value.unit
    if unit == RATE:
        return formats.percent(number, 1 if (number * 1000).denominator == 1 else _SHARE_PLACES)
    if unit == MONEY:
        return formats.money(number, line.value.currency or "CNY")
    if unit == MINUTES:
        return formats.minutes(int(number), language())
    return _plain(number)


def _read(metric: str, result: Fraction, line: statements_pb2.Line) -> str:
    return written(line.value) if metric == line.metric and line.value.unit != COUNT else _plain(result)


class _Told(NamedTuple):
    """One step with everything its line may need."""

    operands: list[Fraction]
    result: Fraction
    subject: str
    before: int
    line: statements_pb2.Line

    @property
    def money(self) -> str:
        """The result as an amount."""
        return formats.money(self.result, self.line.amount.currency_code or "CNY")


def _step(step: statements_pb2.TraceStep, before: statements_pb2.TraceStep, line: statements_pb2.Line) -> str:
    operands = [_number(each) for each in step.operands]
    write = _WRITERS.get(step.operation)
    return write(_Told(operands, _number(step.result), step.subject, before.operation, line)) if write else ""


def _read_line(told: _Told) -> str:
    value = _read(told.subject, told.result, told.line)
    return _("%(metric)s: %(value)s", metric=words.metric(told.subject), value=value)


def _tier(told: _Told) -> str:
    mine = _in_unit(told.operands[0], told.line)
    return _("%(mine)s falls into the tier that pays %(amount)s.", mine=mine, amount=told.money)


def _whole(told: _Told) -> str:
    before, after = told.operands[0], told.result
    if before == after:
        return ""
    return _(
        "Only whole ones count: %(before)s becomes %(after)s.", before=_plain(before), after=_plain(after)
    )


def _sum(told: _Told) -> str:
    return f"{' + '.join(_plain(each) for each in told.operands)} = {_plain(told.result)}"


def _quotient(told: _Told) -> str:
    above, below = (_plain(each) for each in told.operands)
    return f"{above} ÷ {below} = {_in_unit(told.result, told.line)}"


def _threshold(told: _Told) -> str:
    mine, least = (_in_unit(each, told.line) for each in told.operands)
    if told.result:
        return _("%(mine)s reaches the threshold of %(least)s.", mine=mine, least=least)
    return _("%(mine)s does not reach the threshold of %(least)s.", mine=mine, least=least)


def _above(told: _Told) -> str:
    mine, least = (_in_unit(each, told.line) for each in told.operands)
    if told.line.value.unit != RATE:
        return f"{mine} − {least} = {_plain(told.result)}"
    points = _plain(abs(told.result) * 100)
    if told.result < 0:
        return _("%(mine)s is %(points)s points below %(least)s.", mine=mine, least=least, points=points)
    return _("%(mine)s is %(points)s points above %(least)s.", mine=mine, least=least, points=points)


def _product(told: _Told) -> str:
    """Points were told by the step before; of every other product the last factor is an amount of money."""
    if told.before == _STEP.OPERATION_SUBTRACT:
        return ""
    if told.before == _STEP.OPERATION_AT_LEAST:
        return _("That pays %(amount)s.", amount=told.money)
    amount = formats.money(told.operands[-1], told.line.amount.currency_code or "CNY")
    return f"{' × '.join([*(_plain(each) for each in told.operands[:-1]), amount])} = {told.money}"


def _nothing_less(told: _Told) -> str:
    return "" if told.operands[0] == told.result else _("It is under the threshold, so it counts as 0.")


_WRITERS: Final[Mapping[int, Callable[[_Told], str]]] = {
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
