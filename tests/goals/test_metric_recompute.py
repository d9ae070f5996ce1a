"""A metric of one's own equals its definition in the plainest form, whenever it is defined and however facts arrive."""

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from foothold.goals.v1 import facts_pb2, metrics_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.goals.enterprise import Enterprise, day, fact, yuan
from tests.goals.library import CONDITIONS, NOVELTY, define, definition

PEOPLE = ("li", "wang", "zhao")
CHANNELS = ("online", "phone", "")
START = datetime(2025, 2, 20, 3, 0, tzinfo=UTC)
MONTHS = (date(2025, 2, 1), date(2025, 3, 1), date(2025, 4, 1))
NOBODY, NEW, KNOWN = NOVELTY.NOVELTY_UNSPECIFIED, NOVELTY.NOVELTY_NEW, NOVELTY.NOVELTY_KNOWN


@st.composite
def facts(draw: st.DrawFn, external_id: str, version: int) -> facts_pb2.Fact:
    kind = draw(st.sampled_from(("FOLLOW_UP", "FOLLOW_UP", "ORDER", "DEAL_WON", "DEAL_REVERSED")))
    return fact(
        kind,
        draw(st.sampled_from(PEOPLE)),
        external_id=external_id,
        version=version,
        at=START + timedelta(days=draw(st.integers(0, 25))),
        customer=f"c{draw(st.integers(0, 2))}",
        channel=draw(st.sampled_from(CHANNELS)),
        product=draw(st.sampled_from(("pos", "loan"))),
        amount=yuan(draw(st.integers(0, 4))),
        attributes={"source": draw(st.sampled_from(("ad", "friend")))} if draw(st.booleans()) else {},
        reverses=f"k{draw(st.integers(0, 4))}" if kind == "DEAL_REVERSED" else "",
        voided=draw(st.integers(0, 5)) == 5,
    )


@st.composite
def streams(draw: st.DrawFn) -> list[facts_pb2.Fact]:
    keys = st.tuples(st.integers(0, 9), st.integers(0, 2))
    drawn = draw(st.lists(keys, min_size=4, max_size=16, unique=True))
    return [draw(facts(f"k{key}", version)) for key, version in drawn]


