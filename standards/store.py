"""Standards in the database."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select, tuple_, update

from standards.records import Standard
from standards.tables import standard, standard_version

_COLUMNS = [column for column in standard.c if column.name not in {"revision", "superseded_at"}]


class Standards:
    """The standards of one service, in one transaction.

    Superseding keeps the old row with the time until which it was what was known.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def version(self) -> int:
        """Grows with every change."""
        return int(self._connection.execute(select(standard_version.c.version)).scalar_one())

    def get(self, standard_id: str) -> Standard | None:
        """What is known of one."""
        row = self._connection.execute(_known().where(standard.c.id == standard_id)).one_or_none()
        return None if row is None else _read(row)

    def all(self) -> list[Standard]:
        """Everything known."""
        return [_read(row) for row in self._connection.execute(_known())]

    def page(
        self, narrowed: ColumnElement[bool], *, after: tuple[str, ...] | None, limit: int
    ) -> list[Standard]:
        """Those known for which `narrowed` (over `place()`) holds, by node, subject, parameter, day and id."""
        order = [standard.c[name] for name in ("node_id", "subject", "parameter", "effective_from", "id")]
        query = _known().where(narrowed).order_by(*order).limit(limit)
        if after is not None:
            node, subject, parameter, day, id_ = after
            query = query.where(tuple_(*order) > (node, subject, parameter, date.fromisoformat(day), id_))
        return [_read(row) for row in self._connection.execute(query)]

    def set(self, new: Standard) -> Standard:
        """Store a new standard from its first day on; it ends where one set for a later day begins.

        One of the same place, subject and parameter that is in force on that day ends there.
        """
        # One writer at a time, so that neither leaves two in force on one day.
        self._raise_version()
        same = and_(
            standard.c.node_id == new.node_id,
            standard.c.subject == new.subject,
            standard.c.parameter == new.parameter,
        )
        others = [_read(row) for row in self._connection.execute(_known().where(same))]
        later = [
            each.effective_from
            for each in others
            if each.effective_from > new.effective_from and each.effective_from != each.effective_to
        ]
        stored = replace(new, effective_to=min(later, default=None))
        for each in others:
            if each.effective_from <= new.effective_from and each.holds_on(new.effective_from):
                self._supersede(
                    each, replace(each, effective_to=new.effective_from, recorded_at=new.recorded_at)
                )
        self._insert(stored)
        return stored

    def end(
        self, known: Standard, *, effective_to: date, reason: str, author_id: str, at: datetime
    ) -> Standard:
        """End one on a day; one that began then or later never holds."""
        self._raise_version()
        ended = replace(
            known,
            effective_to=max(effective_to, known.effective_from),
            reason=reason,
            author_id=author_id,
            recorded_at=at,
        )
        self._supersede(known, ended)
        return ended

    def _raise_version(self) -> None:
        self._connection.execute(update(standard_version).values(version=standard_version.c.version + 1))

    def _supersede(self, known: Standard, by: Standard) -> None:
        self._connection.execute(
            update(standard)
            .where(standard.c.id == known.id, standard.c.superseded_at.is_(None))
            .values(superseded_at=by.recorded_at)
        )
        self._insert(by)

    def _insert(self, new: Standard) -> None:
        values = {column.name: getattr(new, column.name) for column in _COLUMNS}
        self._connection.execute(standard.insert().values(**values))


def place() -> Any:
    """The columns a listing may be narrowed by: node_id and subject."""
    return standard.c


def _known() -> Select[Any]:
    return select(*_COLUMNS).where(standard.c.superseded_at.is_(None))


def _read(row: Row[Any]) -> Standard:
    return Standard(**row._mapping)  # noqa: SLF001  a public attribute, whatever its name
