"""HR holds back what hangs on one deal of a closed period, sees it first, and releases it."""

import re
from collections.abc import Callable
from datetime import date, timedelta

from flask.testing import FlaskClient

from tests.gateway.test_standards import plain, send

_PERSON = "li-jiahui"


def _closed(months: int) -> str:
    """A day of a month that the demo has closed: of the last one payouts are with payroll, of that before none."""
    day = date.today()  # noqa: DTZ011  as the demo was seeded
    for _ in range(months):
        day = day.replace(day=1) - timedelta(days=1)
    return day.isoformat()


def _address(months: int = 2, **more: str) -> str:
    return f"/payouts/deals/{_PERSON}?kind=month&on={_closed(months)}" + "".join(
        f"&{name}={value}" for name, value in more.items()
    )


def test_hr_chooses_a_deal_sees_what_is_kept_holds_it_and_releases_it(
    as_login: Callable[..., FlaskClient],
) -> None:
    hr = as_login("liang.yue")
    overview = hr.get(f"/payouts?node_id=guangzhou&on={_closed(2)}").text
    assert f"/payouts/deals/{_PERSON}" in overview
    page = hr.get(_address()).text
    found = re.findall(r'href="(/payouts/deals/[^"]+&amp;source=([^&"]+)&amp;deal=([^&"]+))"', page)
    assert found, "a deal counted in the figures"
    address, source, deal = found[0]
    looked_at = plain(hr.get(address.replace("&amp;", "&")).text)
    assert "届时每一行暂缓多少" in looked_at
    more = re.search(r"暂缓它会多留下\s*(¥[0-9,.]+)", looked_at)
    assert more

    form = {"kind": "month", "on": _closed(2), "source": source, "deal": deal}
    where = f"/payouts/deals/{_PERSON}"
    assert send(hr, where, **form, reason=" ")[0] == 422
    assert send(hr, where, **{**form, "deal": "none"}, reason="x")[0] == 404
    status, page = send(hr, where, **form, reason="合同还没有签")
    assert status == 200
    assert "合同还没有签" in page
    assert "放行这笔单" in page
    assert send(hr, where, **form, reason="again")[0] == 409
    assert f"暂缓成单{deal}：合同还没有签" in plain(
        hr.get(f"/payouts?node_id=guangzhou&on={_closed(2)}").text
    )
    english = hr.get(_address(), headers={"Accept-Language": "en"}).text
    assert "合同还没有签" in english
    own = plain(as_login("li.jiahui").get(f"/bonus?on={_closed(2)}").text)
    assert f"成单{deal}正在核对，相应部分稍后发放：合同还没有签" in own

    status, page = send(hr, where, **form, reason="签好了", release="1")
    assert status == 200
    assert "没有暂缓的成单" in page
    assert send(hr, where, **form, reason="again", release="1")[0] == 409


def test_a_deal_is_looked_up_by_its_order_number_and_nobody_else_sees_the_page(
    as_login: Callable[..., FlaskClient],
) -> None:
    hr = as_login("liang.yue")
    deal = re.findall(r"&amp;deal=([^&\"]+)", hr.get(_address()).text)[-1]
    assert 'id="looked-at"' in hr.get(_address(deal=deal)).text
    assert "这笔单不在这个已关账期间的数据里" in hr.get(_address(deal="none")).text
    assert hr.get(f"/payouts/deals/{_PERSON}?kind=month&on=2031-01-01").status_code == 404
    assert hr.get(f"/payouts/deals/{_PERSON}").status_code == 404
    assert hr.get(_address().replace(_PERSON, "lin-zihan")).status_code == 404, "of another branch"
    for login in ("li.jiahui", "su.peiwen"):
        assert as_login(login).get(_address()).status_code == 403


def test_what_is_with_payroll_is_not_held_any_more(as_login: Callable[..., FlaskClient]) -> None:
    hr = as_login("liang.yue")
    page = hr.get(_address(1)).text
    address = re.findall(r'href="(/payouts/deals/[^"]+&amp;deal=[^"]+)"', page)[0].replace("&amp;", "&")
    page = hr.get(address).text
    assert "已交薪酬发放" in page
    assert 'id="hold-deal"' not in page
