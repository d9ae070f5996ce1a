"""Which periods goals' flags of fair play hold back, as goals tells it; in the transaction that follows it."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, text

from services.incentives.domain.flags import FlagTold

# Periods a flag touches no more are let go, its other rows say what it is now. A release by a person stays one.
_LET_GO: Final = text("UPDATE flag_hold SET holds = false WHERE flag_id = :flag_id AND holds")
_HOLD: Final = text("""
INSERT INTO flag_hold AS kept (flag_id, period_kind, first_day, person_id, rule, holds)
VALUES (:flag_id, :kind, :day, :person_id, :rule, true)
ON CONFLICT (flag_id, period_kind, first_day) DO UPDATE SET holds = true, rule = excluded.rule
""")


def take_flags(connection: Connection, told: Iterable[FlagTold]) -> None:
    """Take in flags; of several tellings of one the last stands."""
    for flag in {each.flag_id: each for each in told}.values():
        connection.execute(_LET_GO, {"flag_id": flag.flag_id})
        for period in flag.periods():
            values = {"kind": int(period.kind), "day": period.first_day}
            connection.execute(
                _HOLD, {**values, "flag_id": flag.flag_id, "person_id": flag.person_id, "rule": flag.rule}
            )
