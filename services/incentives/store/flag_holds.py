"""Which periods goals' flags of fair play hold back, whole or in part; nobody calls this (0425, 0434)."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from services.incentives.domain.flags import FlagTold
from services.incentives.domain.periods import Period, PeriodKind

Key = tuple[str, Period]

# Periods a flag touches no more are let go, its other rows say what it is now. A release by a person stays one.
_LET_GO: Final = text("UPDATE flag_hold SET holds = false WHERE flag_id = :flag_id AND holds")
_HOLD: Final = text("""
INSERT INTO flag_hold AS kept (flag_id, period_kind, first_day, person_id, rule, holds)
VALUES (:flag_id, :kind, :day, :person_id, :rule, true)
ON CONFLICT (flag_id, period_kind, first_day) DO UPDATE SET holds = true, in_part = false, rule = excluded.rule
""")
_AGAIN: Final = "ON CONFLICT (period_kind, first_day, person_id) DO UPDATE SET turn = excluded.turn"
_LOOK_AT_ITS: Final = text(f"""
INSERT INTO flag_look (period_kind, first_day, person_id)
SELECT period_kind, first_day, person_id FROM flag_hold JOIN frozen USING (period_kind, first_day, person_id)
WHERE flag_id = :flag_id {_AGAIN}
""")  # noqa: S608  the text is ours
_LOOK_AT: Final = text(f"""
INSERT INTO flag_look (period_kind, first_day, person_id)
SELECT DISTINCT period_kind, first_day, person_id FROM flag_hold
JOIN unnest(CAST(:kinds AS smallint[]), CAST(:days AS date[]), CAST(:people AS text[])) AS asked (kind, day, person)
  ON (period_kind, first_day, person_id) = (kind, day, person)
{_AGAIN}
""")  # noqa: S608  the text is ours
_NEXT: Final = text("SELECT person_id, period_kind, first_day, turn FROM flag_look ORDER BY turn LIMIT 1")
_LOOKED: Final = text("""
DELETE FROM flag_look
WHERE (period_kind, first_day, person_id) = (:kind, :day, :person_id) AND turn = :turn RETURNING turn
""")
_PUT_OFF: Final = text("""
UPDATE flag_look SET turn = nextval(pg_get_serial_sequence('flag_look', 'turn'))
WHERE (period_kind, first_day, person_id) = (:kind, :day, :person_id) AND turn = :turn
""")
_HOLDING: Final = text("""
SELECT flag_id, in_part FROM flag_hold
WHERE (period_kind, first_day, person_id) = (:kind, :day, :person_id) AND holds AND released_at IS NULL
ORDER BY flag_id
""")
_HOLDING_LOCKED: Final = text(f"{_HOLDING} FOR UPDATE")
_IN_PART: Final = text("""
UPDATE flag_hold SET in_part = :in_part
WHERE (period_kind, first_day, person_id) = (:kind, :day, :person_id) AND flag_id = ANY (:flags)
""")


class Look(NamedTuple):
    """A payout whose flags are to be looked at; `turn` is another once they have changed again."""

    person_id: str
    period: Period
    turn: int


def take_flags(connection: Connection, told: Iterable[FlagTold]) -> None:
    """Take in flags; of several tellings of one the last stands. They hold whole payouts until somebody has looked."""
    flags = sorted({each.flag_id: each for each in told}.values())
    for flag in flags:
        connection.execute(_LET_GO, {"flag_id": flag.flag_id})
        for period in flag.periods():
            values = {"kind": int(period.kind), "day": period.first_day}
            connection.execute(
                _HOLD, {**values, "flag_id": flag.flag_id, "person_id": flag.person_id, "rule": flag.rule}
            )
    # Whoever writes what flags keep locks in this order as well: flags by their id, then the list.
    for flag in flags:
        connection.execute(_LOOK_AT_ITS, {"flag_id": flag.flag_id})


def look_at(connection: Connection, keys: Iterable[Key]) -> None:
    """Have the flags of closed payouts looked at, of those that have any."""
    asked = list(keys)
    values = {
        "people": [person_id for person_id, _ in asked],
        "kinds": [int(period.kind) for _, period in asked],
        "days": [period.first_day for _, period in asked],
    }
    connection.execute(_LOOK_AT, values)


def next_look(connection: Connection) -> Look | None:
    """The payout that waits longest for a look."""
    row = connection.execute(_NEXT).first()
    return None if row is None else Look(row[0], Period(PeriodKind(row[1]), row[2]), row[3])


def looked(connection: Connection, look: Look) -> bool:
    """Take a payout off the list; False where its flags have changed again, or somebody else has looked."""
    return (
        connection.execute(_LOOKED, {**_of(look.person_id, look.period), "turn": look.turn}).first()
        is not None
    )


def put_off(connection: Connection, look: Look) -> None:
    """Others go before it, until its flags change or it is its turn again."""
    connection.execute(_PUT_OFF, {**_of(look.person_id, look.period), "turn": look.turn})


def holding(
    connection: Connection, person_id: str, period: Period, *, change: bool = False
) -> dict[str, bool]:
    """The flags that hold something of a payout, and whether in part only; `change`: locks them for that."""
    query = _HOLDING_LOCKED if change else _HOLDING
    return {row[0]: row[1] for row in connection.execute(query, _of(person_id, period))}


def hold_in_part(
    connection: Connection, person_id: str, period: Period, flags: Sequence[str], *, in_part: bool
) -> None:
    """Say of flags whether they hold a payout in part, or the whole of it."""
    connection.execute(_IN_PART, {**_of(person_id, period), "flags": list(flags), "in_part": in_part})


def _of(person_id: str, period: Period) -> dict[str, Any]:
    return {"person_id": person_id, "kind": int(period.kind), "day": period.first_day}
