"""Traces and metrics go where FOOTHOLD_TELEMETRY_ENDPOINT says, and as many as FOOTHOLD_TELEMETRY_SAMPLING says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis import telemetry
from launcher.members import Member
from launcher.targets import TARGETS
from tests.collector import Collector, collecting
from tests.platform import foothold


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running
        telemetry.shutdown()


def _observed(endpoint: str, **more: str) -> None:
    """A hundred pieces of work in a process set up as goals is."""
    environment = {
        "FOOTHOLD_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "FOOTHOLD_VERIFYING_KEYS": "",
        "FOOTHOLD_COMPONENT_TOKEN": "none",
        "FOOTHOLD_IDENTITY_ADDRESS": "127.0.0.1:9",
        "FOOTHOLD_TELEMETRY_ENDPOINT": endpoint,
    }
    Member("goals", environment=environment | more).observe("goals")
    instruments = telemetry.current()
    if instruments is None:
        return
    for _ in range(100):
        with instruments.tracer.start_as_current_span("work"):
            instruments.served.record(0.001)
    telemetry.shutdown()


def test_without_an_endpoint_nothing_is_measured() -> None:
    _observed("", FOOTHOLD_TELEMETRY_SAMPLING="1")
    assert telemetry.current() is None


def test_everything_is_recorded_unless_a_share_is_set(collector: Collector) -> None:
    _observed(collector.endpoint)
    assert {service for service, _ in collector.spans()} == {"goals"}
    assert len(collector.spans()) == 100
    assert "rpc.server.duration" in collector.metrics()


@pytest.mark.parametrize(("share", "least", "most"), [("0", 0, 0), ("0.25", 5, 60)])
def test_a_share_of_the_traces_is_recorded_and_metrics_count_everything(
    collector: Collector, share: str, least: int, most: int
) -> None:
    _observed(collector.endpoint, FOOTHOLD_TELEMETRY_SAMPLING=share)
    assert least <= len(collector.spans()) <= most
    assert "rpc.server.duration" in collector.metrics()


def test_check_config_knows_the_share_of_every_target(tmp_path: Path) -> None:
    config = tmp_path / "foothold.toml"
    config.write_text("[common]\ntelemetry_sampling = 0.05\n", "utf-8")
    done = foothold("check-config", "--config", str(config), "--format", "json", data=tmp_path)
    told = json.loads(done.stdout)
    for target in TARGETS:
        shares = [each for each in told[target] if each["name"] == "telemetry_sampling"]
        assert shares == [{"name": "telemetry_sampling", "value": "0.05", "source": "file"}]


@pytest.mark.parametrize("wrong", ["1.01", "-0.1", "half", "NaN"])
def test_a_share_that_is_none_is_refused_by_name(wrong: str, tmp_path: Path) -> None:
    environ = {"FOOTHOLD_TELEMETRY_SAMPLING": wrong}
    done = foothold("check-config", data=tmp_path, check=False, environ=environ)
    assert done.returncode == 2
    assert "telemetry_sampling" in done.stdout + done.stderr
