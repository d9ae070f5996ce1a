"""What forecasts are made from: per workday counts of a person and of colleagues, from the tallies kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from sqlalchemy import Connection

from access import Directory, Person
from services.goals.domain.forecasting import (
    FEWEST_COLLEAGUES,
    Basis,
    Course,
    Outlook,
    Silence,
    forecast,
)
from services.goals.domain.histories import (
    History,
    RateParts,
    comparable,
    counted_in,
    days_worked,
    history_of,
    parts_of,
)
from services.goals.domain.leave import Absence
from services.goals.domain.metrics import Metric
from services.goals.domain.periods import CALENDAR_KINDS, Period, PeriodKind, local_day, period_of
from services.goals.domain.progress import TargetStanding
from services.goals.domain.rate_forecasting import Count, forecast_rate
from services.goals.domain.workdays import YearUnknownError
from services.goals.store.progress import read_progress
from services.goals.store.targets import TargetsCache
from services.goals.store.workplaces import WorkplacesCache, WorkplacesCopy

_REACH: Final = timedelta(days=90)
_MOST_COLLEAGUES: Final = 50
# A customer counts on the first day of each period: so the days of a period add up to its figure.
_COUNTS: Final = """
SELECT person_id, day, kind::integer, n FROM tally
WHERE person_id = ANY (%(people)b::text[]) AND day >= %(first)s AND day < %(stop)s
UNION ALL
SELECT person_id, day, -1, count(*)::integer FROM (
    SELECT person_id, min(day) AS day FROM touch
    WHERE person_id = ANY (%(people)b::text[]) AND day >= %(first)s AND day < %(stop)s
    GROUP BY person_id, customer, date_trunc(%(kind)s, day)) AS met GROUP BY 1, 2
UNION ALL
SELECT person_id, day, -2, count(*)::integer FROM first_touch
WHERE person_id = ANY (%(people)b::text[]) AND day >= %(first)s AND day < %(stop)s GROUP BY 1, 2
UNION ALL
SELECT person_id, day, counter, count(*)::integer FROM (
    SELECT person_id, counter::integer, min(day) AS day FROM patron
    WHERE person_id = ANY (%(people)b::text[]) AND day >= %(first)s AND day < %(stop)s
    GROUP BY person_id, counter, customer, date_trunc(%(kind)s, day)) AS met GROUP BY 1, 2, 3
"""
_BEGINNINGS: Final = """
SELECT person_id, begun.day FROM unnest(%(people)b::text[]) AS row (person_id)
CROSS JOIN LATERAL (
    SELECT day FROM tally WHERE tally.person_id = row.person_id AND kind < 100 ORDER BY day LIMIT 1
) AS begun
"""
_ABSENCES: Final = """
SELECT person_id, leave_first, leave_stop, concat(source, '/', version, '/', external_id) FROM fact
WHERE person_id = ANY (%(people)b::text[]) AND counts AND kind = 9
  AND leave_stop > 2 * (%(first)s - date 'epoch') AND leave_first < 2 * (%(stop)s - date 'epoch')
