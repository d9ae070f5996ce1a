"""Tokens, and the door that asks for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import (
    PUBLIC,
    SIGNED_IN,
    Access,
    Binding,
    CallerKind,
    Directory,
    Kind,
    Node,
    Person,
    Role,
    ServiceAccount,
    Status,
    TokenIssuer,
    TokenVerifier,
    caller,
    load_private,
    load_public,
    require_rows,
)
from access.callers import CALLER
from access.records import Changes, SessionEnded
from access.tokens import ISSUER, TokenRefused, generate_keys
from chassis.clock import FixedClock
from chassis.errors import Failure, PermissionDenied, Unauthenticated, Unavailable, from_rpc_error
from chassis.server import Server, Service, Servicer

PRIVATE, PUBLIC_KEY = generate_keys()
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
MINUTES = timedelta(minutes=10)


def issuer(clock: FixedClock) -> TokenIssuer:
    return TokenIssuer(load_private(PRIVATE), clock=clock)


def verifier(clock: FixedClock, keys: str = PUBLIC_KEY) -> TokenVerifier:
    return TokenVerifier(load_public(keys), clock=clock)


def test_a_token_says_who_and_until_when() -> None:
    clock = FixedClock(NOW)
    token, expires_at = issuer(clock).person("p1", session_id="s1", lifetime=MINUTES)
    claims = verifier(clock).verify(token)
    assert (claims.kind, claims.subject, claims.session_id) == (CallerKind.PERSON, "p1", "s1")
    assert claims.expires_at == expires_at == NOW + MINUTES
    account = verifier(clock).verify(issuer(clock).service_account("crm", lifetime=MINUTES)[0])
    assert (account.kind, account.subject, account.session_id) == (CallerKind.SERVICE_ACCOUNT, "crm", "")
    component = verifier(clock).verify(issuer(clock).component("goals", lifetime=MINUTES))
    assert component.kind is CallerKind.COMPONENT
    with pytest.raises(ValueError, match="no such component"):
        issuer(clock).component("somebody", lifetime=MINUTES)


def test_a_token_ends_also_where_it_is_remembered() -> None:
    clock = FixedClock(NOW)
    door = verifier(clock)
    token = issuer(clock).person("p1", session_id="s1", lifetime=MINUTES)[0]
    for _ in range(2):
        assert door.verify(token).subject == "p1"
    clock.advance(MINUTES)
    for _ in range(2):
        with pytest.raises(TokenRefused):
            door.verify(token)


def test_a_new_key_is_trusted_beside_the_old_one() -> None:
    clock = FixedClock(NOW)
    new_private, new_public = generate_keys()
    new = TokenIssuer(load_private(new_private), clock=clock).person("p1", session_id="s", lifetime=MINUTES)[
        0
    ]
    old = issuer(clock).person("p1", session_id="s", lifetime=MINUTES)[0]
    both = verifier(clock, PUBLIC_KEY + new_public)
    assert both.verify(old) == both.verify(new)
    with pytest.raises(TokenRefused):
        verifier(clock, new_public).verify(old)


GOOD = {"iss": ISSUER, "sub": "p1", "kind": "person", "sid": "s", "iat": NOW, "exp": NOW + MINUTES}


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "somebody"},
        {"sub": None},
        {"sub": 7},
        {"kind": "king"},
        {"kind": None},
        {"sid": None},
        {"sid": 5},
        {"kind": "component"},
        {"exp": None},
        {"exp": "later"},
        {"exp": 10**30},
        {"iat": None},
    ],
)
def test_claims_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    clock = FixedClock(NOW)
    claims = {name: value for name, value in (GOOD | change).items() if value is not None}
    good = issuer(clock).person("p1", session_id="s", lifetime=MINUTES)[0]
    header = {"kid": jwt.get_unverified_header(good)["kid"]}
    token = jwt.encode(claims, load_private(PRIVATE), algorithm="EdDSA", headers=header)
    with pytest.raises(TokenRefused):
        verifier(clock).verify(token)


def test_another_algorithm_is_refused() -> None:
    """The public key used as an HMAC secret, or no signature at all, signs nothing."""
    clock = FixedClock(NOW)
    good = issuer(clock).person("p1", session_id="s", lifetime=MINUTES)[0]
    header = {"kid": jwt.get_unverified_header(good)["kid"]}
    for token in (
        jwt.encode(GOOD, "x" * 64, algorithm="HS256", headers=header),
        jwt.encode(GOOD, "", algorithm="none", headers=header),
    ):
        with pytest.raises(TokenRefused):
            verifier(clock).verify(token)


@given(text=st.one_of(st.text(max_size=200), st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}")))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(TokenRefused):
        verifier(FixedClock(NOW)).verify(text)


@given(position=st.integers(0, 10_000), character=st.sampled_from("AZaz09-_.="))
def test_a_changed_token_is_refused(position: int, character: str) -> None:
    clock = FixedClock(NOW)
    token = issuer(clock).person("p1", session_id="s", lifetime=MINUTES)[0]
    position %= len(token)
    changed = token[:position] + character + token[position + 1 :]
    door = verifier(clock)
    try:
        claims = door.verify(changed)
    except TokenRefused:
        return
    # The last character of a part carries spare bits: another spelling of the same bytes.
    assert claims == door.verify(token)


class Call:
    """As much of a call's context as the door looks at."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return () if self._token is None else (("authorization", f"Bearer {self._token}"),)


