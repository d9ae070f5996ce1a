"""Goals killed in the middle of computing a metric: it goes on by itself, the old values serve, and nothing is off."""

import os
import random
import sys
import threading
import time
from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

import grpc
import psycopg
import pytest
from foothold.goals.v1 import (
    facts_pb2,
    feed_pb2,
    feed_pb2_grpc,
    metric_library_pb2,
    metric_library_pb2_grpc,
    metrics_pb2,
    metrics_pb2_grpc,
    values_pb2,
)
from foothold.identity.v1 import directory_pb2, directory_pb2_grpc
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from chassis.errors import from_rpc_error
from tests.faults.history import found, history
from tests.faults.importing import Import, outcomes_of_sending_again
from tests.faults.standing import heads, wait_until_followed
from tests.platform import Platform, running_platform

_BEFORE: Final = 30_000
_MEANWHILE: Final = 6_000
_BATCH: Final = 12
_KILLS: Final = 6
_SPARE: Final = 12
_SOONER: Final = 0.7
_IN_THE_MIDDLE: Final = 3
_RESTART_SECONDS: Final = 120
# In turn: a counter that keeps sums, and one that keeps customers.
_SUMS: Final = "large_orders"
_CUSTOMERS: Final = "large_customers"
# Nobody tells anything of them while values are computed: so it is known what a reader may see.
_QUIET: Final = "quiet"
_ORDERS: Final = 40
_PHASE: Final = """
SELECT taking, uncounted.counter IS NULL FROM foothold_goals.metric_version
LEFT JOIN foothold_goals.uncounted USING (counter) WHERE state = 1
"""


def _of_the_quiet_one(platform: Platform) -> list[facts_pb2.Fact]:
    """Orders of 1, 2, 3 and so on in full units, each of another customer."""
    directory = directory_pb2_grpc.DirectoryServiceStub(platform.channel("identity"))
    person = directory_pb2.Person(
        id=_QUIET, parent_id="sales", name=_QUIET, employee_number=_QUIET, job_role="sales"
    )
    directory.CreatePerson(directory_pb2.CreatePersonRequest(request_id="quiet", person=person))
    wait_until_followed(platform)
    told = []
    for number in range(1, _ORDERS + 1):
        fact = facts_pb2.Fact(
            source="own",
            external_id=f"order-{number}",
            kind=facts_pb2.FACT_KIND_ORDER,
            person_id=_QUIET,
            customer=f"customer-{number}",
            amount=Money(currency_code="CNY", units=number),
        )
        fact.occurred_at.FromJsonString(f"2025-02-{1 + number % 28:02}T03:00:00Z")
        told.append(fact)
    return told


def _right(metric: str, version: int) -> int:
    """What a version says of the quiet one: orders of at least so many full units as its number."""
    large = range(version, _ORDERS + 1)
    return sum(large) * 100 if metric == _SUMS else len(large)


def _define(platform: Platform, metric: str, version: int) -> None:
    customers = metric == _CUSTOMERS
    told = metrics_pb2.MetricDefinition
    library = metric_library_pb2_grpc.MetricLibraryServiceStub(platform.channel("goals"))
    library.DefineMetric(
        metric_library_pb2.DefineMetricRequest(
            request_id=f"{metric}-{version}",
            definition=told(
                name=metric,
                unit=values_pb2.UNIT_COUNT if customers else values_pb2.UNIT_MONEY,
                aggregation=told.AGGREGATION_DISTINCT_CUSTOMERS if customers else told.AGGREGATION_SUM_AMOUNT,
                fact_kinds=[facts_pb2.FACT_KIND_ORDER, facts_pb2.FACT_KIND_DEAL_WON],
                conditions=told.Conditions(least_amount=version * 100),
                direction=told.DIRECTION_AT_LEAST,
                titles={"zh-CN": metric, "en": metric},
                description="Large ones.",
            ),
            effective_from=Date(year=2025, month=1, day=1),
            reason="another size counts",
            replaces_version=version - 1,
        )
    )


def _newest(platform: Platform, metric: str) -> metric_library_pb2.MetricVersion:
    library = metric_library_pb2_grpc.MetricLibraryServiceStub(platform.channel("goals"))
    return library.ListMetricVersions(metric_library_pb2.ListMetricVersionsRequest(metric=metric)).versions[0]


