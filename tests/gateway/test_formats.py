"""How figures are written: exact, and as the language writes them."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway import formats
from services.gateway.formats import NARROW, THIN


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (123450, "CNY", "¥1,234.50"),
        (0, "CNY", "¥0.00"),
        (-5, "CNY", "-¥0.05"),
        (1000, "JPY", "¥1,000"),
        (123450, "CHF", f"1,234.50{NARROW}CHF"),
        (Fraction(655555, 10), "CNY", "¥655.56"),
    ],
)
def test_money_is_written_with_its_sign_and_both_decimals(
    minor: int | Fraction, currency: str, written: str
) -> None:
    assert formats.money(minor, currency) == written


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (Fraction(12, 100), "12.0"),
        (Fraction(2, 20), "10.0"),
        (Fraction(2999, 20000), "15.0"),
        (Fraction(1, 3), "33.3"),
        (Fraction(2, 3), "66.7"),
        (Fraction(5, 4), "125.0"),
    ],
)
def test_a_share_is_a_percentage_with_one_decimal_and_a_space_that_does_not_break(
    share: Fraction, written: str
) -> None:
    assert formats.percent(share) == f"{written}{NARROW}%"


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6), st.integers(0, 4))
def test_rounding_is_half_up_whatever_the_number(numerator: int, denominator: int, places: int) -> None:
    number = Fraction(numerator, denominator)
    shown = Fraction(formats.rounded(number, places).replace(",", ""))
    assert abs(shown - number) <= Fraction(1, 2 * 10**places)
    if abs(shown - number) == Fraction(1, 2 * 10**places):
        assert abs(shown) > abs(number)


def test_days_are_written_as_the_language_writes_them() -> None:
    when = date(2026, 11, 23)
    assert formats.day(when, "zh") == "11月23日 周一"
    assert formats.day(when, "en") == "Mon 23 Nov"
    assert formats.day(when, "zh", today=date(2027, 1, 1)) == "2026年11月23日 周一"
    assert formats.span(date(2026, 11, 1), date(2026, 12, 1), "zh") == "11月1日–30日"
    assert formats.span(date(2026, 11, 1), date(2026, 12, 1), "en") == "1–30 Nov"
    assert formats.span(date(2026, 11, 30), date(2026, 12, 7), "zh") == "11月30日–12月6日"


def test_times_are_those_of_the_branch() -> None:
    when = datetime(2026, 11, 22, 16, 5, tzinfo=UTC)
    assert formats.clock(when, "Asia/Shanghai") == "00:05"
    assert formats.moment(when, "Asia/Shanghai", "zh", now=when) == "00:05"
    later = datetime(2026, 11, 24, 16, 5, tzinfo=UTC)
    assert formats.moment(when, "Asia/Shanghai", "zh", now=later) == "11月23日 00:05"
    assert formats.moment(when, "Asia/Urumqi", "en", now=later) == "22 Nov 22:05"


def test_minutes_become_hours() -> None:
    assert formats.minutes(125, "en") == f"2{NARROW}h 5{NARROW}min"
    assert formats.minutes(45, "zh") == f"45{NARROW}分钟"
    assert formats.minutes(120, "zh") == f"2{NARROW}小时"


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("再跟进2位新客户到¥700.00", f"再跟进{THIN}2{NARROW}位新客户到{THIN}¥700.00"),
        ("再跟进 2 位新客户", f"再跟进{THIN}2{NARROW}位新客户"),
        ("截至11月23日", f"截至{THIN}11月23日"),
        ("2026年11月3日入职", "2026年11月3日入职"),
        ("成单率10 %的部分", f"成单率{THIN}10 %{THIN}的部分"),
        ("每月20位，3个月一次", f"每月{THIN}20{NARROW}位，3{NARROW}个月一次"),
        ("CRM系统", f"CRM{THIN}系统"),
        ("没有数字，也没有字母。", "没有数字，也没有字母。"),
    ],
)
def test_a_thin_space_stands_where_chinese_meets_latin_but_not_inside_a_date(
    typed: str, written: str
) -> None:
    assert formats.spaced(typed) == written
    assert formats.spaced(written) == written


@pytest.mark.parametrize(
    ("first", "count", "chinese", "english"),
    [
        (date(2026, 1, 1), 12, "2026年", "2026"),
        (date(2026, 10, 1), 3, "2026年第4季度", "Q4 2026"),
        (date(2026, 11, 1), 1, "2026年11月", "Nov 2026"),
        (date(2026, 11, 1), 3, "2026年11月 – 2027年1月", "Nov 2026 – Jan 2027"),
        (date(2026, 4, 1), 12, "2026年4月 – 2027年3月", "Apr 2026 – Mar 2027"),
    ],
)
def test_whole_months_go_by_their_shortest_name(first: date, count: int, chinese: str, english: str) -> None:
    assert formats.months(first, count, "zh") == chinese
    assert formats.months(first, count, "en") == english
