"""Work rules and special days in the database: superseded, never edited."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    extract,
    func,
    or_,
    select,
    text,
    true,
    tuple_,
)

from access import Scope
from chassis.errors import Aborted, InvalidArgument
from services.goals.domain.leave import LeaveMode, LeavePolicy, Ramp
from services.goals.domain.values import Unit
from services.goals.domain.work_rules import Content, EnteredDay, RuleKind, WorkRule
from services.goals.domain.workdays import CalendarKind, SpecialDay, WorkCalendar
from services.goals.tables import special_day, work_rule

# Writers take turns at the one row; readers see by it that something changed.
_TURN: Final = text("UPDATE calendar SET rules = rules + 1")
_VERSION: Final = text("SELECT rules FROM calendar")
_NEWEST: Final = work_rule.c.revision
_DAYS: Final = (special_day.c.day, special_day.c.node_id, special_day.c.revision)
Place = tuple[str, str, int]
"""Where a page of special days ends: day, node, revision."""


def read_everything(
    connection: Connection, known_at: datetime | None = None
) -> tuple[int, list[WorkRule], list[SpecialDay]]:
    """The version, and all that is known, or was at a past time: rules ascending by day."""
    version = connection.execute(_VERSION).scalar_one()
    rules = connection.execute(
        select(work_rule).where(_known(work_rule, known_at)).order_by(work_rule.c.effective_from)
    )
    days = connection.execute(
        select(special_day).where(_known(special_day, known_at), ~special_day.c.removed)
    )
    return version, [_rule(row) for row in rules], [_day(row).special for row in days]


def version_of(connection: Connection) -> int:
    """Grows with every change."""
    return int(connection.execute(_VERSION).scalar_one())


def _known(table: Table, known_at: datetime | None) -> ColumnElement[bool]:
    """What is known, or was at a past time."""
    if known_at is None:
        return table.c.superseded_at.is_(None)
    return and_(
        table.c.recorded_at <= known_at,
        or_(table.c.superseded_at.is_(None), table.c.superseded_at > known_at),
    )


class WorkRules:
    """The rules and special days at nodes in the scope's reach."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def set(self, new: WorkRule, *, replaces: int) -> WorkRule:
        """Store a rule; the one known for its day is superseded. The scope must cover the node.

        Aborted ETAG_MISMATCH where `replaces` is not the newest revision of its kind at its node.
        """
        self._scope.require(new.node_id)
        self._connection.execute(_TURN)
        place = and_(work_rule.c.node_id == new.node_id, work_rule.c.kind == int(new.kind))
        newest = self._connection.execute(select(func.max(_NEWEST)).where(place)).scalar_one() or 0
        if newest != replaces:
            raise Aborted(
                "ETAG_MISMATCH", "somebody changed it since you read it; read it again, then decide"
            )
        self._put(new)
        return self._newest_of(new)

    def set_days(
        self,
        node_id: str,
        days: Sequence[EnteredDay],
        removed: Collection[date],
        *,
        complete: WorkRule | None,
    ) -> list[EnteredDay]:
        """Enter special days at a node, and take back those `removed`; all of them, or none.

        The scope must cover the node. InvalidArgument FIELD_INVALID where one to be taken back is not there.
        """
        self._scope.require(node_id)
        self._connection.execute(_TURN)
        known = {
            row.day: _day(row)
            for row in self._connection.execute(
                select(special_day).where(
                    special_day.c.node_id == node_id,
                    special_day.c.day.in_([each.special.day for each in days]),
                    special_day.c.superseded_at.is_(None),
                )
            )
        }
        stored = []
        for told in days:
            each, day = told, told.special.day
            before = known.get(day)
            if day in removed:
                if before is None or before.removed:
                    raise InvalidArgument(
                        "FIELD_INVALID",
                        f"No special day is entered on {day.isoformat()}.",
                        fields={"removed_days": f"{day.isoformat()} is not entered here"},
                    )
                each = replace(each, special=before.special, removed=True)
            self._supersede(
                special_day,
                and_(special_day.c.node_id == node_id, special_day.c.day == day),
                each.recorded_at,
            )
            inserted = special_day.insert().values(**_columns(each)).returning(special_day.c.revision)
            stored.append(replace(each, revision=int(self._connection.execute(inserted).scalar_one())))
        if complete is not None:
            self._put(complete)
        return stored

    def page(self, *, node_id: str, superseded: bool, before: int | None, limit: int) -> list[WorkRule]:
        """Rules at nodes the caller may read or inherits from, newest revision first, before one."""
        narrowed = self._narrowed(work_rule, node_id, superseded=superseded)
        narrowed &= work_rule.c.kind != int(RuleKind.COMPLETE_YEAR)
        narrowed &= true() if before is None else before > _NEWEST
        found = self._connection.execute(
            select(work_rule).where(narrowed).order_by(_NEWEST.desc()).limit(limit)
        )
        return [_rule(row) for row in found]

    def days(
        self, *, node_id: str, year: int, superseded: bool, after: Place | None, limit: int
    ) -> list[EnteredDay]:
        """Special days at such nodes by day and node, after a place."""
        narrowed = self._narrowed(special_day, node_id, superseded=superseded)
        narrowed &= true() if superseded else ~special_day.c.removed
        narrowed &= extract("year", special_day.c.day) == year if year else true()
        if after is not None:
            narrowed &= tuple_(*_DAYS) > (date.fromisoformat(after[0]), *after[1:])
        found = self._connection.execute(select(special_day).where(narrowed).order_by(*_DAYS).limit(limit))
        return [_day(row) for row in found]

    def _narrowed(self, table: Table, node_id: str, *, superseded: bool) -> ColumnElement[bool]:
        narrowed = self._scope.member_clause(table.c.node_id)
        narrowed &= table.c.node_id == node_id if node_id else true()
        return narrowed & (true() if superseded else table.c.superseded_at.is_(None))

    def _put(self, new: WorkRule) -> None:
        same = and_(
            work_rule.c.node_id == new.node_id,
            work_rule.c.kind == int(new.kind),
            work_rule.c.effective_from == new.effective_from,
        )
        self._supersede(work_rule, same, new.recorded_at)
        self._connection.execute(
            work_rule.insert().values(
                node_id=new.node_id,
                kind=int(new.kind),
                effective_from=new.effective_from,
                content=None if new.content is None else _told(new.content),
                reason=new.reason,
                author_id=new.author_id,
                recorded_at=new.recorded_at,
            )
        )

    def _newest_of(self, new: WorkRule) -> WorkRule:
        place = and_(work_rule.c.node_id == new.node_id, work_rule.c.kind == int(new.kind))
        row = self._connection.execute(select(work_rule).where(place).order_by(_NEWEST.desc()).limit(1)).one()
        return _rule(row)

    def _supersede(self, table: Table, same: ColumnElement[bool], at: datetime) -> None:
        self._connection.execute(
            table.update().where(same, table.c.superseded_at.is_(None)).values(superseded_at=at)
        )


