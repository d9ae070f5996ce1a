"""Targets over all of probation, as people meet them: HR's form, the newcomer's page, why, and no probation."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from flask.testing import FlaskClient
from foothold.goals.v1 import targets_pb2, targets_pb2_grpc, values_pb2
from google.type.date_pb2 import Date

from access import Person
from services.gateway.service import Gateway
from tests.gateway.conftest import token_in
from tests.gateway.test_standards import plain
from tests.platform import Platform

AsLogin = Callable[..., FlaskClient]
NEWCOMER, NAME, HR = "lin.zihan", "林子涵", "gu.wenjing"


def _person(gateway: Gateway, name: str) -> Person:
    return next(each for each in gateway.parts.replica.directory.people() if each.name == name)


def _day(value: date) -> Date:
    return Date(year=value.year, month=value.month, day=value.day)


@contextmanager
def _asked(platform: Platform, person: Person) -> Iterator[None]:
    """Sixty new customers over probation, asked of one person."""
    targets = targets_pb2_grpc.TargetsServiceStub(platform.channel("goals"))
    today = date.today()  # noqa: DTZ011  the demo's people work in one zone
    target = targets_pb2.Target(
        node_id=person.id,
        job_role=person.job_role,
        metric="new_customers",
        period_kind=values_pb2.PERIOD_KIND_PROBATION,
        value=values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=60, denominator=1),
        effective_from=_day(today - timedelta(days=200)),
        reason="as agreed",
    )
    request = targets_pb2.SetTargetRequest(request_id=str(uuid.uuid4()), target=target)
    stored = targets.SetTarget(request).target
    yield
    targets.EndTarget(
        targets_pb2.EndTargetRequest(
            request_id=str(uuid.uuid4()),
            target_id=stored.id,
            effective_to=stored.effective_from,
            reason="done",
        )
    )


def test_a_newcomer_reads_what_probation_asks_and_why(
    platform_all: Platform, gateway: Gateway, as_login: AsLogin
) -> None:
    person = _person(gateway, NAME)
    with _asked(platform_all, person):
        newcomer = as_login(NEWCOMER)
        page = newcomer.get("/targets")
        assert page.status_code == 200
        card = next(part for part in page.text.split('<article class="target">')[1:] if "整个试用期" in part)
        assert "新客户" in plain(card)
        assert "60" in plain(card)
        assert f"/why/{person.id}/progress/new_customers/probation" in card
        why = newcomer.get(f"/why/{person.id}/progress/new_customers/probation")
        assert why.status_code == 200
        assert "整个试用期" in plain(why.text)


def test_who_is_on_no_probation_reads_that_nothing_is_reckoned(
    platform_all: Platform, gateway: Gateway, as_login: AsLogin
) -> None:
    directory = gateway.parts.replica.directory
    person = next(
        each
        for each in directory.people()
        if each.active and each.probation_start is None and each.name != "罗志远"
    )
    with _asked(platform_all, person):
        hr = as_login(HR)
        page = hr.get(f"/team/{person.id}")
        assert page.status_code == 200
        assert "没有登记试用期" in plain(page.text)
        why = hr.get(f"/why/{person.id}/progress/new_customers/probation")
        assert why.status_code == 409
        assert "没有登记全" in plain(why.text)


def test_hr_chooses_all_of_probation_in_words(as_login: AsLogin) -> None:
    hr = as_login(HR)
    page = hr.get("/standards")
    assert '<option value="probation"' in page.text
    assert "整个试用期" in plain(page.text)
    form = {
        "csrf_token": token_in(page.text),
        "request_id": str(uuid.uuid4()),
        "node_id": next(iter(_places(page.text))),
        "job_role": "probation-check",
        "metric": "new_customers",
        "period": "probation",
        "effective_from": "2026-01-01",
        "value": "60",
        "reason": "as agreed",
    }
    assert hr.post("/standards", data=form).status_code in {302, 303}
    shown = plain(hr.get("/standards").text)
    assert "probation-check" in shown
    history = hr.get(
        f"/standards/at/{form['node_id']}",
        query_string={"job_role": "probation-check", "metric": "new_customers", "period": "probation"},
    )
    assert "60" in plain(history.text)
    assert "整个试用期" in plain(history.text)


def _places(page: str) -> list[str]:
    chosen = page.split('name="node_id"', 1)[1].split("</select>", 1)[0]
    return [part.split('"', 1)[0] for part in chosen.split('value="')[1:]]
