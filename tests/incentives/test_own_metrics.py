"""Metrics that the enterprise defined itself: plans pay by them and boards rank by them, as goals measures them."""

from collections.abc import Iterator
from itertools import count as numbers

import grpc
import pytest
from foothold.goals.v1 import feed_pb2 as goals_pb2
from foothold.goals.v1 import values_pb2 as goals_values_pb2
from foothold.incentives.v1 import boards_pb2, plans_pb2, statements_pb2, values_pb2, whatif_pb2

from chassis.errors import from_rpc_error
from tests.incentives.company import NOW, TODAY, Client, Company, eventually, reason_of, request_id
from tests.incentives.peers import Figures, month_of, values_changed, week_of
from tests.incentives.plans import (
    at_least,
    bonus,
    count,
    gate,
    in_yuan,
    money,
    per_point,
    per_unit,
    percent,
    plan,
    rate_of,
)

_roles = numbers(1)


@pytest.fixture(scope="module", autouse=True)
def library(company: Company) -> None:
    """What goals has told of."""
    company.measured("live_deals", "COUNT", "COUNT")
    company.measured("live_viewers", "COUNT", "DISTINCT_CUSTOMERS")
    company.measured("live_revenue", "MONEY", "SUM_AMOUNT")
    company.measured("live_minutes", "MINUTES", "SUM_MINUTES")
    company.measured("live_rate", "RATE", "RATIO", numerator="live_deals", denominators=["live_viewers"])
    company.measured("mean_deal", "MONEY", "MEAN_AMOUNT")
    company.measured("mean_rate", "RATE", "RATIO", numerator="mean_deal", denominators=["live_viewers"])
    company.measured("last_week", "COUNT", "COUNT", rolling_days=7)
    company.measured("came_again", "COUNT", "REPEAT_CUSTOMERS")
    company.measured("old_counts", "COUNT", "COUNT", retired=True)
    company.settle()


class Seller:
    """Somebody of a job role of their own, with a plan."""

    def __init__(self, company: Company, *rules: plans_pb2.Rule) -> None:
        self.company = company
        self.role = f"live{next(_roles)}"
        self.id = company.newcomer(f"{self.role}-one", job_role=self.role)
        company.settle()
        self.plan = company.as_("hr").create(plan(*rules, job_role=self.role)).plan

    @property
    def client(self) -> Client:
        return self.company.as_(self.id)

    def did(self, **figures: int) -> None:
        self.company.figures(self.id, TODAY, **figures)
        self.company.settle()

    def silently(self, figures: Figures) -> None:
        event = values_changed(self.id, NOW, (week_of(TODAY), figures), (month_of(TODAY), figures))
        self.company.peers.goals.silently(event)

    def lines(self) -> dict[str, str]:
        return {line.rule_id: in_yuan(line.amount) for line in self.client.statement().lines}


@pytest.fixture
def seller(company: Company) -> Iterator[Seller]:
    yield Seller(
        company,
        gate(at_least("live_rate", percent(20)), rate_of("live_revenue", percent(4)), id="gate"),
        per_unit("live_deals", "30"),
        bonus(
            "live_minutes", values_pb2.Value(unit=values_pb2.UNIT_MINUTES, numerator=60, denominator=1), "50"
        ),
        per_point("live_rate", percent(20), "10"),
    )
    company.peers.goals.answers_from = None


def test_plans_pay_by_them_and_every_line_is_explained(seller: Seller) -> None:
    seller.did(live_deals=3, live_viewers=12, live_revenue=1_000_00, live_minutes=60, deals_won=9)
    assert seller.lines() == {
        "gate": "0.00",
        "share": "40.00",
        "unit": "90.00",
        "bonus": "50.00",
        "points": "50.00",
    }
    shown = {line.rule_id: (line.metric, line.value.unit) for line in seller.client.statement().lines}
    assert shown["share"] == ("live_revenue", values_pb2.UNIT_MONEY)
    assert shown["gate"] == ("live_rate", values_pb2.UNIT_RATE)
    explained = seller.client.explain("points")
    assert {(each.metric, each.value.numerator) for each in explained.inputs} == {
        ("live_deals", 3),
        ("live_viewers", 12),
    }
    assert explained.steps[-1].result.numerator == "5000"
    seller.did(live_deals=2, live_viewers=12, live_revenue=1_000_00, live_minutes=59)
    assert in_yuan(seller.client.statement().total) == "60.00"


