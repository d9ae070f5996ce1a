"""What makes a course valid, alone and among the others."""

from dataclasses import replace
from typing import Any

import pytest

from services.training.domain.catalogue import link_faults
from services.training.domain.courses import Course, Lesson, Option, faults
from tests.training.examples import course, question, quiz


def test_a_plain_course_is_valid() -> None:
    assert not faults(course("a", quiz=quiz(1, 2)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "course.title"),
        ({"title": " "}, "course.title"),
        ({"title": "x" * 101}, "course.title"),
        ({"title": "two\nlines"}, "course.title"),
        ({"title": "nul\x00"}, "course.title"),
        ({"summary": "x" * 501}, "course.summary"),
        ({"job_roles": frozenset({"Sales"})}, "course.job_roles"),
        ({"order": -1}, "course.order"),
        ({"order": 10_001}, "course.order"),
        ({"minutes": 0}, "course.minutes"),
        ({"lessons": ()}, "course.lessons"),
        ({"lessons": (Lesson("a", "A"), Lesson("a", "B"))}, "course.lessons[1].id"),
        ({"lessons": (Lesson("A", "A"),)}, "course.lessons[0].id"),
        ({"lessons": (Lesson("a", "A", "x" * 50_001),)}, "course.lessons[0].text"),
        ({"requires": "c"}, "course.requires_course_id"),
        ({"remedy": "r"}, "course.remedial_course_id"),
        ({"remedial": True, "requires": "x"}, "course.requires_course_id"),
        ({"quiz": quiz(1, pass_mark=0)}, "course.quiz.pass_mark"),
        ({"quiz": quiz(1, pass_mark=101)}, "course.quiz.pass_mark"),
        ({"quiz": quiz()}, "course.quiz.questions"),
        ({"quiz": quiz(0)}, "course.quiz.questions[0].points"),
        ({"quiz": replace(quiz(), questions=(question(right=""),))}, "course.quiz.questions[0].options"),
        ({"quiz": replace(quiz(), questions=(question(right="ab"),))}, "course.quiz.questions[0].multiple"),
        (
            {"quiz": replace(quiz(), questions=(replace(question(), options=(Option("a", "A", True),)),))},
            "course.quiz.questions[0].options",
        ),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    assert list(faults(course("c", **changes))) == [field]


def _among(changed: Course, *others: Course) -> list[str]:
    tree = {"hq": ("hq",), "shanghai": ("shanghai", "hq"), "beijing": ("beijing", "hq")}
    stored = {each.id: each for each in others}
    return list(link_faults(changed, stored, is_at_or_above=lambda upper, lower: upper in tree[lower]))


def test_a_branch_course_may_require_a_shared_one_and_not_the_other_way_round() -> None:
    shared, local = course("shared"), course("local", node_id="shanghai")
    assert not _among(replace(local, requires="shared"), shared)
    assert _among(replace(shared, requires="local"), local) == ["course.requires_course_id"]
    assert _among(course("b", node_id="beijing", requires="local"), local) == ["course.requires_course_id"]
    assert _among(course("b", requires="nowhere")) == ["course.requires_course_id"]


def test_circles_are_refused_however_long() -> None:
    first, second, third = course("a"), course("b", requires="a"), course("c", requires="b")
    assert not _among(third, first, second)
    assert _among(replace(first, requires="c"), first, second, third) == ["course.requires_course_id"]
    assert _among(replace(first, requires="b"), first, second) == ["course.requires_course_id"]


def test_whoever_takes_a_course_can_take_what_it_names() -> None:
    sales = frozenset({"sales"})
    narrow, wide = course("narrow", job_roles=sales), course("wide")
    assert _among(course("x", requires="narrow"), narrow) == ["course.requires_course_id"]
    assert not _among(course("x", requires="narrow", job_roles=sales), narrow)
    assert not _among(course("x", requires="wide", job_roles=sales), wide)
    dependent = course("x", requires="wide")
    assert _among(replace(wide, job_roles=sales), wide, dependent) == ["course.job_roles"]


def test_only_a_remedial_course_remedies_and_it_stays_one() -> None:
    plain, remedial = course("plain"), course("again", remedial=True)
    assert _among(course("x", quiz=quiz(1), remedy="plain"), plain) == ["course.remedial_course_id"]
    failing = course("x", quiz=quiz(1), remedy="again")
    assert not _among(failing, remedial)
    assert _among(replace(remedial, remedial=False), remedial, failing) == ["course.remedial"]
    assert _among(course("x", requires="again"), remedial) == ["course.requires_course_id"]
    required = course("y", requires="plain")
    assert _among(replace(plain, remedial=True), plain, required) == ["course.remedial"]
