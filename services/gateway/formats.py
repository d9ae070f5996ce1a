"""How figures, days and times are written. Exact: integers and fractions in, text out, no binary float (R1).

`language` is `zh` or `en`. What stands between a number and its unit is a narrow no-break space, so that
"12.0 %" never breaks over a line, and so is what stands between digits and the Chinese word they count; wherever else
Chinese meets Latin or digits stands a thin space.
"""

import re
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

NARROW: Final = "\u202f"
THIN: Final = "\u2009"

_SIGNS: Final = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "¥"}
# ISO 4217 currencies without, or with three, minor digits; all others have two.
_DIGITS: Final = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3}

_WEEKDAYS: Final = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_HAN: Final = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_LATIN: Final = r"A-Za-z0-9¥$€£%+"
_HAN_THEN_LATIN: Final = re.compile(rf"([{_HAN}])[ {THIN}]?(?=[{_LATIN}])")
_LATIN_THEN_HAN: Final = re.compile(rf"([{_LATIN}])[ {THIN}{NARROW}]?(?=[{_HAN}])")
# 11月23日 is one word: no space inside, whatever the rule for digits says. 每月 20 is none.
_DATE: Final = re.compile(rf"(\d){NARROW}([年月日])|(?<=\d)([年月]){THIN}(\d)")


def rounded(number: Fraction, places: int) -> str:
    """The number with `places` decimals, rounded half up (away from zero), thousands grouped."""
    scale = 10**places
    scaled = abs(number) * scale
    whole = (scaled.numerator * 2 + scaled.denominator) // (scaled.denominator * 2)
    sign = "-" if number < 0 and whole else ""
    units, rest = divmod(whole, scale)
    return f"{sign}{units:,}.{rest:0{places}d}" if places else f"{sign}{units:,}"


def minor_digits(currency: str) -> int:
    """How many decimals the currency is written with."""
    return _DIGITS.get(currency, 2)


def money(minor: int | Fraction, currency: str) -> str:
    """`minor` units as an amount: ¥1,234.50. A fraction is rounded half up to the minor unit."""
    digits = minor_digits(currency)
    text = rounded(Fraction(minor) / 10**digits, digits)
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    mark = _SIGNS.get(currency)
    return f"{sign}{mark}{text}" if mark else f"{sign}{text}{NARROW}{currency}"


def percent(part: Fraction, places: int = 1) -> str:
    """A share as a percentage: 12.0 %."""
    return f"{rounded(part * 100, places)}{NARROW}%"


def count(number: int | Fraction) -> str:
    """A count, thousands grouped; a fraction with one decimal."""
    number = Fraction(number)
    return rounded(number, 0 if number.denominator == 1 else 1)


def minutes(number: int, language: str) -> str:
    """A length of time: 45 分钟, 2 小时 5 分钟; 45 min, 2 h 5 min."""
    hour, minute = ("小时", "分钟") if language == "zh" else ("h", "min")
    hours, rest = divmod(number, 60)
    parts = [f"{hours:,}{NARROW}{hour}"] if hours else []
    if rest or not hours:
        parts.append(f"{rest}{NARROW}{minute}")
    return (THIN if language == "zh" else " ").join(parts)


def day(when: date, language: str, *, weekday: bool = True, today: date | None = None) -> str:
    """A day: 11月23日 周一, Mon 23 Nov. The year is written where it is not that of `today`."""
    year = today is not None and when.year != today.year
    if language == "zh":
        text = f"{when.year}年" if year else ""
        text += f"{when.month}月{when.day}日"
        return f"{text} {_WEEKDAYS['zh'][when.weekday()]}" if weekday else text
    text = f"{when.day} {_MONTHS[when.month - 1]}"
    text = f"{text} {when.year}" if year else text
    return f"{_WEEKDAYS['en'][when.weekday()]} {text}" if weekday else text


def span(first: date, end: date, language: str) -> str:
    """A half-open period of days, written with its last day: 11月1日–30日, 1–30 Nov."""
    last = end - timedelta(days=1)
    if first >= last:
        return day(first, language)
    if language == "zh":
        ending = f"{last.day}日" if first.month == last.month else day(last, language, weekday=False)
        return f"{day(first, language, weekday=False)}–{ending}"
    if first.month == last.month:
        return f"{first.day}–{day(last, language, weekday=False)}"
    return f"{day(first, language, weekday=False)} – {day(last, language, weekday=False)}"


def months(first: date, count: int, language: str) -> str:
    """`count` whole months from `first` on, by the shortest name: 2026, Q4 2026, Nov 2026, Nov 2026 – Jan 2027."""
    chinese = language == "zh"
    if count == 12 and first.month == 1:  # noqa: PLR2004
        return f"{first.year}年" if chinese else str(first.year)
    if count == 3 and first.month % 3 == 1:  # noqa: PLR2004
        quarter = (first.month + 2) // 3
        return f"{first.year}年第{quarter}季度" if chinese else f"Q{quarter} {first.year}"
    last = first.year * 12 + first.month - 1 + count - 1
    names = [
        f"{year}年{month + 1}月" if chinese else f"{_MONTHS[month]} {year}"
        for year, month in ((first.year, first.month - 1), divmod(last, 12))
    ]
    return names[0] if count == 1 else " – ".join(names)


def clock(when: datetime, zone: str) -> str:
    """The time of day in a zone: 14:05."""
    return f"{when.astimezone(ZoneInfo(zone)):%H:%M}"


def moment(when: datetime, zone: str, language: str, *, now: datetime) -> str:
    """A moment in a zone: the time alone today, otherwise with the day."""
    local, today = when.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    return f"{day(local.date(), language, weekday=False, today=today)} {local:%H:%M}"


def cell(text: str) -> str:
    """A text for a spreadsheet, which takes a cell that begins like this for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@lru_cache(maxsize=4096, typed=True)
def spaced(text: str) -> str:
    """Chinese text with a thin space wherever Chinese meets Latin letters or digits, dates excepted."""
    text = _HAN_THEN_LATIN.sub(rf"\1{THIN}", text)
    text = _LATIN_THEN_HAN.sub(lambda found: found[1] + (NARROW if found[1].isdigit() else THIN), text)
    # Twice: 2026年11月 holds overlapping pairs.
    for _ in range(2):
        text = _DATE.sub(lambda found: "".join(part for part in found.groups() if part), text)
    return text
