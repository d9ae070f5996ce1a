"""The main job: a CRM event comes in, and the newcomer sees at once what it means, without a reload.

How long "at once" is, a benchmark measures: system_live.
"""

import re
from datetime import UTC, datetime
from typing import Final

import pytest
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc
from foothold.incentives.v1 import statements_pb2, statements_pb2_grpc
from playwright.sync_api import Page, expect

from access import Directory
from chassis.ids import new_id
from launcher.demo.accounts import PASSWORD
from tests.journeys.browsing import LivePages, followed
from tests.journeys.conftest import DESK, Open
from tests.platform import Platform

pytestmark = pytest.mark.browser
_SIGNED_IN: Final = 30
_EVENTS: Final = 10
_DONE: Final = "[data-key^='customers_followed'][data-key$='-done']"


def follow_up(number: str, customer: str = "") -> facts_pb2.Fact:
    """A new customer followed up just now, by the person with this employee number."""
    fact = facts_pb2.Fact(
        source="crm",
        external_id=f"journey-{new_id()}",
        version=1,
        kind=facts_pb2.FACT_KIND_FOLLOW_UP,
        employee_number=number,
        customer=customer or f"客户 {new_id()}",
        channel="phone",
        minutes=5,
    )
    fact.occurred_at.FromDatetime(datetime.now(UTC))
    return fact


def record(platform: Platform, *facts: facts_pb2.Fact) -> None:
    stub = facts_pb2_grpc.FactsServiceStub(platform.channel("goals"))
    answer = stub.RecordFacts(facts_pb2.RecordFactsRequest(facts=facts))
    assert all(result.outcome == facts_pb2.FACT_OUTCOME_RECORDED for result in answer.results), answer


def live(page: Page) -> None:
    """Wait until the page listens."""
    page.wait_for_selector("body[data-live=open]")


def test_a_crm_event_changes_the_numbers_without_a_reload(platform: Platform, open_as: Open) -> None:
    page = open_as(platform, "zhou.yutong")
    live(page)
    page.evaluate("window.loadedOnce = true")
    done = page.locator(_DONE)
    paid = page.locator("#summary [data-key^=line-]").first
    before, earned = followed(done.inner_text()), paid.inner_text()
    record(platform, follow_up("SH0101"))
    expect(done).to_have_text(str(before + 1), timeout=5_000)
    expect(paid).not_to_have_text(earned, timeout=5_000)
    assert page.evaluate("window.loadedOnce") is True


def test_two_screens_of_one_person_agree(platform: Platform, open_as: Open) -> None:
    phone, desk = open_as(platform, "zhou.yutong"), open_as(platform, "zhou.yutong", size=DESK)
    live(phone)
    live(desk)
    record(platform, follow_up("SH0101"))
    expect(phone.locator(_DONE)).to_have_class(re.compile("changed"), timeout=5_000)
    expect(desk.locator(_DONE)).to_have_text(phone.locator(_DONE).inner_text(), timeout=5_000)


def test_the_manager_sees_it_too(platform: Platform, open_as: Open) -> None:
    page = open_as(platform, "tang.wei", size=DESK)
    live(page)
    row = page.locator(".person", has_text="周雨桐").locator("[data-key*=customers_followed]")
    before = followed(row.inner_text())
    record(platform, follow_up("SH0101"))
    expect(row).to_have_text(str(before + 1), timeout=6_000)


def test_a_recorded_follow_up_counts_and_can_be_taken_back(platform: Platform, open_as: Open) -> None:
    page = open_as(platform, "he.siqi")
    page.goto("/customers")
    customer = f"小店 {new_id()[-5:]}"
    page.fill("[name=customer]", customer)
    page.click("form.record .primary")
    expect(page.locator("#record .notice")).to_contain_text(customer)
    expect(page.locator("#recorded")).to_contain_text(customer, timeout=5_000)
    page.click("#record .notice button")
    expect(page.locator("#record .notice")).to_contain_text("已撤销")
    expect(page.locator("#recorded")).not_to_contain_text(customer, timeout=5_000)


def test_every_figure_is_a_door(platform: Platform, open_as: Open) -> None:
    page = open_as(platform, "zhou.yutong")
    page.locator("#summary .lines .door").first.click()
    expect(page.locator("dialog[open]")).to_contain_text("为什么是这个金额")
    assert page.locator("dialog ol.plain > li").count() <= 10
    page.locator("dialog .lines a").first.click()
    expect(page.locator("dialog[open]")).to_contain_text("背后的事实")


def test_with_thirty_people_signed_in_every_event_changes_the_number(
    platform: Platform, open_as: Open, directory: Directory
) -> None:
    page = open_as(platform, "sun.haoran")
    live(page)
    done = page.locator(_DONE)
    number = next(person.employee_number for person in directory.people() if person.name == "孙浩然")
    others = [
        person.login
        for person in LivePages.newcomers(platform)
        if person.login and person.login != "sun.haoran"
    ]
    with LivePages(platform, others[: _SIGNED_IN - 1], PASSWORD) as pages:
        assert pages.open == _SIGNED_IN - 1
        for _ in range(_EVENTS):
            expected = str(followed(done.inner_text()) + 1)
            record(platform, follow_up(number))
            expect(done).to_have_text(expected, timeout=10_000)


def test_a_session_that_ends_closes_the_open_page(platform: Platform, open_as: Open) -> None:
    page = open_as(platform, "lin.zihan")
    live(page)
    elsewhere = open_as(platform, "lin.zihan")
    elsewhere.goto("/profile")
    elsewhere.click("button[name=everywhere]")
    page.wait_for_url("**/sign-in", timeout=10_000)


def test_the_statement_on_the_page_is_the_one_incentives_tells(
    platform: Platform, open_as: Open, directory: Directory
) -> None:
    page = open_as(platform, "sun.haoran")
    person = next(person for person in directory.people() if person.name == "孙浩然")
    stub = statements_pb2_grpc.StatementsServiceStub(platform.channel("incentives"))
    told = stub.GetStatement(statements_pb2.GetStatementRequest(person_id=person.id)).statement
    units, cents = told.total.units, told.total.nanos // 10_000_000
    expect(page.locator("[data-key=total]")).to_have_text(f"¥{units:,}.{cents:02d}")