def _columns(entered: EnteredDay) -> Mapping[str, Any]:
    special = entered.special
    return {
        "node_id": special.node_id,
        "day": special.day,
        "works": special.works,
        "name": special.name,
        "reason": entered.reason,
        "author_id": entered.author_id,
        "recorded_at": entered.recorded_at,
        "removed": entered.removed,
    }


def _rule(row: Row[Any]) -> WorkRule:
    kind = RuleKind(row.kind)
    return WorkRule(
        row.node_id,
        kind,
        row.effective_from,
        None if row.content is None else _content(kind, row.content),
        row.reason,
        row.author_id,
        row.recorded_at,
        row.superseded_at,
        row.revision,
    )


def _day(row: Row[Any]) -> EnteredDay:
    return EnteredDay(
        SpecialDay(row.node_id, row.day, row.works, row.name),
        row.removed,
        row.reason,
        row.author_id,
        row.recorded_at,
        row.superseded_at,
        row.revision,
    )


def _told(content: Content) -> Mapping[str, Any]:
    if isinstance(content, WorkCalendar):
        anchor = None if content.anchor is None else content.anchor.isoformat()
        return {"kind": int(content.kind), "anchor": anchor, "pattern": content.pattern}
    if isinstance(content, LeavePolicy):
        return {"mode": int(content.mode), "units": sorted(int(unit) for unit in content.units)}
    return {"shares": [[share.numerator, share.denominator] for share in content.shares]}


def _content(kind: RuleKind, told: Mapping[str, Any]) -> Content | None:
    if kind is RuleKind.CALENDAR:
        anchor = None if told["anchor"] is None else date.fromisoformat(told["anchor"])
        return WorkCalendar(CalendarKind(told["kind"]), anchor, told["pattern"])
    if kind is RuleKind.LEAVE_POLICY:
        return LeavePolicy(LeaveMode(told["mode"]), frozenset(Unit(unit) for unit in told["units"]))
    if kind is RuleKind.RAMP:
        return Ramp(tuple(Fraction(above, below) for above, below in told["shares"]))
    return None
