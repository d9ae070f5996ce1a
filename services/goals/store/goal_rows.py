"""Versions of goals as rows: written many at a time, read one by one."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, or_

from services.goals.domain.cascade import Goal, Method, Share
from services.goals.domain.periods import PeriodKind
from services.goals.domain.values import Unit, Value
from services.goals.store.arrays import Longs, Texts
from services.goals.tables import goal as table

_EPOCH: Final = date(1970, 1, 1).toordinal()
COLUMNS: Final = tuple(
    column for column in table.c if column.name not in {"revision", "end_day", "superseded_at", "withdrawn"}
)
"""What `read_row` takes."""

_SUPERSEDE: Final = """
UPDATE goal SET superseded_at = %(at)s WHERE id = ANY(%(ids)b::text[]) AND superseded_at IS NULL
"""
_INSERT: Final = """
INSERT INTO goal (id, parent_id, node_id, metric, period_kind, first_day, end_day, periods, unit, numerator,
                  denominator, method, weight, weight_sum, divided, basis_from, basis_to, reason, author_id,
                  recorded_at, withdrawn)
SELECT id, parent_id, node_id, %(metric)s, period_kind, date 'epoch' + first::integer, date 'epoch' + stop::integer,
       periods, %(unit)s, numerator, denominator, %(method)s, weight, weight_sum, divided, %(basis_from)s,
       %(basis_to)s, %(reason)s, %(author)s, %(at)s, %(withdrawn)s
FROM unnest(%(ids)b::text[], %(parents)b::text[], %(nodes)b::text[], %(kinds)b::bigint[], %(firsts)b::bigint[],
            %(stops)b::bigint[], %(periods)b::bigint[], %(numerators)b::bigint[], %(denominators)b::bigint[],
            %(weights)b::bigint[], %(sums)b::bigint[], %(divided)b::bigint[])
     AS row (id, parent_id, node_id, period_kind, first, stop, periods, numerator, denominator, weight,
             weight_sum, divided)
"""


def write_goals(
    connection: Connection, goals: Sequence[Goal], *, superseded: Sequence[str], withdrawn: bool = False
) -> None:
    """Store goals made in one act: the same metric, method, basis, reason, author and moment."""
    if not goals:
        return
    first = goals[0]
    if superseded:
        connection.exec_driver_sql(_SUPERSEDE, {"ids": Texts(superseded), "at": first.recorded_at})
    basis = first.share.basis or (None, None)
    connection.exec_driver_sql(
        _INSERT,
        {
            "ids": Texts([each.id for each in goals]),
            "parents": Texts([each.parent_id for each in goals]),
            "nodes": Texts([each.node_id for each in goals]),
            "kinds": Longs(int(each.period_kind) for each in goals),
            "firsts": Longs(each.first_day.toordinal() - _EPOCH for each in goals),
            "stops": Longs(each.end_day.toordinal() - _EPOCH for each in goals),
            "periods": Longs(each.periods for each in goals),
            "numerators": Longs(each.value.numerator for each in goals),
            "denominators": Longs(each.value.denominator for each in goals),
            "weights": Longs(each.share.weight for each in goals),
            "sums": Longs(each.share.weight_sum for each in goals),
            "divided": Longs(each.share.divided for each in goals),
            "metric": first.metric,
            "unit": int(first.value.unit),
            "method": int(first.share.method),
            "basis_from": basis[0],
            "basis_to": basis[1],
            "reason": first.reason,
            "author": first.author_id,
            "at": first.recorded_at,
            "withdrawn": withdrawn,
        },
    )


def known(rows: Any, known_at: datetime | None) -> ColumnElement[bool]:
    """Narrows a query to the versions that were what was known at a moment; None for now."""
    return and_(latest(rows, known_at), ~rows.c.withdrawn)


def latest(rows: Any, known_at: datetime | None) -> ColumnElement[bool]:
    """The same with those that say that it was taken back."""
    standing: ColumnElement[bool] = rows.c.superseded_at.is_(None)
    if known_at is None:
        return standing
    until = or_(standing, rows.c.superseded_at > known_at)
    return and_(rows.c.recorded_at <= known_at, until)


def read_row(row: Row[Any]) -> Goal:
    """A goal from its columns."""
    basis = None if row.basis_from is None else (row.basis_from, row.basis_to)
    return Goal(
        row.id,
        row.parent_id,
        row.node_id,
        row.metric,
        PeriodKind(row.period_kind),
        row.first_day,
        row.periods,
        Value(Unit(row.unit), row.numerator, row.denominator),
        Share(Method(row.method), row.weight, row.weight_sum, row.divided, basis),
        row.reason,
        row.author_id,
        row.recorded_at,
    )