"""


def read_forecasts(
    connection: Connection,
    cache: TargetsCache,
    workplaces: WorkplacesCache,
    directory: Directory,
    person: Person,
    *,
    now: datetime,
    as_of: datetime | None,
) -> list[Outlook]:
    """How each target in force of a person is likely to end. The directory is that of now."""
    progress = read_progress(
        connection, cache, workplaces, directory, person, now=now, as_of=as_of, known_at=None
    )
    today = local_day(as_of or now, directory.zone_of(person.id))
    readings: dict[PeriodKind, _Ledger] = {}
    found = []
    for standing in progress.targets:
        metric = cache.library.metrics(standing.period.measured_on)[standing.resolved.target.measure.metric]
        parts = parts_of(metric)
        said = _said_without(standing, reachable=bool(counted_in(metric)), rate=parts is not None)
        if standing.period.kind not in CALENDAR_KINDS:
            # Nobody's earlier periods are of this kind: there is no history to reckon with.
            said = Silence.NO_MODEL
        if said is not None:
            found.append(Outlook(standing, said, None))
            continue
        kind = standing.period.kind
        if kind not in readings:
            work = workplaces.fresh(connection)
            readings[kind] = _Ledger(connection, work, directory, standing.period, today)
        found.append(
            _look(readings[kind], person, standing, metric)
            if parts is None
            else _look_at_rate(readings[kind], person, standing, parts)
        )
    return found


def _said_without(standing: TargetStanding, *, reachable: bool, rate: bool) -> Silence | None:
    """What can be said without any history. A rate that is reached may fall again, so it goes on being told of."""
    if not reachable and not rate:
        return Silence.NO_MODEL
    if standing.course is None:
        return Silence.CALENDAR_UNKNOWN
    done = standing.standing.done.fraction
    if reachable and done is not None and done >= standing.asked.amount:
        return Silence.TARGET_REACHED
    return None if standing.course.left else Silence.NO_WORKDAY_LEFT


def _look(ledger: "_Ledger", person: Person, standing: TargetStanding, metric: Metric) -> Outlook:
    counted = counted_in(metric)
    basis, counts = ledger.basis(person, counted)
    if basis is None:
        return Outlook(standing, Silence.CALENDAR_UNKNOWN, None)
    before = sum(count for day, count in counts.items() if day >= standing.period.first)
    assert standing.course is not None  # noqa: S101  otherwise it was said so before
    course = Course(
        standing.asked.amount,
        before,
        max(0, int(standing.standing.done.fraction or Fraction(0)) - before),
        standing.course.left,
    )
    return Outlook(standing, forecast(course, basis.own, basis.colleagues), basis)


def _look_at_rate(
    ledger: "_Ledger",
    person: Person,
    standing: TargetStanding,
    parts: RateParts,
) -> Outlook:
    found = [ledger.basis(person, counted) for counted in (parts.above, parts.beside)]
    (above, _), (below, _) = found
    if above is None or below is None:
        return Outlook(standing, Silence.CALENDAR_UNKNOWN, None)
    assert standing.course is not None  # noqa: S101  otherwise it was said so before
    done = standing.standing.done
    reached = (done.numerator, done.denominator - (done.numerator if parts.within else 0))
    counts = []
    for basis, counted, until_now in zip((above, below), (each for _, each in found), reached, strict=True):
        before = sum(count for day, count in counted.items() if day >= standing.period.first)
        counts.append(Count(before, max(0, until_now - before), basis.own, basis.colleagues))
    made = forecast_rate(standing.asked.amount, standing.course.left, *counts, within=parts.within)
    return Outlook(standing, made, below._replace(tops=(above.own, *above.colleagues), within=parts.within))


class _Read(NamedTuple):
    """What was read of some people."""

    ledger: "_Ledger"
    counted: Mapping[str, Mapping[date, Mapping[int, int]]]
    absences: Mapping[str, Sequence[Absence]]
    begun: Mapping[str, date]

    def counts(self, person: Person, counted: Collection[int]) -> dict[date, int]:
        """What a person counted each day."""
        days = self.counted.get(person.id, {})
        return {
            day: sum(number for kind, number in kinds.items() if kind in counted)
            for day, kinds in days.items()
        }

    def workdays(self, person: Person) -> list[date] | None:
        """The days a person worked here as far as the ledger tells; None without a calendar.

        From the day they came, where it is known and the ledger was kept then, else from their first fact.
        """
        ledger = self.ledger
        came = person.probation_start or person.hire_date
        kept = min(self.begun.values(), default=ledger.end)
        first = max(ledger.first, kept, came) if came else self.begun.get(person.id, ledger.end)
        end = ledger.until(person)
        try:
            place = ledger.work.place(ledger.directory.ancestors(person.id))
            workdays = place.workdays(max(first, ledger.first), end)
        except YearUnknownError:
            return None
        return days_worked(workdays, self.absences.get(person.id, ()))


class _Ledger:
    """The days before one, over whole periods of a kind that reach back far enough; each group is read once."""

    def __init__(
        self,
        connection: Connection,
        work: WorkplacesCopy,
        directory: Directory,
        period: Period,
        today: date,
    ) -> None:
        self._connection = connection
        self.work = work
        self.directory = directory
        self.kind = period.kind
        self.first = period_of(period.kind, period.first - _REACH, period.zone).first
        self.end = today
        self._groups: dict[tuple[str, ...], _Read] = {}

    def basis(self, person: Person, counted: Collection[int]) -> tuple[Basis | None, Mapping[date, int]]:
        """What a forecast of these counts rests on, and what the person counted each day; None without a calendar.

        Colleagues are those of the branch, or of the enterprise where the branch has too few.
        """
        root = self.directory.root_id
        basis, counts = None, dict[date, int]()
        for node_id in dict.fromkeys((self.directory.branch_of(person.id) or root, root)):
            people = [
                each
                for each in self._at(node_id)
                if each.id != person.id and each.job_role == person.job_role and self.until(each) > self.first
            ][:_MOST_COLLEAGUES]
            read = self._of([person, *people])
            counts, days = read.counts(person, counted), read.workdays(person)
            if days is None:
                return None, counts
            colleagues = comparable(list(self._histories(read, people, counted)))
            basis = Basis(self.first, history_of(counts, days), node_id, colleagues)
            if len(colleagues) >= FEWEST_COLLEAGUES:
                break
        return basis, counts

    def until(self, person: Person) -> date:
        """The day before which a person's days are read: that of the forecast, or of their leaving."""
        if person.active or person.dismissed_at is None:
            return self.end
        return min(self.end, local_day(person.dismissed_at, self.directory.zone_of(person.id)))

    def _of(self, people: Sequence[Person]) -> _Read:
        """What is known of these people."""
        key = tuple(person.id for person in people)
        if key not in self._groups:
            self._groups[key] = self._read(list(key))
        return self._groups[key]

    def _histories(
        self, read: _Read, people: Sequence[Person], counted: Collection[int]
    ) -> Iterable[History]:
        for each in people:
            days = read.workdays(each) if each.id in read.begun else None
            if days is not None:
                yield history_of(read.counts(each, counted), days)

    def _at(self, node_id: str) -> list[Person]:
        found = (self.directory.person(each) for each in sorted(self.directory.people_under(node_id)))
        return [each for each in found if each is not None]

    def _read(self, people: Sequence[str]) -> _Read:
        asked = {
            "people": list(people),
            "first": self.first,
            "stop": self.end,
            "kind": self.kind.name.lower(),
        }
        counted: dict[str, dict[date, dict[int, int]]] = {}
        for person_id, day, kind, number in self._connection.exec_driver_sql(_COUNTS, asked):
            counted.setdefault(person_id, {}).setdefault(day, {})[kind] = number
        absences: dict[str, list[Absence]] = {}
        for person_id, first, stop, fact_id in self._connection.exec_driver_sql(_ABSENCES, asked):
            absences.setdefault(person_id, []).append(Absence(first, stop, fact_id))
        begun = {row[0]: row[1] for row in self._connection.exec_driver_sql(_BEGINNINGS, asked)}
        return _Read(self, counted, absences, begun)
