"""Whose probation runs from when to when, as it is known now and as it was known at a time.

What is known now is in the directory; of what was known before, the directory keeps nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from access import Person
from services.goals.domain.windows import NO_PROBATION, Probation

# One person may be told of several times at one moment; the last word is then what was known from it on.
_SUPERSEDE: Final = text("""
UPDATE probation AS kept SET superseded_at = :at
FROM directory_person AS person
WHERE person.id = kept.person_id AND person.id = ANY (:people) AND kept.superseded_at IS NULL
  AND (kept.first_day, kept.last_day) IS DISTINCT FROM (person.probation_start, person.probation_end)
""")
_NOTE: Final = text("""
INSERT INTO probation (person_id, recorded_at, first_day, last_day)
SELECT id, :at, probation_start, probation_end FROM directory_person AS person
WHERE id = ANY (:people)
  AND NOT EXISTS (SELECT FROM probation WHERE person_id = person.id AND superseded_at IS NULL)
  AND (probation_start IS NOT NULL OR EXISTS (SELECT FROM probation WHERE person_id = person.id))
ON CONFLICT (person_id, recorded_at) DO UPDATE
   SET first_day = excluded.first_day, last_day = excluded.last_day, superseded_at = NULL
""")
_KNOWN: Final = text("""
SELECT person_id, first_day, last_day FROM probation
WHERE person_id = ANY (:people) AND recorded_at <= :known_at
  AND (superseded_at IS NULL OR superseded_at > :known_at)
""")


def note(connection: Connection, people: Collection[str], at: datetime) -> None:
    """Note what the directory's tables say of these people from now on, where it is not what was known."""
    if people:
        asked = {"people": sorted(people), "at": at}
        connection.execute(_SUPERSEDE, asked)
        connection.execute(_NOTE, asked)


def known_probations(
    connection: Connection, people: Sequence[Person], known_at: datetime | None
) -> Mapping[str, Probation]:
    """Each person's probation by id, as it is known now, or was at a time: one statement, for now none."""
    if known_at is None:
        return {each.id: Probation(each.probation_start, each.probation_end) for each in people}
    asked = {"people": [each.id for each in people], "known_at": known_at}
    found = {row[0]: Probation(row[1], row[2]) for row in connection.execute(_KNOWN, asked)}
    return {each.id: found.get(each.id, NO_PROBATION) for each in people}
