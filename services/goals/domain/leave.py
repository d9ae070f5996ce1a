"""What leave and probation make of a target: exact, in a named order, with one named rounding.

Targets that add up and are to be reached are adjusted: no rates and means, and nothing that is to be stayed under.
The ramp comes first, then leave. Wherever a share is taken, the result is rounded half up to whole units.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from fractions import Fraction
from typing import Final, NamedTuple

from services.goals.domain.metrics import Direction, Metric
from services.goals.domain.periods import Period, PeriodKind, months_after
from services.goals.domain.values import Unit
from services.goals.domain.workdays import UnknownYear, Workplace, YearUnknownError

LONGEST_LEAVE: Final = 366
"""Days in one fact."""
MOST_RAMP_MONTHS: Final = 24
_FINEST_SHARE: Final = 1200
_EPOCH: Final = date(1970, 1, 1).toordinal()
_HALVES: Final = 2
_QUIET_DAYS: Final = 2
_QUIET_REACH: Final = 28
_HALF: Final = Fraction(1, 2)


class LeaveMode(IntEnum):
    """What leave does to a target; the numbers of `foothold.goals.v1.LeaveMode`."""

    ONE_PER_DAY = 1
    PRO_RATA = 2
    NONE = 3


class LeavePolicy(NamedTuple):
    """What leave does, and to targets in which units."""

    mode: LeaveMode
    units: frozenset[Unit]


class Ramp(NamedTuple):
    """The share of the full target that each calendar month of probation carries, from the first on."""

    shares: tuple[Fraction, ...]

    def share(self, month: int) -> Fraction:
        """Of month 1, 2 and so on; months before probation and after those told carry the whole."""
        return self.shares[month - 1] if 1 <= month <= len(self.shares) else Fraction(1)


USUAL_POLICY: Final = LeavePolicy(LeaveMode.ONE_PER_DAY, frozenset({Unit.COUNT}))
"""What holds where no leave policy is set."""


class Absence(NamedTuple):
    """Leave as a fact tells it: half days since 1970-01-01, two a day, `stop` not included."""

    first: int
    stop: int
    fact_id: str


class LeaveDay(NamedTuple):
    """A workday with leave, and the facts that say so."""

    day: date
    morning: bool
    afternoon: bool
    fact_ids: tuple[str, ...]

    @property
    def halves(self) -> int:
        """How many half days."""
        return self.morning + self.afternoon


class RuleOrigin(NamedTuple):
    """Where a rule is set and since when; empty and None for what holds where none is."""

    node_id: str = ""
    since: date | None = None


@dataclass(frozen=True, slots=True)
class RampStep:
    """A month of probation carries a share; `month` is 0 for quarters and years."""

    month: int
    share: Fraction
    before: Fraction
    result: Fraction
    origin: RuleOrigin


@dataclass(frozen=True, slots=True)
class LeaveStep:
    """Leave takes something off. `workdays` are those of the period, leave or not."""

    mode: LeaveMode
    workdays: int
    days: tuple[LeaveDay, ...]
    before: Fraction
    result: Fraction
    origin: RuleOrigin

    @property
    def halves(self) -> int:
        """Half days of leave on workdays."""
        return sum(each.halves for each in self.days)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a person on a day. `probation` is its first and last day, each None where it is not known."""

    place: Workplace
    policy: LeavePolicy
    policy_origin: RuleOrigin
    ramp: Ramp
    ramp_origin: RuleOrigin
    probation: tuple[date | None, date | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a person: the target after all steps, and the days worked for it, in order.

    `worked` is None, and leave changes nothing, where days of the period lie in `unknown`, a year without a calendar.
    """

    amount: Fraction
    steps: tuple[RampStep | LeaveStep, ...]
    worked: Sequence[date] | None
    unknown: UnknownYear | None = None


def half_days(first: date, *, afternoon: bool, last: date, until_noon: bool) -> tuple[int, int]:
    """Half days since 1970-01-01 from the first day's morning or afternoon through the last one's."""
    begin = (first.toordinal() - _EPOCH) * _HALVES + afternoon
    return begin, (last.toordinal() - _EPOCH + 1) * _HALVES - until_noon


def days_touched(first: int, stop: int) -> range:
    """The days, as days since 1970-01-01, that some half of the leave lies in."""
    return range(first // _HALVES, (stop - 1) // _HALVES + 1)


def half_up(number: Fraction) -> Fraction:
    """The nearest whole number, the upper one of two: how shares of targets are rounded."""
    return Fraction((number + _HALF).__floor__())


def leave_days(absences: Iterable[Absence], days: Sequence[date]) -> tuple[LeaveDay, ...]:
    """Which of these days, in order, have leave. A half day that several facts cover is one."""
    if not days:
        return ()
    facts: dict[int, set[str]] = {}
    for absence in absences:
        first = max(absence.first, (days[0].toordinal() - _EPOCH) * _HALVES)
        stop = min(absence.stop, (days[-1].toordinal() - _EPOCH + 1) * _HALVES)
        for half in range(first, stop):
            facts.setdefault(half, set()).add(absence.fact_id)
    if not facts:
        return ()
    found = []
    for day in days:
        begin = (day.toordinal() - _EPOCH) * _HALVES
        morning, afternoon = facts.get(begin, set()), facts.get(begin + 1, set())
        if morning or afternoon:
            found.append(LeaveDay(day, bool(morning), bool(afternoon), tuple(sorted(morning | afternoon))))
    return tuple(found)


def asked_of(
    metric: Metric, target: Fraction, period: Period, rules: Rules, absences: Sequence[Absence]
) -> Asked:
    """What a target comes to for a person in a period."""
    adds_up = not metric.is_ratio and metric.direction is Direction.AT_LEAST
    steps: list[RampStep | LeaveStep] = []
    amount = target
    if adds_up:
        month, share = ramp_share(rules.ramp, period, rules.probation)
        if share != 1:
            result = half_up(amount * share)
            steps.append(RampStep(month, share, amount, result, rules.ramp_origin))
            amount = result
    try:
        workdays = rules.place.workdays(period.first, period.end)
    except YearUnknownError as error:
        return Asked(amount, tuple(steps), None, error.unknown)
    taken = leave_days(absences, workdays)
    if adds_up and taken and metric.unit in rules.policy.units:
        result = _after_leave(rules.policy.mode, amount, sum(each.halves for each in taken), len(workdays))
        steps.append(LeaveStep(rules.policy.mode, len(workdays), taken, amount, result, rules.policy_origin))
        amount = result
    away = _whole(taken)
    worked = [each for each in workdays if each not in away] if away else workdays
    return Asked(amount, tuple(steps), worked)


def ramp_share(
    ramp: Ramp, period: Period, probation: tuple[date | None, date | None]
) -> tuple[int, Fraction]:
    """The month of probation a period begins in, and the share it carries; for longer ones 0 and their months' mean.

    What is asked of probation as a whole was set for all its months, and carries the whole.
    """
    if not ramp.shares or probation[0] is None or period.kind is PeriodKind.PROBATION:
        return 0, Fraction(1)
    if period.kind in {PeriodKind.QUARTER, PeriodKind.YEAR}:
        firsts = []
        first = period.first
        while first < period.end:
            firsts.append(first)
            first = months_after(first, 1)
        shares = [ramp.share(_month_of(probation, each, months_after(each, 1))) for each in firsts]
        return 0, sum(shares, Fraction(0)) / len(shares)
    month = _month_of(probation, period.first, period.end)
    return month, ramp.share(month)


def check_policy(policy: LeavePolicy) -> tuple[str, str] | None:
    """The field of a leave policy that is wrong, and why, in English."""
    if Unit.RATE in policy.units:
        return "units", "a rate is not less for fewer days"
    if policy.mode is LeaveMode.ONE_PER_DAY and policy.units != {Unit.COUNT}:
        return "units", "ONE_PER_DAY is for UNIT_COUNT"
    if policy.mode is LeaveMode.PRO_RATA and not policy.units:
        return "units", "say which targets are less"
    if policy.mode is LeaveMode.NONE and policy.units:
        return "units", "are not for NONE"
    return None


def check_ramp(ramp: Ramp) -> tuple[str, str] | None:
    """The field of a ramp that is wrong, and why, in English."""
    if len(ramp.shares) > MOST_RAMP_MONTHS:
        return "shares", f"must be at most {MOST_RAMP_MONTHS} months"
    if not all(0 <= share <= 1 for share in ramp.shares):
        return "shares", "each must be from 0 to 1"
    if any(_FINEST_SHARE % share.denominator for share in ramp.shares):
        return (
            "shares",
            f"each must be a whole number of parts of {_FINEST_SHARE}, as percents and thirds are",
        )
    return None


def _month_of(probation: tuple[date | None, date | None], first: date, end: date) -> int:
    """Which calendar month of probation days from `first` up to `end` begin in; 0 outside of it."""
    start, last = probation
    if start is None or end <= start or (last is not None and last < first):
        return 0
    begins = max(first, start)
    return (begins.year - start.year) * 12 + begins.month - start.month + 1


def _after_leave(mode: LeaveMode, target: Fraction, halves: int, workdays: int) -> Fraction:
    if mode is LeaveMode.ONE_PER_DAY:
        return max(Fraction(0), target - halves // _HALVES)
    return max(Fraction(0), target - half_up(target * Fraction(halves, _HALVES * workdays)))


def quiet_since(place: Workplace, absences: Sequence[Absence], today: date) -> date | None:
    """The second last day before `today` that was worked; None where nothing tells, or nobody worked for weeks."""
    first = today - timedelta(days=_QUIET_REACH)
    try:
        workdays = place.workdays(first, today)
    except YearUnknownError:
        return None
    away = _whole(leave_days(absences, workdays)) if absences else frozenset()
    worked = [each for each in workdays if each not in away]
    return worked[-_QUIET_DAYS] if len(worked) >= _QUIET_DAYS else None


def _whole(taken: Iterable[LeaveDay]) -> frozenset[date]:
    return frozenset(each.day for each in taken if each.halves == _HALVES)
