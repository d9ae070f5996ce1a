"""The metric library: versions of definitions, and which of them holds when."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum
from typing import Final

from services.goals.domain.conditions import UNCONDITIONAL, Conditions, Novelty, check_conditions
from services.goals.domain.facts import FactKind
from services.goals.domain.metrics import METRICS, RATIOS, Aggregation, Counter, Direction, Metric
from services.goals.domain.values import Unit
from services.goals.domain.windows import LONGEST_WINDOW

MOST_METRICS: Final = 200
"""Of an enterprise, beside the built-in ones: each figure read and each fact told looks at all of them."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LANGUAGES: Final = ("zh-CN", "en")
_LONGEST_TITLE: Final = 40
_LONGEST_DESCRIPTION: Final = 300
_MOST_BELOW: Final = 5
_UNITS: Final = {
    Aggregation.COUNT: {Unit.COUNT},
    Aggregation.DISTINCT_CUSTOMERS: {Unit.COUNT},
    Aggregation.NEW_CUSTOMERS: {Unit.COUNT},
    Aggregation.REPEAT_CUSTOMERS: {Unit.COUNT},
    Aggregation.SUM_AMOUNT: {Unit.MONEY},
    Aggregation.MEAN_AMOUNT: {Unit.MONEY},
    Aggregation.SUM_MINUTES: {Unit.MINUTES},
    Aggregation.MEAN_MINUTES: {Unit.MINUTES},
    Aggregation.RATIO: {Unit.RATE, Unit.MONEY, Unit.MINUTES, Unit.COUNT},
}
_BY_CUSTOMER: Final = frozenset(
    {Aggregation.DISTINCT_CUSTOMERS, Aggregation.NEW_CUSTOMERS, Aggregation.REPEAT_CUSTOMERS}
)
_ALONE: Final = frozenset({FactKind.FOLLOW_UP})


class State(IntEnum):
    """Whether a version's values can be read; the numbers of `MetricVersion.State`."""

    COMPUTING = 1
    SERVING = 2
    RETIRED = 3


class Taking(IntEnum):
    """What becomes, in a version's counter, of facts as they are recorded."""

    NOTHING = 0
    """Whoever begins to count finds them among the facts there are."""
    APART = 1
    """The facts there were are being counted; what comes meanwhile is kept beside them."""
    IN_PLACE = 2


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition as its author gives it: ratios name what they are made of."""

    name: str
    unit: Unit
    aggregation: Aggregation
    description: str
    kinds: tuple[FactKind, ...]
    numerator: str
    denominators: tuple[str, ...]
    direction: Direction
    conditions: Conditions
    titles: tuple[tuple[str, str], ...]
    rolling_days: int = 0

    @property
    def needs_counter(self) -> bool:
        """Whether what is kept by kind of fact does not tell its value."""
        if self.aggregation is Aggregation.RATIO:
            return False
        if self.conditions.of_facts or self.conditions.customers is not Novelty.ANYBODY:
            return True
        if self.aggregation is Aggregation.REPEAT_CUSTOMERS:
            return True
        return self.aggregation in _BY_CUSTOMER and frozenset(self.kinds) != _ALONE

    @property
    def by_customer(self) -> bool:
        """Whether its counter keeps a row per customer."""
        return self.aggregation in _BY_CUSTOMER or self.conditions.customers is not Novelty.ANYBODY

    def counter(self, counter_id: int) -> Counter:
        """The counter that keeps its figures under a number."""
        kinds = frozenset(int(kind) for kind in self.kinds)
        return Counter(counter_id, kinds, self.conditions, self.by_customer)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a metric. `counter_id` is 0 where it needs none. `done` and `total` count people.

    `served_at` is when it began to serve, or the metric was retired by it; None while it is computed.
    """

    definition: Definition
    version: int
    counter_id: int
    effective_from: date
    author_id: str
    recorded_at: datetime
    reason: str
    state: State
    done: int = 0
    total: int = 0
    served_at: datetime | None = None
    taking: Taking = Taking.IN_PLACE

    @property
    def counter(self) -> Counter | None:
        """What keeps its figures."""
        return self.kept if self.counter_id else None

    @property
    def kept(self) -> Counter:
        """The same, of a version that is known to have one."""
        return self.definition.counter(self.counter_id)

    @property
    def taking_counter(self) -> Counter | None:
        """What takes in facts as they are recorded."""
        if not self.counter_id or self.taking is Taking.NOTHING:
            return None
        return self.kept.apart if self.taking is Taking.APART else self.kept


