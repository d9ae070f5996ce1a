"""How far people are: figures from the ledger held against the targets in force."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from access import Directory, Person
from services.goals.domain.leave import Rules, quiet_since
from services.goals.domain.metrics import Figures
from services.goals.domain.periods import Period, PeriodKind, local_day, period_of
from services.goals.domain.progress import (
    Member,
    Progress,
    Status,
    TargetStanding,
)
from services.goals.domain.targets import Measure
from services.goals.domain.windows import Days, Probation
from services.goals.store.figures import (
    Reading,
    Span,
    read_figures,
)
from services.goals.store.measured import Measured, known_absences, own_windows, required, serves, stand
from services.goals.store.newest import read_last_follow_ups, read_last_recorded
from services.goals.store.placements import places
from services.goals.store.probations import known_probations
from services.goals.store.targets import TargetsCache
from services.goals.store.workplaces import WorkplacesCache

_ALWAYS: Final = (PeriodKind.WEEK, PeriodKind.MONTH)


def read_progress(
    connection: Connection,
    cache: TargetsCache,
    workplaces: WorkplacesCache,
    directory: Directory,
    person: Person,
    *,
    now: datetime,
    as_of: datetime | None,
    known_at: datetime | None,
) -> Progress:
    """A person's progress in one statement, and a second one where the targets have just changed.

    What was known at a past time takes several: the targets of then are read along.
    """
    path, zone, role, _ = places(connection, directory, [person], as_of=as_of, known_at=known_at)[person.id]
    today = local_day(as_of or now, zone)
    library = cache.library.known(known_at)
    copy = cache.current() if known_at is None else cache.known(connection, known_at)
    work = workplaces.current() if known_at is None else workplaces.known(connection, known_at)
    days = Days(today, zone, known_probations(connection, [person], known_at)[person.id])
    always = [period_of(kind, today, zone) for kind in _ALWAYS]
    while True:
        targets = copy.of(role, path, today)
        found = Measured(library, days, targets)
        shown = [*always, *own_windows(library, days)]
        periods = list(dict.fromkeys((*shown, *found.periods.values())))
        reading = read_figures(
            connection,
            [Span(person.id, period) for period in periods],
            as_of=as_of,
            known_at=known_at,
            counters=library.counters,
        )
        versions = (reading.targets_version, reading.rules_version)
        if known_at is not None or (copy.version, work.version) == versions:
            break
        copy, work = cache.fresh(connection), workplaces.fresh(connection)
    figures = dict(zip(periods, reading.figures, strict=True))
    newest = max((at for at in reading.recorded_at if at is not None), default=None)
    if newest is None:
        newest = read_last_recorded(connection, person.id, known_at=known_at)
    absences = known_absences(reading.absences)
    rules = work.holding(path, today, days.probation)
    return Progress(
        found.standings(library, figures, today, rules, absences),
        [(period, figures[period]) for period in shown],
        newest,
        found.unmeasured,
    )


def read_one(
    connection: Connection,
    cache: TargetsCache,
    workplaces: WorkplacesCache,
    directory: Directory,
    person: Person,
    measure: Measure,
    *,
    now: datetime,
    as_of: datetime | None,
    known_at: datetime | None,
) -> tuple[Period, Figures, TargetStanding | None]:
    """One measure of a person: its period, figures, and the standing with the target, if there is one.

    Per probation: FailedPrecondition PROBATION_UNKNOWN, NOT_ON_PROBATION.
    """
    path, zone, role, _ = places(connection, directory, [person], as_of=as_of, known_at=known_at)[person.id]
    today = local_day(as_of or now, zone)
    days = Days(today, zone, known_probations(connection, [person], known_at)[person.id])
    library = cache.library.known(known_at)
    period = required(library, days, measure)
    reading = read_figures(
        connection,
        [Span(person.id, period)],
        as_of=as_of,
        known_at=known_at,
        counters=library.counters,
    )
    target = cache.known(connection, known_at).of(role, path, today).get(measure)
    figures = reading.figures[0]
    standing = None
    # At a past time a target may have waited for the values of its metric.
    if target is not None and serves(library, measure, period):
        rules = workplaces.known(connection, known_at).holding(path, today, days.probation)
        metric = library.metrics(period.measured_on)[measure.metric]
        standing = stand(metric, target, period, figures, today, rules, known_absences(reading.absences))
    return period, figures, standing


class _Row(NamedTuple):
    """Somebody in a team, and what is to be read and held against what."""

    person: Person
    today: date
    probation: Probation
    found: Measured
    periods: list[Period]
    rules: Rules


def read_team(
    connection: Connection,
    cache: TargetsCache,
    workplaces: WorkplacesCache,
    directory: Directory,
    people: Iterable[Person],
    *,
    node_id: str = "",
    now: datetime,
    as_of: datetime | None,
    known_at: datetime | None,
    newcomers_only: bool,
) -> list[Member]:
    """The progress of those of these people who worked at or below a node (empty for any), or work there now.

    Those who need attention come first. Three statements, whatever the number of people; for a past time more, of the
    same number for everybody.
    """
    library = cache.library.known(known_at)
    copy, work = cache.known(connection, known_at), workplaces.known(connection, known_at)
    moment = as_of or now
    days_in: dict[str, date] = {}
    rows: list[_Row] = []
    spans: list[Span] = []
    asked = list(people)
    probations = known_probations(connection, asked, known_at)
    stood = places(connection, directory, asked, as_of=as_of, known_at=known_at)
    for person in asked:
        path, zone, role, works = stood[person.id]
        if not works or (node_id and node_id not in path):
            continue
        today = days_in.setdefault(zone, local_day(moment, zone))
        probation = probations[person.id]
        if newcomers_only and not probation.holds(today):
            continue
        by_period = Measured(library, Days(today, zone, probation), copy.of(role, path, today))
        periods = list(dict.fromkeys(by_period.periods.values()))
        spans.extend(Span(person.id, period) for period in periods)
        rules = work.holding(path, today, probation)
        rows.append(_Row(person, today, probation, by_period, periods, rules))
    reading = (
        read_figures(connection, spans, as_of=as_of, known_at=known_at, counters=library.counters)
        if spans
        else Reading([], [], copy.version, [], work.version)
    )
    zones = {row.person.id: stood[row.person.id].zone for row in rows}
    following = read_last_follow_ups(connection, zones, as_of=as_of, known_at=known_at)
    found = zip(reading.figures, reading.absences, strict=True)
    members = []
    for person, today, probation, by_period, periods, rules in rows:
        read = {period: next(found) for period in periods}
        of_period = {period: figures for period, (figures, _) in read.items()}
        absences = known_absences([each for _, each in read.values()])
        standings = by_period.standings(library, of_period, today, rules, absences)
        last = following.get(person.id)
        members.append(
            Member(
                person.id,
                person.name,
                person.employee_number,
                standings,
                _reasons(standings, last, quiet_since(rules.place, absences, today)),
                last,
                probation.last if probation.holds(today) else None,
            )
        )
    return sorted(members, key=lambda member: member.urgency)


def _reasons(standings: Sequence[TargetStanding], last: date | None, quiet: date | None) -> tuple[str, ...]:
    """Why somebody needs a look. `quiet` is the day since when nothing was followed up; None where nothing tells."""
    statuses = {each.standing.status for each in standings}
    reasons = [
        word
        for status, word in (
            (Status.BEHIND, "behind"),
            (Status.AT_THRESHOLD, "at_threshold"),
            (Status.NO_DATA, "no_data"),
        )
        if status in statuses
    ]
    if standings and quiet is not None and (last is None or last < quiet):
        reasons.append("no_follow_up")
    return tuple(reasons)
