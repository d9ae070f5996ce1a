"""What courses are called where a bonus plan asks for one: read once a request, as the reader may see them."""

from collections.abc import Mapping
from typing import Final

from flask import g, has_request_context
from foothold.training.v1 import courses_pb2

from chassis.errors import Failure
from services.gateway.clients import ask
from services.gateway.parts import clients

PREFIX: Final = "course:"
"""Before a course's id where a condition names what it asks for."""
_MOST: Final = 1_000
_SECONDS: Final = 2.0


def titles() -> Mapping[str, str]:
    """Titles by course id; nothing where they cannot be had: a page is not to fail for want of a title."""
    if not has_request_context():
        return {}
    known: Mapping[str, str] | None = g.get("course_titles")
    if known is None:
        try:
            found = ask(
                clients().courses.ListCourses,
                courses_pb2.ListCoursesRequest(page_size=_MOST),
                seconds=_SECONDS,
            )
            known = {each.id: each.title for each in found.courses}
        except Failure:
            known = {}
        g.course_titles = known
    return known


def choices() -> list[tuple[str, str]]:
    """What a condition can ask for, as it names it, with the course's title."""
    return [(PREFIX + course_id, title) for course_id, title in titles().items()]


def title_of(name: str) -> str:
    """The title of the course that a condition names; its id where that is not known."""
    course_id = name.removeprefix(PREFIX)
    return titles().get(course_id, course_id)
