"""How a count is likely to end: a rate per workday learnt from colleagues and from oneself, and what is left to work.

Counts per workday are taken for Gamma–Poisson. Colleagues' rates give the gamma by their mean and variance; the
person's own workdays move it. Counts scatter more than Poisson ones where work comes in waves: the dispersion, read
from working weeks, makes evidence weigh less and outcomes spread wider. What the workdays left bring is then negative
binomial. Evidence is exact, rates are kept to twelve decimals; probabilities are decimals of 40 digits, what they leave
out is below 10⁻²⁵.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from enum import IntEnum
from fractions import Fraction
from math import ceil, floor
from typing import Final, NamedTuple

from services.goals.domain.histories import WORKING_WEEK, History, Sizes
from services.goals.domain.progress import TargetStanding

FEWEST_OWN_WORKDAYS: Final = 10
FEWEST_COLLEAGUES: Final = 8
KEPT_PER_WEEK: Final = Fraction(3, 4)
"""How much of what a working week of one's own says is left a week later: newcomers get better, habits change."""
CONTEXT: Final = Context(prec=40, Emin=-(10**9), Emax=10**9)
_NEGLECTED: Final = Decimal(10) ** -25
_LEAST_SPREAD: Final = Fraction(1, 5)
"""Of the mean: people are never believed to be more alike than that."""
_HALF: Final = Fraction(1, 2)
_FINE: Final = 10**12
TENTH: Final = Decimal("0.1")
_NORMAL_90: Final = Decimal("1.2815515655446004")


class Model(IntEnum):
    """What forecasts are made with; the numbers of `foothold.goals.v1.ForecastModel`."""

    GAMMA_POISSON = 1
    TWO_COUNTS = 2
    SIZES = 3


class Silence(IntEnum):
    """Why there is no forecast; the numbers of `foothold.goals.v1.ForecastSilence`."""

    NO_MODEL = 1
    TARGET_REACHED = 2
    NO_WORKDAY_LEFT = 3
    CALENDAR_UNKNOWN = 4
    TOO_FEW_OWN_WORKDAYS = 5
    TOO_FEW_COLLEAGUES = 6
    TOO_FEW_EVENTS = 7
    LIMIT_PASSED = 8


class Course(NamedTuple):
    """What is asked for, what was counted before today and today, and how many workdays are left, today included.

    `at_most`: what is asked for is not to be passed.
    """

    asked: Fraction
    before: int
    today: int
    left: int
    at_most: bool = False

    @property
    def missing(self) -> int:
        """What today and the days after it have to bring; nothing less reaches, or passes, what is asked."""
        if self.at_most:
            return max(0, floor(self.asked - self.before) + 1)
        return max(0, ceil(self.asked - self.before))


