"""How courses stand to each other: what requires what, what remedies what, and for whom."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from services.training.domain.courses import Course

_Faults = Iterator[tuple[str, str]]


def link_faults(
    course: Course, others: Mapping[str, Course], *, is_at_or_above: Callable[[str, str], bool]
) -> Mapping[str, str]:
    """What is wrong with the course among `others`, all stored courses by id; a stored self is ignored.

    `is_at_or_above(upper, lower)` says how nodes lie. Whoever takes a course must also be able to take what
    it requires and what remedies it, or the course could never be passed.
    """
    return dict(_faults(course, others, is_at_or_above))


def _faults(
    course: Course, others: Mapping[str, Course], is_at_or_above: Callable[[str, str], bool]
) -> _Faults:
    required, remedy = others.get(course.requires), others.get(course.remedy)
    if course.requires:
        if required is None or not is_at_or_above(required.node_id, course.node_id):
            yield "course.requires_course_id", "must be a course of this node or of one above it"
        elif required.remedial:
            yield "course.requires_course_id", "must not be a remedial course"
        elif not _all_who_take(course, required):
            yield "course.requires_course_id", "must be for the same job roles, or for all"
        elif course.id in _chain(course.requires, others):
            yield "course.requires_course_id", "must not require this course in turn: that is a circle"
    if course.remedy:
        if remedy is None or not is_at_or_above(remedy.node_id, course.node_id):
            yield "course.remedial_course_id", "must be a course of this node or of one above it"
        elif not remedy.remedial:
            yield "course.remedial_course_id", "must be a remedial course"
        elif not _all_who_take(course, remedy):
            yield "course.remedial_course_id", "must be for the same job roles, or for all"
    yield from _dependents(course, others.values())


def _dependents(course: Course, others: Iterable[Course]) -> _Faults:
    """What a change of the course would break in the courses that name it."""
    for other in others:
        if other.id == course.id or course.id not in (other.requires, other.remedy):
            continue
        if course.remedial and other.requires == course.id:
            yield "course.remedial", "must not be set: another course requires this one"
        if not course.remedial and other.remedy == course.id:
            yield "course.remedial", "must be set: this course remedies another"
        if not _all_who_take(other, course):
            yield "course.job_roles", "must include those of the courses that name this one"


def _all_who_take(course: Course, other: Course) -> bool:
    """Whether everybody who takes `course` takes `other` as well."""
    return not other.job_roles or (bool(course.job_roles) and course.job_roles <= other.job_roles)


def _chain(course_id: str, others: Mapping[str, Course]) -> set[str]:
    """The course and all that must be passed before it."""
    seen: set[str] = set()
    while course_id in others and course_id not in seen:
        seen.add(course_id)
        course_id = others[course_id].requires
    return seen | {course_id}