@st.composite
def definitions(draw: st.DrawFn) -> metrics_pb2.MetricDefinition:
    aggregation = draw(
        st.sampled_from(("COUNT", "SUM_AMOUNT", "DISTINCT_CUSTOMERS", "REPEAT_CUSTOMERS", "MEAN_AMOUNT"))
    )
    conditions = CONDITIONS(
        channels=draw(st.sampled_from(((), ("online",), ("online", "phone")))),
        products=draw(st.sampled_from(((), ("pos",)))),
        customers=draw(st.sampled_from((NOBODY, NEW, KNOWN))),
    )
    if draw(st.booleans()):
        conditions.least_amount = draw(st.integers(0, 300))
    if draw(st.booleans()):
        conditions.most_amount = draw(st.integers(300, 400))
    if draw(st.booleans()):
        conditions.attributes.add(name="source", values=["ad"])
    kinds = draw(st.sampled_from((("FOLLOW_UP",), ("ORDER", "DEAL_WON"), ("FOLLOW_UP", "ORDER"))))
    unit = "MONEY" if "AMOUNT" in aggregation else "COUNT"
    return definition("own", aggregation, *kinds, unit=unit, conditions=conditions)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    stream=streams(),
    told=definitions(),
    chance=st.randoms(use_true_random=False),
    when=st.sampled_from((0, 1, 2)),
)
def test_a_metric_of_ones_own_equals_its_definition(
    running: Enterprise,
    stream: list[facts_pb2.Fact],
    told: metrics_pb2.MetricDefinition,
    chance: random.Random,
    when: int,
) -> None:
    running.clear()
    crm = running.as_("crm")
    order = stream + chance.sample(stream, len(stream) // 3)
    chance.shuffle(order)
    parts = (order[: len(order) // 2], order[len(order) // 2 :])
    for moment in range(3):
        if moment == when:
            define(running, told)
        if moment < 2:
            for each in parts[moment]:
                assert set(crm.outcomes(each)) <= {"RECORDED", "ALREADY_KNOWN"}
    assert running.as_("operator").check().values_differing == 0
    for first, stop in itertools.pairwise(MONTHS):
        asked = metrics_pb2.QueryMetricRequest(
            metric="own",
            group_by=metrics_pb2.GROUP_BY_PERSON,
            to=day(stop),
            **{"from": day(first)},  # a keyword of Python
        )
        shown = {row.key: row.value for row in running.as_("operator").metrics.QueryMetric(asked).rows}
        for person in PEOPLE:
            expected = naive(stream, told, person, first, stop)
            value = shown.get(person)
            found = (value.numerator, value.denominator) if value else None
            if expected is None:
                assert found in {None, (0, 0)}, (person, first, found)
            else:
                assert found is not None or expected == 0, (person, first)
                assert Fraction(*(found or (0, 1))) == expected, (person, first, found)


def naive(
    stream: list[facts_pb2.Fact], told: metrics_pb2.MetricDefinition, person: str, first: date, stop: date
) -> Fraction | None:
    """The definition in plain loops over what stands in the end."""
    own = [each for each in standing(stream) if each.person_id == person]
    followed: dict[str, date] = {}
    for each in own:
        if each.kind == facts_pb2.FACT_KIND_FOLLOW_UP:
            followed[each.customer] = min(local_day(each), followed.get(each.customer, date.max))

    def whom(customer: str) -> int:
        since = followed.get(customer, date.max)
        if since >= stop:
            return NOBODY
        return NEW if since >= first else KNOWN

    matching = [each for each in own if admitted(told, each)]
    within = [each for each in matching if first <= local_day(each) < stop]
    if told.conditions.customers != NOBODY:
        within = [each for each in within if whom(each.customer) == told.conditions.customers]
    total = sum(each.amount.units * 100 for each in within)
    again = {
        each.customer
        for each in within
        if sum(other.customer == each.customer and local_day(other) < stop for other in matching) > 1
    }
    aggregation = metrics_pb2.MetricDefinition.Aggregation.Name(told.aggregation).removeprefix("AGGREGATION_")
    values = {
        "COUNT": Fraction(len(within)),
        "DISTINCT_CUSTOMERS": Fraction(len({each.customer for each in within})),
        "REPEAT_CUSTOMERS": Fraction(len(again)),
        "MEAN_AMOUNT": Fraction(total, len(within)) if within else None,
        "SUM_AMOUNT": Fraction(total),
    }
    return values[aggregation]


def standing(stream: list[facts_pb2.Fact]) -> list[facts_pb2.Fact]:
    """What counts in the end."""
    heads: dict[str, facts_pb2.Fact] = {}
    for each in stream:
        if each.external_id not in heads or heads[each.external_id].version < each.version:
            heads[each.external_id] = each
    live = [each for each in heads.values() if not each.voided]
    taken_back = {each.reverses for each in live if each.kind == facts_pb2.FACT_KIND_DEAL_REVERSED}
    reversible = {facts_pb2.FACT_KIND_DEAL_WON, facts_pb2.FACT_KIND_ORDER}
    return [each for each in live if each.kind not in reversible or each.external_id not in taken_back]


def admitted(told: metrics_pb2.MetricDefinition, each: facts_pb2.Fact) -> bool:
    """Whether a fact meets the conditions."""
    asked = told.conditions
    return (
        each.kind in told.fact_kinds
        and (not asked.channels or each.channel in asked.channels)
        and (not asked.products or each.product in asked.products)
        and (not asked.HasField("least_amount") or each.amount.units * 100 >= asked.least_amount)
        and (not asked.HasField("most_amount") or each.amount.units * 100 <= asked.most_amount)
        and all(each.attributes.get(one.name) in one.values for one in asked.attributes)
    )


def local_day(told: facts_pb2.Fact) -> date:
    return (told.occurred_at.ToDatetime() + timedelta(hours=8)).date()