class Rate(NamedTuple):
    """What is believed of a rate per workday: a gamma's shape and its weight in workdays; and the dispersion."""

    shape: Fraction
    days: Fraction
    dispersion: Fraction

    @property
    def mean(self) -> Fraction:
        """Per workday."""
        return self.shape / self.days

    def aged(self, left: int) -> "Rate":
        """The same as it will be known to hold in the middle of the workdays left: evidence goes on ageing."""
        kept: Fraction = KEPT_PER_WEEK ** ((left + WORKING_WEEK) // (2 * WORKING_WEEK))
        return Rate(self.shape * kept, self.days * kept, self.dispersion)


@dataclass(frozen=True, slots=True)
class Forecast:
    """How a count, or a rate of two, is likely to end. `low` to `high` holds it eight times in ten.

    The chance lies between `chance_low` and `chance_high` whole percent as the rate does eight times in ten; `chance`
    is its mean over all rates.
    """

    low: Fraction
    high: Fraction
    chance_low: int
    chance_high: int
    chance: Decimal
    dispersion: Fraction


class Basis(NamedTuple):
    """What a forecast rests on: histories from the day `first` on; `node_id` says whose colleagues, comparable ones.

    Of a rate these are of what stands below the line, and `tops` of what stands above it, the person's own first;
    with `within` what is above is counted below as well. Of a sum or mean `own_sizes` and `sizes` say what the events
    came to.
    """

    first: date
    own: History
    node_id: str
    colleagues: Sequence[History]
    tops: Sequence[History] = ()
    within: bool = False
    own_sizes: Sizes | None = None
    sizes: Sequence[Sizes] = ()


class Outlook(NamedTuple):
    """A target, how it is likely to end, and what that rests on; None where nothing had to be read.

    `at_most`: what is asked is not to be passed, and the chance is that of staying within it.
    """

    standing: TargetStanding
    found: Forecast | Silence
    basis: Basis | None
    at_most: bool = False


def forecast(course: Course, own: History, colleagues: Sequence[History]) -> Forecast | Silence:
    """How a count is likely to end; `colleagues` are comparable ones. A Silence where too little is known.

    What today has brought is a part of what today brings: a day begun is reckoned whole, and never below that.
    """
    if course.today >= course.missing:
        return Silence.LIMIT_PASSED if course.at_most else Silence.TARGET_REACHED
    if not course.left:
        return Silence.NO_WORKDAY_LEFT
    if own.days < FEWEST_OWN_WORKDAYS:
        return Silence.TOO_FEW_OWN_WORKDAYS
    if len(colleagues) < FEWEST_COLLEAGUES:
        return Silence.TOO_FEW_COLLEAGUES
    rate = believed(own, colleagues).aged(course.left)
    mean = course.left * rate.mean
    spread = spread_of(rate, course.left)
    with localcontext(CONTEXT):
        masses = outcomes(mean, spread, at_least=course.today)
        needed = course.missing - course.today
        edges = [(course.left * each, rate.dispersion * course.left * each) for each in ends(rate)]
        chance, *chances = (
            1 - _from(some, needed) if course.at_most else _from(some, needed)
            for some in (masses, *(outcomes(*moments, at_least=course.today) for moments in edges))
        )
        return Forecast(
            low=Fraction(course.before + course.today + _quantile(masses, TENTH)),
            high=Fraction(course.before + course.today + _quantile(masses, 1 - TENTH)),
            chance_low=max(0, int(100 * min(chance, *chances))),
            chance_high=min(100, ceil(100 * max(chance, *chances))),
            chance=chance,
            dispersion=rate.dispersion,
        )


def spread_of(rate: Rate, left: int) -> Fraction:
    """The variance of what the workdays left bring: their own scatter, and what is not known of the rate."""
    return rate.dispersion * left * rate.mean + left**2 * rate.mean / rate.days


def believed(own: History, colleagues: Sequence[History]) -> Rate:
    """What is believed of a person's rate: as colleagues' rates are spread, moved by the person's own workdays."""
    dispersion = dispersion_of([own, *colleagues])
    seen = [_remembered(each) for each in colleagues]
    workdays = sum((days for _, days in seen), Fraction(0))
    mean = _fine((sum((total for total, _ in seen), Fraction(0)) + _HALF) / workdays)
    apart = sum((days * _fine(total / days - mean) ** 2 for total, days in seen), Fraction(0))
    # The variance between people that is left of the variance seen, as in an analysis of variance.
    between = apart - dispersion * mean * (len(seen) - 1)
    variance = between / (workdays - sum((days**2 for _, days in seen), Fraction(0)) / workdays)
    variance = max(variance, (mean * _LEAST_SPREAD) ** 2)
    total, days = _remembered(own)
    return Rate(mean**2 / variance + total / dispersion, mean / variance + days / dispersion, dispersion)


def _remembered(history: History) -> tuple[Fraction, Fraction]:
    """What was counted and over how many workdays, each week carrying less than the one after it."""
    total, days, share = Fraction(0), Fraction(0), Fraction(1)
    for week in reversed(history.weeks):
        total, days, share = total + share * week, days + share * WORKING_WEEK, share * KEPT_PER_WEEK
    first = history.days - WORKING_WEEK * len(history.weeks)
    return total + share * (history.total - sum(history.weeks)), days + share * first


def dispersion_of(histories: Sequence[History]) -> Fraction:
    """Variance over mean of what one person's working weeks bring, in hundredths, upwards; 1 is Poisson, never less."""
    scatter, expected = Fraction(0), Fraction(0)
    for each in histories:
        if len(each.weeks) > 1:
            mean = Fraction(sum(each.weeks), len(each.weeks))
            scatter += sum(((week - mean) ** 2 for week in each.weeks), Fraction(0))
            expected += (len(each.weeks) - 1) * mean
    if not expected:
        return Fraction(1)
    return max(Fraction(1), Fraction(-(-scatter * 100 // expected), 100))


def outcomes(mean: Fraction, variance: Fraction, *, at_least: int = 0) -> list[Decimal]:
    """The probabilities of `at_least`, one more and so on, given that it is no less; what is left out is below 10⁻²⁵.

    Negative binomial by its moments; Poisson where they are the same.
    """
    with localcontext(CONTEXT):
        start = _decimal(mean**2 / variance) if variance else Decimal(0)
        step = _decimal((variance - mean) / variance) if variance else Decimal(0)
        count, weight = at_least, Decimal(1)
        weights, total = [weight], weight
        while True:
            ratio = (start + count * step) / (count + 1)
            largest = max(ratio, step)
            if largest < 1 and weight * largest < _NEGLECTED * total * (1 - largest):
                return [each / total for each in weights]
            count, weight = count + 1, weight * ratio
            weights.append(weight)
            total += weight


def ends(rate: Rate) -> list[Fraction]:
    """The tenth and the ninetieth percentile of a gamma, after Wilson and Hilferty."""
    shape = _decimal(rate.shape)
    steps = (1 - 1 / (9 * shape) + sign * _NORMAL_90 / (3 * shape.sqrt()) for sign in (-1, 1))
    return [rate.mean * Fraction(max(Decimal(0), step) ** 3) for step in steps]


def _fine(number: Fraction) -> Fraction:
    """To twelve decimals: a hundred people's denominators multiplied would be thousands of digits."""
    return Fraction(round(number * _FINE), _FINE)


def _from(masses: Sequence[Decimal], number: int) -> Decimal:
    return sum(masses[number:], Decimal(0))


def _quantile(masses: Sequence[Decimal], share: Decimal) -> int:
    """The first number below or at which this share lies."""
    reached = Decimal(0)
    for number, mass in enumerate(masses):
        reached += mass
        if reached >= share:
            return number
    return len(masses) - 1


def _decimal(number: Fraction) -> Decimal:
    return Decimal(number.numerator) / Decimal(number.denominator)
