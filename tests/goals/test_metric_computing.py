"""What is recorded while a metric's values are computed is neither lost nor doubled, whatever it takes away."""

import itertools
import random
import time
from datetime import UTC, date, timedelta
from fractions import Fraction
from typing import Any, Final

import pytest
from foothold.goals.v1 import facts_pb2, metric_library_pb2, metrics_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.server import Server
from services.goals.service import build
from tests.goals.computing import MOMENTS, Stepwise
from tests.goals.enterprise import Enterprise, day, fact, fresh, yuan
from tests.goals.library import CONDITIONS, NOVELTY, STATE, define, definition, newest, request, wait_for
from tests.goals.test_metric_recompute import MONTHS, PEOPLE, START, definitions, naive, streams

_ZONES: Final = ("Asia/Shanghai", "America/Los_Angeles")


@st.composite
def computed(draw: st.DrawFn) -> metrics_pb2.MetricDefinition:
    """Definitions whose values do not follow from what is kept by kind of fact."""
    told = draw(definitions())
    if not told.conditions.HasField("least_amount"):
        told.conditions.least_amount = 0
    return told


def close_together(stream: list[facts_pb2.Fact]) -> list[facts_pb2.Fact]:
    """The same facts within three days, so that many share a day, a customer, or both."""
    for each in stream:
        days = (each.occurred_at.ToDatetime(UTC) - START).days
        each.occurred_at.FromDatetime(START + timedelta(days=days % 3))
    return stream


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    stream=st.one_of(streams(), streams().map(close_together)),
    told=computed(),
    chance=st.randoms(use_true_random=False),
    moves=st.sampled_from((None, None, *MOMENTS)),
)
def test_corrections_and_late_facts_in_the_middle_leave_the_same_as_computing_at_rest(
    running: Enterprise,
    stream: list[facts_pb2.Fact],
    told: metrics_pb2.MetricDefinition,
    chance: random.Random,
    moves: str | None,
) -> None:
    running.clear()
    crm, operator = running.as_("crm"), running.as_("operator")
    order = stream + chance.sample(stream, len(stream) // 3)
    chance.shuffle(order)
    when: dict[str, list[facts_pb2.Fact]] = {moment: [] for moment in ("before", *MOMENTS)}
    for each in order:
        when[chance.choice(list(when))].append(each)

    def tell(moment: str) -> None:
        if moment == moves:
            _move_shanghai(running, "America/Los_Angeles")
        for each in when[moment]:
            assert set(crm.outcomes(each)) <= {"RECORDED", "ALREADY_KNOWN"}

    try:
        tell("before")
        Stepwise(running, told).through(tell)
        in_the_middle = operator.check()
        assert in_the_middle.values_differing == 0
        if moves is None:
            assert {
                (person, first): _shown(running, person, first, stop)
                for first, stop in itertools.pairwise(MONTHS)
                for person in PEOPLE
            } == {
                (person, first): naive(stream, told, person, first, stop) or 0
                for first, stop in itertools.pairwise(MONTHS)
                for person in PEOPLE
            }
        running.clear()
        for each in order:
            crm.outcomes(each)
        define(running, told)
        assert operator.check() == in_the_middle
    finally:
        _move_shanghai(running, "Asia/Shanghai")


def _move_shanghai(running: Enterprise, zone: str) -> None:
    running.tell({"node_changed": running.node("shanghai", "hq", 2, zone)})


def _shown(running: Enterprise, person: str, first: date, stop: date, *, metric: str = "own") -> Fraction:
    asked = metrics_pb2.QueryMetricRequest(
        metric=metric,
        node_id=person,
        group_by=metrics_pb2.GROUP_BY_PERSON,
        to=day(stop),
        **{"from": day(first)},  # a keyword of Python
    )
    total = running.as_("operator").metrics.QueryMetric(asked).total
    return Fraction(total.numerator, total.denominator) if total.denominator else Fraction(0)


def _orders(name: str = "own", **more: Any) -> metrics_pb2.MetricDefinition:
    conditions = CONDITIONS(channels=["online"], **more)
    return definition(name, "SUM_AMOUNT", "ORDER", unit="MONEY", conditions=conditions)


def test_a_fact_of_before_is_taken_back_while_the_values_are_computed(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    old = fact("ORDER", "li", external_id="o1", at=START, channel="online", amount=yuan(5))
    assert crm.outcomes(old) == ["RECORDED"]

    def take_back(moment: str) -> None:
        if moment == "counting":
            void = fact("ORDER", "li", external_id="o1", version=1, at=START, channel="online", voided=True)
            assert crm.outcomes(void) == ["RECORDED"]

    Stepwise(goals, _orders()).through(take_back)
    assert _shown(goals, "li", *MONTHS[:2]) == 0
    assert goals.as_("operator").check().values_differing == 0


@pytest.mark.parametrize("customers", [NOVELTY.NOVELTY_UNSPECIFIED, NOVELTY.NOVELTY_NEW])
def test_one_fact_comes_and_another_of_the_day_goes_while_the_values_are_computed(
    goals: Enterprise, customers: "metrics_pb2.MetricDefinition.Novelty.ValueType"
) -> None:
    crm = goals.as_("crm")
    about = {"at": START, "customer": "c1"}
    crm.outcomes(
        fact("FOLLOW_UP", "li", **about),
        fact("ORDER", "li", external_id="o1", channel="online", amount=yuan(5), **about),
    )

    def tell(moment: str) -> None:
        # Two facts less and more come to nothing by number, and not by amount.
        if moment == "counting":
            crm.outcomes(fact("ORDER", "li", external_id="o2", channel="online", amount=yuan(7), **about))
            crm.outcomes(fact("ORDER", "li", external_id="o1", version=1, voided=True, **about))

    Stepwise(goals, _orders(customers=customers)).through(tell)
    assert _shown(goals, "li", *MONTHS[:2]) == 700
    assert goals.as_("operator").check().values_differing == 0


def test_of_two_processes_one_computes(goals: Enterprise) -> None:
    crm, operator = goals.as_("crm"), goals.as_("operator")
    other = Server(build(goals.settings, clock=goals.clock))
    other.start()
    try:
        orders = [
            fact("ORDER", "li", external_id=f"o{number}", at=START, channel="online", amount=yuan(1))
            for number in range(200)
        ]
        crm.outcomes(*orders[:100])
        before = operator.head()
        for metric in ("one", "two", "three"):
            goals.as_("hr").library.DefineMetric(request(_orders(metric)))
        for each in orders[100:]:
            crm.outcomes(each)
        for metric in ("one", "two", "three"):
            wait_for(operator, metric)
    finally:
        other.stop(grace=2)
    assert _shown(goals, "li", *MONTHS[:2], metric="two") == 20_000
    assert operator.check().values_differing == 0
    events = operator.heard(before, "metric_changed", 3)
    assert {each.metric_changed.metric for each in events} == {"one", "two", "three"}


def test_followers_hear_when_a_version_serves_and_when_its_metric_is_retired(goals: Enterprise) -> None:
    hr, operator = goals.as_("hr"), goals.as_("operator")
    before = operator.head()

    def nobody_hears(moment: str) -> None:
        if moment == "bringing in":
            assert operator.head() == before

    Stepwise(goals, _orders()).through(nobody_hears)
    # What needs no computing serves at once.
    hr.library.DefineMetric(request(definition("mails", "COUNT", "EMAIL")))
    hr.library.RetireMetric(
        metric_library_pb2.RetireMetricRequest(request_id=fresh("r"), metric="own", reason="we stopped")
    )
    events = operator.heard(before, "metric_changed", 3)
    told = [(each.metric_changed.metric, each.metric_changed.version) for each in events]
    assert told == [("own", 1), ("mails", 1), ("own", 2)]
    # What it measures is as it is now, also of an older event.
    assert [each.metric_changed.retired for each in events] == [True, False, True]
    assert {each.metric_changed.definition.name for each in events} == {"own", "mails"}


def test_the_version_before_serves_and_others_are_defined_while_the_values_are_computed(
    goals: Enterprise,
) -> None:
    crm, hr = goals.as_("crm"), goals.as_("hr")
    for number, channel in enumerate(("online", "phone", "phone")):
        crm.outcomes(fact("ORDER", "li", external_id=f"o{number}", at=START, channel=channel, amount=yuan(5)))
    define(goals, _orders())
    both = definition(
        "own", "SUM_AMOUNT", "ORDER", unit="MONEY", conditions=CONDITIONS(channels=["online", "phone"])
    )
    seen = []

    def look(moment: str) -> None:
        seen.append(_shown(goals, "li", *MONTHS[:2]))
        if moment == "counting":
            crm.outcomes(fact("ORDER", "li", external_id="o9", at=START, channel="online", amount=yuan(7)))
            other = definition("other", "COUNT", "ORDER", conditions=CONDITIONS(channels=["phone"]))
            assert hr.library.DefineMetric(request(other)).version.state == STATE.STATE_COMPUTING

    Stepwise(goals, both, replaces=1).through(look)
    assert seen == [500, 500, 1200, 1200, 2200]
    wait_for(hr, "other")
    assert goals.as_("operator").check().values_differing == 0


def test_a_pass_that_fails_begins_anew_and_facts_go_on(goals: Enterprise) -> None:
    crm, hr = goals.as_("crm"), goals.as_("hr")
    old = fact("ORDER", "li", external_id="o1", at=START, channel="online", amount=yuan(5))
    crm.outcomes(old)
    with goals.database.begin() as connection:
        # Where a pass would set facts down there is something else.
        connection.exec_driver_sql("CREATE TABLE staged (number integer)")
    try:
        hr.library.DefineMetric(request(_orders()))
        time.sleep(0.5)
        void = fact("ORDER", "li", external_id="o1", version=1, at=START, channel="online", voided=True)
        new = fact("ORDER", "li", external_id="o2", at=START, channel="online", amount=yuan(7))
        assert crm.outcomes(void, new) == ["RECORDED", "RECORDED"]
        assert newest(hr, "own").state == STATE.STATE_COMPUTING
    finally:
        with goals.database.begin() as connection:
            connection.exec_driver_sql("DROP TABLE staged")
    wait_for(hr, "own")
    assert _shown(goals, "li", *MONTHS[:2]) == 700
    assert goals.as_("operator").check().values_differing == 0
