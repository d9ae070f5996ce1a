"""Which courses there are and who has passed them, as training tells: plans may ask for one."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

_KNOWN: Final = text("SELECT id FROM known_course WHERE id = ANY (:ids)")
_COURSES: Final = text(
    "INSERT INTO known_course (id) SELECT unnest(CAST(:ids AS text[])) ON CONFLICT DO NOTHING"
)
# Told again, or of a pass after the first, it stays the first.
_PASSED: Final = """
INSERT INTO passed_course (person_id, course_id, passed_at)
SELECT person_id, course_id, min(passed_at)
FROM unnest(%(people)b::text[], %(courses)b::text[], %(at)b::timestamptz[]) AS told (person_id, course_id, passed_at)
GROUP BY person_id, course_id
ON CONFLICT (person_id, course_id) DO UPDATE SET passed_at = excluded.passed_at
   WHERE excluded.passed_at < passed_course.passed_at
RETURNING person_id, course_id
"""
# The day where they work now, as everything of a person is reckoned.
_OF: Final = """
SELECT person_id, course_id, (passed_at AT TIME ZONE effective_zone)::date
FROM passed_course JOIN directory_node AS node ON node.id = person_id
WHERE person_id = ANY(%(people)b::text[]) AND course_id = ANY(%(courses)b::text[]) AND passed_at <= %(until)s
"""


class Passed(NamedTuple):
    """Somebody passed a course."""

    person_id: str
    course_id: str
    at: datetime


def note_courses(connection: Connection, ids: Collection[str]) -> None:
    """Note that these courses are there."""
    if ids:
        connection.execute(_COURSES, {"ids": sorted(ids)})


def unknown_courses(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that training has told of no course with."""
    return set(ids) - {row[0] for row in connection.execute(_KNOWN, {"ids": sorted(ids)})}


def note_passed(connection: Connection, told: Sequence[Passed]) -> list[tuple[str, str]]:
    """Note who has passed what; the people and courses that is news of."""
    if not told:
        return []
    values = {
        "people": [each.person_id for each in told],
        "courses": [each.course_id for each in told],
        "at": [each.at for each in told],
    }
    return [(row[0], row[1]) for row in connection.exec_driver_sql(_PASSED, values)]


def passed_of(
    connection: Connection, people: Iterable[str], courses: Collection[str], until: datetime
) -> dict[str, dict[str, date]]:
    """The day people passed those of these courses that they have by then, by person and course."""
    found: dict[str, dict[str, date]] = {}
    asked = {"people": list(people), "courses": sorted(courses), "until": until}
    for person_id, course_id, day in connection.exec_driver_sql(_OF, asked):
        found.setdefault(person_id, {})[course_id] = day
    return found
