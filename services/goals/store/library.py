"""The metric library in the database, and the copy of it in memory."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, func, select, text

from chassis.database import Database
from chassis.errors import FailedPrecondition
from chassis.feed import NewEvent, publish
from services.goals.domain.conditions import Conditions, Novelty
from services.goals.domain.definitions import MOST_METRICS, Definition, Library, State, Taking, Version
from services.goals.domain.facts import FactKind
from services.goals.domain.metrics import (
    FIRST_COUNTER,
    LAST_COUNTER,
    METRICS,
    PURCHASES,
    Aggregation,
    Counter,
    Direction,
    Metric,
)
from services.goals.domain.values import Unit
from services.goals.tables import metric_version

METRIC_CHANGED: Final = "metric_changed"
_NONE: Final = -1
_MOST_DAYS: Final = 1_000
# Beyond are those of `Counter.apart`, and the highest of them is the previews'.
_MOST_COUNTERS: Final = LAST_COUNTER - 2
_RAISE: Final = text("UPDATE calendar SET library = library + 1 RETURNING library")
_NUMBER: Final = text("SELECT library FROM calendar")
_PEOPLE: Final = text("SELECT count(*) FROM directory_node WHERE kind = 4")
_UNCOUNTED: Final = text("INSERT INTO uncounted (counter) VALUES (:counter)")


class Versions:
    """The versions of every metric that is not built in, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def number(self) -> int:
        """Grows with every change."""
        return int(self._connection.execute(_NUMBER).scalar_one())

    def changed(self) -> int:
        """Note a change: from now on nobody records with what was before. The number after it."""
        return int(self._connection.execute(_RAISE).scalar_one())

    def load(self) -> Library:
        """Everything there is; never less than its number says."""
        number = self.number()
        rows = self._connection.execute(select(metric_version).order_by("metric", "version"))
        versions: dict[str, list[Version]] = {}
        for row in rows:
            versions.setdefault(row.metric, []).append(read_version(row))
        return Library(number, versions)

    def next_counter(self) -> int:
        """A number no counter has had. FailedPrecondition LIMIT_REACHED."""
        highest = self._connection.execute(select(func.max(metric_version.c.counter))).scalar_one()
        number = max(highest or 0, FIRST_COUNTER) + 1
        if number > _MOST_COUNTERS:
            raise FailedPrecondition("LIMIT_REACHED", "No more versions with conditions can be kept.")
        return number

    def people(self) -> int:
        """How many people's values a new counter has to be computed for."""
        return int(self._connection.execute(_PEOPLE).scalar_one())

    def add(self, new: Version) -> None:
        """Store a version."""
        self._connection.execute(
            metric_version.insert().values(
                metric=new.definition.name,
                version=new.version,
                counter=new.counter_id,
                definition=_written(new.definition),
                effective_from=new.effective_from,
                author_id=new.author_id,
                recorded_at=new.recorded_at,
                reason=new.reason,
                state=int(new.state),
                served_at=None if new.state is State.COMPUTING else func.now(),
                taking=int(new.taking),
                people_done=new.done,
                people_total=new.total,
            )
        )
        if new.state is State.COMPUTING:
            self._connection.execute(_UNCOUNTED, {"counter": new.counter_id})
        else:
            self.tell(new)

    def tell(self, version: Version) -> None:
        """Tell whoever follows that a version serves, or that it retired the metric."""
        event = NewEvent(METRIC_CHANGED, version.definition.name, str(version.version).encode())
        publish(self._connection, [event])

    def define(
        self,
        told: Definition,
        before: Version | None,
        *,
        effective_from: date,
        by: str,
        at: datetime,
        reason: str,
    ) -> Version:
        """Store a definition as the version after `before`; its values are computed where it has a counter.

        Others must be kept from defining meanwhile: see `changed`. FailedPrecondition LIMIT_REACHED.
        """
        if before is None and len(self.load().versions) >= MOST_METRICS:
            raise FailedPrecondition(
                "LIMIT_REACHED", f"There are {MOST_METRICS} metrics of your own already; retire one first."
            )
        new = Version(
            told,
            before.version + 1 if before else 1,
            self.next_counter() if told.needs_counter else 0,
            effective_from,
            by,
            at,
            reason,
            State.COMPUTING if told.needs_counter else State.SERVING,
            total=self.people() if told.needs_counter else 0,
            taking=Taking.NOTHING if told.needs_counter else Taking.IN_PLACE,
        )
        self.add(new)
        return new


