"""Prizes for ranks: settled once when the period is closed, level people share, the pot is never exceeded."""

from collections.abc import Iterator
from datetime import date
from itertools import count as numbers
from typing import Any

import pytest
from foothold.identity.v1 import access_pb2, directory_pb2
from foothold.incentives.v1 import payouts_pb2, plans_pb2, statements_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from services.incentives.domain.metrics import METRICS, Unit, base
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.prizes import Leaders, holds, winners
from services.incentives.domain.rules import RankingPrize
from tests.incentives import naive
from tests.incentives.company import NOW, TODAY, Client, Company, on, request_id
from tests.incentives.plans import MONTH, in_yuan, per_unit, plan, ranking_prize

JANUARY, FEBRUARY, MARCH = date(2025, 1, 12), date(2025, 2, 12), TODAY
_names = numbers(1)


@pytest.fixture(autouse=True)
def march(company: Company) -> Iterator[None]:
    yield
    company.clock.set(NOW)


class Contest:
    """A branch of its own with people of a job role of their own, and a plan there with a prize."""

    def __init__(
        self,
        company: Company,
        *sold: int,
        rules: tuple[plans_pb2.Rule, ...] = (),
        at: str = "",
        day: date = FEBRUARY,
    ) -> None:
        self.company, self.day = company, day
        number = next(_names)
        self.branch, self.role = f"arena-{number}", f"racer{number}"
        node = directory_pb2.Node(
            id=self.branch, parent_id="hq", kind=directory_pb2.NODE_KIND_BRANCH, name=self.branch
        )
        company.tell(node_changed=node)
        self.people = [
            company.newcomer(f"racer-{number}-{each}", self.branch, self.role) for each in range(len(sold))
        ]
        company.settle()
        rules = rules or (per_unit("deals_won", "10"), ranking_prize("deals_won", "1000", "500", "200"))
        made = plan(*rules, node_id=at or self.branch, job_role=self.role)
        self.plan = company.as_("hr").create(made).plan
        for who, deals in enumerate(sold):
            self.sells(who, deals, settle=False)
        company.settle()

    def sells(self, who: int, deals: int, *, settle: bool = True, **more: int) -> None:
        self.company.figures(self.people[who], self.day, deals_won=deals, **more)
        if settle:
            self.company.settle()

    def close(self, node_id: str = "") -> None:
        self.company.as_("hr").close(node_id or self.branch, self.day)

    def as_(self, who: int) -> Client:
        return self.company.as_(self.people[who])

    def prizes(self, rule_id: str = "prize") -> list[str]:
        return [
            in_yuan(next(line for line in self.statement(who).lines if line.rule_id == rule_id).amount)
            for who in range(len(self.people))
        ]

    def statement(self, who: int, day: date | None = None) -> statements_pb2.Statement:
        return self.as_(who).statement(day=day or self.day)


def test_prizes_are_settled_when_the_period_is_closed_and_explained(company: Company) -> None:
    contest = Contest(company, 3, 9, 5, 1)
    assert contest.prizes() == ["0.00"] * 4
    contest.close()
    assert contest.prizes() == ["200.00", "1000.00", "500.00", "0.00"]
    assert in_yuan(contest.statement(1).total) == "1090.00"
    explained = contest.as_(2).explain("prize", day=FEBRUARY)
    assert (explained.placing.rank, explained.placing.tied) == (2, 1)
    assert (explained.placing.value.metric, explained.placing.value.value.numerator) == ("deals_won", 5)
    assert [(each.metric, each.value.numerator) for each in explained.inputs] == [("prize:prize", 500_00)]
    assert explained.steps[-1].result.numerator == "50000"
    assert not contest.as_(3).explain("prize", day=FEBRUARY).HasField("placing")


def test_who_is_level_shares_what_they_take_up(company: Company) -> None:
    contest = Contest(company, 7, 7, 7, 2, rules=(ranking_prize("deals_won", "1000", "500", "200", "100"),))
    contest.close()
    # 1,700 for three: 566.66 each, the rest is nobody's. The next is fourth.
    assert contest.prizes() == ["566.66", "566.66", "566.66", "100.00"]


def test_once_settled_it_stays_whatever_is_learned_later(company: Company) -> None:
    contest = Contest(company, 3, 2)
    contest.close()
    frozen = [contest.statement(who) for who in range(2)]
    contest.sells(1, 9)
    contest.close()
    contest.company.restart()
    assert [contest.statement(who) for who in range(2)] == frozen
    (late,) = contest.statement(1, MARCH).adjustments
    assert (late.rule_id, in_yuan(late.amount)) == ("unit", "70.00")
    assert not contest.statement(0, MARCH).adjustments


def test_a_branch_closed_before_the_plans_node_gets_the_prize_as_an_adjustment(company: Company) -> None:
    contest = Contest(company, 4, 6, at="hq", day=JANUARY)
    contest.close()
    assert contest.prizes() == ["0.00", "0.00"], "others may still come before them"
    contest.close("hq")
    assert contest.prizes() == ["0.00", "0.00"]
    paid = [
        [(each.rule_id, in_yuan(each.amount)) for each in contest.statement(who, MARCH).adjustments]
        for who in (0, 1)
    ]
    assert paid == [[("prize", "500.00")], [("prize", "1000.00")]]


