"""The product's one path, through the built image: sign in, record a fact, see the number where the newcomer looks."""

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc, progress_pb2, progress_pb2_grpc, values_pb2
from foothold.identity.v1 import sessions_pb2, sessions_pb2_grpc
from foothold.incentives.v1 import statements_pb2, statements_pb2_grpc
from google.type import money_pb2

from launcher.demo.accounts import PASSWORD
from tests.containers.deployment import Deployment
from tests.platform import foothold

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

T = TypeVar("T")
_NEWCOMER = "zhou.yutong"
# Ample: two cores are shared by six containers here. The promise of two seconds is measured elsewhere.
_SECONDS = 20.0
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """As much of a browser as signing in and reading a page takes."""

    def __init__(self, web: str) -> None:
        self._web = web
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._opener.addheaders = [("Origin", web), ("Referer", f"{web}/sign-in")]

    def get(self, path: str) -> str:
        with self._opener.open(f"{self._web}{path}", timeout=20) as answer:
            return str(answer.read().decode())

    def sign_in(self, login: str) -> None:
        (token, *_) = _TOKEN.findall(self.get("/sign-in"))
        form = {"csrf_token": token, "login": login, "password": PASSWORD, "next": "/"}
        body = urllib.parse.urlencode(form).encode()
        with self._opener.open(f"{self._web}/sign-in", data=body, timeout=20) as answer:
            assert answer.status == 200
            assert not answer.url.endswith("/sign-in")


def until(wanted: Callable[[T], bool], look: Callable[[], T]) -> T:
    """What is seen once it is as wanted, within _SECONDS."""
    deadline = time.monotonic() + _SECONDS
    while not wanted(seen := look()):
        assert time.monotonic() < deadline, f"still {seen}"
        time.sleep(0.1)
    return seen


@pytest.fixture(scope="module")
def demo(deployment: Deployment) -> Deployment:
    """The demo enterprise, filled in by the command, which finds the containers through the data folder."""
    foothold("seed", "demo", data=deployment.folder.path)
    return deployment


def test_a_won_deal_reaches_the_newcomers_progress_page_and_bonus(demo: Deployment) -> None:
    sessions = sessions_pb2_grpc.SessionServiceStub(demo.channel("identity"))
    session = sessions.SignIn(sessions_pb2.SignInRequest(login=_NEWCOMER, password=PASSWORD))
    token, person = session.tokens.access_token, session.person.id
    progress = progress_pb2_grpc.ProgressServiceStub(demo.channel("goals", token=token))
    statements = statements_pb2_grpc.StatementsServiceStub(demo.channel("incentives", token=token))
    browser = Browser(demo.web)
    browser.sign_in(_NEWCOMER)

    def revenue() -> int:
        """This month's, in fen, as the newcomer's own token may ask for it."""
        values = progress.GetProgress(progress_pb2.GetProgressRequest(person_id=person)).values
        (found,) = [
            each.value.numerator
            for each in values
            if each.metric == "revenue" and each.period.kind == values_pb2.PERIOD_KIND_MONTH
        ]
        return int(found)

    def figures() -> dict[str, str]:
        """The target cards' figures by metric and period, as the page words them."""
        page = browser.get("/today/targets")
        return dict(re.findall(r'data-key="([a-z_]+-\d)-done"[^>]*>\s*([^<]*?)\s*<', page))

    def included() -> int:
        """How far into goals' feed the statement reaches."""
        asked = statements_pb2.GetStatementRequest(person_id=person)
        return int(statements.GetStatement(asked).statement.goals_position)

    revenue_before, figures_before, included_before = revenue(), figures(), included()
    assert figures_before, "the newcomer's page shows no target"
    fact = facts_pb2.Fact(
        source="journey",
        external_id="won-1",
        kind=facts_pb2.FACT_KIND_DEAL_WON,
        person_id=person,
        customer="A customer nobody knew",
        amount=money_pb2.Money(currency_code="CNY", units=88_000),
    )
    fact.occurred_at.FromDatetime(datetime.now(UTC))
    facts = facts_pb2_grpc.FactsServiceStub(demo.channel("goals"))
    recorded = facts.RecordFact(facts_pb2.RecordFactRequest(fact=fact))
    assert recorded.result.outcome == facts_pb2.FACT_OUTCOME_RECORDED

    # The number is in the answer at once, on the page as soon as it is asked for, and in the bonus once followed.
    assert revenue() == revenue_before + 8_800_000
    assert until(lambda seen: seen != figures_before, figures).keys() == figures_before.keys()
    until(lambda seen: seen > included_before, included)

    again = facts.RecordFact(facts_pb2.RecordFactRequest(fact=fact))
    assert again.result.outcome == facts_pb2.FACT_OUTCOME_ALREADY_KNOWN
    assert revenue() == revenue_before + 8_800_000


def test_nobody_is_let_in_without_a_token(demo: Deployment) -> None:
    browser = Browser(demo.web)
    assert _TOKEN.search(browser.get("/today")), "a signed-out visitor is asked to sign in"


def test_the_processes_run_unprivileged_and_cannot_write(demo: Deployment) -> None:
    for target, container in demo.containers.items():
        assert container.exec(["id", "-u"]).output.decode().strip() == "10001", target
        assert container.exec(["touch", "/opt/foothold/x"]).exit_code != 0, target


def test_each_container_sees_only_its_own_secrets(demo: Deployment) -> None:
    own = {"gateway": {"verifying_keys.pem", "component.token", "cookie_secret"}}
    own["identity"] = {"verifying_keys.pem", "signing_key.pem", "database_url"}
    for target, container in demo.containers.items():
        seen = set(container.exec(["ls", "/run/secrets/foothold"]).output.decode().split())
        assert seen == own.get(target, {"verifying_keys.pem", "component.token", "database_url"})
