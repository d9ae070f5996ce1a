"""What a closed branch is paid: approved, held back, in a batch, as files, and that it is paid."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

from flask.testing import FlaskClient

from tests.gateway.conftest import token_in


def _closed() -> str:
    last = date.today().replace(day=1) - timedelta(days=1)  # noqa: DTZ011  as the demo was seeded
    return f"/payouts?node_id=guangzhou&kind=month&on={last.isoformat()}"


def _batch(browser: FlaskClient) -> str:
    found = re.search(r'href="(/payouts/batches/guangzhou-[^"]+)"', browser.get("/payouts/batches").text)
    assert found
    return found[1]


def test_the_batch_is_read_and_loaded_as_files_that_are_the_same_each_time(
    as_login: Callable[..., FlaskClient],
) -> None:
    browser = as_login("liang.yue")
    address = _batch(browser)
    page = browser.get(address).text
    assert "控制合计" in page
    text = browser.get(f"{address}.csv").data
    assert text == browser.get(f"{address}.csv").data
    rows = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    head, *lines = rows[:-5]
    totals = dict(rows[-5:])
    assert head == ["工号", "姓名", "项目", "更正哪一期", "金额", "币种"]
    assert int(totals["明细"]) == len(lines)
    assert sum((Decimal(each[4]) for each in lines), Decimal(0)) == Decimal(totals["合计金额"])
    assert int(totals["人数"]) == len({each[0] for each in lines})
    assert re.fullmatch("[0-9a-f]{64}", totals["SHA-256"])
    book = browser.get(f"{address}.xlsx").data
    assert book == browser.get(f"{address}.xlsx").data
    sheet = zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == len(lines) + 1
    assert as_login("liang.yue", "en").get(f"{address}.csv").text.startswith("\ufeffEmployee number,")


def test_what_is_held_back_is_seen_by_the_person_and_released_by_hr(
    as_login: Callable[..., FlaskClient],
) -> None:
    hr = as_login("liang.yue")
    address = _closed()
    page = hr.get(address).text
    assert "两位客户疑似重复" in page
    person = as_login("xian.yijun").get(f"/bonus?on={address[-10:]}").text
    assert "暂缓：两位客户疑似重复" in person
    whole = {
        "csrf_token": token_in(page),
        "node_id": "guangzhou",
        "kind": "month",
        "on": address[-10:],
        "person_id": "xian-yijun",
    }
    assert hr.post("/payouts/hold", data={**whole, "release": "1", "reason": " "}).status_code == 422
    assert hr.post("/payouts/hold", data={**whole, "release": "1", "reason": "已核实"}).status_code == 303
    again = hr.post("/payouts/hold", data={**whole, "release": "1", "reason": "已核实"})
    assert again.status_code == 409
    assert "暂缓：" not in as_login("xian.yijun").get(f"/bonus?on={address[-10:]}").text
    assert "approve-payouts" not in hr.get(address).text
    other = as_login("gu.wenjing")
    page = other.get(address).text
    assert "approve-payouts" in page
    assert "比上期" in page
    shown = dict(re.findall(r'name="(waiting|waiting_total)" value="([^"]+)"', page))
    form = {**whole, "csrf_token": token_in(page)}
    stale = other.post("/payouts/approve", data={**form, "waiting": "99", "waiting_total": "1"})
    assert stale.status_code == 409
    assert "请重新查看" in stale.text
    assert other.post("/payouts/approve", data={**form, **shown}).status_code == 303
    page = hr.get(address).text
    assert "make-batch" in page
    made = hr.post("/payouts/batch", data={**whole, "csrf_token": token_in(page), "request_id": "released"})
    assert made.status_code == 303
    assert made.location.endswith("/payouts/batches/released")
    page = hr.get(made.location).text
    assert "冼逸君" in page
    paid = {"csrf_token": token_in(page), "paid_on": date.today().isoformat(), "reference": "工资"}  # noqa: DTZ011  as above
    late = hr.post(f"{made.location}/paid", data={**paid, "paid_on": "2090-01-10"})
    assert late.status_code == 422
    assert "请填写今天或之前的日期" in late.text
    assert hr.post(f"{made.location}/paid", data={**paid, "paid_on": ""}).status_code == 422
    assert hr.post(f"{made.location}/paid", data=paid).status_code == 303
    assert hr.post(f"{made.location}/paid", data={**paid, "request_id": "again"}).status_code == 409
    assert "已发放" in as_login("xian.yijun").get(f"/bonus?on={address[-10:]}").text
