"""The whole system with traces and metrics exported against the same without."""

import statistics
import time
from collections.abc import Callable, Iterator

from benchmarks.figures import Figure
from benchmarks.system_stage import Browser, Crm, platform
from tests.collector import collecting
from tests.platform import Platform

_ROUNDS = 16
_WARM = 3


def measure() -> Iterator[Figure]:
    """A day's mix of work on two platforms in turn; the collector listens in this process and keeps all."""
    with collecting() as collector, platform() as bare:
        with platform({"FOOTHOLD_TELEMETRY_ENDPOINT": collector.endpoint}) as observed:
            works = (_mix(observed), _mix(bare))
            rounds = [[_rate(work) for work in works] for _ in range(_WARM + _ROUNDS)][_WARM:]
        exported = collector.bytes_taken
    assert exported, "nothing was exported"
    on, off = (statistics.median(each[side] for each in rounds) for side in range(2))
    yield Figure(
        "system",
        "the whole system with every trace and all metrics exported against telemetry off (rate of mixed work)",
        statistics.median(each[0] / each[1] for each in rounds),
        f"{on:.2f} rounds/s of facts, dashboards and pages against {off:.2f}; {exported / 1e6:.1f} MB exported",
        at_least=0.8,
    )


def _mix(running: Platform) -> Callable[[], None]:
    """A hundred facts at once, ten one by one, twenty dashboards, two pages."""
    crm, browser = Crm(running), Browser(running, "zhou.yutong")

    def work() -> None:
        crm.batch(100)
        for _ in range(10):
            crm.one(crm.newcomers[1])
        for _ in range(20):
            crm.dashboard(crm.newcomers[0])
        for _ in range(2):
            browser.get("/today")

    return work


def _rate(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return 1 / (time.perf_counter() - began)