@dataclass(frozen=True, slots=True)
class Library:
    """Every version there is, by metric and oldest first, at one `number` that grows with every change."""

    number: int
    versions: Mapping[str, Sequence[Version]]

    @property
    def counters(self) -> tuple[Counter, ...]:
        """What has to be kept as facts are recorded: of retired metrics too, for their past stays readable."""
        counters = (each.taking_counter for versions in self.versions.values() for each in versions)
        return tuple(counter for counter in counters if counter is not None)

    @property
    def computed_counters(self) -> tuple[Counter, ...]:
        """Those whose values are all there."""
        versions = (each for versions in self.versions.values() for each in versions)
        return tuple(
            each.counter
            for each in versions
            if each.counter is not None and each.state is not State.COMPUTING
        )

    def on(self, first_day: date, *, retired: bool = False) -> Mapping[str, Metric]:
        """The metrics that measure a period beginning that day, built-in ones first; with `retired` those too.

        A version that is still being computed leaves its period to the one before.
        """
        found = dict(METRICS)
        ratios: list[Version] = []
        for versions in self.versions.values():
            chosen = _holding(versions, first_day, retired=retired)
            if chosen is None:
                continue
            if chosen.definition.aggregation is Aggregation.RATIO:
                ratios.append(chosen)
            else:
                found[chosen.definition.name] = _metric(chosen, {})
        for chosen in ratios:
            if all(name in found for name in (chosen.definition.numerator, *chosen.definition.denominators)):
                found[chosen.definition.name] = _metric(chosen, found)
        return found

    def known(self, at: datetime) -> "Library":
        """What served at a past time."""
        served = {
            name: [each for each in versions if each.served_at is not None and each.served_at <= at]
            for name, versions in self.versions.items()
        }
        return Library(self.number, {name: versions for name, versions in served.items() if versions})

    def newest(self, name: str) -> Version | None:
        """The last version of a metric."""
        versions = self.versions.get(name)
        return versions[-1] if versions else None

    def told(self, name: str) -> Version | None:
        """The last version of a metric that has served, retired or not."""
        served = [each for each in self.versions.get(name, ()) if each.state is not State.COMPUTING]
        return served[-1] if served else None

    def in_use(self) -> Iterable[Version]:
        """The last version of every metric that is not retired."""
        return (
            versions[-1] for versions in self.versions.values() if versions[-1].state is not State.RETIRED
        )


def _holding(versions: Sequence[Version], first_day: date, *, retired: bool) -> Version | None:
    """The version that measures a period; the first one also measures what came before its day."""
    ready = [each for each in versions if each.state is State.SERVING]
    if not ready or (versions[-1].state is State.RETIRED and not retired):
        return None
    held = [each for each in ready if each.effective_from <= first_day]
    return held[-1] if held else ready[0]


def _metric(version: Version, known: Mapping[str, Metric]) -> Metric:
    return metric_of(version.definition, known, counter=version.counter, version=version.version)


def metric_of(
    told: Definition, known: Mapping[str, Metric], *, counter: Counter | None, version: int = 0
) -> Metric:
    """A definition as what is evaluated; `known` has what ratios are made of."""
    ratio = told.aggregation is Aggregation.RATIO
    return Metric(
        told.name,
        told.unit,
        told.aggregation,
        told.description,
        told.kinds,
        above=known[told.numerator] if ratio else None,
        below=tuple(known[name] for name in told.denominators) if ratio else (),
        direction=told.direction,
        conditions=told.conditions,
        counter=counter,
        titles=told.titles,
        version=version,
        rolling_days=told.rolling_days,
    )


