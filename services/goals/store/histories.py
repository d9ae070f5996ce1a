"""Per workday what a person and colleagues counted, and what it came to: read for forecasts, from the tallies kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection

from access import Directory, Person
from services.goals.domain.forecasting import FEWEST_COLLEAGUES, Basis
from services.goals.domain.histories import (
    History,
    SizeParts,
    Sizes,
    comparable,
    days_worked,
    history_of,
    sizes_of,
)
from services.goals.domain.leave import Absence
from services.goals.domain.periods import CALENDAR_KINDS, Period, PeriodKind, local_day, period_of
from services.goals.domain.workdays import YearUnknownError
from services.goals.store.workplaces import WorkplacesCopy

_REACH: Final = timedelta(days=90)
_MOST_COLLEAGUES: Final = 50
# A customer counts on the first day of each period: so the days of a period add up to its figure.
_COUNTS: Final = """
SELECT person_id, day, kind::integer, n, amount_minor, minutes FROM tally
WHERE person_id = ANY (%(people)b::text[]) AND day >= %(first)s AND day < %(stop)s
UNION ALL
SELECT person_id, day, -1, count(*)::integer, 0, 0 FROM (
    SELECT person_id, min(day) AS day FROM touch
    WHERE person_id = ANY (%(people)b::text[]) AND day >= %(first)s AND day < %(stop)s
    GROUP BY person_id, customer, date_trunc(%(kind)s, day)) AS met GROUP BY 1, 2
UNION ALL
SELECT person_id, day, -2, count(*)::integer, 0, 0 FROM first_touch
WHERE person_id = ANY (%(people)b::text[]) AND day >= %(first)s AND day < %(stop)s GROUP BY 1, 2
UNION ALL
SELECT person_id, day, counter, count(*)::integer, 0, 0 FROM (
    SELECT person_id, counter::integer, min(day) AS day FROM patron
    WHERE person_id = ANY (%(people)b::text[]) AND day >= %(first)s AND day < %(stop)s
    GROUP BY person_id, counter, customer, date_trunc(%(kind)s, day)) AS met GROUP BY 1, 2, 3
"""
_EVENTS_OF_A_DAY: Final = """
SELECT coalesce(sum(n), 0)::integer FROM tally
WHERE person_id = %(person)s AND day = %(day)s AND kind = ANY (%(kinds)b::smallint[])
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


class _Day(NamedTuple):
    """Of a kind of fact or a counter on a day: how many, and what they came to."""

    n: int
    amount: int
    minutes: int


class _Read(NamedTuple):
    """What was read of some people."""

    ledger: "Ledger"
    counted: Mapping[str, Mapping[date, Mapping[int, _Day]]]
    absences: Mapping[str, Sequence[Absence]]
    begun: Mapping[str, date]

    def counts(self, person: Person, counted: Collection[int]) -> dict[date, int]:
        """What a person counted each day."""
        days = self.counted.get(person.id, {})
        return {
            day: sum(found.n for kind, found in kinds.items() if kind in counted)
            for day, kinds in days.items()
        }

    def sizes(self, person: Person, parts: SizeParts) -> Sizes:
        """What a person's events came to."""
        days = []
        for kinds in self.counted.get(person.id, {}).values():
            some = [found for kind, found in kinds.items() if kind in parts.counted]
            total = sum(each.minutes if parts.minutes else each.amount for each in some)
            days.append((sum(each.n for each in some), total))
        return sizes_of(days)

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


class Ledger:
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
        self.kind = period.kind if period.kind in CALENDAR_KINDS else PeriodKind.MONTH
        self.first = period_of(self.kind, period.first - _REACH, period.zone).first
        self.end = today
        self._groups: dict[tuple[str, ...], _Read] = {}

    def basis(self, person: Person, counted: Collection[int]) -> tuple[Basis | None, Mapping[date, int]]:
        """What a forecast of these counts rests on, and what the person counted each day; None without a calendar.

        Colleagues are those of the branch, or of the enterprise where the branch has too few.
        """
        root = self.directory.root_id
        basis, counts = None, dict[date, int]()
        for node_id in dict.fromkeys((self.directory.branch_of(person.id) or root, root)):
            people = self._colleagues(person, node_id)
            read = self._of([person, *people])
            counts, days = read.counts(person, counted), read.workdays(person)
            if days is None:
                return None, counts
            colleagues = comparable(list(self._histories(read, people, counted)))
            basis = Basis(self.first, history_of(counts, days), node_id, colleagues)
            if len(colleagues) >= FEWEST_COLLEAGUES:
                break
        return basis, counts

    def sizes(self, person: Person, node_id: str, parts: SizeParts) -> tuple[Sizes, list[Sizes]]:
        """What the person's events came to, and those of colleagues at a node whose basis was read."""
        people = self._colleagues(person, node_id)
        read = self._of([person, *people])
        return read.sizes(person, parts), [read.sizes(each, parts) for each in people]

    def events_today(self, person: Person, counted: Collection[int]) -> int:
        """How many events the day itself has brought."""
        asked = {"person": person.id, "day": self.end, "kinds": list(counted)}
        return int(self._connection.exec_driver_sql(_EVENTS_OF_A_DAY, asked).scalar_one())

    def _colleagues(self, person: Person, node_id: str) -> list[Person]:
        return [
            each
            for each in self._at(node_id)
            if each.id != person.id and each.job_role == person.job_role and self.until(each) > self.first
        ][:_MOST_COLLEAGUES]

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
        counted: dict[str, dict[date, dict[int, _Day]]] = {}
        for person_id, day, kind, *sums in self._connection.exec_driver_sql(_COUNTS, asked):
            counted.setdefault(person_id, {}).setdefault(day, {})[kind] = _Day(*sums)
        absences: dict[str, list[Absence]] = {}
        for person_id, first, stop, fact_id in self._connection.exec_driver_sql(_ABSENCES, asked):
            absences.setdefault(person_id, []).append(Absence(first, stop, fact_id))
        begun = {row[0]: row[1] for row in self._connection.exec_driver_sql(_BEGINNINGS, asked)}
        return _Read(self, counted, absences, begun)
