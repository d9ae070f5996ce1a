"""Industries: what newcomers of a trade are measured by, asked for and led through.

Those that ship with the service and a company's own are the same thing, and pass the same checks.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, NamedTuple

from services.goals.domain.definitions import Definition, State, Version, check_definition, metric_of
from services.goals.domain.metrics import METRICS, Aggregation, Metric
from services.goals.domain.periods import PeriodKind
from services.goals.domain.targets import Measure, check_value
from services.goals.domain.values import Unit, Value
from services.goals.domain.windows import fits

MOST_KPIS: Final = 40
MOST_METRICS: Final = 60
MOST_STAGES: Final = 20
MOST_MONTHS: Final = 12
_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_TITLE: Final = 60
_LONGEST_TEXT: Final = 300
_YEARS: Final = range(1990, 2100)


class Words(NamedTuple):
    """The same in both languages."""

    chinese: str
    english: str


class Stage(NamedTuple):
    """One step of selling: what a newcomer does in it, and by what it is done."""

    title: Words
    does: Words
    done: Words


@dataclass(frozen=True, slots=True)
class Kpi:
    """A metric with a sample target per period: `months` are those of probation, `value` is asked for afterwards.

    `source` and `year` say where the figures are from; without a source they are the authors' own sample.
    """

    metric: str
    why: Words
    period_kind: PeriodKind
    value: Value
    months: tuple[Value, ...] = ()
    source: str = ""
    year: int = 0

    @property
    def measure(self) -> Measure:
        """What its target is for."""
        return Measure(self.metric, self.period_kind)


@dataclass(frozen=True, slots=True)
class Industry:
    """An industry, or a company's own template. Money is in minor units of `currency`.

    `metrics` are those that its KPIs need beside the built-in ones.
    """

    id: str
    title: Words
    summary: Words
    currency: str
    metrics: tuple[Definition, ...]
    kpis: tuple[Kpi, ...]
    stages: tuple[Stage, ...]

    def needed_for(self, metric: str) -> tuple[Definition, ...]:
        """The definitions that a metric takes, those it is made of first."""
        by_name = {each.name: each for each in self.metrics}
        told = by_name.get(metric)
        if told is None:
            return ()
        parts = (by_name.get(name) for name in (told.numerator, *told.denominators))
        return (*(part for part in parts if part is not None), told)

    def metric(self, name: str) -> Metric:
        """The metric of a KPI."""
        known = dict(METRICS)
        for told in self.needed_for(name):
            known[told.name] = metric_of(told, known, counter=None)
        return known[name]

    def has_amounts(self, name: str) -> bool:
        """Whether the metric counts facts by their amounts, in the industry's own currency."""
        conditions = [told.conditions for told in self.needed_for(name)]
        return any(each.least_amount is not None or each.most_amount is not None for each in conditions)

    def speaks_of(self, text: str) -> bool:
        """Whether the text stands in its title, its summary or a metric's title, in either language."""
        wanted = text.casefold()
        titles = [title for each in self.metrics for _, title in each.titles]
        return any(wanted in each.casefold() for each in (self.id, *self.title, *self.summary, *titles))


class Standing(IntEnum):
    """What there is of an industry's metric; the numbers of `foothold.goals.v1.IndustryMetric.Standing`."""

    BUILT_IN = 1
    MISSING = 2
    DEFINED = 3
    CONFLICT = 4


def standing_of(told: Definition, newest: Version | None) -> Standing:
    """How a definition compares with the newest version of that name; one out of use is missing."""
    if told.name in METRICS:
        # Its document is from before that metric was built in.
        return Standing.CONFLICT
    if newest is None:
        return Standing.MISSING
    if not measures_the_same(told, newest.definition):
        return Standing.CONFLICT
    return Standing.MISSING if newest.state is State.RETIRED else Standing.DEFINED


def measures_the_same(one: Definition, other: Definition) -> bool:
    """Whether two definitions always have the same value: what they are called does not matter."""
    return _measuring(one) == _measuring(other)


def _measuring(told: Definition) -> Definition:
    return replace(
        told,
        kinds=tuple(sorted(told.kinds)),
        denominators=tuple(sorted(told.denominators)),
        titles=(),
        description="",
    )