READ, SIGN_IN, WHO, FEED = "/x.Things/Read", "/x.Things/SignIn", "/x.Things/Who", "/x.FeedService/ListEvents"
ROWS = {READ: "x.things.read", SIGN_IN: PUBLIC, WHO: SIGNED_IN, FEED: "x.feed.read"}


def directory() -> Directory:
    found = Directory()
    found.update(
        Changes(
            1,
            nodes=[Node("hq", "", Kind.ENTERPRISE, "HQ")],
            people=[
                Person("p1", "hq", "P", "1", "sales"),
                Person("p2", "hq", "P", "2", "sales"),
                Person("gone", "hq", "P", "3", "sales", status=Status.DISMISSED),
            ],
            roles=[Role("reader", "R", frozenset({"x.things.read"}))],
            bindings=[Binding("b1", "reader", "p1", "p1"), Binding("b2", "reader", "gone", "hq")],
            sessions_ended=[SessionEnded("ended", "p1", NOW + MINUTES)],
            service_accounts=[ServiceAccount("crm", "CRM"), ServiceAccount("off", "Off", disabled=True)],
        )
    )
    return found


@pytest.mark.parametrize(
    ("method", "holder", "refusal"),
    [
        (READ, "p1", None),
        (READ, "p2", PermissionDenied("PERMISSION_MISSING", "")),
        (READ, None, Unauthenticated("TOKEN_MISSING", "")),
        (READ, "gone", Unauthenticated("PERSON_DISMISSED", "")),
        (READ, "ended", Unauthenticated("TOKEN_INVALID", "")),
        (READ, "stranger", Unavailable("NOT_READY", "")),
        (READ, "old stranger", Unauthenticated("TOKEN_INVALID", "")),
        (READ, "goals", PermissionDenied("PERMISSION_MISSING", "")),
        (READ, "off", Unauthenticated("TOKEN_INVALID", "")),
        (WHO, "p2", None),
        (WHO, "crm", None),
        (WHO, "goals", PermissionDenied("PERMISSION_MISSING", "")),
        (WHO, None, Unauthenticated("TOKEN_MISSING", "")),
        (FEED, "goals", None),
        (FEED, "p1", PermissionDenied("PERMISSION_MISSING", "")),
        (SIGN_IN, None, None),
        (SIGN_IN, "gone", None),
        ("/x.Things/Unlisted", "p1", PermissionDenied("METHOD_CLOSED", "")),
    ],
)
def test_the_door(method: str, holder: str | None, refusal: Failure | None) -> None:
    clock = FixedClock(NOW)
    make = issuer(clock)
    old = issuer(FixedClock(NOW - timedelta(minutes=5)))
    tokens = {
        "ended": lambda: make.person("p1", session_id="ended", lifetime=MINUTES)[0],
        "old stranger": lambda: old.person("stranger", session_id="s", lifetime=MINUTES)[0],
        "goals": lambda: make.component("goals", lifetime=MINUTES),
        "crm": lambda: make.service_account("crm", lifetime=MINUTES)[0],
        "off": lambda: make.service_account("off", lifetime=MINUTES)[0],
    }
    token = None
    if holder is not None:
        token = tokens.get(holder, lambda: make.person(holder, session_id="s", lifetime=MINUTES)[0])()
    door = Access(ROWS, verifier=verifier(clock), directory=directory(), clock=clock)
    call: Any = Call(token)
    if refusal is None:
        door._admit(method, call)
        found = CALLER.get()
        assert (found is None) == (method == SIGN_IN)
        assert found is None or found.id == holder
        return
    with pytest.raises(type(refusal)) as raised:
        door._admit(method, call)
    assert raised.value.reason == refusal.reason
    assert CALLER.get() is None


