"""Signing in and out: the cookie, the form token, the way back, the language."""

import time
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from launcher.demo.accounts import PASSWORD
from services.gateway.service import Gateway, build
from services.identity.domain.throttle import ADDRESS_FREE
from tests.gateway.conftest import enter, settings_for, token_in
from tests.platform import Platform


def test_a_wrong_password_says_so_and_keeps_the_name(visitor: FlaskClient) -> None:
    token = token_in(visitor.get("/sign-in").text)
    answer = visitor.post("/sign-in", data={"csrf_token": token, "login": "tang.wei", "password": "wrong"})
    assert answer.status_code == 401
    assert 'value="tang.wei"' in answer.text
    assert "wrong" not in answer.text.replace("wrong-", "")


def test_without_its_token_no_form_is_taken(gateway: Gateway, visitor: FlaskClient) -> None:
    answer = visitor.post("/sign-in", data={"login": "tang.wei", "password": PASSWORD})
    assert answer.status_code == 400
    assert all(not cookie.startswith("foothold=") for cookie in answer.headers.getlist("Set-Cookie"))


def test_no_unsafe_form_works_without_its_token(
    as_login: Callable[..., FlaskClient], gateway: Gateway
) -> None:
    client = as_login("admin")
    for rule in gateway.flask.url_map.iter_rules():
        if rule.methods and "POST" in rule.methods and rule.endpoint != "webhooks.crm":
            with gateway.flask.test_request_context():
                path = rule.build(dict.fromkeys(rule.arguments, "x"), append_unknown=False)
            assert path
            answer = client.post(path[1], data={"name": "x"})
            # 403 where the page is not this role's anyway.
            assert answer.status_code in (400, 403), rule
            assert "表单过期了" in answer.text or answer.status_code == 403, rule


def test_the_session_cookie_is_http_only_lax_and_says_nothing(visitor: FlaskClient) -> None:
    token = token_in(visitor.get("/sign-in").text)
    answer = visitor.post(
        "/sign-in", data={"csrf_token": token, "login": "zhou.yutong", "password": PASSWORD}
    )
    cookie = next(each for each in answer.headers.getlist("Set-Cookie") if each.startswith("foothold="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    assert "zhou" not in cookie
    assert "eyJ" not in cookie


def test_over_https_cookies_are_bound_to_the_host(platform_all: Platform) -> None:
    gateway = build(settings_for(platform_all, public_url="https://foothold.example.com"))
    gateway.parts.replica.start()
    assert gateway.parts.replica.wait(30)
    client = gateway.flask.test_client()
    page = client.get("/sign-in", base_url="https://foothold.example.com")
    answer = client.post(
        "/sign-in",
        data={"csrf_token": token_in(page.text), "login": "tang.wei", "password": PASSWORD},
        base_url="https://foothold.example.com",
    )
    for cookie in answer.headers.getlist("Set-Cookie"):
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie
        assert "HttpOnly" in cookie
        assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
    gateway.parts.replica.stop()
    gateway.parts.clients.close()


def test_signed_out_one_is_sent_to_the_sign_in_page_and_back_again(visitor: FlaskClient) -> None:
    answer = visitor.get("/bonus?on=2026-10-01")
    assert answer.status_code == 303
    assert answer.location == "/sign-in?next=/bonus%3Fon%3D2026-10-01"
    page = visitor.get(answer.location)
    data = {
        "csrf_token": token_in(page.text),
        "login": "zhou.yutong",
        "password": PASSWORD,
        "next": "/bonus?on=2026-10-01",
    }
    assert visitor.post("/sign-in", data=data).location == "/bonus?on=2026-10-01"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "//[",
        "http://[x",
        "//℀",
        "/\\evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "/a\nb",
        "",
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(visitor: FlaskClient, target: str) -> None:
    token = token_in(visitor.get("/sign-in").text)
    data = {"csrf_token": token, "login": "zhou.yutong", "password": PASSWORD, "next": target}
    assert visitor.post("/sign-in", data=data).location == "/"


def test_after_signing_out_the_old_cookie_is_worth_nothing(gateway: Gateway, visitor: FlaskClient) -> None:
    enter(visitor, "he.siqi")
    stolen = visitor.get_cookie("foothold")
    assert stolen
    token = token_in(visitor.get("/profile").text)
    assert visitor.post("/sign-out", data={"csrf_token": token}).location == "/sign-in"
    assert visitor.get("/today").status_code == 303
    thief = gateway.flask.test_client()
    thief.set_cookie("foothold", stolen.value)
    # The end of the session comes by identity's feed, within moments.
    until = time.monotonic() + 5
    while thief.get("/today").status_code != 303:
        assert time.monotonic() < until


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAAB" * 40, "a" * 5000, "é", "..", "=;="])
def test_a_cookie_that_is_not_ours_is_no_session(visitor: FlaskClient, cookie: str) -> None:
    answer = visitor.get("/today", headers={"Cookie": f"foothold={cookie}"})
    assert answer.status_code == 303


def test_the_language_is_switched_and_kept(as_login: Callable[..., FlaskClient]) -> None:
    client = as_login("zhou.yutong")
    assert 'lang="zh-CN"' in client.get("/today").text
    token = token_in(client.get("/profile").text)
    client.post("/language", data={"csrf_token": token, "language": "en", "next": "/today"})
    page = client.get("/today").text
    assert '<html lang="en">' in page
    assert "My targets" in page


def test_a_person_changes_their_password_only_with_the_present_one(
    as_login: Callable[..., FlaskClient],
) -> None:
    client = as_login("jiang.lan")
    token = token_in(client.get("/profile").text)
    data = {
        "csrf_token": token,
        "current": "not it",
        "new": "a fine long password",
        "again": "a fine long password",
    }
    answer = client.post("/profile/password", data=data)
    assert answer.status_code == 400
    assert "现在的密码不对" in answer.text
    answer = client.post("/profile/password", data={**data, "again": "another"})
    assert "两次新密码不一样" in answer.text


def test_who_guesses_is_slowed_down_at_their_own_address_and_nobody_else_is(platform_all: Platform) -> None:
    gateway = build(settings_for(platform_all, trusted_proxies=1))
    gateway.parts.replica.start()
    assert gateway.parts.replica.wait(30)
    client = gateway.flask.test_client()
    token = token_in(client.get("/sign-in").text)

    def attempt(address: str, login: str, password: str = "guessed") -> int:
        form = {"csrf_token": token, "login": login, "password": password}
        headers = {"X-Forwarded-For": address}
        return client.post("/sign-in", data=form, headers=headers).status_code

    answers = [attempt("203.0.113.9", f"made-up-{number}") for number in range(ADDRESS_FREE + 1)]
    assert answers == [401] * ADDRESS_FREE + [429]
    assert attempt("203.0.113.9", "zhou.yutong", PASSWORD) == 429
    assert attempt("203.0.113.10", "zhou.yutong", PASSWORD) == 303
    gateway.parts.replica.stop()
    gateway.parts.clients.close()
