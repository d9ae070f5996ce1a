"""What-ifs through the contract (S10 to S12), and the laws of what it takes to reach a total, by brute force."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import grpc
import pytest
from foothold.incentives.v1 import plans_pb2, values_pb2, whatif_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import from_rpc_error
from services.incentives.domain.reaching import Changes, Reach, keep, reach
from services.incentives.domain.rules import Rule
from tests.incentives import naive
from tests.incentives.company import Client, Company
from tests.incentives.plans import PRO_RATA, S07, bonus, in_yuan, per_point, per_unit, rate, yuan
from tests.incentives.test_acceptance import pay
from tests.incentives.test_rules import plan_of

_FIGURES = {"customers_followed": 25, "new_customers": 10, "deals_won": 3}
_POINTS = per_point("close_rate", rate(10, 100), "50", PRO_RATA)
_LEVERS = {"new_customers": 1, "deals": 2, "emails": 3, "meetings": 4}


def _try(
    client: Client, changes: Mapping[str, int], hold: tuple[str, ...] = ()
) -> whatif_pb2.TryChangesResponse:
    return client.what_if.TryChanges(
        whatif_pb2.TryChangesRequest(
            person_id=client.person_id, changes=whatif_pb2.Changes(**changes), hold=hold
        )
    )


def _reach(client: Client, total: str, hold: tuple[str, ...] = ()) -> whatif_pb2.ReachTotalResponse:
    return client.what_if.ReachTotal(
        whatif_pb2.ReachTotalRequest(person_id=client.person_id, total=yuan(total), hold=hold)
    )


def _told(changes: whatif_pb2.Changes) -> dict[str, int]:
    return {field.name: number for field, number in changes.ListFields()}


@pytest.fixture(scope="module")
def whole(company: Company) -> Client:
    return pay(company, "what-if-whole", list(S07), **_FIGURES)


@pytest.fixture(scope="module")
def pro_rata(company: Company) -> Client:
    return pay(company, "what-if-rata", [per_unit("new_customers", "50"), _POINTS], **_FIGURES)


def test_s10_two_more_new_customers_at_the_same_close_rate_come_to_700(whole: Client) -> None:
    answer = _try(whole, {"new_customers": 2}, ("close_rate",))
    assert (in_yuan(answer.before), in_yuan(answer.after)) == ("600.00", "700.00")
    assert [(line.rule_id, in_yuan(line.before), in_yuan(line.after)) for line in answer.lines] == [
        ("unit", "500.00", "600.00"),
        ("points", "100.00", "100.00"),
    ]
    (held,) = [each for each in answer.values if each.metric == "close_rate"]
    assert held.before == held.after
    assert list(answer.levers) == ["new_customers", "deals"]


def test_s10_what_do_i_need_for_700_is_exactly_two_follow_ups_with_the_side_effect_said(
    whole: Client,
) -> None:
    (way,) = [
        each
        for each in _reach(whole, "700", ("close_rate",)).ways
        if _told(each.changes).keys() == {"new_customers"}
    ]
    assert _told(way.changes) == {"new_customers": 2}
    assert in_yuan(way.total) == "700.00"
    # Two more follow-ups without a deal: +50, not +100.
    assert in_yuan(way.total_unheld) == "650.00"
    assert [line.rule_id for line in way.lines] == ["unit"]


@pytest.mark.parametrize(
    ("changes", "in_whole_points", "in_proportion"),
    [
        ({"new_customers": 2}, "650.00", "655.56"),
        ({"new_customers": 2, "deals": 1}, "800.00", "840.74"),
    ],
)
def test_s11_and_s12_nothing_is_held_unless_asked(
    whole: Client, pro_rata: Client, changes: dict[str, int], in_whole_points: str, in_proportion: str
) -> None:
    assert in_yuan(_try(whole, changes).after) == in_whole_points
    assert in_yuan(_try(pro_rata, changes).after) == in_proportion


def test_a_total_that_is_reached_takes_nothing(whole: Client) -> None:
    answer = _reach(whole, "600")
    assert answer.reached
    assert not answer.ways


def test_a_total_out_of_reach_is_said_with_the_most_there_is(company: Company) -> None:
    someone = pay(company, "what-if-bonus", [bonus("close_rate", rate(15, 100), "200")], **_FIGURES)
    answer = _reach(someone, "1000")
    assert (answer.reached, list(answer.ways)) == (False, [])
    assert in_yuan(answer.best.total) == "200.00"
    assert _told(answer.best.changes) == {"deals": 1}
    assert answer.tried.new_customers == 1000


def test_order_value_is_told_in_whole_yuan_enough_and_one_less_is_not(company: Company) -> None:
    value = per_unit("new_customers", "1")
    threshold = plans_pb2.ThresholdBonus(
        metric="revenue",
        threshold=values_pb2.Value(
            unit=values_pb2.UNIT_MONEY, numerator=123_456, denominator=1, currency="CNY"
        ),
        amount=yuan("300"),
    )
    rule = plans_pb2.Rule(id="sold", label="销售额奖", threshold_bonus=threshold)
    someone = pay(company, "what-if-value", [value, rule], revenue=100_000)
    (way,) = [each for each in _reach(someone, "300").ways if "order_value" in _told(each.changes)]
    assert _told(way.changes) == {"order_value": 235}
    assert in_yuan(_try(someone, {"order_value": 235}).after) == "300.00"
    assert in_yuan(_try(someone, {"order_value": 234}).after) == "0.00"


def test_nobody_asks_about_a_person_without_a_plan(company: Company) -> None:
    company.newcomer("what-if-none", job_role="nothing-is-set")
    company.settle()
    with pytest.raises(grpc.RpcError) as caught:
        _try(company.as_("what-if-none"), {"new_customers": 1})
    assert from_rpc_error(caught.value).reason == "PLAN_UNKNOWN"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"changes": {"deals": -1}}, "changes.deals"),
        ({"changes": {"emails": 1001}}, "changes.emails"),
        ({"changes": {"order_value": 100_000_001}}, "changes.order_value"),
        ({"hold": ["close_rate", "close_rate"]}, "hold"),
        ({"hold": ["happiness"]}, "hold[0]"),
    ],
)
def test_what_cannot_be_tried_is_refused_by_field(whole: Client, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        whole.what_if.TryChanges(whatif_pb2.TryChangesRequest(person_id=whole.person_id, **fields))
    assert set(from_rpc_error(caught.value).fields) == {wrong}


@pytest.mark.parametrize("total", ["0", "-5", "10000000000.01"])
def test_a_total_that_is_none_is_refused(whole: Client, total: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        _reach(whole, total)
    assert set(from_rpc_error(caught.value).fields) == {"total"}


# The laws, against an evaluator of the tests' own.


def _naive(
    rules: tuple[Rule, ...], figures: Mapping[str, int], changes: Changes, held: tuple[str, ...]
) -> int:
    counts: dict[int | str, int] = {number: getattr(changes, lever) for lever, number in _LEVERS.items()}
    values: dict[str, Fraction | None] = {name: naive.value_of(name, figures) for name in held}
    changed = naive.after(figures, counts)
    changed["revenue"] = changed.get("revenue", 0) + 100 * changes.order_value
    return naive.total(rules, changed, values)


def _less(way: Changes) -> list[Changes]:
    return [way._replace(**{name: count - 1}) for name, count in way._asdict().items() if count]


def _searched(
    rules: tuple[Rule, ...], figures: dict[str, int], more: int, hold: bool
) -> tuple[Reach, int, tuple[str, ...]]:
    held = ("close_rate",) if hold else ()
    total = _naive(rules, figures, Changes(), ()) + more
    plan = plan_of(rules)
    return reach(plan, figures, keep(plan, figures, held), total), total, held


@settings(max_examples=100, deadline=None)
@given(naive.trees(), naive.figures(most=30), st.integers(1, 10**6), st.booleans())
def test_every_way_is_enough_and_one_less_of_anything_is_not(
    rules: tuple[Rule, ...], figures: dict[str, int], more: int, hold: bool
) -> None:
    found, total, held = _searched(rules, figures, more, hold)
    for way in found.ways:
        assert _naive(rules, figures, way, held) >= total
        assert all(_naive(rules, figures, each, held) < total for each in _less(way))
    assert _naive(rules, figures, found.best_changes, held) == found.best
    assert found.ways == tuple(dict.fromkeys(found.ways))


@settings(max_examples=40, deadline=None)
@given(naive.trees(), naive.figures(most=12), st.integers(1, 10**5), st.booleans())
def test_no_least_way_of_up_to_seven_of_each_is_missed(
    rules: tuple[Rule, ...], figures: dict[str, int], more: int, hold: bool
) -> None:
    found, total, held = _searched(rules, figures, more, hold)
    enough = [
        Changes(new_customers=follow, deals=won, emails=sent)
        for follow, won, sent in product(range(8), repeat=3)
        if _naive(rules, figures, Changes(new_customers=follow, deals=won, emails=sent), held) >= total
    ]
    least = {
        way
        for way in enough
        if not any(other != way and all(a <= b for a, b in zip(other, way, strict=True)) for other in enough)
    }
    assert len(found.ways) == 20 or not found.left_out
    if not found.left_out:
        assert least <= {*found.ways, Changes()}