def check_industry(told: Industry) -> dict[str, str]:
    """What is wrong, by place in the document (`metrics[test_drives].unit`, `kpis[2].value`), in English."""
    wrong: dict[str, str] = {}
    if not _ID.fullmatch(told.id):
        wrong["id"] = "must be 1 to 40 characters of a-z 0-9 -"
    if not _CURRENCY.fullmatch(told.currency):
        wrong["currency"] = "must be an ISO 4217 code, such as CNY"
    wrong |= _check_words("title", told.title, _LONGEST_TITLE)
    wrong |= _check_words("summary", told.summary, _LONGEST_TEXT)
    for field, number, most in (
        ("metrics", len(told.metrics), MOST_METRICS),
        ("kpis", len(told.kpis), MOST_KPIS),
        ("stages", len(told.stages), MOST_STAGES),
    ):
        if number > most:
            wrong[field] = f"must hold at most {most}"
    if not told.kpis:
        wrong["kpis"] = "must hold at least one"
    if wrong:
        return wrong
    known, of_metrics = _check_metrics(told.metrics)
    wrong |= of_metrics
    wrong |= _check_kpis(told, known)
    for number, stage in enumerate(told.stages, start=1):
        for field in ("title", "does", "done"):
            wrong |= _check_words(f"stages[{number}].{field}", getattr(stage, field), _LONGEST_TEXT)
    return wrong


def _check_metrics(metrics: tuple[Definition, ...]) -> tuple[dict[str, Metric], dict[str, str]]:
    """The metrics that can be used, built-in ones too, and what is wrong with those that cannot."""
    known, wrong = dict(METRICS), dict[str, str]()
    # Ratios last: wherever they stand, what they are made of is known by then.
    for number, told in sorted(enumerate(metrics, start=1), key=lambda each: _is_ratio(each[1])):
        place = f"metrics[{told.name or number}]"
        if told.name in METRICS:
            wrong[f"{place}.name"] = "is the name of a built-in metric"
        elif told.name in known:
            wrong[f"{place}.name"] = "stands here twice"
        found = check_definition(told, known)
        wrong |= {f"{place}.{field}": why for field, why in found.items()}
        if not found:
            known.setdefault(told.name, metric_of(told, known, counter=None))
    return known, wrong


def _check_kpis(told: Industry, known: Mapping[str, Metric]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    seen: set[Measure] = set()
    for number, kpi in enumerate(told.kpis, start=1):
        place = f"kpis[{number}]"
        wrong |= _check_words(f"{place}.why", kpi.why, _LONGEST_TEXT)
        if kpi.measure in seen:
            wrong[f"{place}.metric"] = "has a target for this kind of period already"
        seen.add(kpi.measure)
        metric = known.get(kpi.metric)
        if metric is None:
            wrong[f"{place}.metric"] = "must be a built-in metric or one of this document"
            continue
        if not fits(kpi.period_kind, metric.rolling_days):
            wrong[f"{place}.period"] = "must be rolling for a metric with rolling_days, and for no other one"
        if len(kpi.months) > MOST_MONTHS:
            wrong[f"{place}.months"] = f"must hold at most {MOST_MONTHS}"
        for field, value in (("value", kpi.value), *(("months", each) for each in kpi.months)):
            currency = told.currency if value.unit is Unit.MONEY else ""
            why = check_value(metric, value, currency=currency, expected_currency=told.currency)
            if why:
                wrong.setdefault(f"{place}.{field}", why)
        if bool(kpi.source) != (kpi.year in _YEARS) or len(kpi.source) > _LONGEST_TEXT:
            wrong[f"{place}.source"] = "a source needs a year, and a year a source"
    return wrong


def _check_words(place: str, words: Words, longest: int) -> dict[str, str]:
    return {
        f"{place}.{language}": f"must be 1 to {longest} characters"
        for language, text in (("zh-CN", words.chinese), ("en", words.english))
        if not 0 < len(text.strip()) <= longest or _CONTROL.search(text)
    }


def _is_ratio(told: Definition) -> bool:
    return told.aggregation is Aggregation.RATIO