class _Reader:
    """Reads what both metrics say of the quiet one as long as it lives, whenever somebody answers."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen: dict[str, list[int]] = {_SUMS: [], _CUSTOMERS: []}
        self.failure: str | None = None

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        self._over.set()
        self._thread.join(60)
        assert self.failure is None, self.failure

    def _run(self) -> None:
        try:
            while not self._over.wait(0.01):
                for metric, seen in self.seen.items():
                    value = self._read(metric)
                    if value is not None:
                        seen.append(value)
        except BaseException as error:  # noqa: BLE001  told by the test's own thread
            self.failure = repr(error)

    def _read(self, metric: str) -> int | None:
        request = metrics_pb2.QueryMetricRequest(
            metric=metric,
            node_id=_QUIET,
            group_by=metrics_pb2.GROUP_BY_PERSON,
            to=Date(year=2025, month=4, day=1),
            **{"from": Date(year=2025, month=2, day=1)},  # a keyword of Python
        )
        with grpc.insecure_channel(self._platform.addresses["goals"]) as channel:
            stub = metrics_pb2_grpc.MetricsServiceStub(channel)
            bearer = (("authorization", f"Bearer {self._platform.token()}"),)
            try:
                return int(stub.QueryMetric(request, metadata=bearer, timeout=10).total.numerator)
            except grpc.RpcError as error:
                # Nobody there; what a service refuses names its domain, and is a failure.
                failure = from_rpc_error(error)
                if failure.domain and failure.code is not grpc.StatusCode.UNAVAILABLE:
                    raise
                return None


def _kill(platform: Platform) -> str:
    """Kill goals; how far the computing was. Returns once another process is there."""
    pid = platform.kill("goals")
    with psycopg.connect(platform.running.database) as connection:
        row = connection.execute(_PHASE).fetchone()
    until = time.monotonic() + _RESTART_SECONDS
    while platform.pid("goals") == pid or not Path(f"/proc/{platform.pid('goals')}").exists():
        assert time.monotonic() < until, f"goals was not started again\n{platform.told()}"
        time.sleep(0.01)
    if row is None:
        return "it serves"
    taking, counted = row
    return {0: "not begun", 2: "bringing in"}.get(taking, "counted" if counted else "counting")


def _wait_until_served(platform: Platform, metric: str, version: int) -> None:
    until = time.monotonic() + _RESTART_SECONDS
    while True:
        try:
            newest = _newest(platform, metric)
        except grpc.RpcError:
            newest = None
        if newest and newest.version == version and newest.state == newest.STATE_SERVING:
            return
        assert time.monotonic() < until, f"{metric} {version} is still computed\n{platform.told()}"
        time.sleep(0.01)


def _interrupt(
    platform: Platform, chance: random.Random, versions: dict[str, int], took: float
) -> "Counter[str]":
    """Define a version after another and kill the service meanwhile; how often in which phase."""
    killed: Counter[str] = Counter()
    order = [metric for metric in versions for _ in range((_KILLS + _SPARE) // 2)]
    chance.shuffle(order)
    # Until enough kills came in the middle: on a machine that does other things some come too late.
    while order and (len(order) > _SPARE or sum(killed.values()) - killed["it serves"] < _IN_THE_MIDDLE):
        metric = order.pop()
        versions[metric] += 1
        _define(platform, metric, versions[metric])
        time.sleep(chance.random() * took)
        phase = _kill(platform)
        killed[phase] += 1
        if phase == "it serves":
            took *= _SOONER
        if chance.random() < 0.3:
            # Once more, at some moment of its start and of what it has found to do.
            time.sleep(chance.random() * 3)
            killed[_kill(platform)] += 1
        _wait_until_served(platform, metric, versions[metric])
    return killed


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_killed_at_random_moments_of_computing_a_metric_it_goes_on_and_ends_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("FOOTHOLD_FAULTS_SEED") or random.SystemRandom().randrange(10**9))
    with capsys.disabled():
        sys.stdout.write(f"\nseed {seed} (FOOTHOLD_FAULTS_SEED={seed} draws the same kills)\n")
    chance = random.Random(seed)
    told = history(chance, _BEFORE + _MEANWHILE)

    with running_platform(tmp_path, split=True, web=False) as platform:
        found(platform)
        wait_until_followed(platform)
        outcomes_of_sending_again(platform, [*told[:_BEFORE], *_of_the_quiet_one(platform)])
        before = heads(platform)["goals"]
        versions = dict.fromkeys((_SUMS, _CUSTOMERS), 1)
        took = 0.0
        for metric in versions:
            began = time.monotonic()
            _define(platform, metric, 1)
            _wait_until_served(platform, metric, 1)
            took = max(took, time.monotonic() - began)
        importing = Import(platform, [told[at : at + _BATCH] for at in range(_BEFORE, len(told), _BATCH)])
        importing.start()
        reader = _Reader(platform)
        reader.start()
        killed = _interrupt(platform, chance, versions, took)
        importing.finish(180)
        reader.finish()
        with capsys.disabled():
            phases = ", ".join(f"{phase} {number}" for phase, number in killed.most_common())
            reads = sum(map(len, reader.seen.values()))
            sys.stdout.write(
                f"killed while: {phases}; {reads} reads, {importing.interrupted} calls cut off\n"
            )
        assert sum(killed.values()) - killed["it serves"] >= _IN_THE_MIDDLE

        for metric, newest in versions.items():
            # Each version after the one before, never anything else, and none twice.
            seen = [value for value, _ in groupby(reader.seen[metric])]
            right = [_right(metric, version) for version in range(1, newest + 1)]
            assert set(seen) <= set(right)
            assert all(right.index(one) < right.index(other) for one, other in pairwise(seen))
            assert seen[-1] == right[-1]
        platform.wait_ready()
        checked = platform.ledger()
        assert checked.values_differing == 0
        heard = _metrics_heard(platform, before)
        assert heard == Counter(
            (metric, version) for metric, newest in versions.items() for version in range(1, newest + 1)
        )


def _metrics_heard(platform: Platform, after: int) -> "Counter[tuple[str, int]]":
    """What goals' feed tells of metrics after a position, without a gap."""
    stub = feed_pb2_grpc.FeedServiceStub(platform.channel("goals"))
    heard: Counter[tuple[str, int]] = Counter()
    while page := stub.ListEvents(feed_pb2.ListEventsRequest(after_position=after, page_size=1000)).events:
        assert [event.position for event in page] == list(range(after + 1, after + len(page) + 1))
        after = page[-1].position
        told = [event.metric_changed for event in page if event.HasField("metric_changed")]
        heard.update((each.metric, each.version) for each in told)
    return heard
