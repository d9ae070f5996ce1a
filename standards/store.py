"""Standards in the database."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, tuple_, update

from chassis.errors import FailedPrecondition, InvalidArgument
from standards.admitting import fitted, require_allowed, require_free_days
from standards.records import Change, Decision, Made, Standard, State
from standards.rows import read, written
from standards.tables import standard, standard_version

_ORDER: Final = tuple(
    standard.c[name] for name in ("node_id", "subject", "parameter", "effective_from", "id")
)


class Standards:
    """The standards of one service, in one transaction.

    Nothing is edited: a row is superseded by another and keeps the time until which it was what was known.
    What changes anything first takes its turn, and writes down the instant it was its turn at.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def version(self) -> int:
        """Grows with every change."""
        return int(self._connection.execute(select(standard_version.c.version)).scalar_one())

    def get(self, standard_id: str) -> Standard | None:
        """What is known of one."""
        row = self._connection.execute(_known().where(standard.c.id == standard_id)).one_or_none()
        return None if row is None else read(row)

    def revision(self, standard_id: str, revision: int) -> Standard | None:
        """What was known of one by the number of what was known."""
        query = select(standard).where(standard.c.id == standard_id, standard.c.revision == revision)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else read(row)

    def in_force(self, known_at: datetime | None = None) -> list[Standard]:
        """All that count, as known now or at a past time."""
        query = _known() if known_at is None else select(standard).where(_known_at(known_at))
        query = query.where(standard.c.state == int(State.IN_FORCE))
        return [read(row) for row in self._connection.execute(query)]

    def page(
        self,
        narrowed: ColumnElement[bool],
        *,
        states: Collection[State],
        after: tuple[str, ...] | None,
        limit: int,
    ) -> list[Standard]:
        """Those known for which `narrowed` (over `place()`) holds, by node, subject, parameter, day and id."""
        query = _known().where(narrowed, standard.c.state.in_([int(each) for each in states]))
        query = query.order_by(*_ORDER).limit(limit)
        if after is not None:
            node, subject, parameter, day, id_ = after
            query = query.where(tuple_(*_ORDER) > (node, subject, parameter, date.fromisoformat(day), id_))
        return [read(row) for row in self._connection.execute(query)]

    def history(
        self, *, node_id: str, subject: str, parameter: str, before: int | None, limit: int
    ) -> list[Standard]:
        """All that was ever known of a place, newest first, before a revision."""
        query = select(standard).where(_place(node_id, subject, parameter))
        if before is not None:
            query = query.where(standard.c.revision < before)
        found = self._connection.execute(query.order_by(standard.c.revision.desc()).limit(limit))
        return [read(row) for row in found]

    def ever(self) -> list[Standard]:
        """All that ever counted, with the time until which it was known."""
        query = select(standard).where(standard.c.state == int(State.IN_FORCE))
        return [read(row) for row in self._connection.execute(query)]

    def set(self, new: Standard, *, path: Sequence[str], given: Sequence[Standard] = ()) -> Standard:
        """Store a new standard; `path` is its node and the ancestors, nearest first.

        `given` are standards above all of those here that the service keeps elsewhere, nearest first.

        It ends where one set for a later day begins, and one in force on its first day ends there, unless ends were
        given: FailedPrecondition OVERRIDE_OVERLAPS. It has to be allowed above: OVERRIDE_LOCKED,
        OVERRIDE_OUT_OF_BOUNDS. Where a rule above asks for approval it is stored as pending, without effect.
        """
        at = self._take_turn(new.recorded_at)
        others = self._at_place(new)
        new = fitted(replace(new, recorded_at=at), others)
        decision = self._admit(new, others, path, given)
        if decision.node_id:
            made = Made(Change.PROPOSED, new.author_id, new.reason)
            new = replace(new, state=State.PENDING, decision=decision, made=made)
            # Where it will end is decided with it.
            return self._insert(new if new.dated else replace(new, effective_to=None))
        return self._put_in_force(new, others)

    def check(self, new: Standard, *, path: Sequence[str], given: Sequence[Standard] = ()) -> None:
        """Pass where `set` would take it now; refused as it would be. Stores nothing."""
        others = self._at_place(new)
        self._admit(fitted(new, others), others, path, given)

    def approve(
        self,
        known: Standard,
        *,
        path: Sequence[str],
        by: str,
        reason: str,
        at: datetime,
        given: Sequence[Standard] = (),
    ) -> Standard:
        """Put a proposal in force from its first day on; refused as `set` is where it does not fit any more."""
        at = self._take_turn(at)
        known = self._still_pending(known)
        others = [each for each in self._at_place(known) if each.id != known.id]
        new = fitted(
            replace(
                known,
                state=State.IN_FORCE,
                recorded_at=at,
                decision=Decision(known.decision.node_id, by, at),
                made=Made(Change.APPROVED, by, reason),
            ),
            others,
        )
        self._admit(new, others, path, given)
        self._close(known, at)
        return self._put_in_force(new, others)

    def refuse(self, known: Standard, *, by: str, reason: str, at: datetime) -> Standard:
        """Refuse a proposal. It is kept, and never had an effect."""
        at = self._take_turn(at)
        known = self._still_pending(known)
        decision = Decision(known.decision.node_id, by, at)
        made = Made(Change.REFUSED, by, reason)
        return self._supersede(
            known, replace(known, state=State.REFUSED, recorded_at=at, decision=decision, made=made)
        )

    def end(
        self, known: Standard, *, effective_to: date, reason: str, author_id: str, at: datetime
    ) -> Standard:
        """End one on a day; one that began then or later never holds. A proposal is withdrawn.

        InvalidArgument FIELD_INVALID where it ends sooner already or never counted.
        """
        at = self._take_turn(at)
        known = self.get(known.id) or known
        if known.state is State.PENDING:
            made = Made(Change.WITHDRAWN, author_id, reason)
            return self._supersede(known, replace(known, state=State.WITHDRAWN, recorded_at=at, made=made))
        if known.state is not State.IN_FORCE or (
            known.effective_to is not None and known.effective_to < effective_to
        ):
            raise InvalidArgument(
                "FIELD_INVALID",
                "It ends sooner already.",
                fields={"effective_to": "must not be later than it ends already"},
            )
        ended = replace(
            known,
            effective_to=max(effective_to, known.effective_from),
            dated=True,
            recorded_at=at,
            made=Made(Change.ENDED, author_id, reason),
        )
        return self._supersede(known, ended)

    def _take_turn(self, at: datetime) -> datetime:
        """One writer at a time, so that none misses what another does; their instants follow in the same order."""
        turn = func.greatest(standard_version.c.changed_at, at)
        raised = update(standard_version).values(version=standard_version.c.version + 1, changed_at=turn)
        found = self._connection.execute(raised.returning(standard_version.c.changed_at)).scalar_one()
        assert isinstance(found, datetime)  # noqa: S101  the column's type
        return found

    def _still_pending(self, known: Standard) -> Standard:
        found = self.get(known.id)
        if found is None or found.state is not State.PENDING:
            raise FailedPrecondition("TARGET_NOT_PENDING", "It does not wait for approval.")
        return found

    def _admit(
        self, new: Standard, others: Sequence[Standard], path: Sequence[str], given: Sequence[Standard]
    ) -> Decision:
        require_free_days(new, others)
        return require_allowed(new, [*self._above(new, path), *given])

    def _at_place(self, new: Standard) -> list[Standard]:
        query = _known().where(
            _place(new.node_id, new.subject, new.parameter),
            standard.c.state.in_([int(State.IN_FORCE), int(State.PENDING)]),
        )
        return [read(row) for row in self._connection.execute(query)]

    def _above(self, new: Standard, path: Sequence[str]) -> list[Standard]:
        rank = {node: distance for distance, node in enumerate(path[1:])}
        query = _known().where(
            standard.c.node_id.in_(sorted(rank)),
            standard.c.subject == new.subject,
            standard.c.parameter == new.parameter,
            standard.c.state == int(State.IN_FORCE),
        )
        found = [read(row) for row in self._connection.execute(query)]
        return sorted(found, key=lambda each: rank[each.node_id])

    def _put_in_force(self, new: Standard, others: Sequence[Standard]) -> Standard:
        for each in others:
            if each.effective_from <= new.effective_from and each.holds_on(new.effective_from):
                made = Made(Change.SUCCEEDED, new.made.by, new.made.reason)
                self._supersede(
                    each,
                    replace(each, effective_to=new.effective_from, recorded_at=new.recorded_at, made=made),
                )
        return self._insert(new)

    def _supersede(self, known: Standard, by: Standard) -> Standard:
        self._close(known, by.recorded_at)
        return self._insert(by)

    def _close(self, known: Standard, at: datetime) -> None:
        self._connection.execute(
            update(standard)
            .where(standard.c.id == known.id, standard.c.superseded_at.is_(None))
            .values(superseded_at=at)
        )

    def _insert(self, new: Standard) -> Standard:
        inserted = standard.insert().values(**written(new)).returning(standard.c.revision)
        return replace(new, revision=int(self._connection.execute(inserted).scalar_one()))


def place() -> Any:
    """The columns a listing may be narrowed by: node_id and subject."""
    return standard.c


def _known() -> Select[Any]:
    return select(standard).where(standard.c.superseded_at.is_(None))


def _known_at(moment: datetime) -> ColumnElement[bool]:
    return and_(
        standard.c.recorded_at <= moment,
        or_(standard.c.superseded_at.is_(None), standard.c.superseded_at > moment),
    )


def _place(node_id: str, subject: str, parameter: str) -> ColumnElement[bool]:
    return and_(
        standard.c.node_id == node_id, standard.c.subject == subject, standard.c.parameter == parameter
    )
