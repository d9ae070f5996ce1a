"""A CRM fact told to the real goals becomes money and a rank in the real incentives, and is taken back again."""

import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import (
    facts_pb2,
    facts_pb2_grpc,
    feed_pb2,
    feed_pb2_grpc,
    metric_library_pb2,
    metric_library_pb2_grpc,
    metrics_pb2,
)
from foothold.goals.v1 import values_pb2 as goals_values_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2
from pydantic import SecretStr

from chassis.channel import connect
from chassis.errors import from_rpc_error
from chassis.server import Server
from services.goals.service import Settings, build
from tests.ageing import grow_old, numbered
from tests.conftest import ServiceDatabase
from tests.incentives.company import NOW, Company, eventually
from tests.incentives.plans import S07, in_yuan, per_unit, percent, plan, rate_of, yuan

FOLLOW_UP = facts_pb2.FACT_KIND_FOLLOW_UP
DEAL_WON = facts_pb2.FACT_KIND_DEAL_WON
REVERSED = facts_pb2.FACT_KIND_DEAL_REVERSED


class Joint(Company):
    """The company of tests/incentives, with the real goals beside it."""

    def __init__(self, incentives: ServiceDatabase, goals: ServiceDatabase) -> None:
        self._goals_database = goals
        self._goals: Server | None = None
        self._asking: grpc.Channel | None = None
        super().__init__(incentives)

    def goals_address(self) -> str:
        if self._goals is None:
            settings = Settings(
                database_url=SecretStr(self._goals_database.url),
                verifying_keys=self.public,
                component_token=SecretStr(self.issuer.component("goals", lifetime=timedelta(days=900))),
                identity_address=self.peers.address,
            )
            self._goals = Server(build(settings, clock=self.clock))
            self._goals.start()
        return f"127.0.0.1:{self._goals.port}"

    def goals_head(self) -> int:
        # What was committed a moment ago may not have its position yet.
        numbered(self._goals_database.database)
        request = feed_pb2.ListEventsRequest(page_size=1, compacted=True)
        return self.goals_feed().ListEvents(request).head_position

    def goals_feed(self) -> feed_pb2_grpc.FeedServiceStub:
        if self._asking is None:
            token = self.issuer.component("gateway", lifetime=timedelta(days=900))
            self._asking = connect(self.goals_address(), token=lambda: token)
        return feed_pb2_grpc.FeedServiceStub(self._asking)

    def events_left(self) -> list[int]:
        """The positions of goals' feed that are there; at most 1,000."""
        request = feed_pb2.ListEventsRequest(page_size=1_000, compacted=True)
        return [event.position for event in self.goals_feed().ListEvents(request).events]

    def let_goals_grow_old(self) -> None:
        """Forty days go by, and goals' housekeeping does its round."""
        assert self._goals is not None
        grow_old(self._goals_database.database, self._goals)

    def crm(self) -> facts_pb2_grpc.FactsServiceStub:
        token, _ = self.issuer.service_account("crm", lifetime=timedelta(days=900))
        channel = connect(self.goals_address(), token=lambda: token)
        self._channels.append(channel)
        return facts_pb2_grpc.FactsServiceStub(channel)

    def defines(
        self, name: str, how: str, unit: str, *, channels: list[str], replaces: int = 0
    ) -> metric_library_pb2.MetricVersion:
        """Headquarters defines a metric over won deals of some channels."""
        token, _ = self.issuer.person("hr", session_id="s-hr", lifetime=timedelta(days=900))
        channel = connect(self.goals_address(), token=lambda: token)
        self._channels.append(channel)
        definition = metrics_pb2.MetricDefinition(
            name=name,
            unit=unit,  # type: ignore[arg-type]  # by its name
            aggregation=f"AGGREGATION_{how}",  # type: ignore[arg-type]  # by its name
            fact_kinds=[DEAL_WON],
            direction=metrics_pb2.MetricDefinition.DIRECTION_AT_LEAST,
            description="直播成交",
            conditions=metrics_pb2.MetricDefinition.Conditions(channels=channels),
            titles={"zh-CN": name, "en": name},
        )
        asked = metric_library_pb2.DefineMetricRequest(
            request_id=f"{name}-{replaces}",
            definition=definition,
            effective_from=date_pb2.Date(year=2025, month=1, day=1),
            reason="直播",
            replaces_version=replaces,
        )
        return metric_library_pb2_grpc.MetricLibraryServiceStub(channel).DefineMetric(asked).version

    def close(self) -> None:
        super().close()
        if self._asking is not None:
            self._asking.close()
        if self._goals is not None:
            self._goals.stop(grace=1)


@pytest.fixture(scope="module")
def joint(database_for: Callable[[str], ServiceDatabase]) -> Iterator[Joint]:
    made = Joint(database_for("incentives"), database_for("goals"))
    made.as_("hr").create(plan(*S07))
    yield made
    made.close()