def check_definition(told: Definition, known: Mapping[str, Metric]) -> dict[str, str]:
    """What is wrong with a definition, by field of the contract, in English. `known` are the metrics in use."""
    wrong = {f"conditions.{field}": why for field, why in check_conditions(told.conditions).items()}
    if not _NAME.fullmatch(told.name):
        wrong["name"] = "must be 1 to 40 characters of a-z 0-9 _ and begin with a letter"
    titles = dict(told.titles)
    for language in _LANGUAGES:
        title = titles.get(language, "")
        if not 0 < len(title.strip()) <= _LONGEST_TITLE or not title.isprintable():
            wrong["titles"] = f"needs {' and '.join(_LANGUAGES)}, 1 to {_LONGEST_TITLE} characters each"
    if set(titles) - set(_LANGUAGES):
        wrong["titles"] = f"knows {' and '.join(_LANGUAGES)} only"
    if not 0 < len(told.description.strip()) <= _LONGEST_DESCRIPTION or not told.description.isprintable():
        wrong["description"] = (
            f"must be 1 to {_LONGEST_DESCRIPTION} printable characters: the rule in one plain sentence"
        )
    if told.unit not in _UNITS[told.aggregation]:
        units = ", ".join(sorted(unit.name for unit in _UNITS[told.aggregation]))
        wrong["unit"] = f"must be {units} for {told.aggregation.name}"
    if not 0 <= told.rolling_days <= LONGEST_WINDOW:
        wrong["rolling_days"] = f"must be 1 to {LONGEST_WINDOW} days, or 0 for the period asked for"
    wrong |= _check_ratio(told, known) if told.aggregation is Aggregation.RATIO else _check_base(told)
    return wrong


def check_parts(told: Definition, library: Library) -> dict[str, str]:
    """What is wrong with a change for targets and for the ratios that the metric is a part of, by field, in English."""
    wrong: dict[str, str] = {}
    if told.name in (told.numerator, *told.denominators):
        wrong["numerator" if told.name == told.numerator else "denominators"] = "must be other metrics"
    before = library.newest(told.name)
    if before is not None and bool(told.rolling_days) is not bool(before.definition.rolling_days):
        wrong["rolling_days"] = (
            "a metric keeps having a window of its own, or having none: define another one"
        )
    if before is not None and told.unit is not before.definition.unit:
        # Targets, ratios and what others pay for it are in that unit.
        wrong["unit"] = (
            f"a metric stays what it is counted in, {before.definition.unit.name}: define another one"
        )
    for whole in library.in_use():
        part = told.name in (whole.definition.numerator, *whole.definition.denominators)
        if part and told.aggregation in RATIOS:
            wrong["aggregation"] = f"is a part of {whole.definition.name}, and parts are no ratios"
    return wrong


def _check_base(told: Definition) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not told.kinds or len(set(told.kinds)) < len(told.kinds):
        wrong["fact_kinds"] = "must name at least one kind of fact, each once"
    elif FactKind.DEAL_REVERSED in told.kinds:
        wrong["fact_kinds"] = "DEAL_REVERSED takes back a deal or an order and is not counted by itself"
    elif FactKind.LEAVE in told.kinds:
        wrong["fact_kinds"] = "LEAVE changes what is asked and is counted by no metric"
    if told.numerator or told.denominators:
        wrong["numerator"] = "is for ratios only"
    if told.aggregation is Aggregation.NEW_CUSTOMERS and told.conditions.customers is not Novelty.ANYBODY:
        wrong["conditions.customers"] = "NEW_CUSTOMERS counts new customers already"
    return wrong


def _check_ratio(told: Definition, known: Mapping[str, Metric]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if told.kinds:
        wrong["fact_kinds"] = "is not for ratios: what they are made of names its own"
    if told.conditions != UNCONDITIONAL:
        wrong["conditions"] = "are not for ratios: what they are made of has its own"
    if not 1 <= len(told.denominators) <= _MOST_BELOW or len(set(told.denominators)) < len(told.denominators):
        wrong["denominators"] = f"must be 1 to {_MOST_BELOW} different metrics"
    above = known.get(told.numerator)
    below = [known.get(name) for name in told.denominators]
    if above is None or above.is_ratio:
        wrong["numerator"] = "must be a metric in use that is no ratio itself"
    elif any(each is None or each.is_ratio for each in below):
        wrong["denominators"] = "must be metrics in use that are no ratios themselves"
    elif above.rolling_days:
        wrong["numerator"] = "must be a metric without a window of its own"
    elif any(each is not None and each.rolling_days for each in below):
        wrong["denominators"] = "must be metrics without a window of their own"
    elif not wrong:
        wrong |= _check_units(told, above, [each for each in below if each is not None])
    return wrong


def _check_units(told: Definition, above: Metric, below: Sequence[Metric]) -> dict[str, str]:
    if len({each.unit for each in below}) > 1:
        return {"denominators": "must all be counted in the same unit, for they are added up"}
    if told.unit is Unit.RATE and above.unit is not below[0].unit:
        return {"unit": "a RATE is one figure over another of the same unit"}
    if told.unit is not Unit.RATE and above.unit is not told.unit:
        return {"unit": f"{above.unit.name} over something is counted in {above.unit.name}, or is a RATE"}
    return {}
