"""What happened last: people's last follow-ups, and when their newest facts were recorded."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection

from services.goals.domain.periods import local_day
from services.goals.store.standing import STOOD

_LAST_FOLLOW_UPS: Final = """
SELECT person_id, last.day FROM unnest(%(people)b::text[]) AS row (person_id)
CROSS JOIN LATERAL (
    SELECT day FROM tally WHERE tally.person_id = row.person_id AND kind = 1 ORDER BY day DESC LIMIT 1
) AS last
"""
_LAST_FOLLOW_UPS_AS_OF: Final = """
{stood}SELECT person_id, max(occurred_at) FROM fact
WHERE person_id = ANY (%(people)b::text[]) AND kind = 1 AND counts AND occurred_at <= %(as_of)s GROUP BY person_id
"""
_LAST_RECORDED: Final = "SELECT recorded_at FROM tally WHERE person_id = %(person)s ORDER BY day DESC LIMIT 1"
_LAST_RECORDED_KNOWN: Final = (
    f"WITH {STOOD} SELECT max(recorded_at) FROM fact WHERE person_id = ANY (%(people)b::text[])"  # noqa: S608
)


def read_last_follow_ups(
    connection: Connection,
    zones: Mapping[str, str],
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> dict[str, date]:
    """The day of each one's last follow-up, up to `as_of` as it was known at `known_at`; nobody who has none.

    `zones` is of people, by id, the zone their days are told in.
    """
    people = list(zones)
    if as_of is None:
        rows = connection.exec_driver_sql(_LAST_FOLLOW_UPS, {"people": people})
        return {row[0]: row[1] for row in rows}
    query = _LAST_FOLLOW_UPS_AS_OF.format(stood="" if known_at is None else f"WITH {STOOD} ")
    rows = connection.exec_driver_sql(query, {"people": people, "as_of": as_of, "known_at": known_at})
    return {row[0]: local_day(row[1], zones[row[0]]) for row in rows}


def read_last_recorded(
    connection: Connection, person_id: str, *, known_at: datetime | None = None
) -> datetime | None:
    """When the facts of a person's last day with any were recorded; of what was known at `known_at`, the newest."""
    if known_at is None:
        row = connection.exec_driver_sql(_LAST_RECORDED, {"person": person_id}).first()
    else:
        parameters = {"people": [person_id], "known_at": known_at}
        row = connection.exec_driver_sql(_LAST_RECORDED_KNOWN, parameters).first()
    return None if row is None else row[0]
