"""A person's effort by day, from the facts themselves: few, and found by who and when."""

from datetime import date
from typing import Final

from sqlalchemy import Connection

from services.goals.domain.effort import Effort

# The days bound the instants a day wide on both sides, whatever the zone, so that the index on them serves.
_BY_DAY: Final = """
SELECT day,
       coalesce(sum(minutes) FILTER (WHERE kind IN (1, 8)), 0)::bigint,
       count(*) FILTER (WHERE kind = 1),
       count(*) FILTER (WHERE kind = 1 AND channel = 'phone'),
       count(*) FILTER (WHERE kind = 6),
       count(*) FILTER (WHERE kind = 7)
FROM fact
WHERE person_id = %(person_id)s AND counts AND kind IN (1, 6, 7, 8) AND day >= %(first)s AND day < %(stop)s
  AND occurred_at >= %(first)s::timestamp AT TIME ZONE 'UTC' - interval '1 day'
  AND occurred_at < %(stop)s::timestamp AT TIME ZONE 'UTC' + interval '1 day'
GROUP BY day ORDER BY day
"""


def read_effort(connection: Connection, person_id: str, first: date, stop: date) -> dict[date, Effort]:
    """The effort of each day from `first` up to `stop` on which there was any."""
    rows = connection.exec_driver_sql(_BY_DAY, {"person_id": person_id, "first": first, "stop": stop})
    return {day: Effort(*counts) for day, *counts in rows}
