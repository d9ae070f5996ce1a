"""A gateway in this process, in front of the demo enterprise's real services."""

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from launcher.demo.accounts import ACCOUNTS, PASSWORD
from services.gateway.service import Gateway, Settings, build
from tests.platform import Platform, platform_all

__all__ = ["platform_all"]

WEBHOOK_SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def settings_for(platform: Platform, **more: Any) -> Settings:
    """What the gateway of this platform is told, with `more` instead."""
    secrets = platform.folder.path / "secrets"

    def kept(name: str) -> str:
        return (secrets / name).read_text().strip()

    told: dict[str, Any] = {f"{name}_address": address for name, address in platform.addresses.items()}
    told |= {
        "verifying_keys": kept("verifying_keys.pem"),
        "component_token": kept("component_gateway.token"),
        "cookie_secret": "a secret of this test run, long enough",
        "webhook_secret": WEBHOOK_SECRET,
        "webhook_token": kept("webhook.token"),
        "demo_accounts": json.loads(
            json.dumps([{**account._asdict(), "password": PASSWORD} for account in ACCOUNTS])
        ),
    }
    return Settings.model_validate(told | more)


@pytest.fixture(scope="session")
def gateway(platform_all: Platform) -> Iterator[Gateway]:
    made = build(settings_for(platform_all))
    made.start()
    assert made.parts.replica.wait(30)
    yield made
    made.stop(3)


def token_in(page: str) -> str:
    """The form token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page[:500]
    return html.unescape(found[1])


def enter(client: FlaskClient, login: str, password: str = PASSWORD) -> FlaskClient:
    """Sign in through the form."""
    token = token_in(client.get("/sign-in").text)
    answer = client.post("/sign-in", data={"csrf_token": token, "login": login, "password": password})
    assert answer.status_code == 303, answer.text
    return client


@pytest.fixture
def as_login(gateway: Gateway) -> Callable[..., FlaskClient]:
    """`as_login("tang.wei")`: a browser in which that person is signed in."""

    def sign_in(login: str, language: str = "zh") -> FlaskClient:
        client = gateway.flask.test_client()
        client.set_cookie("language", language)
        return enter(client, login)

    return sign_in


@pytest.fixture
def visitor(gateway: Gateway) -> FlaskClient:
    """A browser in which nobody is signed in."""
    return gateway.flask.test_client()
