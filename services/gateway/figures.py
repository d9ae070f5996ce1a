"""Figures of the contracts, as people read them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from flask import Flask
from foothold.goals.v1 import values_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.clock import Clock
from services.gateway import formats, words
from services.gateway.language import _, language
from services.gateway.me import me

COUNT, RATE, MONEY, MINUTES = 1, 2, 3, 4
"""Units; goals and incentives number them alike."""


class Value(Protocol):
    """A value of either contract."""

    @property
    def unit(self) -> int: ...
    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...
    @property
    def currency(self) -> str: ...


def exact(value: Value) -> Fraction | None:
    """The number, or None for "no data"."""
    return Fraction(value.numerator, value.denominator) if value.denominator else None


def written(value: Value) -> str:
    """A value in its unit: 12, 12.0 %, ¥1,234.50, 2 h 5 min; "no data" where there is none."""
    number = exact(value)
    if number is None:
        return _("No data")
    if value.unit == RATE:
        return formats.percent(number)
    if value.unit == MONEY:
        return formats.money(number, value.currency or "CNY")
    if value.unit == MINUTES:
        return formats.minutes(number.numerator // number.denominator, language())
    return formats.count(number)


def fraction(value: Value) -> str:
    """A rate as it was counted: 2/20. Empty for what is no rate."""
    return f"{value.numerator:,}/{value.denominator:,}" if value.unit == RATE and value.denominator else ""


def percent(value: Value) -> str:
    """A share as a whole percentage, for attainments: 75 %."""
    number = exact(value)
    return _("No data") if number is None else formats.percent(number, 0)


def points(value: Value) -> str:
    """A difference of rates in percentage points."""
    number = exact(value) or Fraction(0)
    return _("%(number)s points", number=formats.rounded(number * 100, 1))


def missing(value: Value) -> str:
    """What is missing: rates in points, everything else in its unit."""
    return points(value) if value.unit == RATE else written(value)


def gained(value: Value) -> str:
    """A difference with its sign: +5 h, -4.0 points; empty without data."""
    number = exact(value)
    if number is None:
        return ""
    plain = values_pb2.Value(
        unit=value.unit,  # type: ignore[arg-type]  # a plain int serves
        numerator=abs(number.numerator),
        denominator=number.denominator,
        currency=value.currency,
    )
    return f"{_sign(number)}{missing(plain)}"


def gained_percent(value: Value) -> str:
    """A relative change with its sign: +50 %; empty without data."""
    number = exact(value)
    return "" if number is None else f"{_sign(number)}{formats.percent(abs(number), 0)}"


def _sign(number: Fraction) -> str:
    return "+" if number > 0 else "-" if number < 0 else "±"


class Attempt(Protocol):
    """A quiz attempt."""

    @property
    def points(self) -> int: ...
    @property
    def possible(self) -> int: ...


def score(attempt: Attempt) -> str:
    """An attempt in percent, with a decimal only where there is one: 80 %, 79.5 %."""
    share = Fraction(attempt.points, attempt.possible) if attempt.possible else Fraction(0)
    return formats.percent(share, 0 if (share * 100).denominator == 1 else 1)


def filled(value: Value) -> int:
    """How much of a bar to fill, 0..100."""
    number = exact(value)
    return 0 if number is None else max(0, min(100, int(number * 100)))


def minor(amount: Money) -> int:
    """An amount in minor units."""
    digits = formats.minor_digits(amount.currency_code)
    return int(amount.units * 10**digits + Fraction(amount.nanos, 10 ** (9 - digits)))


def from_minor(number: int, currency: str) -> Money:
    """So many minor units of a currency."""
    digits = formats.minor_digits(currency)
    units, rest = divmod(abs(number), 10**digits)
    sign = -1 if number < 0 else 1
    return Money(currency_code=currency, units=sign * units, nanos=sign * rest * 10 ** (9 - digits))


def from_typed(number: Fraction, currency: str) -> Money | None:
    """An amount somebody typed; None where it has more decimals than the currency."""
    found = number * 10 ** formats.minor_digits(currency)
    return from_minor(found.numerator, currency) if found.denominator == 1 else None


def decimal(amount: Money) -> Decimal:
    """An amount for a spreadsheet: a number with the currency's decimals, without its sign."""
    return Decimal(minor(amount)).scaleb(-formats.minor_digits(amount.currency_code))


def money(amount: Money) -> str:
    """An amount: ¥1,234.50."""
    return formats.money(minor(amount), amount.currency_code or "CNY")


def signed(number: int, currency: str) -> str:
    """A change of so many minor units, with its sign."""
    return ("+" if number > 0 else "") + formats.money(number, currency or "CNY")


def to_date(when: Date) -> date | None:
    """The day; None where it is unset."""
    return date(when.year, when.month, when.day) if when.year else None


def from_date(when: date) -> Date:
    return Date(year=when.year, month=when.month, day=when.day)


def install(app: Flask, clock: Clock) -> None:
    """Make the figures known to templates as filters; times are in the reader's own zone."""

    def zone() -> str:
        return me().zone

    def moment(when: Timestamp | datetime) -> str:
        instant = when if isinstance(when, datetime) else when.ToDatetime(UTC)
        return formats.moment(instant, zone(), language(), now=clock.now())

    def day(when: Date | date, *, weekday: bool = True) -> str:
        found = when if isinstance(when, date) else to_date(when)
        return (
            formats.day(
                found, language(), weekday=weekday, today=clock.now().astimezone(ZoneInfo(zone())).date()
            )
            if found
            else ""
        )

    def span(period: Any) -> str:
        first, end = to_date(period.first_day), to_date(period.end_day)
        return formats.span(first, end, language()) if first and end else ""

    filters: dict[str, Any] = {
        "written": written,
        "fraction": fraction,
        "percent": percent,
        "points": points,
        "missing": missing,
        "filled": filled,
        "gained": gained,
        "gained_percent": gained_percent,
        "money": money,
        "minor": minor,
        "moment": moment,
        "day": day,
        "span": span,
        "score": score,
        "iso": lambda when: found.isoformat() if (found := to_date(when)) else "",
        "titles": lambda courses: [(course.id, course.title) for course in courses],
        "people": lambda people: [(each.id, f"{each.name} {each.employee_number}") for each in people],
        "metric_choices": lambda metrics: [(each.name, words.metric(each.name)) for each in metrics],
        "situation_choices": lambda known: [(int(code), word) for code, (_shape, word) in known.items()],
        "step": lambda rule: rule.step_zh if language() == "zh" else rule.step_en,
        "role_choices": lambda roles: [(each.id, words.role(each.id, each.name)) for each in roles],
        "spaced": lambda text: formats.spaced(str(text)) if language() == "zh" else text,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(words=words)
