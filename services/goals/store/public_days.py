"""Mainland China's public holidays and the workdays that make up for them, year by year, as a library has them."""

from datetime import date
from functools import lru_cache

from chinese_calendar.constants import holidays, workdays

from services.goals.domain.workdays import PublicYear


@lru_cache(maxsize=256)
def public_year(year: int) -> PublicYear | None:
    """What is known of a year; None where the library ends. Names are English."""
    off = _of(year, holidays)
    return PublicYear(off, _of(year, workdays)) if off else None


def _of(year: int, days: dict[date, str]) -> dict[date, str]:
    return {day: name for day, name in days.items() if day.year == year}
