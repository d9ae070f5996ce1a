"""Where people and units stood at a time past: who was where when a period ended (decision 0408)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection

from services.incentives.domain.periods import Period
from services.incentives.domain.statements import Standing

# Only what changed is noted: of the changes told at once the first is compared with what is stored.
_NOTE: Final = """
INSERT INTO placement (node_id, since, parent_id, job_role, mentor_id)
SELECT node_id, since, parent_id, job_role, mentor_id
FROM unnest(%(nodes)b::text[], %(since)b::timestamptz[], %(parents)b::text[], %(roles)b::text[], %(mentors)b::text[],
            %(first)b::bool[])
     AS told (node_id, since, parent_id, job_role, mentor_id, first)
WHERE NOT first OR NOT EXISTS (
    SELECT FROM (
        SELECT parent_id, job_role, mentor_id FROM placement
        WHERE placement.node_id = told.node_id ORDER BY since DESC LIMIT 1
    ) AS was
    WHERE (was.parent_id, was.job_role, was.mentor_id) = (told.parent_id, told.job_role, told.mentor_id)
)
ON CONFLICT (node_id, since) DO UPDATE SET parent_id = excluded.parent_id, job_role = excluded.job_role,
   mentor_id = excluded.mentor_id
"""
# Before the first that is known of a node, it stood where it was first.
_WAS: Final = """
LEFT JOIN LATERAL (
    SELECT parent_id, job_role FROM placement
    WHERE placement.node_id = {node} ORDER BY since < {at} DESC, CASE WHEN since < {at} THEN since END DESC, since
    LIMIT 1
) AS was ON true
"""
_AT_END: Final = """
    SELECT number, person, day::timestamp AT TIME ZONE effective_zone AS at
    FROM unnest(%(people)b::text[], %(days)b::date[]) WITH ORDINALITY AS asked (person, day, number)
    JOIN directory_node AS node ON node.id = person
"""
_AT: Final = "SELECT 1::bigint AS number, %(person)s::text AS person, %(at)s::timestamptz AS at"
_WALK: Final = f"""
WITH RECURSIVE asked AS ({{asked}}), walk AS (
    SELECT number, at, 1 AS depth, person AS node_id, was.parent_id, was.job_role
    FROM asked {_WAS.format(node="asked.person", at="asked.at")}
    UNION ALL
    SELECT number, at, depth + 1, walk.parent_id, was.parent_id, walk.job_role
    FROM walk {_WAS.format(node="walk.parent_id", at="walk.at")}
    WHERE walk.parent_id <> ''
)
SELECT number, at, job_role, array_agg(node_id ORDER BY depth) FROM walk
WHERE job_role IS NOT NULL GROUP BY number, at, job_role
"""  # noqa: S608  only names of ours are put in
_THEN: Final = _WALK.format(asked=_AT_END)
_STOOD: Final = _WALK.format(asked=_AT)


class Placement(NamedTuple):
    """A person or unit came to stand below a unit, or took another job role or mentor."""

    node_id: str
    since: datetime
    parent_id: str
    job_role: str = ""
    mentor_id: str = ""


def note(connection: Connection, told: Iterable[Placement]) -> None:
    """Note where people and units stand, in the order told."""
    last: dict[str, Placement] = {}
    noted: dict[tuple[str, datetime], tuple[Placement, bool]] = {}
    for each in told:
        before = last.get(each.node_id)
        last[each.node_id] = each
        if before is None or before[2:] != each[2:]:
            key = (each.node_id, each.since)
            noted[key] = (each, before is None or (key in noted and noted[key][1]))
    if noted:
        connection.exec_driver_sql(
            _NOTE,
            {
                "nodes": [each.node_id for each, _ in noted.values()],
                "since": [each.since for each, _ in noted.values()],
                "parents": [each.parent_id for each, _ in noted.values()],
                "roles": [each.job_role for each, _ in noted.values()],
                "mentors": [each.mentor_id for each, _ in noted.values()],
                "first": [first for _, first in noted.values()],
            },
        )


def then(
    connection: Connection, asked: Sequence[tuple[str, Period]], now: Mapping[str, Standing]
) -> dict[tuple[str, Period], Standing]:
    """Where people stood at the end of periods that are over where they work; of those whose standing is known."""
    over = [
        (person_id, period)
        for person_id, period in asked
        if person_id in now and period.end_day <= now[person_id].today
    ]
    if not over:
        return {}
    rows = connection.exec_driver_sql(
        _THEN,
        {"people": [person_id for person_id, _ in over], "days": [period.end_day for _, period in over]},
    )
    found = {key: now[key[0]] for key in over}
    for number, at, job_role, path in rows:
        key = over[number - 1]
        found[key] = now[key[0]]._replace(path=path, job_role=job_role, closed_at=at)
    return found


def stood_at(connection: Connection, person_id: str, now: Standing, instant: datetime) -> Standing:
    """Where somebody stood at an instant."""
    rows = connection.exec_driver_sql(_STOOD, {"person": person_id, "at": instant}).all()
    return now._replace(path=rows[0][3], job_role=rows[0][2]) if rows else now
