"""Flags of fair play, as far as they bear on payouts."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from services.incentives.domain.periods import Period, PeriodKind, period_of


class FlagTold(NamedTuple):
    """What goals told of a flag: whose, which rule, the days of its facts (both included), whether it holds back."""

    flag_id: str
    person_id: str
    rule: str
    first_day: date
    last_day: date
    holds: bool

    def periods(self) -> Iterator[Period]:
        """The weeks and months whose payouts it holds back."""
        if not self.holds:
            return
        for kind in PeriodKind:
            period = period_of(kind, self.first_day)
            while period.first_day <= self.last_day:
                yield period
                period = period_of(kind, period.end_day)
