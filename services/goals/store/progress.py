"""How far people are: figures from the ledger held against the targets in force."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from sqlalchemy import Connection

from access import Directory, Person
from services.goals.domain.leave import Absence, Rules, asked_of, quiet_since
from services.goals.domain.metrics import Figures, evaluate
from services.goals.domain.periods import Period, PeriodKind, local_day, period_of
from services.goals.domain.progress import Member, Progress, Status, TargetStanding, course_of, judge
from services.goals.domain.targets import Measure, ResolvedTarget
from services.goals.store.figures import (
    Reading,
    Span,
    read_figures,
)
from services.goals.store.library import KnownLibrary
from services.goals.store.newest import read_last_follow_ups, read_last_recorded
from services.goals.store.targets import TargetsCache
from services.goals.store.workplaces import WorkplacesCache, WorkplacesCopy

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
    zone = directory.zone_of(person.id)
    today = local_day(as_of or now, zone)
    path = directory.ancestors(person.id)
    library = cache.library.known(known_at)
    copy = cache.current() if known_at is None else cache.known(connection, known_at)
    work = workplaces.current() if known_at is None else workplaces.known(connection, known_at)
    while True:
        targets = copy.of(person, path, today)
        kinds = dict.fromkeys((*_ALWAYS, *(measure.period_kind for measure in targets)))
        periods = {kind: period_of(kind, today, zone) for kind in kinds}
        reading = read_figures(
            connection,
            [Span(person.id, period) for period in periods.values()],
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
    absences = _known(reading.absences)
    rules = _rules(work, person, path, today)
    return Progress(
        [
            _stand(library, measure, target, periods, figures, today, rules, absences)
            for measure, target in targets.items()
            if _serves(library, measure, periods)
        ],
        [(periods[kind], figures[kind]) for kind in _ALWAYS],
        newest,
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
    """One measure of a person: its period, figures, and the standing with the target, if there is one."""
    zone = directory.zone_of(person.id)
    today = local_day(as_of or now, zone)
    period = period_of(measure.period_kind, today, zone)
    library = cache.library.known(known_at)
    reading = read_figures(
        connection,
        [Span(person.id, period)],
        as_of=as_of,
        known_at=known_at,
        counters=library.counters,
    )
    path = directory.ancestors(person.id)
    target = cache.known(connection, known_at).of(person, path, today).get(measure)
    figures = reading.figures[0]
    standing = None
    # At a past time a target may have waited for the values of its metric.
    if target is not None and _serves(library, measure, {measure.period_kind: period}):
        standing = _stand(
            library,
            measure,
            target,
            {measure.period_kind: period},
            {measure.period_kind: figures},
            today,
            _rules(workplaces.known(connection, known_at), person, path, today),
            _known(reading.absences),
        )
    return period, figures, standing


def read_course(
    connection: Connection,
    cache: TargetsCache,
    person: Person,
    period: Period,
    today: date,
    *,
    as_of: datetime | None,
    known_at: datetime | None,
) -> list[tuple[date, Figures]]:
    """The figures from the period's first day through each day up to `today`."""
    days = [period.first + timedelta(days=ahead) for ahead in range((today - period.first).days + 1)]
    spans = [
        Span(person.id, Period(period.kind, period.first, day + timedelta(days=1), period.zone))
        for day in days
    ]
    reading = read_figures(
        connection,
        spans,
        as_of=as_of,
        known_at=known_at,
        counters=cache.library.known(known_at).counters,
    )
    return list(zip(days, reading.figures, strict=True))


class _Row(NamedTuple):
    """Somebody in a team, and what is to be read and held against what."""

    person: Person
    today: date
    targets: Mapping[Measure, ResolvedTarget]
    periods: dict[PeriodKind, Period]
    rules: Rules


def read_team(
    connection: Connection,
    cache: TargetsCache,
    workplaces: WorkplacesCache,
    directory: Directory,
    people: Iterable[Person],
    *,
    now: datetime,
    as_of: datetime | None,
    known_at: datetime | None,
    newcomers_only: bool,
) -> list[Member]:
    """Everybody's progress, those who need attention first: three statements, whatever the number of people."""
    library = cache.library.known(known_at)
    copy, work = cache.known(connection, known_at), workplaces.known(connection, known_at)
    moment = as_of or now
    zones: dict[str, date] = {}
    rows: list[_Row] = []
    spans: list[Span] = []
    for person in people:
        zone = directory.zone_of(person.id)
        today = zones.setdefault(zone, local_day(moment, zone))
        if newcomers_only and not person.on_probation(today):
            continue
        path = directory.ancestors(person.id)
        targets = copy.of(person, path, today)
        periods = {measure.period_kind: period_of(measure.period_kind, today, zone) for measure in targets}
        spans.extend(Span(person.id, period) for period in periods.values())
        rows.append(_Row(person, today, targets, periods, _rules(work, person, path, today)))
    reading = (
        read_figures(connection, spans, as_of=as_of, known_at=known_at, counters=library.counters)
        if spans
        else Reading([], [], copy.version, [], work.version)
    )
    following = read_last_follow_ups(
        connection, [row.person.id for row in rows], as_of=as_of, known_at=known_at
    )
    found = zip(reading.figures, reading.absences, strict=True)
    members = []
    for person, today, targets, periods, rules in rows:
        read = {kind: next(found) for kind in periods}
        of_period = {kind: figures for kind, (figures, _) in read.items()}
        absences = _known([each for _, each in read.values()])
        standings = [
            _stand(library, measure, target, periods, of_period, today, rules, absences)
            for measure, target in targets.items()
            if _serves(library, measure, periods)
        ]
        last = following.get(person.id)
        members.append(
            Member(
                person.id,
                person.name,
                person.employee_number,
                standings,
                _reasons(standings, last, quiet_since(rules.place, absences, today)),
                last,
                person.probation_end if person.on_probation(today) else None,
            )
        )
    return sorted(members, key=lambda member: member.urgency)


def _serves(library: KnownLibrary, measure: Measure, periods: Mapping[PeriodKind, Period]) -> bool:
    """Whether the metric's values can be read: those of a new one are computed first."""
    return measure.metric in library.metrics(periods[measure.period_kind].first)


def _stand(
    library: KnownLibrary,
    measure: Measure,
    target: ResolvedTarget,
    periods: Mapping[PeriodKind, Period],
    figures: Mapping[PeriodKind, Figures],
    today: date,
    rules: Rules,
    absences: Sequence[Absence],
) -> TargetStanding:
    period = periods[measure.period_kind]
    metric = library.metrics(period.first)[measure.metric]
    done = evaluate(metric, figures[measure.period_kind])
    value = Fraction(target.target.value.numerator, target.target.value.denominator)
    asked = asked_of(metric, value, period, rules, absences)
    course = None if asked.worked is None else course_of(asked.worked, today)
    return TargetStanding(target, period, judge(metric, done, asked.amount, course), asked, course)


def _rules(work: WorkplacesCopy, person: Person, path: Sequence[str], today: date) -> Rules:
    return work.holding(path, today, (person.probation_start, person.probation_end))


def _known(absences: Iterable[Iterable[Absence]]) -> tuple[Absence, ...]:
    """Leave that lies in several spans, once."""
    return tuple(sorted({each for of_span in absences for each in of_span}))


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