def test_what_ifs_and_words_know_them(company: Company, seller: Seller) -> None:
    seller.did(live_deals=3, live_viewers=12, live_revenue=1_000_00)
    asked = whatif_pb2.TryChangesRequest(
        person_id=seller.id, hold=["live_rate"], changes=whatif_pb2.Changes(deals=1)
    )
    tried = seller.client.what_if.TryChanges(asked)
    assert {each.metric for each in tried.values} == {
        "live_rate",
        "live_revenue",
        "live_deals",
        "live_minutes",
    }
    checked = company.as_("hr").plans.CheckPlan(plans_pb2.CheckPlanRequest(plan=seller.plan))
    assert "4 % of live_revenue." in checked.readings[1]
    assert any("live_revenue" in each.message for each in checked.findings if each.code == "COST_UNBOUNDED")
    refused = whatif_pb2.TryChangesRequest(person_id=seller.id, hold=["mean_deal"])
    assert reason_of(lambda: seller.client.what_if.TryChanges(refused)) == "FIELD_INVALID"


def _try(seller: Seller, hold: tuple[str, ...] = (), **own: int) -> whatif_pb2.TryChangesResponse:
    more = [whatif_pb2.OwnChange(metric=name, more=number) for name, number in own.items()]
    asked = whatif_pb2.TryChangesRequest(person_id=seller.id, own=more, hold=hold)
    return seller.client.what_if.TryChanges(asked)


def test_more_of_them_is_tried_and_comes_to_what_is_paid_when_it_is_done(seller: Seller) -> None:
    seller.did(live_deals=3, live_viewers=15, live_revenue=1_000_00, live_minutes=59)
    nothing = _try(seller)
    assert [(each.metric, each.unit, each.most) for each in nothing.own_levers] == [
        ("live_deals", values_pb2.UNIT_COUNT, 1_000),
        ("live_viewers", values_pb2.UNIT_COUNT, 1_000),
        ("live_revenue", values_pb2.UNIT_MONEY, 100_000_000),
        ("live_minutes", values_pb2.UNIT_MINUTES, 10_000),
    ]
    assert nothing.before == nothing.after
    # More viewers without a deal lower the rate, and the gate closes.
    assert in_yuan(_try(seller, live_viewers=1).after) == "90.00"
    assert in_yuan(_try(seller, ("live_rate",), live_viewers=1).after) == "130.00"
    tried = _try(seller, live_deals=3, live_viewers=5, live_revenue=100, live_minutes=1)
    assert in_yuan(tried.after) == "374.00"
    (rate,) = [each for each in tried.values if each.metric == "live_rate"]
    assert (rate.after.numerator, rate.after.denominator) == (6, 20)
    seller.did(live_deals=6, live_viewers=20, live_revenue=1_100_00, live_minutes=60)
    assert seller.client.statement().total == tried.after


@pytest.mark.parametrize(
    ("own", "wrong"),
    [
        ([("live_deals", -1)], "own[0].more"),
        ([("live_deals", 1_001)], "own[0].more"),
        ([("live_deals", 1), ("live_minutes", 10_001)], "own[1].more"),
        ([("live_revenue", 100_000_001)], "own[0].more"),
        ([("live_deals", 1), ("live_deals", 1)], "own"),
        ([("live_rate", 1)], "own[0].metric"),
        ([("deals_won", 1)], "own[0].metric"),
        ([("mean_deal", 1)], "own[0].metric"),
    ],
)
def test_what_cannot_be_tried_of_them_is_refused_by_field(
    seller: Seller, own: list[tuple[str, int]], wrong: str
) -> None:
    more = [whatif_pb2.OwnChange(metric=name, more=number) for name, number in own]
    with pytest.raises(grpc.RpcError) as caught:
        seller.client.what_if.TryChanges(whatif_pb2.TryChangesRequest(person_id=seller.id, own=more))
    assert set(from_rpc_error(caught.value).fields) == {wrong}


def test_what_is_missing_for_more_names_them(company: Company) -> None:
    seller = Seller(company, bonus("live_deals", count(5), "100"))
    seller.did(live_deals=3)
    (answer,) = seller.client.answer().next_amounts
    (change,) = answer.changes
    assert (change.lever, change.metric, change.count) == (
        statements_pb2.LeverChange.LEVER_OWN_METRIC,
        "live_deals",
        2,
    )
    assert in_yuan(answer.total) == "100.00"


@pytest.mark.parametrize(
    "name", ["mean_deal", "mean_rate", "last_week", "came_again", "old_counts", "never_heard_of"]
)
def test_what_cannot_be_paid_by_exactly_is_refused_and_what_can_is_named(company: Company, name: str) -> None:
    rule = bonus(name, count(5), "100")
    with pytest.raises(grpc.RpcError) as caught:
        company.as_("hr").propose(plan(rule, job_role=f"no-{next(_roles)}"))
    failure = from_rpc_error(caught.value)
    assert failure.reason == "PLAN_INVALID"
    told = failure.fields["plan.rules[0].threshold_bonus.metric"]
    assert "live_deals" in told
    assert name not in told


def test_a_metric_keeps_its_unit_in_a_plan(company: Company) -> None:
    rule = bonus("live_revenue", count(5), "100")
    assert reason_of(lambda: company.as_("hr").propose(plan(rule, job_role="unit"))) == "VALUE_INVALID"
    company.as_("hr").propose(plan(bonus("live_revenue", money("5"), "100"), job_role="unit"))


