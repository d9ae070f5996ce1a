"""A trace crosses the processes: from the gateway that was asked, into the service, into its database."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from tests.journeys.collector import Span, collector
from tests.platform import running_platform

pytestmark = pytest.mark.timeout(300)
_SIGN_IN = "foothold.identity.v1.SessionService/SignIn"
_SECRET = "a-password-that-must-not-travel"


def _try_to_sign_in(web: str) -> None:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(f"{web}/sign-in", timeout=30).read().decode()
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    form = urllib.parse.urlencode([*hidden, ("login", "nobody.here"), ("password", _SECRET)]).encode()
    with pytest.raises(urllib.error.HTTPError) as refused:
        browser.open(f"{web}/sign-in", form, timeout=30)
    with refused.value as answer:
        assert answer.code in {400, 401, 403, 422}


def _whole(spans: list[Span]) -> tuple[Span, Span, list[Span]] | None:
    """The gateway's call, the service's answering, and the statements under it, all of one trace."""
    for call in spans:
        if call.process != "gateway" or call.name != _SIGN_IN:
            continue
        for served in spans:
            if served.process == "identity" and served.parent == call.id and served.trace == call.trace:
                statements = [
                    each for each in spans if each.parent == served.id and "db.query.text" in each.attributes
                ]
                if statements:
                    return call, served, statements
    return None


def test_a_trace_crosses_from_the_gateway_into_a_service_and_its_database(tmp_path: Path) -> None:
    with collector() as told:
        environ = {"FOOTHOLD_TELEMETRY_ENDPOINT": told.endpoint}
        with running_platform(tmp_path, split=True, environ=environ) as platform:
            _try_to_sign_in(platform.web)
            spans = told.wait_for(lambda spans: _whole(spans) is not None)
            found = _whole(spans)
            assert found
            call, served, statements = found
            assert {each.trace for each in statements} == {call.trace} == {served.trace}
            assert all(each.process == "identity" for each in statements)
            assert all(each.attributes["db.namespace"] == "foothold_identity" for each in statements)
        # Stopping sends what is left: the instruments of every process have spoken by now.
        assert {"rpc.server.duration", "rpc.client.duration", "db.client.operation.duration"} <= told.metrics
        told_in_all = repr(told.spans)
        assert _SECRET not in told_in_all
        assert "nobody.here" not in told_in_all
