"""A plan's life on pages: proposed, read and approved by somebody else, read by whom it pays."""

import re
from collections.abc import Callable
from itertools import count
from typing import Final

from flask.testing import FlaskClient

from tests.gateway.conftest import token_in

_numbers = count(1)
_PLAN: Final = {
    "action": "save",
    "node_id": "chengdu",
    "period": "month",
    "effective_from": "2030-01-01",
    "reason": "试一试",
    "rules": "1",
    "rule-0-label": "跟进新客户",
    "rule-0-kind": "per_unit",
    "rule-0-metric": "new_customers",
    "rule-0-amount": "50",
}


def propose(browser: FlaskClient, role: str, **more: str) -> str:
    """Through the form; the address of the draft."""
    form = {**_PLAN, "job_role": role, "name": "方案甲", **more}
    token = token_in(browser.get("/plans/new").text)
    answer = browser.post("/plans/new", data={**form, "csrf_token": token, "node_id": "shanghai"})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_a_second_person_reads_what_changes_and_approves(as_login: Callable[..., FlaskClient]) -> None:
    role = f"trial-{next(_numbers)}"
    author, second = as_login("gu.wenjing"), as_login("admin")
    first = propose(author, role)
    page = author.get(first).text
    assert "须经另一人批准才会发放" in page
    assert 'id="approve"' not in page
    assert 'id="reject"' in page
    assert first in second.get("/plans").text
    page = second.get(first).text
    assert "此处此岗位之前没有方案" in page
    assert second.post(f"{first}/approve", data={"csrf_token": token_in(page)}).status_code == 303
    page = second.get(first).text
    assert "罗志远" in page
    assert 'id="approve"' not in page
    assert "目前没有人适用这个方案" in page
    following = propose(
        author, role, **{"effective_from": "2030-02-01", "rule-0-amount": "60", "name": "方案乙"}
    )
    page = second.get(following).text
    assert re.search(r"<del>[^<]*50\.00[^<]*</del>", page)
    assert re.search(r"<ins>[^<]*60\.00[^<]*</ins>", page)
    # The author's own form says why not, also where it is sent past the page.
    refused = author.post(f"{following}/approve", data={"csrf_token": token_in(author.get(following).text)})
    assert refused.status_code == 409
    assert "上一步是你做的" in refused.text


def test_a_rejection_needs_a_reason_and_is_kept(as_login: Callable[..., FlaskClient]) -> None:
    author, second = as_login("gu.wenjing"), as_login("admin")
    address = propose(author, f"trial-{next(_numbers)}")
    token = token_in(second.get(address).text)
    assert second.post(f"{address}/reject", data={"csrf_token": token, "reason": " "}).status_code == 422
    assert (
        second.post(f"{address}/reject", data={"csrf_token": token, "reason": "预算不够"}).status_code == 303
    )
    page = author.get(address).text
    assert "已否决" in page
    assert "预算不够" in page
    assert address not in author.get("/plans").text
    late = second.post(f"{address}/approve", data={"csrf_token": token})
    assert late.status_code == 409


def test_a_newcomer_reads_the_plan_and_says_so_once(as_login: Callable[..., FlaskClient]) -> None:
    browser = as_login("lin.zihan")
    assert "/bonus#plan-to-read" in browser.get("/today").text
    page = browser.get("/bonus").text
    form = dict(
        re.findall(r'name="(request_id|plan_id|digest)" value="([^"]+)"', page.split("plan-to-read")[1])
    )
    form["csrf_token"] = token_in(page)
    stale = browser.post("/bonus/plan", data={**form, "request_id": "stale", "digest": "0" * 64})
    assert stale.status_code == 303
    assert "plan-to-read" in browser.get("/bonus").text
    assert browser.post("/bonus/plan", data=form).status_code == 303
    page = browser.get("/bonus").text
    assert "plan-to-read" not in page
    assert "我适用的方案" in page
    assert "plan-to-read" not in browser.get("/today").text
    hr = as_login("gu.wenjing")
    told = hr.get("/plans/newcomer-sales").text
    assert re.search(r"\d+ 人中已有 [23] 人阅读确认", told.replace("\u202f", " ").replace("\u2009", " "))
    table = hr.get("/plans/newcomer-sales/acknowledged.csv")
    assert table.text.startswith("\ufeff姓名,")
    line = next(each for each in table.text.splitlines() if each.startswith("林子涵"))
    assert line.endswith("UTC")