def test_a_method_without_a_row_keeps_a_service_from_starting() -> None:
    from foothold.identity.v1 import feed_pb2

    feed = [feed_pb2.DESCRIPTOR.services_by_name["FeedService"]]
    method = "/foothold.identity.v1.FeedService/ListEvents"
    require_rows({method: "identity.feed.read"}, feed)
    for rows in ({}, {method: "identity.feed.read", "/foothold.identity.v1.FeedService/Gone": "x.y.read"}):
        with pytest.raises(ValueError, match="FeedService"):
            require_rows(rows, feed)


class Echo:
    """A service with a method of each kind; each answers with who called."""

    def unary_unary(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        return request + caller(context).id.encode()

    def unary_stream(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        for _ in range(3):
            yield request + caller(context).id.encode()

    def stream_unary(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return b"".join(requests) + caller(context).id.encode()

    def stream_stream(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        for request in requests:
            yield request + caller(context).id.encode()


KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


@pytest.fixture(scope="module")
def echo() -> Iterator[grpc.Channel]:
    implementation = Echo()

    def add(_: object, server: grpc.Server) -> None:
        handlers = {
            kind: getattr(grpc, f"{kind}_rpc_method_handler")(getattr(implementation, kind)) for kind in KINDS
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("x.Echo", handlers),))

    rows = {f"/x.Echo/{kind}": "x.things.read" for kind in KINDS}
    door = Access(rows, verifier=TokenVerifier(load_public(PUBLIC_KEY)), directory=directory())
    server = Server(Service("x", servicers=[Servicer("x.Echo", add, implementation)], interceptors=[door]))
    with grpc.insecure_channel(f"127.0.0.1:{server.start()}") as channel:
        yield channel
    server.stop(0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_method_has_the_same_door(echo: grpc.Channel, kind: str) -> None:
    method = getattr(echo, kind)(f"/x.Echo/{kind}")
    sent: Any = iter([b"a ", b"b "]) if kind.startswith("stream") else b"a "

    def call(token: str | None) -> list[bytes]:
        metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        answer = method(sent, metadata=metadata, timeout=5)
        return [answer] if kind.endswith("unary") else list(answer)

    make = TokenIssuer(load_private(PRIVATE))
    for token, reason in (
        (None, "TOKEN_MISSING"),
        ("nonsense", "TOKEN_INVALID"),
        (make.person("p2", session_id="s", lifetime=MINUTES)[0], "PERMISSION_MISSING"),
    ):
        with pytest.raises(grpc.RpcError) as raised:
            call(token)
        assert from_rpc_error(raised.value).reason == reason
    expected = {
        "unary_unary": [b"a p1"],
        "unary_stream": [b"a p1"] * 3,
        "stream_unary": [b"a b p1"],
        "stream_stream": [b"a p1", b"b p1"],
    }
    sent = iter([b"a ", b"b "]) if kind.startswith("stream") else b"a "
    assert call(make.person("p1", session_id="s", lifetime=MINUTES)[0]) == expected[kind]