def test_only_periods_within_the_dates(company: Company) -> None:
    rules = (
        ranking_prize("deals_won", "100", dates=(date(2025, 2, 1), date(2025, 3, 1)), id="within"),
        ranking_prize("deals_won", "100", dates=(date(2025, 2, 2), None), id="later"),
        ranking_prize("deals_won", "100", dates=(None, date(2025, 2, 1)), id="earlier"),
    )
    contest = Contest(company, 1, rules=rules)
    contest.close()
    assert [contest.prizes(each)[0] for each in ("within", "later", "earlier")] == ["100.00", "0.00", "0.00"]


def test_a_rate_needs_its_least_denominator_and_nothing_wins_nothing(company: Company) -> None:
    contest = Contest(
        company,
        2,
        3,
        0,
        rules=(ranking_prize("close_rate", "100", "50"), ranking_prize("emails_sent", "9", id="mail")),
    )
    contest.sells(0, 2, customers_followed=4)
    contest.sells(1, 3, customers_followed=10)
    contest.close()
    assert contest.prizes() == ["0.00", "100.00", "0.00"]
    assert contest.prizes("mail") == ["0.00"] * 3


def test_a_batch_pays_it_with_the_other_lines(company: Company) -> None:
    contest = Contest(company, 3)
    own = access_pb2.Binding(
        id=f"b-{contest.branch}", role_id="branch_hr", subject_id="nobody", node_id=contest.branch
    )
    company.tell(binding_added=own)
    company.settle()
    branch = company.as_("nobody")
    branch.close(contest.branch, FEBRUARY)
    of: dict[str, Any] = {"node_id": contest.branch, "period_kind": MONTH, "on": on(FEBRUARY)}
    company.as_("hr").payouts.ApprovePayouts(payouts_pb2.ApprovePayoutsRequest(request_id=request_id(), **of))
    batch = branch.payouts.CreateBatch(payouts_pb2.CreateBatchRequest(request_id=request_id(), **of)).batch
    assert in_yuan(batch.total) == "1030.00"
    lines = branch.payouts.ListBatchLines(payouts_pb2.ListBatchLinesRequest(batch_id=batch.id)).lines
    assert {(each.rule_id, in_yuan(each.amount)) for each in lines} == {
        ("unit", "30.00"),
        ("prize", "1000.00"),
    }


@pytest.mark.parametrize(
    ("spoilt", "field"),
    [
        (ranking_prize("deals_won"), "prizes"),
        (ranking_prize("deals_won", *["1"] * 21), "prizes"),
        (ranking_prize("deals_won", "1", "2"), "prizes"),
        (ranking_prize("deals_won", "0"), "prizes[0]"),
        (ranking_prize("no_such", "1"), "metric"),
        (ranking_prize("deals_won", "1", minimum=-1), "minimum_denominator"),
        (ranking_prize("deals_won", "1", dates=(date(2025, 3, 1), date(2025, 3, 1))), "to"),
    ],
)
def test_a_prize_that_makes_no_sense_is_refused(company: Company, spoilt: plans_pb2.Rule, field: str) -> None:
    asked = plans_pb2.CheckPlanRequest(plan=plan(spoilt, job_role="none"))
    found = {each.field for each in company.as_("hr").plans.CheckPlan(asked).findings}
    assert f"rules[0].ranking_prize.{field}" in found


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(
        st.integers(0, 30).map("p{:02}".format), st.tuples(st.integers(0, 6), st.integers(0, 12)), max_size=12
    ),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=6),
    st.sampled_from(["close_rate", "deals_won"]),
)
def test_ranks_are_those_counted_by_hand_and_the_pot_is_never_exceeded(
    told: dict[str, tuple[int, int]], amounts: list[int], metric: str
) -> None:
    prizes = tuple(sorted(amounts, reverse=True))
    kind = RankingPrize(base("prize:p", Unit.MONEY), METRICS[metric], 5, prizes)
    figures = {
        who: {"deals_won": won, "customers_followed": followed} for who, (won, followed) in told.items()
    }
    found = winners(kind, figures)
    assert sum(each.amount for each in found) <= sum(prizes)
    values = {
        who: value
        for who, own in figures.items()
        if (value := naive.value_of(metric, own)) is not None
        and (own["customers_followed"] >= 5 if metric == "close_rate" else value)
    }
    expected = {}
    for who, mine in values.items():
        rank = 1 + sum(value > mine for value in values.values())
        tied = sum(value == mine for value in values.values())
        amount = sum(prizes[rank - 1 : rank - 1 + tied]) // tied
        if amount:
            expected[who] = (rank, tied, mine, amount)
    assert {
        each.person_id: (each.rank, each.tied, each.value.exact, each.amount) for each in found
    } == expected
    assert found == winners(kind, dict(reversed(figures.items())))
    # The same without everybody at once, in any order, and stored in between.
    leaders = Leaders(kind)
    for own in reversed(figures.values()):
        leaders.add(own)
        leaders = Leaders(kind, leaders.levels)
    assert len(leaders.levels) <= len(prizes)
    won = {each.person_id: each.amount for each in found}
    assert {who: leaders.amount(own) for who, own in figures.items()} == {
        who: won.get(who, 0) for who in figures
    }


def test_dates_are_half_open() -> None:
    kind = RankingPrize(
        base("prize:p", Unit.MONEY), METRICS["deals_won"], 5, (1,), date(2025, 2, 1), date(2025, 3, 1)
    )
    months = [Period(PeriodKind.MONTH, date(2025, month, 1)) for month in (1, 2, 3)]
    assert [holds(kind, each) for each in months] == [False, True, False]
