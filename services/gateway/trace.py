"""The trace of a statement line, as lines people can follow with a pocket calculator."""

from fractions import Fraction
from itertools import pairwise
from typing import Final

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


def _step(step: statements_pb2.TraceStep, before: statements_pb2.TraceStep, line: statements_pb2.Line) -> str:
    operands = [_number(each) for each in step.operands]
    result = _number(step.result)
    currency = line.amount.currency_code or "CNY"
    match step.operation:
        case _STEP.OPERATION_READ:
            value = _read(step.subject, result, line)
            return _("%(metric)s: %(value)s", metric=words.metric(step.subject), value=value)
        case _STEP.OPERATION_NO_DATA:
            return _("There is no data yet, so this line pays nothing.")
        case _STEP.OPERATION_TIER:
            return _(
                "%(mine)s falls into the tier that pays %(amount)s.",
                mine=_in_unit(operands[0], line),
                amount=formats.money(result, currency),
            )
        case _STEP.OPERATION_AT_LEAST:
            return _threshold(operands, line, reached=bool(result))
        case _STEP.OPERATION_DIVIDE:
            return f"{_plain(operands[0])} ÷ {_plain(operands[1])} = {_in_unit(result, line)}"
        case _STEP.OPERATION_SUBTRACT:
            return _above(operands, result, line)
        case _STEP.OPERATION_FLOOR:
            if operands[0] == result:
                return ""
            return _(
                "Only whole ones count: %(before)s becomes %(after)s.",
                before=_plain(operands[0]),
                after=_plain(result),
            )
        case _STEP.OPERATION_ROUND_HALF_UP:
            return _("Rounded once, half up: %(amount)s.", amount=formats.money(result, currency))
        case _STEP.OPERATION_MAX:
            return "" if operands[0] == result else _("It is under the threshold, so it counts as 0.")
        case _STEP.OPERATION_MIN:
            return _("A line pays at most %(amount)s.", amount=formats.money(result, currency))
        case _STEP.OPERATION_ADD:
            return f"{' + '.join(_plain(each) for each in operands)} = {_plain(result)}"
        case _STEP.OPERATION_MULTIPLY:
            return _product(operands, result, before, currency)
        case _:
            return ""


def _threshold(operands: list[Fraction], line: statements_pb2.Line, *, reached: bool) -> str:
    mine, least = (_in_unit(each, line) for each in operands)
    if reached:
        return _("%(mine)s reaches the threshold of %(least)s.", mine=mine, least=least)
    return _("%(mine)s does not reach the threshold of %(least)s.", mine=mine, least=least)


def _above(operands: list[Fraction], result: Fraction, line: statements_pb2.Line) -> str:
    mine, least = (_in_unit(each, line) for each in operands)
    if line.value.unit != RATE:
        return f"{mine} − {least} = {_plain(result)}"
    points = _plain(abs(result) * 100)
    if result < 0:
        return _("%(mine)s is %(points)s points below %(least)s.", mine=mine, least=least, points=points)
    return _("%(mine)s is %(points)s points above %(least)s.", mine=mine, least=least, points=points)


def _product(
    operands: list[Fraction], result: Fraction, before: statements_pb2.TraceStep, currency: str
) -> str:
    """Points were told by the step before; of every other product the last factor is an amount of money."""
    if before.operation == _STEP.OPERATION_SUBTRACT:
        return ""
    amount = formats.money(operands[-1], currency)
    if before.operation == _STEP.OPERATION_AT_LEAST:
        return _("That pays %(amount)s.", amount=formats.money(result, currency))
    factors = [_plain(each) for each in operands[:-1]]
    return f"{' × '.join([*factors, amount])} = {formats.money(result, currency)}"
