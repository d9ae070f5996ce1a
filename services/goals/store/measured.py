"""Which period each target of a person is measured over, and how the person stands over it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

from chassis.errors import FailedPrecondition, InvalidArgument
from services.goals.domain.leave import Absence, Rules, asked_of
from services.goals.domain.metrics import Figures, Metric, evaluate
from services.goals.domain.periods import Period, PeriodKind
from services.goals.domain.progress import TargetStanding, Unmeasured, course_of, judge
from services.goals.domain.targets import Measure, ResolvedTarget
from services.goals.domain.windows import Days, NoPeriod, fits, rolling
from services.goals.store.library import KnownLibrary


class Measured:
    """The targets of one person by the period they are measured over, and those there is no period for."""

    def __init__(self, library: KnownLibrary, days: Days, targets: Mapping[Measure, ResolvedTarget]) -> None:
        self._targets = targets
        self.periods: dict[Measure, Period] = {}
        self.unmeasured: list[Unmeasured] = []
        metrics = library.metrics(days.today)
        for measure, target in targets.items():
            window = metrics[measure.metric].rolling_days if measure.metric in metrics else 0
            if not fits(measure.period_kind, window):
                # Its metric is still being computed, or was not there yet.
                continue
            period = days.period(measure.period_kind, window)
            if isinstance(period, NoPeriod):
                self.unmeasured.append(Unmeasured(target, period, days.probation))
            else:
                self.periods[measure] = period

    def standings(
        self,
        library: KnownLibrary,
        figures: Mapping[Period, Figures],
        today: date,
        rules: Rules,
        absences: Sequence[Absence],
    ) -> list[TargetStanding]:
        """How the person stands with each whose metric's values can be read."""
        return [
            stand(
                library.metrics(period.measured_on)[measure.metric],
                self._targets[measure],
                period,
                figures[period],
                today,
                rules,
                absences,
            )
            for measure, period in self.periods.items()
            if serves(library, measure, period)
        ]


def own_windows(library: KnownLibrary, days: Days) -> list[Period]:
    """The windows that metrics have of their own, each once."""
    lengths = {each.rolling_days for each in library.metrics(days.today).values() if each.rolling_days}
    return [rolling(each, days.today, days.zone) for each in sorted(lengths)]


def required(library: KnownLibrary, days: Days, measure: Measure) -> Period:
    """The period a measure is taken over on a day.

    InvalidArgument PERIOD_UNSUPPORTED; per probation FailedPrecondition PROBATION_UNKNOWN, NOT_ON_PROBATION.
    """
    metric = library.metrics(days.today).get(measure.metric)
    window = 0 if metric is None else metric.rolling_days
    if metric is not None and not fits(measure.period_kind, window):
        raise unfit("period_kind", window)
    period = days.period(measure.period_kind, window)
    if isinstance(period, Period):
        return period
    first, last = days.probation
    if first is None or last is None:
        missing = "first_day" if first is None else "last_day"
        raise FailedPrecondition(
            "PROBATION_UNKNOWN",
            f"The {missing.replace('_', ' ')} of this person's probation is not known.",
            metadata={"missing": missing},
        )
    raise FailedPrecondition(
        "NOT_ON_PROBATION",
        "This person is not on probation that day.",
        metadata={"first_day": first.isoformat(), "last_day": last.isoformat()},
    )


def serves(library: KnownLibrary, measure: Measure, period: Period) -> bool:
    """Whether the metric's values can be read: those of a new one are computed first."""
    return measure.metric in library.metrics(period.measured_on)


def stand(
    metric: Metric,
    target: ResolvedTarget,
    period: Period,
    figures: Figures,
    today: date,
    rules: Rules,
    absences: Sequence[Absence],
) -> TargetStanding:
    """How somebody stands over a period with a target, after what changes it; a rolling window has no pace."""
    value = Fraction(target.target.value.numerator, target.target.value.denominator)
    asked = asked_of(metric, value, period, rules, absences)
    paced = period.kind is not PeriodKind.ROLLING
    course = course_of(asked.worked, today) if paced and asked.worked is not None else None
    standing = judge(metric, evaluate(metric, figures), asked.amount, course, paced=paced)
    return TargetStanding(target, period, standing, asked, course)


def unfit(field: str, rolling_days: int) -> InvalidArgument:
    """Why a metric is not measured over such periods; `field` is where the kind was told."""
    if rolling_days:
        return InvalidArgument(
            "PERIOD_UNSUPPORTED",
            f"The metric has a window of its own, the last {rolling_days} days.",
            fields={field: "must be PERIOD_KIND_ROLLING for a metric with a window of its own"},
        )
    return InvalidArgument(
        "PERIOD_UNSUPPORTED",
        "The metric has no window of its own.",
        fields={field: "must not be PERIOD_KIND_ROLLING for a metric without a window of its own"},
    )


def known_absences(absences: Iterable[Iterable[Absence]]) -> tuple[Absence, ...]:
    """Leave that lies in several spans, once."""
    return tuple(sorted({each for of_span in absences for each in of_span}))
