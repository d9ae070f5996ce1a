"""Steps that only trees have: of shares and bands, of credit, and of what wraps other lines."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from foothold.incentives.v1 import statements_pb2, values_pb2

from services.gateway import formats, words
from services.gateway.figures import MONEY
from services.gateway.language import _
from services.gateway.traced import Told, in_unit, plain, share

_STEP: Final = statements_pb2.TraceStep
_SHARES: Final = (values_pb2.RULE_KIND_RATE_OF, values_pb2.RULE_KIND_GRADUATED)

_BY_TENURE: Final = (
    values_pb2.RULE_KIND_GUARANTEE,
    values_pb2.RULE_KIND_DRAW,
    values_pb2.RULE_KIND_RAMP,
)

Writer = Callable[[Told], str]


def writer(operation: int, told: Told) -> Writer | None:
    """Who writes a step; None where it is written as in any other line."""
    if told.line.kind == values_pb2.RULE_KIND_DRAW and operation in _OF_DRAWS:
        return _OF_DRAWS[operation]
    if told.wraps:
        return _OF_WRAPPERS.get(operation)
    if operation == _STEP.OPERATION_MULTIPLY and told.before == _STEP.OPERATION_READ and not told.line.metric:
        return _credited
    if told.line.kind in _SHARES:
        return _OF_SHARES.get(operation)
    return None


def _credited(told: Told) -> str:
    value, part = told.operands
    return f"{in_unit(value, told.line)} × {share(part)} = {in_unit(told.result, told.line)}"


def _part_of(told: Told) -> str:
    """Of money a share; of counts an amount each."""
    value, rate = told.operands
    if told.line.value.unit == MONEY:
        return _(
            "%(share)s of %(amount)s: %(paid)s", share=share(rate), amount=told.amount(value), paid=told.money
        )
    return f"{plain(value)} × {told.amount(rate)} = {told.money}"


def _in_band(told: Told) -> str:
    _end, low = told.operands
    part, begins = in_unit(told.result, told.line), in_unit(low, told.line)
    return _("%(part)s lie in the band from %(low)s on.", part=part, low=begins)


def _sum(told: Told) -> str:
    """What is credited is counted in the line's unit, everything else here is money."""
    if not told.wraps and told.before == _STEP.OPERATION_MULTIPLY and not told.line.metric:
        text: Callable[[Fraction], str] = lambda number: in_unit(number, told.line)  # noqa: E731
    elif told.wraps and told.before == _STEP.OPERATION_READ:
        text = plain
    else:
        text = told.amount
    parts = [each for each in told.operands if each]
    if len(parts) <= 1:
        return ""
    signed = "".join(f" {'−' if each < 0 else '+'} {text(abs(each))}" for each in parts)
    return f"{signed.removeprefix(' + ').removeprefix(' ')} = {text(told.result)}"


def _rounded(told: Told) -> str:
    if told.operands[0] == told.result:
        return ""
    return _("Rounded once, half up: %(amount)s.", amount=told.money)


def _line_read(told: Told) -> str:
    """A line that comes to nothing is not worth one of ten."""
    if not told.result:
        return ""
    label = formats.spaced(told.labels.get(told.subject, told.subject))
    return _("%(metric)s: %(value)s", metric=label, value=told.money)


def _difference(told: Told) -> str:
    if told.line.kind == values_pb2.RULE_KIND_GROUP:
        return _("It only adds up; it changes nothing.")
    after, inside = told.operands
    if after == inside:
        return _("So this changes nothing.")
    return f"{told.amount(after)} − {told.amount(inside)} = {told.money}"


def _at_most(told: Told) -> str:
    return _("Together they pay at most %(amount)s.", amount=told.amount(told.operands[1]))


def _at_least(told: Told) -> str:
    inside, least = told.operands
    if not least and inside < 0:
        return ""
    return _("Together they pay at least %(amount)s.", amount=told.amount(least))