def test_another_definition_is_paid_by_without_an_event_for_each_figure(
    company: Company, seller: Seller
) -> None:
    seller.did(live_deals=3, live_viewers=12)
    assert seller.lines()["unit"] == "90.00"
    seller.silently({"live_deals": 5, "live_viewers": 12})
    company.measured("live_deals", "COUNT", "COUNT")
    company.settle()
    assert seller.lines()["unit"] == "150.00"
    assert in_yuan(seller.client.statement().total) == "360.00", "and the rate it is a part of, 5/12"


def test_a_definition_that_changes_while_figures_are_read_has_them_read_again(
    company: Company, seller: Seller
) -> None:
    """The answer on its way is of the definition before, and would be the last word of its people."""
    seller.did(live_deals=3)
    changed: list[goals_pb2.GetValuesRequest] = []

    def change(request: goals_pb2.GetValuesRequest) -> None:
        pays = request.period_kind == goals_values_pb2.PERIOD_KIND_MONTH and request.on.month == TODAY.month
        if pays and seller.id in request.person_ids and not changed:
            changed.append(request)
            seller.silently({"live_deals": 8})
            company.measured("live_deals", "COUNT", "COUNT")
            eventually(company.follows_goals)

    seller.silently({"live_deals": 5})
    company.peers.goals.before_answering = change
    company.measured("live_deals", "COUNT", "COUNT")
    company.settle()
    company.peers.goals.before_answering = lambda _: None
    assert changed
    assert seller.lines()["unit"] == "240.00"


def test_what_was_read_anew_never_takes_the_place_of_what_was_told_later(
    company: Company, seller: Seller
) -> None:
    seller.did(live_deals=1)
    company.peers.goals.answers_from = company.peers.goals.head - 1
    seller.silently({"live_deals": 77})
    seller.did(live_deals=4)
    company.measured("live_deals", "COUNT", "COUNT")
    company.settle()
    assert seller.lines()["unit"] == "120.00"


def test_a_closed_period_is_adjusted(company: Company) -> None:
    seller = Seller(company, per_unit("live_deals", "30"))
    february = TODAY.replace(month=2)
    company.figures(seller.id, february, live_deals=2)
    company.settle()
    company.as_("hr").close("hq", february)
    event = values_changed(seller.id, NOW, (month_of(february), {"live_deals": 5}))
    company.peers.goals.silently(event)
    company.measured("live_deals", "COUNT", "COUNT")
    company.settle()
    assert in_yuan(seller.client.statement(day=february).total) == "60.00"
    (adjustment,) = seller.client.statement().adjustments
    assert in_yuan(adjustment.amount) == "90.00"


def test_a_retired_metric_pays_on_in_the_plans_there_are(company: Company, seller: Seller) -> None:
    company.measured("live_deals", "COUNT", "COUNT", retired=True)
    seller.did(live_deals=6)
    assert seller.lines()["unit"] == "180.00"
    again = plan(per_unit("live_deals", "30"), job_role="again")
    assert reason_of(lambda: company.as_("hr").propose(again)) == "PLAN_INVALID"
    company.measured("live_deals", "COUNT", "COUNT")
    company.settle()


def test_a_board_ranks_by_one_and_hears_when_it_measures_something_else(company: Company) -> None:
    sellers = [Seller(company, per_unit("live_deals", "30")) for _ in range(2)]
    board = boards_pb2.Board(
        id=f"live-{next(_roles)}",
        name="直播榜",
        metric="live_revenue",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
    )
    company.as_("hr").boards.CreateBoard(boards_pb2.CreateBoardRequest(request_id=request_id(), board=board))
    for each, revenue in zip(sellers, (3_00, 2_00), strict=True):
        each.did(live_revenue=revenue)

    def order() -> list[tuple[str, int, int]]:
        entries = company.as_("hr").board(board.id, "hq").entries
        ours = {each.id for each in sellers}
        return [
            (each.person_id, each.value.numerator, each.value.unit)
            for each in entries
            if each.person_id in ours
        ]

    assert order() == [
        (sellers[0].id, 3_00, values_pb2.UNIT_MONEY),
        (sellers[1].id, 2_00, values_pb2.UNIT_MONEY),
    ]
    sellers[1].silently({"live_revenue": 9_00})
    company.measured("live_revenue", "MONEY", "SUM_AMOUNT")
    company.settle()
    assert [who for who, _, _ in order()] == [sellers[1].id, sellers[0].id]
    unknown = boards_pb2.Board(
        id="mean-board", name="均单榜", metric="mean_deal", period_kind=values_pb2.PERIOD_KIND_MONTH
    )
    asked = boards_pb2.CreateBoardRequest(request_id=request_id(), board=unknown)
    assert reason_of(lambda: company.as_("hr").boards.CreateBoard(asked)) == "METRIC_UNKNOWN"
