"""What earlier newcomers reached beside where a target is set; comparisons, and what is no day."""

import re
from collections.abc import Callable

from flask.testing import FlaskClient

from tests.gateway.test_standards import plain

AsLogin = Callable[..., FlaskClient]


def test_a_short_history_says_so_and_a_vendors_claim_is_marked_as_one(as_login: AsLogin) -> None:
    page = as_login("gu.wenjing").get(
        "/standards/evidence", query_string={"metric": "close_rate", "job_role": "nobody"}
    )
    text = plain(page.text)
    assert "这个岗位还没有人干满一个月" in text
    assert "厂商说法" in text
    assert "未注明研究出处" in text


def test_a_figure_reached_leads_to_the_form_with_it_filled_in(as_login: AsLogin) -> None:
    hq = as_login("gu.wenjing")
    page = hq.get("/standards/evidence", query_string={"metric": "customers_followed", "job_role": "sales"})
    assert "第1个月" in plain(page.text)
    link = re.search(r'href="(/standards\?[^"]+value=(\d+)[^"]*)"', page.text)
    assert link, plain(page.text)
    form = hq.get(link[1].replace("&amp;", "&")).text
    assert re.search(rf'name="value"[^>]*value="{link[2]}"', form)
    assert re.search(r'<option value="customers_followed" selected', form)


def test_a_comparison_gives_both_figures_their_people_and_how_sure_it_is(as_login: AsLogin) -> None:
    page = as_login("tang.wei").get("/compare")
    text = plain(page.text)
    assert "相对变化" in text
    assert re.search(r"之前：\d+/\d+，\d+人", text)
    assert "置信区间" in text


def test_what_is_no_day_is_told_beside_its_field_and_what_was_typed_stays(as_login: AsLogin) -> None:
    page = as_login("tang.wei").get(
        "/compare",
        query_string={"before_from": "x", "after_from": "2026-11-02", "after_until": "2026-11-01"},
    )
    assert page.status_code == 200
    assert 'value="x"' in page.text
    assert "不能早于第一天" in page.text
    assert 'id="compared"' not in page.text


def test_a_newcomer_sees_the_week_beside_the_week_before(as_login: AsLogin) -> None:
    text = plain(as_login("zhou.yutong").get("/targets").text)
    assert "投入" in text
    assert "本周截至目前，对比上周整周" in text
