"""What boards read: everybody's figures of a period, frozen where it is closed, and what changed since.

Nobody calls this by name: boards are of everybody, and who sees what of one is decided where it is told.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.statements import Standing
from services.incentives.store.closing import asked_for
from services.incentives.store.ledger import Key, Ledger
from services.incentives.store.placements import then

_GOALS: Final = text("SELECT coalesce((SELECT position FROM cursors WHERE name = 'goals'), 0)")
# A closed statement counts as it was frozen, whatever is learned since (R11).
_ROWS: Final = """
SELECT person_id, period_kind, first_day, coalesce(frozen.figures, statement.figures),
       CASE WHEN frozen.person_id IS NULL THEN statement.as_of ELSE frozen.as_of END, frozen.person_id IS NOT NULL
FROM statement LEFT JOIN frozen USING (period_kind, first_day, person_id)
"""
_CHANGED: Final = text(f"{_ROWS} WHERE statement.goals_position > :after")
_OF_PERIOD: Final = text(f"{_ROWS} WHERE period_kind = :kind AND first_day = :first_day")
# Whatever is closed: what is known now.
_FIGURES: Final = """
SELECT person_id, period_kind, first_day, figures FROM statement
JOIN unnest(%(people)b::text[], %(kinds)b::smallint[], %(days)b::date[]) AS asked (person, kind, day)
  ON (period_kind, first_day, person_id) = (kind, day, person)
"""
_MOVED: Final = text("SELECT id, kind FROM directory_node WHERE position > :after")
_REWRITTEN: Final = text("SELECT (SELECT count(*) FROM closing), figures_version FROM calculation")
_SIGNS: Final = text("""
SELECT boards_version, figures_version, (SELECT count(*) FROM closing),
       coalesce((SELECT position FROM cursors WHERE name = 'goals'), 0)
FROM calculation
""")
_CLOSINGS: Final = text("SELECT period_kind, first_day, node_id, closed_at FROM closing ORDER BY closed_at")


class BoardRow(NamedTuple):
    """What boards need of a statement."""

    person_id: str
    period: Period
    figures: Mapping[str, int]
    as_of: datetime | None
    frozen: bool


def goals_position(connection: Connection) -> int:
    """How far goals' feed is followed, in this snapshot."""
    return int(connection.execute(_GOALS).scalar_one())


def signs_of_change(connection: Connection) -> tuple[int, ...]:
    """Numbers, one of which is another once anything was committed that boards in memory go by, but for people."""
    return tuple(connection.execute(_SIGNS).one())


def changed_since(connection: Connection, position: int) -> list[BoardRow]:
    """Statements that goals told something about beyond a position of its feed."""
    return [_board_row(*row) for row in connection.execute(_CHANGED, {"after": position})]


def of_period(connection: Connection, period: Period) -> list[BoardRow]:
    """Everybody's statement of a period."""
    values = {"kind": int(period.kind), "first_day": period.first_day}
    return [_board_row(*row) for row in connection.execute(_OF_PERIOD, values)]


def figures_of(connection: Connection, keys: Iterable[Key]) -> dict[Key, Mapping[str, int]]:
    """People's figures of periods as they are known now, also of closed ones."""
    rows = connection.exec_driver_sql(_FIGURES, asked_for(keys))
    return {(person_id, Period(PeriodKind(kind), day)): figures for person_id, kind, day, figures in rows}


def moved_since(connection: Connection, position: int) -> tuple[set[str], bool]:
    """People whose directory record changed beyond a position of identity's feed; whether a node above did."""
    people, above = set(), False
    for node_id, kind in connection.execute(_MOVED, {"after": position}):
        if kind == 4:  # noqa: PLR2004  access.Kind.PERSON
            people.add(node_id)
        else:
            above = True
    return people, above


def rewritten(connection: Connection) -> tuple[int, int]:
    """How often a period was closed somewhere, none is opened again; and how often figures came without an event."""
    closings, figures = connection.execute(_REWRITTEN).one()
    return closings, figures


def read_closings(connection: Connection) -> dict[Period, dict[str, datetime]]:
    """Where and when each period was closed that was."""
    found: dict[Period, dict[str, datetime]] = {}
    for kind, first_day, node_id, closed_at in connection.execute(_CLOSINGS):
        found.setdefault(Period(PeriodKind(kind), first_day), {})[node_id] = closed_at
    return found


def stood_then(
    connection: Connection, people: Iterable[str], period: Period, now: datetime
) -> dict[str, Standing]:
    """Where people stood at the end of a period that is over; of those identity knows."""
    standings = Ledger(connection).standings(people, now)
    found = then(connection, [(each, period) for each in standings], standings)
    return {person_id: standing for (person_id, _), standing in found.items()}


def _board_row(
    person_id: str,
    kind: int,
    first_day: date,
    figures: dict[str, int],
    as_of: datetime | None,
    frozen: bool,  # noqa: FBT001  a column
) -> BoardRow:
    return BoardRow(person_id, Period(PeriodKind(kind), first_day), figures, as_of, frozen)