class KnownLibrary(NamedTuple):
    """The library at one time: the metrics that measure a period by its first day, and what is kept for them."""

    metrics: Callable[[date], Mapping[str, Metric]]
    counters: tuple[Counter, ...]


class LibraryCache:
    """The library in memory: small, seldom changed, read with every figure and every fact."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._library = Library(_NONE, {})
        self._known: dict[tuple[int, date, bool], Mapping[str, Metric]] = {}

    @property
    def current(self) -> Library:
        """The copy, read at least once."""
        return self._library if self._library.number != _NONE else self.refresh()

    def metrics(self, first_day: date, *, retired: bool = True) -> Mapping[str, Metric]:
        """The metrics that measure a period beginning that day, those out of use too: what they measured stays."""
        library = self.current
        if not library.versions:
            return METRICS
        key = (library.number, first_day, retired)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_DAYS:
                self._known.clear()
            known = self._known[key] = library.on(first_day, retired=retired)
        return known

    def known(self, known_at: datetime | None) -> KnownLibrary:
        """As it is known now, as far as this process knows; for a time, as it served then."""
        if known_at is None:
            return KnownLibrary(self.metrics, self.current_counters)
        library = self.current.known(known_at)
        return KnownLibrary(partial(library.on, retired=True), (PURCHASES, *library.counters))

    def refresh(self) -> Library:
        """Read it again where it has changed."""
        with self._database.read() as connection:
            return self.at_least(connection, Versions(connection).number())

    def at_least(self, connection: Connection, number: int) -> Library:
        """The copy as of a number or later."""
        if self._library.number < number:
            self._library = Versions(connection).load()
        return self._library

    @property
    def current_counters(self) -> tuple[Counter, ...]:
        """What is kept over facts, as far as this process knows."""
        return (PURCHASES, *self.current.counters)

    def counters(self, connection: Connection, number: int) -> tuple[Counter, ...]:
        """What is kept over facts, built-in counters first."""
        return (PURCHASES, *self.at_least(connection, number).counters)


def _written(told: Definition) -> dict[str, Any]:
    conditions = told.conditions
    return {
        "unit": int(told.unit),
        "aggregation": int(told.aggregation),
        "description": told.description,
        "kinds": [int(kind) for kind in told.kinds],
        "numerator": told.numerator,
        "denominators": list(told.denominators),
        "direction": int(told.direction),
        "titles": dict(told.titles),
        "rolling_days": told.rolling_days,
        "conditions": {
            "channels": sorted(conditions.channels),
            "products": sorted(conditions.products),
            "least_amount": conditions.least_amount,
            "most_amount": conditions.most_amount,
            "attributes": {name: sorted(values) for name, values in conditions.attributes},
            "customers": int(conditions.customers),
        },
    }


def read_version(row: Row[Any]) -> Version:
    """A row of the table."""
    told = row.definition
    conditions = told["conditions"]
    day: date = row.effective_from
    return Version(
        Definition(
            row.metric,
            Unit(told["unit"]),
            Aggregation(told["aggregation"]),
            told["description"],
            tuple(FactKind(kind) for kind in told["kinds"]),
            told["numerator"],
            tuple(told["denominators"]),
            Direction(told["direction"]),
            Conditions(
                frozenset(conditions["channels"]),
                frozenset(conditions["products"]),
                conditions["least_amount"],
                conditions["most_amount"],
                tuple((name, frozenset(values)) for name, values in sorted(conditions["attributes"].items())),
                Novelty(conditions["customers"]),
            ),
            tuple(sorted(told["titles"].items())),
            # Those stored before there were windows have none.
            told.get("rolling_days", 0),
        ),
        row.version,
        row.counter,
        day,
        row.author_id,
        row.recorded_at,
        row.reason,
        State(row.state),
        row.people_done,
        row.people_total,
        row.served_at,
        Taking(row.taking),
    )