def fact(
    kind: facts_pb2.FactKind.ValueType, person_id: str, external_id: str, at: datetime = NOW, **more: Any
) -> facts_pb2.Fact:
    occurred_at = Timestamp()
    occurred_at.FromDatetime(at - timedelta(hours=1))
    return facts_pb2.Fact(
        source="crm",
        external_id=f"{person_id}-{external_id}",
        kind=kind,
        person_id=person_id,
        occurred_at=occurred_at,
        **more,
    )


def s07_facts(person_id: str) -> list[facts_pb2.Fact]:
    """25 distinct customers followed this month, 10 of them new, 3 deals won."""
    before = NOW - timedelta(days=40)
    old = [fact(FOLLOW_UP, person_id, f"old{n}", before, customer=f"{person_id}-c{n}") for n in range(15)]
    now = [fact(FOLLOW_UP, person_id, f"now{n}", customer=f"{person_id}-c{n}") for n in range(25)]
    return old + now + [fact(DEAL_WON, person_id, f"deal{n}", customer=f"{person_id}-c{n}") for n in range(3)]


def record(joint: Joint, *facts: facts_pb2.Fact) -> None:
    results = joint.crm().RecordFacts(facts_pb2.RecordFactsRequest(facts=facts)).results
    assert not [result.reason for result in results if result.reason]


def total(joint: Joint, person_id: str) -> str:
    return in_yuan(joint.as_(person_id).statement().total)


def test_s07_from_facts_to_money_and_a_rank(joint: Joint) -> None:
    joint.newcomer("s07")
    joint.settle()
    goals_heard(joint, "s07")
    record(joint, *s07_facts("s07"))
    statement = eventually(
        lambda: each if in_yuan((each := joint.as_("s07").statement()).total) == "600.00" else None
    )
    assert statement is not None
    assert [in_yuan(line.amount) for line in statement.lines] == ["500.00", "100.00"]
    explained = joint.as_("s07").explain("points")
    assert {each.metric: each.value.numerator for each in explained.inputs} == {
        "deals_won": 3,
        "customers_followed": 25,
    }
    joint.settle()
    board = joint.as_("s07").board("close-rate-week", "shanghai")
    assert (board.standing.value.numerator, board.standing.value.denominator) == (3, 25)


def test_r7_a_new_customer_is_paid_once_however_often_touched(joint: Joint) -> None:
    joint.newcomer("r7")
    joint.settle()
    goals_heard(joint, "r7")
    known, fresh = "r7-known", "r7-fresh"
    record(
        joint,
        fact(FOLLOW_UP, "r7", "last-month", NOW - timedelta(days=40), customer=known),
        *(fact(FOLLOW_UP, "r7", f"known{n}", customer=known) for n in range(2)),
        *(fact(FOLLOW_UP, "r7", f"fresh{n}", customer=fresh) for n in range(3)),
    )
    joint.settle()
    statement = joint.as_("r7").statement()
    # Two customers were touched five times; one of them is new this month.
    assert (in_yuan(statement.lines[0].amount), in_yuan(statement.total)) == ("50.00", "50.00")


def test_s34_the_same_order_again_and_its_cancelling(joint: Joint) -> None:
    joint.newcomer("s34")
    joint.settle()
    goals_heard(joint, "s34")
    record(joint, *s07_facts("s34"))
    eventually(lambda: total(joint, "s34") == "600.00")
    began = time.monotonic()
    record(joint, fact(DEAL_WON, "s34", "deal3", customer="s34-c3"))
    eventually(lambda: total(joint, "s34") == "800.00")
    assert time.monotonic() - began < 2
    record(joint, fact(DEAL_WON, "s34", "deal3", customer="s34-c3"))
    record(joint, fact(REVERSED, "s34", "back", reverses="s34-deal3"))
    eventually(lambda: total(joint, "s34") == "600.00")
    joint.settle()
    assert total(joint, "s34") == "600.00"


def test_r10_shuffled_doubled_and_in_parts_the_money_is_the_same(joint: Joint) -> None:
    chance = random.Random(5)
    for number in range(3):
        name = f"shuffled-{number}"
        joint.newcomer(name)
        joint.settle()
        goals_heard(joint, name)
        facts = s07_facts(name)
        told = facts + chance.sample(facts, 12)
        chance.shuffle(told)
        for start in range(0, len(told), 9):
            record(joint, *told[start : start + 9])
    joint.settle()
    assert {total(joint, f"shuffled-{number}") for number in range(3)} == {"600.00"}


