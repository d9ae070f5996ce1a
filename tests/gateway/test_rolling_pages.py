"""Metrics with a window of their own, as people meet them: chosen in words, previewed, asked for, explained."""

import re
import uuid
from collections.abc import Callable

from flask.testing import FlaskClient

from services.gateway.service import Gateway
from tests.gateway.conftest import token_in
from tests.gateway.test_standards import plain
from tests.platform import Platform

AsLogin = Callable[..., FlaskClient]
HR, NEWCOMER, NAME = "gu.wenjing", "lin.zihan", "林子涵"
ROLLING = {
    "title_zh": "近 30 天成单率",
    "title_en": "Close rate of 30 days",
    "description": "Deals won over customers followed, the last 30 days.",
    "aggregation": "ratio",
    "numerator": "deals_won",
    "denominator-0": "customers_followed",
    "unit": "rate",
    "direction": "least",
    "window": "rolling",
    "rolling_days": "30",
    "effective_from": "2026-01-01",
    "from": "2026-09-01",
    "to": "2026-11-20",
    "by": "month",
    "reason": "months are too short a look",
}


def send(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    token = token_in(client.get("/profile").text)
    more = {"csrf_token": token, "request_id": str(uuid.uuid4()), **form}
    answer = client.post(path, data=more, follow_redirects=True)
    return answer.status_code, answer.text


def test_a_rolling_close_rate_is_defined_asked_for_and_read(
    platform_all: Platform, gateway: Gateway, as_login: AsLogin
) -> None:
    hr = as_login(HR)
    page = hr.get("/metrics/new").text
    assert "截至今天的最近几天" in plain(page)
    status, told = send(hr, "/metrics/new/preview", **ROLLING, tried="yes")
    assert status == 200
    assert "2026-09" in plain(told)
    for typed in ("", "0", "367", "x"):
        _, told = send(hr, "/metrics/new/preview", **{**ROLLING, "rolling_days": typed})
        assert "请填1到366之间的数" in plain(told), typed
    status, told = send(hr, "/metrics/new", **ROLLING)
    assert status == 200
    assert "近30天" in plain(told)
    name = "close_rate_of_30_days"
    # Whatever is chosen beside it, such a metric is asked over its own window; of a role that nobody has.
    status, told = send(
        hr,
        "/standards",
        node_id=_place(hr),
        job_role="rolling-check",
        metric=name,
        period="month",
        effective_from="2026-01-01",
        value="10",
        reason="as agreed",
    )
    assert status == 200
    assert "rolling-check" in plain(told)
    assert "滚动" in plain(told)
    newcomer = as_login(NEWCOMER)
    shown = newcomer.get("/targets").text
    person = next(each for each in gateway.parts.replica.directory.people() if each.name == NAME)
    assert f"/why/{person.id}/progress/{name}/rolling" in shown
    why = newcomer.get(f"/why/{person.id}/progress/{name}/rolling")
    assert why.status_code == 200
    assert "近30天" in plain(why.text)
    retired, _ = send(hr, f"/metrics/{name}/retire", reason="a test's")
    assert retired == 200


def _place(client: FlaskClient) -> str:
    chosen = client.get("/standards").text.split('name="node_id"', 1)[1].split("</select>", 1)[0]
    found = re.search(r'value="([^"]+)"', chosen)
    assert found
    return found[1]