def _condition(told: Told) -> str:
    """At least has the value first, at most the bound."""
    first, second = told.operands
    if told.line.kind in (values_pb2.RULE_KIND_GUARANTEE, values_pb2.RULE_KIND_DRAW):
        values = {"month": plain(second), "months": plain(first)}
        if told.result:
            return _("Month %(month)s of tenure is one of the first %(months)s.", **values)
        return _("Month %(month)s of tenure is after the first %(months)s.", **values)
    value = Fraction(told.line.value.numerator, told.line.value.denominator or 1)
    mine, bound = (
        in_unit(max(value, Fraction(0)), told.line),
        first if second == max(value, Fraction(0)) else second,
    )
    limit = in_unit(bound, told.line)
    if first == max(value, Fraction(0)):
        if told.result:
            return _("%(mine)s reaches the threshold of %(least)s.", mine=mine, least=limit)
        return _("%(mine)s does not reach the threshold of %(least)s.", mine=mine, least=limit)
    if told.result:
        return _("%(mine)s keeps within %(most)s.", mine=mine, most=limit)
    return _("%(mine)s is more than %(most)s.", mine=mine, most=limit)


def _times(told: Told) -> str:
    amount, factor = told.operands
    if factor in (0, 1):
        return (
            _("So nothing of it is paid.")
            if not factor and told.line.kind == values_pb2.RULE_KIND_GATE
            else ""
        )
    return _(
        "%(share)s of %(amount)s: %(paid)s", share=share(factor), amount=told.amount(amount), paid=told.money
    )


def _month(told: Told) -> str:
    month, part = told.operands[:2]
    return _("In month %(month)s of tenure %(share)s is paid.", month=plain(month), share=share(part))


def _unknown(told: Told) -> str:
    if told.line.kind in _BY_TENURE:
        return _("The day of hiring is not known, so this changes nothing.")
    return _("There is no data yet, so the condition does not hold.")


def _owed(told: Told) -> str:
    if told.subject.startswith(words.DRAWN):
        return _("%(metric)s: %(value)s", metric=words.metric(told.subject), value=told.money)
    return _("%(metric)s: %(value)s", metric=words.metric(told.subject), value=plain(told.result))


def _advanced(told: Told) -> str:
    """Of an advance what is missing; of paying back first what lies above, and at last what goes back."""
    first, second = told.operands
    if told.before == _STEP.OPERATION_MIN:
        return _("So much is paid back: %(amount)s.", amount=told.amount(second))
    if not second:
        return ""
    return f"{told.amount(first)} − {told.amount(second)} = {told.money}"


def _part_back(told: Told) -> str:
    amount, part = told.operands
    if told.before == _STEP.OPERATION_AT_LEAST:
        return _("Together they pay at least %(amount)s.", amount=told.money) if told.result else ""
    return _(
        "%(share)s of %(amount)s: %(paid)s", share=share(part), amount=told.amount(amount), paid=told.money
    )


_OF_DRAWS: Final[Mapping[int, Writer]] = {
    _STEP.OPERATION_READ: _owed,
    _STEP.OPERATION_MULTIPLY: _part_back,
    _STEP.OPERATION_SUBTRACT: _advanced,
    _STEP.OPERATION_MIN: lambda _told: "",
}
_OF_SHARES: Final[Mapping[int, Writer]] = {
    _STEP.OPERATION_MULTIPLY: _part_of,
    _STEP.OPERATION_SUBTRACT: _in_band,
    _STEP.OPERATION_ADD: _sum,
    _STEP.OPERATION_MIN: lambda _told: "",
    _STEP.OPERATION_ROUND_HALF_UP: _rounded,
}
_OF_WRAPPERS: Final[Mapping[int, Writer]] = {
    _STEP.OPERATION_READ_LINE: _line_read,
    _STEP.OPERATION_ADD: _sum,
    _STEP.OPERATION_SUBTRACT: _difference,
    _STEP.OPERATION_MIN: _at_most,
    _STEP.OPERATION_MAX: _at_least,
    _STEP.OPERATION_AT_LEAST: _condition,
    _STEP.OPERATION_MULTIPLY: _times,
    _STEP.OPERATION_TIER: _month,
    _STEP.OPERATION_ROUND_HALF_UP: _rounded,
    _STEP.OPERATION_NO_DATA: _unknown,
}
