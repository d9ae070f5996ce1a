"""The standards' pages: bounds beside the field, proposals and who decides, where branches differ, and undo."""

import csv
import io
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.gateway.conftest import token_in

AsLogin = Callable[..., FlaskClient]
HEADQUARTERS, SHANGHAI = "gu.wenjing", "pan.li"
# Far away and of a role that nobody has, so that no other test's figures change.
START = "2031-03-01"
WHAT = {"metric": "meetings_attended", "period": "month", "effective_from": START}


def send(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    token = token_in(client.get("/profile").text)
    answer = client.post(path, data={"csrf_token": token, **form}, follow_redirects=True)
    return answer.status_code, answer.text


def standard(client: FlaskClient, role: str, **form: str) -> tuple[int, str]:
    values = {**WHAT, "job_role": role, "reason": "看了一年的数据", **form}
    return send(client, "/standards", **values)


def asked(client: FlaskClient, role: str, node: str = "shanghai", **args: str) -> str:
    query = {"job_role": role, "metric": "meetings_attended", "on": START, **args}
    answer = client.get(f"/standards/at/{node}", query_string=query)
    assert answer.status_code == 200
    return plain(answer.text)


def plain(text: str) -> str:
    """What stands there, without the thin spaces between Chinese and digits."""
    told = re.sub(r"[\u2009\u202f\u00a0\u2060]", "", re.sub(r"<[^>]+>", " ", text))
    return re.sub(r"\s+", " ", told).strip()


def cards(client: FlaskClient, role: str) -> str:
    """The page's cards about a role, as they are written."""
    found = re.findall(
        r'<section class="card">.*?</section>', client.get("/standards/pending").text, re.DOTALL
    )
    return "\n".join(card for card in found if role in card)


@pytest.fixture
def hq(as_login: AsLogin) -> FlaskClient:
    return as_login(HEADQUARTERS)


@pytest.fixture
def branch(as_login: AsLogin) -> FlaskClient:
    return as_login(SHANGHAI)


def test_what_may_be_set_stands_beside_the_field_and_what_may_not_is_refused_in_words(
    hq: FlaskClient, branch: FlaskClient
) -> None:
    bounds = {"latitude": "bounded", "minimum": "10", "maximum": "30"}
    assert standard(hq, "role-bounds", node_id="lizu", value="20", **bounds)[0] == 200
    query = {**WHAT, "node_id": "shanghai", "job_role": "role-bounds"}
    hint = plain(branch.get("/standards/allowed", query_string=query).text)
    assert "立足科技 ：每月20" in hint
    assert "这里可设10到30。" in hint
    status, text = standard(branch, "role-bounds", node_id="shanghai", value="31")
    assert status == 409
    assert "立足科技自2031年3月1日起只允许10到30。" in plain(text)
    assert 'value="31"' in text, "what was typed is kept"
    assert standard(branch, "role-bounds", node_id="shanghai", value="30")[0] == 200
    assert "上海分公司 ：每月30" in asked(branch, "role-bounds")


def test_a_locked_one_and_days_that_meet_are_named(hq: FlaskClient, branch: FlaskClient) -> None:
    standard(hq, "role-locked", node_id="lizu", value="20", latitude="locked")
    status, text = standard(branch, "role-locked", node_id="shanghai", value="25")
    assert status == 409
    assert "立足科技自2031年3月1日起把这一项锁定为20，下级不能改动。" in plain(text)
    until = {"effective_to": "2031-06-01"}
    assert standard(branch, "role-days", node_id="shanghai", value="25", **until)[0] == 200
    status, text = standard(branch, "role-days", node_id="shanghai", value="26", effective_from="2031-04-01")
    assert status == 409
    assert "上海分公司已设25，自2031年3月1日到2031年6月1日止，日期重叠。" in plain(text)


def test_a_proposal_waits_until_another_person_decides(hq: FlaskClient, branch: FlaskClient) -> None:
    standard(hq, "role-asked", node_id="lizu", value="20", approval="yes")
    _, text = standard(branch, "role-asked", node_id="shanghai", value="25")
    assert "另一人批准之前不生效" in text
    assert "立足科技 ：每月20" in asked(branch, "role-asked")
    waiting = cards(branch, "role-asked")
    assert "这是你提交的" in waiting
    assert "/approve" not in waiting
    found = re.search(r'action="(/standards/[^/]+)/approve"', cards(hq, "role-asked"))
    assert found
    assert send(branch, f"{found[1]}/approve")[0] == 403
    status, text = send(hq, f"{found[1]}/approve")
    assert (status, "已批准" in text) == (200, True)
    chain = asked(branch, "role-asked")
    assert "上海分公司 ：每月25" in chain
    assert "潘莉 设定 · 顾文静 批准" in chain
    # One refused is kept with the reason.
    standard(branch, "role-asked", node_id="shanghai", value="40", effective_from="2031-05-01")
    again = re.search(r'action="(/standards/[^/]+)/refuse"', cards(hq, "role-asked"))
    assert again
    send(hq, f"{again[1]}/refuse", reason="幅度太大")
    assert "顾文静 没有批准：幅度太大" in plain(cards(branch, "role-asked"))


def test_drift_is_shown_and_taken_along_as_csv(hq: FlaskClient, branch: FlaskClient) -> None:
    standard(hq, "role-drift", node_id="lizu", value="20")
    standard(branch, "role-drift", node_id="shanghai", value="26", reason="=1+1")
    standard(hq, "role-drift", node_id="lizu", value="20", latitude="bounded", maximum="22")
    page = plain(hq.get("/standards/drift", query_string={"on": START}).text)
    assert "role-drift 26 20 立足科技 +6" in page
    with hq.get("/standards/drift.csv", query_string={"on": START, "outside": "yes"}) as answer:
        assert answer.mimetype == "text/csv"
        rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))
    (row,) = [each for each in rows if each[1] == "role-drift"]
    assert row == [
        *("上海分公司", "role-drift", "会议", "每月", "26", "20", "立足科技", "+6"),
        *("是", START, "'=1+1", "潘莉", ""),
    ]


def test_history_shows_what_was_known_and_an_old_version_is_set_again(branch: FlaskClient) -> None:
    standard(branch, "role-history", node_id="shanghai", value="25")
    standard(branch, "role-history", node_id="shanghai", value="52", reason="手误")
    page = branch.get(
        "/standards/at/shanghai", query_string={"job_role": "role-history", "metric": "meetings_attended"}
    ).text
    assert "手误" in page
    forms = re.findall(
        r'action="(/standards/[^/]+/restore)".*?name="revision" value="(\d+)"', page, re.DOTALL
    )
    path, revision = forms[-1]
    status, _ = send(
        branch, path, revision=revision, effective_from=START, reason="改回", metric="meetings_attended"
    )
    assert status == 200
    assert "上海分公司 ：每月25" in asked(branch, "role-history")
    # Yesterday nobody knew anything of it.
    assert "当时还没有那天的标准" in asked(branch, "role-history", known="2025-01-01")


def test_the_form_asks_for_what_it_needs(hq: FlaskClient) -> None:
    status, text = standard(hq, "role-form", node_id="lizu", value="many", latitude="bounded", minimum="x")
    assert status == 422
    assert text.count("aria-invalid") == 2
    status, text = standard(hq, "role-form", node_id="lizu", value="20", latitude="bounded", minimum="30")
    assert status == 400
    assert "aria-invalid" in text
