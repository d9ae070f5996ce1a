"""Coaching tasks in the database: every version is kept, the newest is what stands."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Row,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from access import Scope, Status
from access.tables import directory_person
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from services.goals.domain.coaching import Matter, Situation, Task, TaskState
from services.goals.domain.periods import local_day
from services.goals.tables import coaching_task as table

Place = tuple[int, int, str]
"""Where a page ends: whether closed, the day counted from the epoch (backwards for closed ones), the id."""

_EPOCH: Final = date(1970, 1, 1)
# No zone is further from UTC, either way.
_FURTHEST: Final = timedelta(hours=15)
_STANDS: Final = table.c.superseded_at.is_(None)
_OPEN: Final = and_(_STANDS, table.c.closed_at.is_(None))
_CLOSED: Final = case((table.c.closed_at.is_(None), 0), else_=1)
_DAYS: Final = table.c.due_day - literal(_EPOCH, Date)
_RANK: Final = case((table.c.closed_at.is_(None), _DAYS), else_=-_DAYS)


class Tasks:
    """The tasks of people the scope covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope
        self._directory = scope.caller.directory

    def get(self, task_id: str) -> Task:
        """NotFound COACHING_TASK_UNKNOWN where there is none of somebody covered. Locks it for the change to come."""
        query = select(table).where(table.c.id == task_id, _STANDS).with_for_update()
        row = self._connection.execute(query).first()
        if row is None or not self._scope.covers(row.person_id):
            raise NotFound("COACHING_TASK_UNKNOWN", "There is no such task.")
        return _task(row)

    def page(
        self,
        *,
        people: Collection[str] | None,
        states: Collection[TaskState],
        late: bool,
        now: datetime,
        after: Place | None,
        limit: int,
    ) -> tuple[list[tuple[Task, Place]], int, int]:
        """Tasks of these people (None for all covered), and how many there are, and how many of them late."""
        asked = self._asked(people, states)
        lateness = self._late(asked, now)
        if late:
            asked &= lateness
        counted = select(func.count(), func.count().filter(lateness)).select_from(table).where(asked)
        total, late_ones = self._connection.execute(counted).one()
        if after is not None:
            asked &= tuple_(_CLOSED, _RANK, table.c.id) > after
        query = select(table).where(asked).order_by(_CLOSED, _RANK, table.c.id).limit(limit)
        found = [_task(row) for row in self._connection.execute(query)]
        return [(each, _place(each)) for each in found], total, late_ones

    def open_of(self, people: Collection[str]) -> Mapping[tuple[str, Matter], Task]:
        """The open task of each person and matter."""
        query = select(table).where(table.c.person_id == func.any(list(people)), _OPEN)
        tasks = [_task(row) for row in self._connection.execute(query)]
        return {(each.person_id, each.matter): each for each in tasks}

    def open(self, task: Task) -> Task:
        """Store a new task. AlreadyExists where one is open for the same person and matter."""
        known = self.open_of([task.person_id]).get((task.person_id, task.matter))
        if known is not None:
            raise _exists(known.id)
        try:
            with self._connection.begin_nested():
                self._insert(task, task.opened_at)
        except IntegrityError:
            # Somebody else has opened one since we looked.
            raise _exists("") from None
        return task

    def change(self, task: Task, at: datetime) -> Task:
        """Store a task that `get` has read, as it is now."""
        self._connection.execute(update(table).where(table.c.id == task.id, _STANDS).values(superseded_at=at))
        self._insert(task, at)
        return task

    def _asked(self, people: Collection[str] | None, states: Collection[TaskState]) -> ColumnElement[bool]:
        working = select(directory_person.c.id).where(directory_person.c.status == int(Status.ACTIVE))
        # Nothing is expected of people who have left: their open tasks are nobody's any more.
        there = or_(table.c.closed_at.is_not(None), table.c.person_id.in_(working))
        asked = and_(_STANDS, there, self._scope.clause(table.c.person_id))
        if people is not None:
            asked &= table.c.person_id == func.any(sorted(people))
        if states:
            asked &= table.c.state.in_([int(each) for each in states])
        return asked

    def _late(self, asked: ColumnElement[bool], now: datetime) -> ColumnElement[bool]:
        """Late ones of those asked for: only around today the zone decides, and there each person's own does."""
        sure, never = (now - _FURTHEST).date(), (now + _FURTHEST).date()
        between = (table.c.due_day >= sure) & (table.c.due_day < never)
        query = select(table.c.person_id).distinct().where(asked, _OPEN, between)
        by_day: dict[date, list[str]] = defaultdict(list)
        for person_id in self._connection.execute(query).scalars():
            by_day[local_day(now, self._directory.zone_of(person_id))].append(person_id)
        around = [
            (table.c.due_day < today) & (table.c.person_id == func.any(people))
            for today, people in by_day.items()
        ]
        return and_(table.c.closed_at.is_(None), or_(table.c.due_day < sure, *around, false()))

    def _insert(self, task: Task, at: datetime) -> None:
        self._connection.execute(
            table.insert().values(
                id=task.id,
                person_id=task.person_id,
                situation=int(task.matter.situation),
                metric=task.matter.metric,
                step=task.text,
                course_id=task.course_id,
                due_day=task.due_day,
                opener_id=task.opener_id,
                opened_at=task.opened_at,
                state=int(task.state),
                answer=task.answer,
                answered_at=task.answered_at,
                note=task.note,
                closer_id=task.closer_id,
                closed_at=task.closed_at,
                recorded_at=at,
            )
        )


def require_open(task: Task) -> None:
    """FailedPrecondition COACHING_TASK_CLOSED where it is closed."""
    if task.state.closed:
        raise FailedPrecondition("COACHING_TASK_CLOSED", "The task is closed.")


def _exists(task_id: str) -> AlreadyExists:
    return AlreadyExists(
        "ALREADY_EXISTS",
        "A task is open for this person and situation.",
        metadata={"task_id": task_id} if task_id else {},
    )


def _place(task: Task) -> Place:
    days = (task.due_day - _EPOCH).days
    return (1, -days, task.id) if task.state.closed else (0, days, task.id)


def _task(row: Row[Any]) -> Task:
    return Task(
        row.id,
        row.person_id,
        Matter(Situation(row.situation), row.metric),
        row.step,
        row.course_id,
        row.due_day,
        row.opener_id,
        row.opened_at,
        TaskState(row.state),
        row.answer,
        row.answered_at,
        row.note,
        row.closer_id,
        row.closed_at,
    )
