"""The objectives' pages: weights that must make exactly one, raw attainment beside what counts, undo."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pytest
from flask.testing import FlaskClient

from tests.gateway.test_goal_tree import send
from tests.gateway.test_standards import plain

AsLogin = Callable[..., FlaskClient]
# Far away, so that no other test's pages change.
YEAR: Final = datetime.now(UTC).year + 2
RESULTS: Final = (("1/3", "new_customers", "20"), ("1/3", "close_rate", "8"), ("1/3", "repurchase_rate", "5"))


def form(*results: tuple[str, str, str], **fields: str) -> dict[str, str]:
    told = {
        "node_id": "shanghai-sales-1",
        "title": "做出自己的客户",
        "year": str(YEAR),
        "span": "q2",
        "reason": "转正前",
        "action": "save",
        "results": str(len(results)),
    }
    for number, (weight, metric, value) in enumerate(results):
        told |= {
            f"kr-{number}-weight": weight,
            f"kr-{number}-metric": metric,
            f"kr-{number}-value": value,
            f"kr-{number}-period": "month",
        }
    return told | fields


def id_in(address: str) -> str:
    found = re.match(r"/objectives/([^/?]+)", address)
    assert found, address
    return found[1]


@pytest.fixture
def manager(as_login: AsLogin) -> FlaskClient:
    return as_login("tang.wei")


def test_s02_s_three_key_results_stand_with_their_weights_and_no_data_is_no_nought(
    manager: FlaskClient,
) -> None:
    _, address, page = send(manager, "/objectives/new", **form(*RESULTS))
    assert "已保存：做出自己的客户" in plain(page)
    told = plain(manager.get(f"/objectives/{id_in(address)}").text)
    assert "新客户 ≥ 20 每月" in told
    assert "成单率 ≥ 8.0% 每月" in told
    assert "33.3%" in told
    assert "按33.3%的权重计算，其余暂无数据" in told
    assert "做出自己的客户" in manager.get(f"/objectives?node=shanghai-sales-1&on={YEAR}-05-01").text
    assert "做出自己的客户" not in manager.get(f"/objectives?node=shanghai-sales-1&on={YEAR}-07-01").text


@pytest.mark.parametrize(("weights", "sum_"), [(("50", "49.99"), "99.99"), (("2/3", "1/2"), "116.6667")])
def test_weights_that_miss_the_whole_are_refused_with_their_sum_and_nothing_typed_is_lost(
    manager: FlaskClient, weights: tuple[str, str], sum_: str
) -> None:
    rows = [(weight, "new_customers", "20") for weight in weights]
    status, _, page = send(manager, "/objectives/new", **form(*rows))
    assert status == 400
    assert f"权重合计{sum_}%，必须正好是100%" in plain(page)
    assert all(f'value="{weight}"' in page for weight in weights)


def test_rows_come_and_go_without_a_script(manager: FlaskClient) -> None:
    _, _, page = send(manager, "/objectives/new", **form(*RESULTS, action="add"))
    assert "kr-3-weight" in page
    _, _, page = send(manager, "/objectives/new", **form(*RESULTS, action="drop-0"))
    assert "kr-2-weight" not in page
    assert re.search(r'name="kr-0-value"[^>]*value="8"', page)
    _, _, page = send(manager, "/objectives/new", **form(RESULTS[0], action="drop-0"))
    assert "kr-0-weight" in page


def test_a_wrong_row_says_so_beside_its_field(manager: FlaskClient) -> None:
    status, _, page = send(
        manager, "/objectives/new", **form(("50", "new_customers", "20"), ("heavy", "close_rate", "many"))
    )
    assert status == 422
    assert re.search(r'id="f-kr-1-weight-why">[^<]*1/3', page)
    assert 'id="f-kr-1-value-why"' in page
    status, _, page = send(manager, "/objectives/new", **form(("100", "close_rate", "108")))
    assert status == 400
    assert 'id="f-kr-0-value-why"' in page


def test_a_change_is_kept_undone_taken_back_and_brought_back(manager: FlaskClient) -> None:
    _, address, _ = send(manager, "/objectives/new", **form(*RESULTS))
    objective = id_in(address)
    page = manager.get(f"/objectives/{objective}/edit").text
    assert re.search(r'name="kr-0-weight"[^>]*value="1/3"', page), "exact, as it was typed"
    changed = form(("40", "new_customers", "30"), ("60", "close_rate", "8"), title="先把量做起来")
    status, _, _ = send(manager, f"/objectives/{objective}/edit", **changed | {"reason": ""})
    assert status == 422
    _, _, page = send(manager, f"/objectives/{objective}/edit", **changed | {"reason": "量不够"})
    assert "先把量做起来" in page
    known = re.findall(r'name="known" value="(\d+)"', page)
    assert len(known) == 1
    _, _, page = send(manager, f"/objectives/{objective}/restore", known=known[0], reason="还是原来的")
    assert "<h1>做出自己的客户" in page
    _, address, page = send(manager, f"/objectives/{objective}/withdraw", reason="不做了")
    assert "已收回：做出自己的客户" in plain(page)
    assert manager.get(f"/objectives/{objective}").status_code == 404
    again = re.findall(r'name="known" value="(\d+)"', page)
    _, address, page = send(manager, f"/objectives/{objective}/restore", known=again[0], reason="恢复")
    assert id_in(address) != objective
    assert "<h1>做出自己的客户" in page


def test_a_newcomer_sees_their_own_and_opens_why(as_login: AsLogin) -> None:
    newcomer = as_login("zhou.yutong")
    page = newcomer.get("/objectives").text
    assert "线上做出第一批自己的客户" in page
    assert "/why/zhou-yutong/progress/close_rate/month" in page
    assert "/objectives/new" not in page
    assert 'data-watch="progress@zhou-yutong"' in page, "an open page hears of what they do"
    assert "没有给你设" in as_login("lin.zihan").get("/objectives").text


def test_a_newcomer_sees_where_a_goal_comes_from_up_to_the_company_s_year(as_login: AsLogin) -> None:
    newcomer = as_login("zhou.yutong")
    told = plain(newcomer.get("/targets").text)
    assert "公司目标里我的一份" in told
    chain = told[told.index("公司目标里我的一份") :]
    places = [chain.index(each) for each in ("周雨桐", "上海销售一部", "立足科技")]
    assert places == sorted(places)
    assert "每月¥50,000.00" in chain
    assert "上海市场最大，承担全公司一半" in chain
    why = plain(newcomer.get("/why/zhou-yutong/progress/revenue/month").text)
    assert "它是哪个目标的一份" in why
    assert "公司目标里我的一份" not in as_login("lin.zihan").get("/targets").text
    links = re.findall(r'href="(/goals/[^"]+)"', newcomer.get("/targets").text)
    above = " ".join(plain(newcomer.get(link).text) for link in links)
    assert "¥50,000,000.00" in above
    assert "吴志强" not in above, "what is asked of others is nobody else's to see"
