"""A situation becomes a task: opened by the manager, answered on a phone, closed; one that is late surfaces."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from foothold.goals.v1 import coaching_pb2, coaching_pb2_grpc, coaching_rules_pb2
from foothold.identity.v1 import directory_pb2, directory_pb2_grpc
from google.type.date_pb2 import Date
from playwright.sync_api import expect

from chassis.ids import new_id
from launcher.demo.accounts import PASSWORD
from tests.journeys.conftest import DESK, Open
from tests.platform import Platform

pytestmark = pytest.mark.browser


def test_a_step_that_is_suggested_is_opened_answered_and_closed(
    platform_all: Platform, open_as: Open
) -> None:
    manager = open_as(platform_all, "tang.wei", size=DESK, refused=True)
    row = manager.locator(".person", has=manager.locator(".step .button")).first
    name = row.locator("h2 a").inner_text()
    suggested = row.locator(".step span").nth(1).inner_text()
    person = re.sub(r"^.*/for/|\?.*$", "", str(row.locator(".step .button").get_attribute("href")))
    row.locator(".step .button").click()
    expect(manager.locator("h1")).to_contain_text(name)
    expect(manager.locator("[name=text]")).to_have_value(re.compile(re.sub(r"\s", r"\\s*", suggested)[:20]))
    # What cannot be is refused beside its field, and what was typed stays.
    manager.fill("[name=text]", "旁听两通电话，再演练一次报价")
    manager.fill("[name=due_day]", "2020-01-01")
    manager.click("#open-task .primary")
    expect(manager.locator("#f-due_day-why")).to_be_visible()
    expect(manager.locator("[name=text]")).to_have_value("旁听两通电话，再演练一次报价")
    manager.fill("[name=due_day]", datetime.now(ZoneInfo("Asia/Shanghai")).date().isoformat())
    manager.click("#open-task .primary")
    expect(manager.locator(".notice")).to_contain_text(name)
    opened = manager.locator("#coaching .task", has_text="旁听两通电话").first
    expect(opened).to_contain_text("等待回复")

    newcomer = open_as(platform_all, person.replace("-", "."))
    asked = newcomer.locator("#coaching .task", has_text="旁听两通电话").first
    expect(asked).to_contain_text("唐薇")
    asked.locator("[name=answer]").fill("听了两通，学到先问预算再报价。")
    asked.locator("form button").click()
    expect(newcomer.locator(".notice")).to_contain_text("唐薇")

    # The manager's page hears of it by itself.
    expect(opened).to_contain_text("先问预算再报价", timeout=5_000)
    opened.locator("summary").click()
    opened.locator("[name=note]").fill("很好，明天继续")
    opened.locator("[value=done]").click()
    expect(manager.locator(".notice")).to_be_visible()
    expect(newcomer.locator("#coaching .task", has_text="旁听两通电话")).to_have_count(0, timeout=5_000)
    newcomer.goto("/coaching/mine")
    expect(newcomer.locator("main")).to_contain_text("很好，明天继续")


def test_a_task_whose_day_has_passed_comes_first(platform_all: Platform, open_as: Open) -> None:
    """Due today in Honolulu, where the department is until it moves a day ahead, to Kiritimati."""
    directory = directory_pb2_grpc.DirectoryServiceStub(platform_all.channel("identity"))
    department = directory_pb2.Node(
        id=f"away-{new_id()[-8:]}",
        parent_id="shanghai",
        kind=directory_pb2.NODE_KIND_DEPARTMENT,
        name="外派组",
        time_zone="Pacific/Honolulu",
    )
    directory.CreateNode(directory_pb2.CreateNodeRequest(request_id=new_id(), node=department))
    login = f"away-{new_id()[-8:]}"
    told = directory_pb2.Person(
        parent_id=department.id, name="方远行", employee_number=login, login=login, job_role="sales"
    )
    person = directory.CreatePerson(
        directory_pb2.CreatePersonRequest(
            request_id=new_id(), person=told, password=PASSWORD, own_roles=["salesperson"]
        )
    ).person
    hr = open_as(platform_all, "pan.li", size=DESK)
    stub = coaching_pb2_grpc.CoachingServiceStub(platform_all.channel("goals"))
    due = datetime.now(ZoneInfo(department.time_zone)).date()
    task = coaching_pb2.CoachingTask(
        person_id=person.id,
        situation=coaching_rules_pb2.COACHING_SITUATION_NO_FOLLOW_UP,
        text="一起打第一通电话",
        due_day=Date(year=due.year, month=due.month, day=due.day),
    )
    hr.goto("/coaching")
    expect(hr.locator("body")).to_have_attribute("data-live", "open")
    stub.OpenTask(coaching_pb2.OpenTaskRequest(request_id=new_id(), task=task))
    opened = hr.locator("#coaching-list .task", has_text="方远行")
    expect(opened).to_contain_text("等待回复", timeout=10_000)
    expect(opened).not_to_contain_text("已逾期")
    node = directory.GetNode(directory_pb2.GetNodeRequest(node_id=department.id)).node
    node.time_zone = "Pacific/Kiritimati"
    moved = directory_pb2.UpdateNodeRequest(request_id=new_id(), node=node)
    moved.update_mask.paths.append("time_zone")
    directory.UpdateNode(moved)
    hr.wait_for_timeout(2_500)
    hr.goto("/coaching")
    expect(hr.locator("h1")).to_contain_text("已逾期")
    # From 10 to 16 o'clock UTC the day is the same in Honolulu and here, and so is the day other tasks are due.
    shanghai = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    first = hr.locator("#coaching-list .task").first
    expect(first if due < shanghai else opened).to_contain_text("已逾期")
    late = open_as(platform_all, login)
    expect(late.locator("#coaching .task")).to_contain_text("已逾期")
    # Others who look at this enterprise find it as it was.
    opened.locator("summary").click()
    opened.locator("[value=withdrawn]").click()
    expect(hr.locator(".notice")).to_be_visible()
