"""Who mentors whom, as everything of people is noted: since when (0408, 0429)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import orjson
from sqlalchemy import Connection

from services.incentives.domain.periods import Period
from services.incentives.store.ledger import Key

# Whose mentor somebody was when their own period ended, or is now; before the first that is known, the first.
_WAS: Final = """
LEFT JOIN LATERAL (
    SELECT mentor_id FROM placement
    WHERE placement.node_id = {person} ORDER BY since < {at} DESC, CASE WHEN since < {at} THEN since END DESC, since
    LIMIT 1
) AS was ON true
"""
_END: Final = "(end_day::timestamp AT TIME ZONE node.effective_zone)"
_MENTORS: Final = f"""
SELECT DISTINCT number, was.mentor_id
FROM unnest(%(people)b::text[], %(ends)b::date[]) WITH ORDINALITY AS asked (person, end_day, number)
JOIN directory_node AS node ON node.id = person
{_WAS.format(person="person", at=_END)}
WHERE was.mentor_id <> ''
"""  # noqa: S608  only names of ours are put in
# Those who ever had the mentor, and of them those who have them at the end.
_MENTEES: Final = f"""
SELECT number, coalesce(statement.figures, '{{}}')::text
FROM unnest(%(mentors)b::text[], %(ends)b::date[], %(kinds)b::smallint[], %(days)b::date[])
     WITH ORDINALITY AS asked (mentor, end_day, kind, day, number)
JOIN LATERAL (SELECT DISTINCT node_id FROM placement WHERE placement.mentor_id = mentor) AS ever ON true
JOIN directory_node AS node ON node.id = ever.node_id
{_WAS.format(person="ever.node_id", at=_END)}
LEFT JOIN statement ON (period_kind, first_day, person_id) = (asked.kind, asked.day, ever.node_id)
WHERE was.mentor_id = mentor
"""  # noqa: S608  only names of ours are put in
_LAST: Final = """
SELECT DISTINCT ON (node_id) node_id, mentor_id FROM placement
WHERE node_id = ANY(%(people)b::text[]) ORDER BY node_id, since DESC
"""


def mentors_of(connection: Connection, keys: Iterable[Key]) -> dict[Period, set[str]]:
    """Who mentored these people at the end of these periods, or does now while they run, by period."""
    asked = list(keys)
    found: dict[Period, set[str]] = {}
    values = {
        "people": [person_id for person_id, _ in asked],
        "ends": [period.end_day for _, period in asked],
    }
    for number, mentor_id in connection.exec_driver_sql(_MENTORS, values):
        found.setdefault(asked[number - 1][1], set()).add(mentor_id)
    return found


def mentees_of(connection: Connection, keys: Iterable[Key]) -> dict[Key, list[Mapping[str, int]]]:
    """The figures in these periods of whom somebody mentored at their end, as they are computed."""
    asked = list(keys)
    found: dict[Key, list[Mapping[str, int]]] = {key: [] for key in asked}
    values = {
        "mentors": [person_id for person_id, _ in asked],
        "ends": [period.end_day for _, period in asked],
        "kinds": [int(period.kind) for _, period in asked],
        "days": [period.first_day for _, period in asked],
    }
    for number, figures in connection.exec_driver_sql(_MENTEES, values):
        found[asked[number - 1]].append(orjson.loads(figures))
    return found


def mentors_before(connection: Connection, people: Sequence[str]) -> dict[str, str]:
    """The mentor of people as noted last."""
    rows = connection.exec_driver_sql(_LAST, {"people": list(people)}).all()
    return {row[0]: row[1] for row in rows}
