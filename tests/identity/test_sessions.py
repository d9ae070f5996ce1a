"""Signing in and out: what a password, a refresh token and an access token are worth, and for how long."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from foothold.identity.v1 import directory_pb2, sessions_pb2, sessions_pb2_grpc
from sqlalchemy import text

from chassis.clock import FixedClock
from chassis.database import migrate, provision, schema_of
from chassis.errors import (
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
)
from services.identity.domain.sessions import REUSE_GRACE
from services.identity.domain.throttle import ADDRESS_FREE
from tests.conftest import drop_database
from tests.fixtures_identity import (
    PASSWORD,
    Enterprise,
    enterprise,
    found_enterprise,
    refused,
    request_id,
    start_identity,
)

__all__ = ["enterprise"]


def refresh(enterprise: Enterprise, token: str) -> sessions_pb2.RefreshSessionResponse:
    stub = sessions_pb2_grpc.SessionServiceStub(enterprise.anonymous())
    return stub.RefreshSession(sessions_pb2.RefreshSessionRequest(refresh_token=token))


def calls(enterprise: Enterprise, token: str) -> sessions_pb2.GetCallerResponse:
    stub = sessions_pb2_grpc.SessionServiceStub(enterprise.channel(token))
    return stub.GetCaller(sessions_pb2.GetCallerRequest())


def test_somebody_signs_in_and_is_known_by_the_token(enterprise: Enterprise) -> None:
    answer = enterprise.sign_in("  NEW-BJ-1 ", PASSWORD)
    assert answer.person.id == "new-bj-1"
    assert answer.person.login == "new-bj-1"
    found = calls(enterprise, answer.tokens.access_token)
    assert found.kind == sessions_pb2.GetCallerResponse.KIND_PERSON
    assert found.person.name == "Name of new-bj-1"
    assert [node.id for node in found.ancestors] == ["hq", "branch-bj", "dept-bj-1"]
    assert [(grant.role_id, grant.node_id) for grant in found.grants] == [("salesperson", "new-bj-1")]
    assert "goals.facts.record" in found.grants[0].permissions
    lasts = answer.tokens.access_expires_at.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(minutes=9) < lasts <= timedelta(minutes=10)


def test_a_wrong_name_and_a_wrong_password_are_told_alike(enterprise: Enterprise) -> None:
    with refused("CREDENTIALS_WRONG", Unauthenticated) as wrong_password:
        enterprise.sign_in("new-bj-2", "not-the-password")
    with refused("CREDENTIALS_WRONG", Unauthenticated) as wrong_name:
        enterprise.sign_in("nobody-at-all", PASSWORD)
    assert str(wrong_password) == str(wrong_name)


def test_signing_out_ends_this_session_and_everywhere_ends_all(enterprise: Enterprise) -> None:
    one, two, three = (enterprise.sign_in("new-bj-3").tokens for _ in range(3))
    sign_out(enterprise, one.access_token)
    with refused("TOKEN_INVALID", Unauthenticated):
        calls(enterprise, one.access_token)
    with refused("REFRESH_TOKEN_INVALID", Unauthenticated):
        refresh(enterprise, one.refresh_token)
    assert calls(enterprise, two.access_token).id == "new-bj-3"
    sign_out(enterprise, two.access_token, everywhere=True)
    for tokens in (two, three):
        with refused("TOKEN_INVALID", Unauthenticated):
            calls(enterprise, tokens.access_token)
    assert calls(enterprise, enterprise.sign_in("new-bj-3").tokens.access_token).id == "new-bj-3"


def sign_out(enterprise: Enterprise, token: str, *, everywhere: bool = False) -> None:
    stub = sessions_pb2_grpc.SessionServiceStub(enterprise.channel(token))
    stub.SignOut(sessions_pb2.SignOutRequest(everywhere=everywhere))


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "x" * 5000])
def test_what_is_no_token_of_ours_opens_nothing(enterprise: Enterprise, token: str) -> None:
    with refused("TOKEN_INVALID" if token else "TOKEN_MISSING", Unauthenticated):
        calls(enterprise, token)


def test_a_token_signed_by_somebody_else_opens_nothing(enterprise: Enterprise) -> None:
    forged = TokenIssuerOfSomebodyElse.person("admin", session_id="s", lifetime=timedelta(minutes=5))[0]
    with refused("TOKEN_INVALID", Unauthenticated):
        calls(enterprise, forged)


def _somebody_else() -> Any:
    from access import TokenIssuer, load_private
    from access.tokens import generate_keys

    return TokenIssuer(load_private(generate_keys()[0]))


TokenIssuerOfSomebodyElse = _somebody_else()


def test_changing_the_password_ends_the_other_sessions_only(enterprise: Enterprise) -> None:
    enterprise.hire("changer")
    here, elsewhere = (enterprise.sign_in("changer").tokens for _ in range(2))
    stub = sessions_pb2_grpc.SessionServiceStub(enterprise.channel(here.access_token))

    def change(current: str, new: str) -> None:
        stub.ChangePassword(sessions_pb2.ChangePasswordRequest(current_password=current, new_password=new))

    with refused("CREDENTIALS_WRONG", Unauthenticated):
        change("not-the-password", "something-else-9")
    for weak in ("short", "password123", "aaaaaaaaaa", "changer12"):
        with refused("PASSWORD_WEAK", InvalidArgument) as failure:
            change(PASSWORD, weak)
        assert "new_password" in failure.fields
    change(PASSWORD, "something-else-9")
    assert calls(enterprise, here.access_token).id == "changer"
    with refused("TOKEN_INVALID", Unauthenticated):
        calls(enterprise, elsewhere.access_token)
    with refused("CREDENTIALS_WRONG", Unauthenticated):
        enterprise.sign_in("changer", PASSWORD)
    assert enterprise.sign_in("changer", "something-else-9").person.id == "changer"


def reset(enterprise: Enterprise, who: str, whose: str, new: str = "given-by-hr-55") -> None:
    request = sessions_pb2.ResetPasswordRequest(request_id=request_id(), person_id=whose, new_password=new)
    enterprise.sessions(who).ResetPassword(request)


def test_hr_resets_a_password_in_its_branch_and_nowhere_else(enterprise: Enterprise) -> None:
    enterprise.hire("forgetful")
    before = enterprise.sign_in("forgetful").tokens
    reset(enterprise, "hr-bj", "forgetful")
    with refused("TOKEN_INVALID", Unauthenticated):
        calls(enterprise, before.access_token)
    assert enterprise.sign_in("forgetful", "given-by-hr-55").person.id == "forgetful"
    with refused("PERSON_UNKNOWN", NotFound):
        reset(enterprise, "hr-sh", "forgetful")
    with refused("PERSON_UNKNOWN", NotFound):
        reset(enterprise, "hr-bj", "no-such-person")
    with refused("PERMISSION_MISSING", PermissionDenied):
        reset(enterprise, "manager-bj-1", "new-bj-1")


def test_nobody_becomes_more_by_resetting_a_password(enterprise: Enterprise) -> None:
    """An administrator's leaf may stand in a branch; the branch's HR must not sign in as them."""
    from foothold.identity.v1 import access_pb2

    enterprise.hire("admin-in-bj", "branch-bj")
    binding = access_pb2.Binding(role_id="administrator", subject_id="admin-in-bj", node_id="hq")
    enterprise.access("admin").CreateBinding(
        access_pb2.CreateBindingRequest(request_id=request_id(), binding=binding)
    )
    with refused("GRANT_EXCEEDS_CALLER", PermissionDenied):
        reset(enterprise, "hr-bj", "admin-in-bj")
    with refused("GRANT_EXCEEDS_CALLER", PermissionDenied):
        reset(enterprise, "hr-hq", "admin-in-bj")
    reset(enterprise, "admin", "admin-in-bj")


def test_a_dismissed_person_cannot_sign_in_refresh_or_call(enterprise: Enterprise) -> None:
    enterprise.hire("leaver")
    tokens = enterprise.sign_in("leaver").tokens
    request = directory_pb2.DismissPersonRequest(request_id=request_id(), person_id="leaver", reason="left")
    enterprise.directory("hr-bj").DismissPerson(request)
    with refused("PERSON_DISMISSED", Unauthenticated):
        calls(enterprise, tokens.access_token)
    with refused("REFRESH_TOKEN_INVALID", Unauthenticated):
        refresh(enterprise, tokens.refresh_token)
    with refused("CREDENTIALS_WRONG", Unauthenticated):
        enterprise.sign_in("leaver")


def test_a_component_reads_feeds_and_nothing_else(enterprise: Enterprise) -> None:
    token = enterprise.component_token("goals")
    with refused("PERMISSION_MISSING", PermissionDenied):
        calls(enterprise, token)


def test_no_secret_is_stored_as_it_is(enterprise: Enterprise, database_for: Callable[[str], Any]) -> None:
    tokens = enterprise.sign_in("mentor-bj-1").tokens
    with database_for("identity").database.read() as connection:
        tables = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
        ).scalars()
        for table in tables.all():
            for row in connection.execute(text(f"SELECT t::text FROM {table} AS t")).scalars():
                assert PASSWORD not in row
                assert tokens.refresh_token not in row
                assert tokens.access_token not in row
        hashed = connection.execute(
            text("SELECT password_hash FROM account WHERE login = 'admin'")
        ).scalar_one()
    assert hashed.startswith("$argon2id$")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def slow(
    database_for: Callable[[str], Any], clock: FixedClock, enterprise: Enterprise
) -> Iterator[Enterprise]:
    """A second process of the same identity, whose clock a test moves."""
    other = start_identity(database_for("identity").url, clock=clock)
    yield other
    other.close()


def test_guessing_is_slowed_down_for_the_name_in_every_process(
    enterprise: Enterprise, slow: Enterprise, clock: FixedClock, database_for: Callable[[str], Any]
) -> None:
    enterprise.hire("target")
    for _ in range(5):
        with refused("CREDENTIALS_WRONG"):
            slow.sign_in("target", "a-wrong-guess")
    with refused("SIGN_IN_THROTTLED", ResourceExhausted) as failure:
        slow.sign_in("target", PASSWORD)
    assert 1 <= int(failure.metadata["retry_after_seconds"]) <= 2
    restarted = start_identity(database_for("identity").url, clock=clock)
    with refused("SIGN_IN_THROTTLED", ResourceExhausted):
        restarted.sign_in("target", PASSWORD)
    restarted.close()
    assert slow.sign_in("new-sh-1").person.id == "new-sh-1"  # others are not held up
    clock.advance(timedelta(seconds=2))
    with refused("CREDENTIALS_WRONG"):
        slow.sign_in("target", "a-wrong-guess")
    clock.advance(timedelta(seconds=1))
    with refused("SIGN_IN_THROTTLED", ResourceExhausted):
        slow.sign_in("target", PASSWORD)
    clock.advance(timedelta(seconds=1))
    assert slow.sign_in("target", PASSWORD).person.id == "target"
    for _ in range(4):
        with refused("CREDENTIALS_WRONG"):
            slow.sign_in("target", "a-wrong-guess")  # the right password cleared the count


def test_a_refresh_token_used_again_later_ends_the_session(slow: Enterprise, clock: FixedClock) -> None:
    first = slow.sign_in("new-bj-2").tokens
    second = refresh(slow, first.refresh_token).tokens
    assert second.refresh_token != first.refresh_token
    assert calls(slow, second.access_token).id == "new-bj-2"
    clock.advance(REUSE_GRACE + timedelta(seconds=1))
    with refused("REFRESH_TOKEN_INVALID", Unauthenticated):
        refresh(slow, first.refresh_token)
    # Whoever holds the newer tokens is out as well: nobody can tell who stole from whom.
    with refused("TOKEN_INVALID", Unauthenticated):
        calls(slow, second.access_token)
    with refused("REFRESH_TOKEN_INVALID", Unauthenticated):
        refresh(slow, second.refresh_token)


def test_two_tabs_that_refresh_within_seconds_get_the_same_token_and_stay_in(
    slow: Enterprise, clock: FixedClock
) -> None:
    first = slow.sign_in("new-bj-2").tokens
    one = refresh(slow, first.refresh_token).tokens
    clock.advance(REUSE_GRACE)
    other = refresh(slow, first.refresh_token).tokens
    assert other.refresh_token == one.refresh_token
    assert calls(slow, one.access_token).id == calls(slow, other.access_token).id == "new-bj-2"
    clock.advance(timedelta(minutes=9))
    third = refresh(slow, one.refresh_token).tokens
    assert third.refresh_token not in {first.refresh_token, one.refresh_token}
    assert calls(slow, third.access_token).id == "new-bj-2"


def test_who_steals_a_token_within_the_grace_is_found_out_at_the_next_one(
    slow: Enterprise, clock: FixedClock
) -> None:
    first = slow.sign_in("new-bj-2").tokens
    owners = refresh(slow, first.refresh_token).tokens
    thiefs = refresh(slow, first.refresh_token).tokens
    clock.advance(timedelta(minutes=9))
    newest = refresh(slow, thiefs.refresh_token).tokens
    clock.advance(timedelta(minutes=1))
    with refused("REFRESH_TOKEN_INVALID", Unauthenticated):
        refresh(slow, owners.refresh_token)
    for tokens in (owners, thiefs, newest):
        with refused("TOKEN_INVALID", Unauthenticated):
            calls(slow, tokens.access_token)


def test_twenty_uses_at_the_same_moment_get_one_token(enterprise: Enterprise) -> None:
    first = enterprise.sign_in("new-bj-2").tokens
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: refresh(enterprise, first.refresh_token).tokens, range(20)))
    assert len({tokens.refresh_token for tokens in answers}) == 1
    assert all(calls(enterprise, tokens.access_token).id == "new-bj-2" for tokens in answers)


@pytest.fixture
def alone(fresh_database: Callable[[], str], clock: FixedClock) -> Iterator[Enterprise]:
    """An identity with a database of its own: what is counted at an address holds up everybody else there."""
    admin_url = fresh_database()
    url = provision(admin_url, ["identity"])["identity"]
    migrate(url, schema=schema_of("identity"), package="services.identity")
    running = start_identity(url, clock=clock)
    found_enterprise(running)
    yield running
    running.close()
    drop_database(admin_url)


def from_address(
    enterprise: Enterprise, token: str, address: str, login: str, password: str = "guessed"
) -> None:
    stub = sessions_pb2_grpc.SessionServiceStub(enterprise.channel(token))
    stub.SignIn(sessions_pb2.SignInRequest(login=login, password=password, client_address=address))


def test_only_the_gateway_is_believed_about_where_a_sign_in_comes_from(alone: Enterprise) -> None:
    gateway = alone.component_token("gateway")
    others = {
        "nobody": "",
        "somebody": alone.sign_in("new-sh-1").tokens.access_token,
        "another process": alone.component_token("goals"),
        "a forged gateway": TokenIssuerOfSomebodyElse.component("gateway", lifetime=timedelta(hours=1)),
    }
    # A caller who names another address for each guess is counted at the address they really have.
    for number in range(ADDRESS_FREE):
        token = list(others.values())[number % len(others)]
        with refused("CREDENTIALS_WRONG"):
            from_address(alone, token, f"198.51.100.{number}", f"made-up-{number}")
    for token in others.values():
        with refused("SIGN_IN_THROTTLED", ResourceExhausted):
            from_address(alone, token, "198.51.100.250", "made-up")
    # The addresses they named have not been counted, and people at the gateway are not held up.
    from_address(alone, gateway, "198.51.100.7", "new-sh-1", PASSWORD)
    # At the gateway each browser's address counts for itself.
    for number in range(ADDRESS_FREE):
        with refused("CREDENTIALS_WRONG"):
            from_address(alone, gateway, "203.0.113.1", f"made-up-too-{number}")
    with refused("SIGN_IN_THROTTLED", ResourceExhausted):
        from_address(alone, gateway, "203.0.113.1", "new-sh-1", PASSWORD)
    from_address(alone, gateway, "203.0.113.2", "new-sh-1", PASSWORD)


def test_an_access_token_and_a_session_end_in_time(slow: Enterprise, clock: FixedClock) -> None:
    tokens = slow.sign_in("manager-sh-1").tokens
    clock.advance(timedelta(minutes=9, seconds=59))
    assert calls(slow, tokens.access_token).id == "manager-sh-1"
    clock.advance(timedelta(seconds=1))
    with refused("TOKEN_INVALID", Unauthenticated):
        calls(slow, tokens.access_token)
    tokens = refresh(slow, tokens.refresh_token).tokens
    clock.advance(timedelta(days=30))
    with refused("REFRESH_TOKEN_INVALID", Unauthenticated):
        refresh(slow, tokens.refresh_token)


def test_a_demo_hash_is_renewed_at_the_real_cost(
    enterprise: Enterprise, database_for: Callable[[str], Any]
) -> None:
    enterprise.hire("demo-hash")
    cost = {"memory_kib": 128, "passes": 2}
    real = start_identity(database_for("identity").url, demo_passwords=False, password_cost=cost)
    try:
        assert real.sign_in("demo-hash").person.id == "demo-hash"
        with database_for("identity").database.read() as connection:
            query = text("SELECT password_hash FROM account WHERE login = 'demo-hash'")
            assert "m=128,t=2" in connection.execute(query).scalar_one()
        assert real.sign_in("demo-hash").person.id == "demo-hash"
    finally:
        real.close()
