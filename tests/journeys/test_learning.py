"""S14 in the browser: pass mark 80; 70 locks the next course and asks for the review course; 90 opens it."""

from typing import Any, Final

import pytest
from foothold.training.v1 import courses_pb2, courses_pb2_grpc
from playwright.sync_api import Page, expect

from access import Directory
from chassis.ids import new_id
from tests.journeys.conftest import Open
from tests.journeys.people import hire
from tests.platform import Platform

pytestmark = pytest.mark.browser
_QUESTIONS: Final = 10


def _quiz() -> courses_pb2.Quiz:
    return courses_pb2.Quiz(
        pass_mark=80,
        questions=[
            courses_pb2.Question(
                id=f"q{number}",
                text=f"第 {number} 个问题：先听还是先说？",
                points=10,
                options=[
                    courses_pb2.Option(id="listen", text="先听", right=True),
                    courses_pb2.Option(id="talk", text="先说"),
                ],
                explanation="听完再说，才说得到点子上。",
            )
            for number in range(1, _QUESTIONS + 1)
        ],
    )


@pytest.fixture
def learner(platform: Platform, directory: Directory) -> str:
    """The sign-in name of a new person with three courses of their own: one, its review course, and the next."""
    mark = new_id()[-8:]
    role = f"journey-{mark}"
    login = hire(platform, directory, "学习的人", job_role=role)
    courses = courses_pb2_grpc.CoursesServiceStub(platform.channel("training"))
    common: dict[str, Any] = {"node_id": directory.root_id, "job_roles": [role], "minutes": 5}
    lesson = courses_pb2.Lesson(id="one", title="听", text="**先听**客户说完。\n\n<script>alert(1)</script>")
    made = [
        courses_pb2.Course(
            id=f"review-{mark}", title="补一补：会听", remedial=True, order=2, lessons=[lesson], **common
        ),
        courses_pb2.Course(
            id=f"first-{mark}",
            title="会听",
            order=1,
            lessons=[lesson],
            quiz=_quiz(),
            remedial_course_id=f"review-{mark}",
            **common,
        ),
        courses_pb2.Course(
            id=f"second-{mark}",
            title="会说",
            order=3,
            lessons=[lesson],
            requires_course_id=f"first-{mark}",
            **common,
        ),
    ]
    for course in made:
        courses.CreateCourse(courses_pb2.CreateCourseRequest(request_id=new_id(), course=course))
    return login


def _read(page: Page) -> None:
    page.click("text=读完了，下一步")


def _answer(page: Page, right: int) -> None:
    for number in range(1, _QUESTIONS + 1):
        page.check(f"[name=q-q{number}][value={'listen' if number <= right else 'talk'}]")
    page.click("text=交卷")


def test_a_failed_quiz_shows_the_way_back_and_a_passed_one_opens_the_next_course(
    platform: Platform, open_as: Open, learner: str
) -> None:
    page = open_as(platform, learner)
    page.goto("/learning")
    expect(page.locator(".path > li", has_text="会说")).to_contain_text("未解锁")
    page.click(".path h2 a >> text=会听")
    expect(page.locator(".prose")).to_contain_text("<script>alert(1)</script>")
    _read(page)
    page.click("text=开始测验")
    _answer(page, 7)

    expect(page.locator("h1")).to_contain_text("70 %".replace(" ", "\u202f"))
    expect(page.locator("h1")).to_contain_text("合格线是")
    assert page.locator("text=听完再说").count() == 0, "a failed attempt must not give the answers away"
    page.goto("/learning")
    expect(page.locator(".path > li", has_text="会说")).to_contain_text("未解锁")
    page.click(".path h2 a >> text=/^会听/")
    assert page.locator("a.button:has-text('重考')").count() == 0
    page.click("text=去学补习课")
    _read(page)

    page.goto("/learning")
    page.click(".path h2 a >> text=/^会听/")
    page.click("a.button:has-text('重考')")
    _answer(page, 9)
    expect(page.locator("h1")).to_contain_text("通过了")
    expect(page.locator("main")).to_contain_text("《会说》已为你解锁")
    expect(page.locator("main")).to_contain_text("听完再说")
    expect(page.locator(".attempts > li")).to_have_count(2)
    scores = [text.replace("\u202f", "") for text in page.locator(".attempts strong").all_inner_texts()]
    assert scores == ["70%", "90%"]
    page.goto("/learning")
    expect(page.locator(".path > li", has_text="会说")).to_contain_text("可以开始")


def test_a_quiz_can_be_done_with_the_keyboard_alone(platform: Platform, open_as: Open, learner: str) -> None:
    page = open_as(platform, learner)
    page.goto("/learning")
    page.locator(".path h2 a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/learning/first-*")
    page.locator("text=读完了，下一步").focus()
    page.keyboard.press("Enter")
    page.locator("text=开始测验").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/quiz")
    page.locator("[name=q-q1]").first.focus()
    for number in range(1, _QUESTIONS + 1):
        page.keyboard.press("Space")
        expect(page.locator(f"[name=q-q{number}]:checked")).to_have_count(1)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("通过了")
