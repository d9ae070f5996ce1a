"""Years, quarters and months as forms name them, and numbers of them."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from foothold.goals.v1 import values_pb2

from services.gateway.formats import months
from services.gateway.goal_words import MONTHS
from services.gateway.language import _, language

_EARLIEST: Final = 2000
_LATEST: Final = 2099
_MONTHS: Final = 12
_QUARTERS: Final = 4
_AHEAD: Final = 3


def spans() -> list[tuple[str, str]]:
    """The stretches of a year: all of it, its quarters, its months."""
    found = [("year", _("All year"))]
    found += [(f"q{number}", _("Quarter %(number)s", number=number)) for number in range(1, _QUARTERS + 1)]
    return found + [(f"m{number}", _month(number)) for number in range(1, _MONTHS + 1)]


def _month(number: int) -> str:
    """A month's name without a year: 11月, Nov."""
    name = months(date(_EARLIEST, number, 1), 1, language())
    return name.removeprefix(f"{_EARLIEST}年").removesuffix(f" {_EARLIEST}")


def month_names() -> list[tuple[str, str]]:
    """The twelve, by number."""
    return [(str(number), _month(number)) for number in range(1, _MONTHS + 1)]


def years(today: date) -> list[tuple[str, str]]:
    """The years that are offered."""
    return [(str(year), str(year)) for year in range(today.year - 1, today.year + _AHEAD)]


def period_of(
    form: Mapping[str, str],
) -> tuple[values_pb2.PeriodKind.ValueType, date, dict[str, str]]:
    """The kind of period chosen, its first day, and what is wrong by field."""
    wrong: dict[str, str] = {}
    text, span = form.get("year", ""), form.get("span", "")
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 0  # noqa: PLR2004
    if not _EARLIEST <= year <= _LATEST:
        year, wrong["year"] = _EARLIEST, _("A year from 2000 to 2099, please.")
    if span == "year":
        return values_pb2.PERIOD_KIND_YEAR, date(year, 1, 1), wrong
    number = int(span[1:]) if span[1:].isascii() and span[1:].isdigit() and len(span) < 4 else 0  # noqa: PLR2004
    if span[:1] == "q" and 1 <= number <= _QUARTERS:
        return values_pb2.PERIOD_KIND_QUARTER, date(year, number * 3 - 2, 1), wrong
    if span[:1] == "m" and 1 <= number <= _MONTHS:
        return values_pb2.PERIOD_KIND_MONTH, date(year, number, 1), wrong
    wrong["span"] = _("Choose one of the list.")
    return values_pb2.PERIOD_KIND_YEAR, date(year, 1, 1), wrong


def periods_of(text: str, kind: int) -> int | None:
    """How many periods in a row; None where that is no number from 1 to a year's."""
    most = _MONTHS // MONTHS[kind]
    if not text.strip():
        return 1
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0  # noqa: PLR2004
    return number if 1 <= number <= most else None


def span_name(kind: int, first: date) -> str:
    """What the forms call the stretch that begins on a day."""
    if kind == values_pb2.PERIOD_KIND_YEAR:
        return "year"
    if kind == values_pb2.PERIOD_KIND_QUARTER:
        return f"q{(first.month + 2) // 3}"
    return f"m{first.month}"
