"""S14 in the browser: 70 of 80 locks the next course and asks for the review course; 90 opens it; a pass may pay."""

import contextlib
from typing import Any, Final

import grpc
import pytest
from foothold.incentives.v1 import (
    plan_life_pb2,
    plan_life_pb2_grpc,
    plans_pb2,
    plans_pb2_grpc,
    values_pb2,
)
from foothold.training.v1 import courses_pb2, courses_pb2_grpc
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money
from playwright.sync_api import Page, expect

from access import Directory
from chassis.ids import new_id
from tests.incentives.company import eventually
from tests.journeys.conftest import Open
from tests.journeys.people import hire
from tests.journeys.test_main_job import follow_up, record
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
def learner(platform_all: Platform, directory_all: Directory) -> str:
    """The sign-in name of a new person with three courses of their own: one, its review course, and the next."""
    mark = new_id()[-8:]
    role = f"journey-{mark}"
    login = hire(platform_all, directory_all, "学习的人", job_role=role)
    courses = courses_pb2_grpc.CoursesServiceStub(platform_all.channel("training"))
    common: dict[str, Any] = {"node_id": directory_all.root_id, "job_roles": [role], "minutes": 5}
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
    platform_all: Platform, open_as: Open, learner: str
) -> None:
    page = open_as(platform_all, learner)
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


def test_a_quiz_can_be_done_with_the_keyboard_alone(
    platform_all: Platform, open_as: Open, learner: str
) -> None:
    page = open_as(platform_all, learner)
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


def test_a_course_that_the_bonus_plan_asks_for_pays_once_it_is_passed(
    platform_all: Platform, open_as: Open, directory_all: Directory, learner: str
) -> None:
    number = learner.replace("journey.", "J-")
    found = eventually(lambda: directory_all.person_by_employee_number(number))
    assert found is not None
    course = found.job_role.replace("journey", "first")
    _agree(platform_all, directory_all.root_id, found.job_role, course)
    record(platform_all, follow_up(number), follow_up(number))
    page = open_as(platform_all, learner)
    page.goto("/bonus")
    expect(page.locator(".steps").first).to_contain_text("学完“会听”", timeout=20_000)
    expect(page.locator(".steps .gain").first).to_contain_text("100.00")
    page.goto(f"/learning/{course}")
    _read(page)
    page.click("text=开始测验")
    _answer(page, 10)
    expect(page.locator("h1")).to_contain_text("通过了")
    page.goto("/bonus")
    expect(page.locator(".hero").first).to_have_text("¥100.00", timeout=20_000)
    page.goto(f"/why/{found.id}/line/gate")
    expect(page.locator("main")).to_contain_text("学完。")


def _agree(platform: Platform, root_id: str, job_role: str, course: str) -> None:
    """A plan that pays 50 for each new customer, once the course is passed."""
    channel = platform.channel("incentives")
    asked = plans_pb2.Condition(
        metric=f"course:{course}",
        at_least=values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=1, denominator=1),
    )
    pays = plans_pb2.PerUnit(metric="new_customers", amount=Money(currency_code="CNY", units=50))
    gate = plans_pb2.Gate(condition=asked, rules=[plans_pb2.Rule(id="each", label="跟进奖", per_unit=pays)])
    plan = plans_pb2.Plan(
        node_id=root_id,
        job_role=job_role,
        name="先学后发",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        effective_from=Date(year=2026, month=1, day=1),
        rules=[plans_pb2.Rule(id="gate", label="先学会听", gate=gate)],
    )

    def proposed() -> str:
        # Incentives hears of the course a moment later.
        request = plans_pb2.CreatePlanRequest(request_id=new_id(), plan=plan)
        with contextlib.suppress(grpc.RpcError):
            return plans_pb2_grpc.PlansServiceStub(channel).CreatePlan(request).plan.id
        return ""

    approve = plan_life_pb2.ApprovePlanRequest(request_id=new_id(), plan_id=eventually(proposed))
    plan_life_pb2_grpc.PlanLifeServiceStub(channel).ApprovePlan(approve)