def test_a_metric_of_ones_own_is_paid_by_and_what_it_measured_before_it_was_there_too(joint: Joint) -> None:
    joint.newcomer("own", job_role="streamer")
    joint.settle()
    goals_heard(joint, "own")

    def sold(number: int, channel: str) -> facts_pb2.Fact:
        amount = yuan(f"{100 * number}")
        return fact(DEAL_WON, "own", f"{channel}{number}", customer="c", channel=channel, amount=amount)

    # Two of the three facts are there before anybody thinks of the metric.
    record(joint, sold(1, "douyin"), sold(2, "phone"))
    joint.settle()
    joint.defines("live_revenue", "SUM_AMOUNT", "UNIT_MONEY", channels=["douyin"])
    joint.defines("live_deals", "COUNT", "UNIT_COUNT", channels=["douyin"])

    def known() -> bool:
        try:
            return bool(joint.as_("hr").create(plan(*rules, job_role="streamer")).plan.id)
        except grpc.RpcError:
            return False

    rules = (rate_of("live_revenue", percent(10)), per_unit("live_deals", "30"))
    eventually(known)
    eventually(lambda: total(joint, "own") == "40.00")
    record(joint, sold(3, "douyin"))
    eventually(lambda: total(joint, "own") == "100.00")
    # It measures something else from now on: the phone instead.
    joint.defines("live_revenue", "SUM_AMOUNT", "UNIT_MONEY", channels=["phone"], replaces=1)
    eventually(lambda: total(joint, "own") == "80.00")
    joint.settle()
    assert total(joint, "own") == "80.00"


def test_a_new_incentives_reads_a_thinned_out_feed_and_pays_the_same(joint: Joint) -> None:
    names = ["thin-0", "thin-1"]
    for name in names:
        joint.newcomer(name)
        joint.settle()
        goals_heard(joint, name)
        for each in s07_facts(name):
            record(joint, each)
    joint.settle()
    paid, before = something_done(joint), joint.events_left()
    joint.let_goals_grow_old()
    after = joint.events_left()
    # One event of each person and month or week at most, where there was one of every fact.
    assert len(after) < len(before) / 5
    with pytest.raises(grpc.RpcError) as refused:
        joint.goals_feed().ListEvents(feed_pb2.ListEventsRequest(after_position=after[0] - 1))
    assert from_rpc_error(refused.value).reason == "FEED_POSITION_EXPIRED"
    # A new database: no statement, no cursor. What it is told it takes in in two sittings.
    joint.server.stop(grace=1)
    with joint.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM statement")
        connection.exec_driver_sql("DELETE FROM cursors WHERE name = 'goals'")
    joint.server = joint.serve()
    joint.restart()
    joint.settle()
    assert something_done(joint) == paid
    # And it goes on from there.
    record(joint, fact(DEAL_WON, "thin-0", "deal3", customer="thin-0-c3"))
    eventually(lambda: total(joint, "thin-0") == "800.00")


def test_a_shared_deal_pays_each_their_share_of_it_to_the_fen_and_goes_with_it(joint: Joint) -> None:
    rules = (rate_of("revenue", percent(4), id="own"), rate_of("overlay_revenue", percent(2), id="on-top"))
    joint.as_("hr").create(plan(*rules, job_role="sharing"))
    for name in ("owner", "mentor", "presales"):
        joint.newcomer(f"split-{name}", job_role="sharing")
    joint.settle()
    for name in ("owner", "mentor", "presales"):
        goals_heard(joint, f"split-{name}")

    def credit(name: str, part: int, *, overlay: bool = False) -> facts_pb2.Credit:
        share = goals_values_pb2.Value(unit=goals_values_pb2.UNIT_RATE, numerator=part, denominator=100)
        return facts_pb2.Credit(person_id=f"split-{name}", share=share, overlay=overlay)

    def paid() -> list[str]:
        return [total(joint, f"split-{name}") for name in ("owner", "mentor", "presales")]

    shared = [credit("owner", 60), credit("mentor", 40), credit("presales", 50, overlay=True)]
    record(joint, fact(DEAL_WON, "split-owner", "d", amount=yuan("9999.99"), credits=shared))
    # 5,999.99 and 4,000.00 at 4 %; on top of it 5,000.00 at 2 %.
    eventually(lambda: paid() == ["240.00", "160.00", "100.00"])
    lines = joint.as_("split-owner").statement().lines
    assert [line.value.numerator for line in lines] == [599_999, 0]
    less = [credit("owner", 90), credit("presales", 10)]
    record(joint, fact(DEAL_WON, "split-owner", "d", amount=yuan("9999.99"), credits=less, version=1))
    eventually(lambda: paid() == ["360.00", "0.00", "40.00"])
    record(joint, fact(REVERSED, "split-owner", "d-back", reverses="split-owner-d"))
    eventually(lambda: paid() == ["0.00", "0.00", "0.00"])


def something_done(joint: Joint) -> dict[tuple[str, int, str], Any]:
    """Statements with figures. Where all was taken back there is a statement of nothing, or none: they say the same."""
    return {key: row for key, row in joint.stored().items() if row[0]}


def goals_heard(joint: Joint, person_id: str) -> None:
    """Wait until goals knows a person too."""

    def heard() -> bool:
        probe = facts_pb2.RecordFactsRequest(
            facts=[fact(FOLLOW_UP, person_id, "probe", customer="x")], dry_run=True
        )
        return not joint.crm().RecordFacts(probe).results[0].reason

    eventually(heard)
