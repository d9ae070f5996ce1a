"""`foothold serve` as its owner meets it: in one process and in five, started, found, killed and stopped."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc

from tests.platform import Platform, environment, foothold, running_platform, start

pytestmark = pytest.mark.timeout(400)
SHAPES = pytest.mark.parametrize("split", [False, True], ids=["all", "split"])


def _ends(pid: int, seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@SHAPES
def test_the_demo_is_there_and_seeding_again_changes_nothing(
    split: bool, request: pytest.FixtureRequest
) -> None:
    platform: Platform = request.getfixturevalue("platform_split" if split else "platform_all")
    assert platform.running.shape == ("split" if split else "all")
    assert "jiaota-shidi" in platform.output.read_text()
    before = platform.ledger()
    assert before.facts_counting > 5_000
    assert before.values_differing == 0
    told = platform.command("seed", "demo").stdout
    found = re.search(r"CRM history: (\d+) facts recorded, (\d+) already known", told)
    assert found
    recorded, known = int(found[1]), int(found[2])
    # What happened in the minutes in between is new; everything else is known.
    assert recorded < 100
    assert known > 5_000
    assert platform.ledger().fact_versions == before.fact_versions + recorded
    assert " 0 quiz attempts made" in told


@SHAPES
def test_the_doctor_finds_all_well(split: bool, request: pytest.FixtureRequest) -> None:
    platform: Platform = request.getfixturevalue("platform_split" if split else "platform_all")
    findings = json.loads(platform.command("doctor", "--format", "json").stdout)
    assert [finding for finding in findings if not finding["well"]] == []
    checks = {finding["check"] for finding in findings}
    assert {"database", "goals", "incentives follows goals", "ledger", "gateway", "gateway clock"} <= checks


def test_commands_take_an_address_and_a_token_instead_of_a_folder(
    platform_all: Platform, tmp_path: Path
) -> None:
    arguments = ["metrics", "--metric", "revenue", "--by", "month", "--format", "json"]
    named = [f"--address={name}={at}" for name, at in platform_all.addresses.items()]
    by_address = foothold(*arguments, *named, data=tmp_path, environ={"FOOTHOLD_TOKEN": platform_all.token()})
    assert json.loads(by_address.stdout) == json.loads(platform_all.command(*arguments).stdout)
    refused = foothold(*arguments, *named, data=tmp_path, check=False, environ={"FOOTHOLD_TOKEN": "x.y.z"})
    assert refused.returncode == 5
    nobody = foothold(
        *arguments, "--address=goals=127.0.0.1:1", data=tmp_path, check=False, environ={"FOOTHOLD_TOKEN": "x"}
    )
    assert nobody.returncode == 3


def test_a_service_account_s_token_does_what_its_role_allows(platform_all: Platform) -> None:
    issued = platform_all.command(
        "token", "issue", "--service-account", "crm-test", "--days", "1", "--create"
    )
    stub = facts_pb2_grpc.FactsServiceStub(platform_all.channel("goals", token=issued.stdout.strip()))
    deadline = time.monotonic() + 20
    fact = facts_pb2.Fact(
        source="crm-test",
        external_id="1",
        kind=facts_pb2.FACT_KIND_EMAIL,
        employee_number="SZ0101",
    )
    fact.occurred_at.GetCurrentTime()
    while True:
        (result,) = stub.RecordFacts(facts_pb2.RecordFactsRequest(facts=[fact], dry_run=True)).results
        if result.outcome == facts_pb2.FACT_OUTCOME_RECORDED:
            return
        assert time.monotonic() < deadline, result
        time.sleep(0.1)


def test_signing_in_from_a_terminal(platform_all: Platform, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("jiaota-shidi\n")
    arguments = ("token", "sign-in", "--login", "tang.wei", "--password-file", str(password))
    token = platform_all.command(*arguments).stdout.strip()
    own = {"FOOTHOLD_TOKEN": token}
    rows = json.loads(
        platform_all.command("metrics", "--metric", "deals_won", "--format", "json", environ=own).stdout
    )
    assert {row["employee_number"][:2] for row in rows["rows"]} == {"SH"}
    password.write_text("something else")
    assert platform_all.command(*arguments, check=False).returncode == 5


def test_a_killed_process_is_started_again_and_announced(tmp_path: Path) -> None:
    with running_platform(tmp_path, split=True, web=False) as platform:
        for target in ("goals", "identity", "postgres"):
            before = platform.kill(target)
            deadline = time.monotonic() + 60
            while platform.pid(target) == before:
                assert time.monotonic() < deadline, platform.told()
                time.sleep(0.05)
            platform.wait_ready()
        assert platform.ledger().values_differing == 0


@SHAPES
def test_stopping_leaves_no_process_behind(split: bool, tmp_path: Path) -> None:
    platform = start(tmp_path, split=split, web=False)
    pids = list(platform.running.children.values())
    platform.process.send_signal(signal.SIGINT)
    assert platform.process.wait(40) == 0
    assert all(_ends(pid, 5) for pid in pids)
    assert platform.folder.running() is None
    assert "Stopping" in platform.output.read_text()


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    platform = start(tmp_path, split=True, web=False)
    pids = list(platform.running.children.values())
    platform.process.kill()
    platform.process.wait()
    assert all(_ends(pid) for pid in pids)
    with running_platform(tmp_path, web=False) as again:
        assert again.ledger().values_differing == 0


def test_a_setting_that_is_not_valid_is_said_before_anything_starts(tmp_path: Path) -> None:
    environ = {"FOOTHOLD_TELEMETRY_SAMPLING": "often"}
    done = foothold("serve", "--split", "--no-web", data=tmp_path, check=False, environ=environ)
    assert done.returncode == 2
    assert "telemetry_sampling" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_has_one_platform(tmp_path: Path) -> None:
    with running_platform(tmp_path, web=False):
        second = foothold("serve", "--port", "0", data=tmp_path, check=False)
        assert second.returncode == 1
        assert "runs on" in second.stderr


def test_a_busy_port_is_passed_over_unless_it_was_asked_for(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        asked = foothold("serve", "--port", str(port), data=tmp_path, check=False)
        assert asked.returncode == 2
        assert f"port {port} on 127.0.0.1 is in use" in asked.stderr
    probe = (
        "import socket; from launcher import ports\n"
        "with socket.socket() as taken:\n"
        "    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "    taken.bind(('127.0.0.1', 0)); taken.listen(); port = taken.getsockname()[1]\n"
        "    assert port < ports.web('127.0.0.1', port, explicit=False) < port + 50\n"
    )
    subprocess.run([sys.executable, "-c", probe], check=True, env=environment())
