"""When a service cannot be reached, its sections say so in their places; the rest of the page stands."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from services.gateway.service import build
from tests.gateway.conftest import enter, settings_for
from tests.platform import Platform


@pytest.fixture
def half(platform_all: Platform) -> Iterator[FlaskClient]:
    """A browser in front of a gateway that reaches neither goals nor incentives."""
    gateway = build(settings_for(platform_all, goals_address="127.0.0.1:1", incentives_address="127.0.0.1:1"))
    gateway.parts.replica.start()
    assert gateway.parts.replica.wait(30)
    yield enter(gateway.flask.test_client(), "zhou.yutong")
    gateway.parts.replica.stop()
    gateway.parts.clients.close()


@pytest.mark.parametrize("path", ["/today", "/targets", "/bonus", "/boards", "/customers"])
def test_the_page_stands_and_tries_again_by_itself(half: FlaskClient, path: str) -> None:
    answer = half.get(path)
    assert answer.status_code == 200
    assert "这部分暂时连不上" in answer.text
    assert "every 4s" in answer.text


def test_a_page_that_is_one_thing_says_it_as_a_page(half: FlaskClient) -> None:
    answer = half.get("/why/x/progress/close_rate/month")
    assert answer.status_code == 503
    assert "再试一次" in answer.text


def test_what_was_typed_is_kept(half: FlaskClient) -> None:
    from tests.gateway.conftest import token_in

    token = token_in(half.get("/customers").text)
    form = {
        "csrf_token": token,
        "customer": "不能丢的客户",
        "channel": "phone",
        "result": "talking",
        "minutes": "5",
    }
    answer = half.post("/customers", data=form)
    assert answer.status_code == 503
    assert "不能丢的客户" in answer.text


def test_readiness_names_what_is_missing(half: FlaskClient) -> None:
    answer = half.get("/readyz")
    assert answer.status_code == 503
    assert "goals does not serve" in answer.get_json()["missing"]
