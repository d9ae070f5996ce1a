"""The data folder: private, settled once, and honest about what runs on it."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from access.tokens import CallerKind, TokenVerifier, load_public
from chassis.embedded import EmbeddedError, EmbeddedPostgres
from launcher import ports
from launcher.exits import Stop
from launcher.folder import DataFolder, Running
from launcher.local import LocalPlatform


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.prepare()
    return made


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_secret_is_readable_by_its_owner_only(folder: DataFolder) -> None:
    assert _mode(folder.path) == _mode(folder.secrets) == 0o700
    assert {_mode(path) for path in folder.secrets.iterdir()} == {0o600}


def test_preparing_again_keeps_keys_and_secrets(folder: DataFolder) -> None:
    before = {name: (folder.secrets / name).read_text() for name in ("signing_key.pem", "cookie_secret")}
    folder.prepare()
    assert {name: (folder.secrets / name).read_text() for name in before} == before


def test_the_operator_s_token_is_one_that_services_accept(folder: DataFolder) -> None:
    verifier = TokenVerifier(load_public((folder.secrets / "verifying_keys.pem").read_text()))
    claims = verifier.verify(folder.operator_token())
    assert (claims.kind, claims.subject) == (CallerKind.SERVICE_ACCOUNT, "operator")
    component = verifier.verify((folder.secrets / "component_goals.token").read_text())
    assert (component.kind, component.subject) == (CallerKind.COMPONENT, "goals")


def test_the_currency_is_settled_at_the_first_start(folder: DataFolder) -> None:
    assert folder.currency("USD") == "USD"
    assert folder.currency(None) == "USD"
    with pytest.raises(Stop, match="amounts in USD, not CNY"):
        folder.currency("CNY")


def test_what_is_no_currency_is_refused_before_it_is_settled(folder: DataFolder) -> None:
    with pytest.raises(Stop, match="'usd' is not an ISO 4217 code"):
        folder.currency("usd")
    assert folder.currency(None) == "CNY"


def test_a_platform_that_ended_without_a_word_is_not_running(folder: DataFolder) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    running = Running(pid=os.getpid(), shape="all", web="", addresses={}, database="")
    folder.announce(running)
    assert folder.running() == running
    assert _mode(folder.path / "running.json") == 0o600
    folder.announce(Running(pid=gone.pid, shape="all", web="", addresses={}, database=""))
    assert folder.running() is None


def test_a_damaged_running_json_is_no_platform(folder: DataFolder) -> None:
    (folder.path / "running.json").write_text('{"pid": ')
    assert folder.running() is None


def test_inner_ports_lie_below_those_of_outgoing_connections() -> None:
    found = ports.inner(4)
    assert len(set(found)) == 4
    assert all(20_000 <= port < 32_768 for port in found)


def test_who_came_while_a_platform_was_starting_does_not_hide_it(folder: DataFolder) -> None:
    running = Running(pid=os.getpid(), shape="all", web="", addresses={}, database="")
    held = EmbeddedPostgres(folder.path / "database")
    held.start()
    try:
        folder.announce(running)
        with pytest.raises((EmbeddedError, Stop), match="another Foothold"):
            LocalPlatform(folder).start()
        assert folder.running() == running
    finally:
        held.stop()
