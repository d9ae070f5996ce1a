"""An administrator adopts two KPIs of an industry for a branch; a newcomer there sees what is asked, and moves it."""

import re

import pytest
from foothold.goals.v1 import facts_pb2
from playwright.sync_api import Locator, Page, expect

from access import Directory
from tests.journeys.conftest import DESK, Open
from tests.journeys.people import hire
from tests.journeys.test_main_job import follow_up, record
from tests.platform import Platform

pytestmark = pytest.mark.browser
# A job role nobody else has, so that no other journey's figures change.
ROLE = "car-sales"


def test_what_an_administrator_adopts_for_a_branch_a_newcomer_there_sees(
    platform_all: Platform, open_as: Open, directory_all: Directory
) -> None:
    login = hire(platform_all, directory_all, "车小满", job_role=ROLE)
    beside = next(person for person in directory_all.people() if person.name == "何思琪")
    branch = directory_all.branch_of(beside.id)
    assert branch
    admin = open_as(platform_all, "admin", size=DESK)
    admin.goto("/industries")
    admin.fill("[name=q]", "试驾")
    admin.click(".filters button")
    admin.click("text=汽车")
    admin.check("[name=kpi] >> nth=1")
    admin.fill("[name=value-1]", "3")
    admin.check("[name=kpi] >> nth=4")
    admin.select_option("[name=node_id]", branch)
    admin.fill("[name=job_role]", ROLE)
    admin.fill("[name=reason]", "新开展厅")
    admin.click("[value=look]")
    expect(admin.locator("main")).to_contain_text("还没有改动任何内容")
    expect(admin.locator(".kpis > li >> nth=1")).to_contain_text(re.compile("将设为.3"))
    admin.click("[value=adopt]")
    expect(admin.locator(".notice")).to_contain_text("已采用")
    expect(admin.locator(".kpis > li >> nth=1")).to_contain_text(re.compile("已定义|正在计算"))

    newcomer = open_as(platform_all, login)
    shown = _targets(newcomer)
    # Targets of a new metric show once its values are computed.
    for _ in range(40):
        if shown.count() == 2:
            break
        newcomer.wait_for_timeout(250)
        shown = _targets(newcomer)
    expect(shown).to_have_count(2)
    met = newcomer.locator(".target", has_text=re.compile("进店客户|showroom_customers"))
    expect(met).to_contain_text("0")
    in_store = facts_pb2.Fact()
    in_store.CopyFrom(follow_up(login.replace("journey.", "J-")))
    in_store.channel = "store"
    record(platform_all, in_store)
    expect(met.locator("[data-key$='-done']")).to_have_text("1", timeout=5_000)


def _targets(page: Page) -> Locator:
    page.goto("/targets")
    return page.locator(".target")
