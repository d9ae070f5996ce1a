"""A whole platform as its users start it: `foothold serve` in a process of its own, on a folder of its own.

    from tests.platform import Platform, running_platform

    with running_platform(tmp_path, split=True, demo=True) as platform:
        stub = facts_pb2_grpc.FactsServiceStub(platform.channel("goals"))
        browser.goto(platform.web)
        platform.kill("goals")      # SIGKILL; platform.wait_ready() returns once all serve again

`platform_all` and `platform_split` are fixtures with the demo enterprise, one of each per run; a conftest
that wants them says `from tests.platform import platform_all, platform_split`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc

from chassis.channel import connect
from chassis.errors import Unavailable, from_rpc_error
from launcher.folder import DataFolder, Running
from launcher.ready import grpc_problem, web_problem

_START_SECONDS: Final = 240.0
_STOP_SECONDS: Final = 40.0


class Platform:
    """A running platform; everything about it that a test may want to know or do."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.folder = DataFolder(folder)
        self.process = process
        self.output = output
        self._channels: list[grpc.Channel] = []

    @property
    def running(self) -> Running:
        """What `running.json` says now."""
        found = self.folder.running()
        assert found, f"the platform does not run: {self.told()}"
        return found

    @property
    def web(self) -> str:
        """The gateway's address, e.g. http://127.0.0.1:21034."""
        return self.running.web

    @property
    def addresses(self) -> dict[str, str]:
        """host:port of each service."""
        return self.running.addresses

    def token(self) -> str:
        """The operator's token: may do everything."""
        return self.folder.operator_token()

    def channel(self, service: str, *, token: str | None = None, timeout: float = 30) -> grpc.Channel:
        """A channel to a service, as the operator unless a token is given; closed with the platform."""
        chosen = token
        channel = connect(self.addresses[service], token=lambda: chosen or self.token(), timeout=timeout)
        self._channels.append(channel)
        return channel

    def pid(self, target: str) -> int:
        """The process of a target (split only) or of `postgres`."""
        return self.running.children[target]

    def kill(self, target: str) -> int:
        """SIGKILL for the process of a target or of `postgres`; the pid that was."""
        pid = self.pid(target)
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_ready(self, seconds: float = 60) -> None:
        """Return once every service and the web say that they are well."""
        deadline = time.monotonic() + seconds
        while True:
            problems: dict[str, str | None] = {
                name: problem for name, at in self.addresses.items() if (problem := grpc_problem(at))
            }
            if self.web and (problem := web_problem(self.web)):
                problems["gateway"] = problem
            if not problems:
                return
            assert self.process.poll() is None, f"the platform ended: {self.told()}"
            assert time.monotonic() < deadline, f"not ready after {seconds} s: {problems}\n{self.told()}"
            time.sleep(0.05)

    def ledger(self, seconds: float = 60) -> facts_pb2.CheckLedgerResponse:
        """The ledger checked against its recompute; patient with a service or database that just died."""
        stub = facts_pb2_grpc.FactsServiceStub(self.channel("goals", timeout=120))
        deadline = time.monotonic() + seconds
        while True:
            try:
                return stub.CheckLedger(facts_pb2.CheckLedgerRequest())
            except grpc.RpcError as error:
                if not isinstance(from_rpc_error(error), Unavailable) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def command(
        self, *arguments: str, check: bool = True, environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """`foothold ARGUMENTS` against this platform."""
        return foothold(*arguments, data=self.folder.path, check=check, environ=environ)

    def told(self) -> str:
        """The end of what the platform printed and logged, for a failing test's message."""
        log = self.folder.log
        parts = [self.output.read_text(errors="replace")[-2000:]]
        if log.exists():
            parts.append(log.read_text(errors="replace")[-6000:])
        return "\n".join(parts)

    def close(self) -> None:
        """Close the channels and stop the platform as a user would."""
        while self._channels:
            self._channels.pop().close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def start(
    folder: Path,
    *,
    split: bool = False,
    demo: bool = False,
    web: bool = True,
    environ: Mapping[str, str] | None = None,
) -> Platform:
    """Start `foothold serve` on a new or used folder and return once it serves. `web=False`: no gateway."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "output.txt"
    command = [sys.executable, "-m", "launcher.main", "serve", "--port", "0", "--data", str(folder)]
    command += ["--split"] * split + ["--demo"] * demo + ["--no-web"] * (not web)
    with output.open("ab") as out:
        process = subprocess.Popen(
            command, env=environment(environ), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    platform = Platform(folder, process, output)
    deadline = time.monotonic() + _START_SECONDS
    while (found := platform.folder.running()) is None or found.pid != process.pid:
        if process.poll() is not None or time.monotonic() > deadline:
            told = platform.told()
            platform.close()
            raise AssertionError(f"foothold serve did not start (exit code {process.poll()}):\n{told}")
        time.sleep(0.05)
    return platform


@contextlib.contextmanager
def running_platform(folder: Path, **how: Any) -> Iterator[Platform]:
    """`start`, and the end of it at the end of the block."""
    platform = start(folder, **how)
    try:
        yield platform
    finally:
        platform.close()


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without FOOTHOLD_ variables of the machine, and with those given."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FOOTHOLD_")}
    return ours | dict(more or {})


def foothold(
    *arguments: str, data: Path, check: bool = True, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end on a data folder."""
    command = [sys.executable, "-m", "launcher.main", *arguments]
    done = subprocess.run(
        command,
        env=environment({"FOOTHOLD_DATA": str(data), **(environ or {})}),
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not check or done.returncode == 0, (
        f"{arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done


def metrics_json(platform: Platform, *arguments: str) -> dict[str, Any]:
    """What `foothold metrics ... --format json` prints."""
    found: dict[str, Any] = json.loads(platform.command("metrics", *arguments, "--format", "json").stdout)
    return found


@pytest.fixture(scope="session")
def platform_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The demo enterprise in one process."""
    with running_platform(tmp_path_factory.mktemp("all"), demo=True) as platform:
        yield platform


@pytest.fixture(scope="session")
def platform_split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The demo enterprise with a process per service."""
    with running_platform(tmp_path_factory.mktemp("split"), split=True, demo=True) as platform:
        yield platform
