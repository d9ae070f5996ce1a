"""Deals that several people earned: shares of the revenue that are 100 % together, overlay credit on top of it."""

import grpc
import pytest
from foothold.goals.v1 import facts_pb2, values_pb2

from chassis.errors import from_rpc_error
from tests.goals.enterprise import Enterprise, fact, yuan
from tests.goals.splitting import SHARED, credit, deal, fen, figures, intact, listed


def test_a_deal_is_shared_and_overlay_is_on_top_of_it(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    assert crm.outcomes(deal(*SHARED, external_id="D-1", customer="c", product="p", channel="phone")) == [
        "RECORDED"
    ]
    assert figures(goals) == [600_000, 400_000, 0, 0]
    assert figures(goals, "overlay_revenue") == [0, 0, 500_000, 0]
    # The deal was won by its owner, once; the customer is the owner's.
    assert figures(goals, "deals_won") == [1, 0, 0, 0]
    assert figures(goals, "customers_bought") == [1, 0, 0, 0]
    operator = goals.as_("operator")
    own, part, overlay = (listed(operator, person)[0] for person in ("li", "wang", "chen"))
    assert [each.fact_id for each in (own, part, overlay)] == [
        "crm/0/D-1",
        "crm+credit/0/D-1/wang",
        "crm+credit/0/D-1/chen",
    ]
    assert [facts_pb2.FactKind.Name(each.fact.kind) for each in (own, part, overlay)] == [
        "FACT_KIND_DEAL_WON",
        "FACT_KIND_DEAL_CREDITED",
        "FACT_KIND_DEAL_OVERLAY",
    ]
    assert [fen(each.fact.amount) for each in (own, part, overlay)] == [600_000, 400_000, 500_000]
    for each in (own, part, overlay):
        assert (each.part.deal_id, fen(each.part.deal_amount)) == ("crm/0/D-1", 1_000_000)
        assert [(one.person_id, one.overlay) for one in each.part.credits] == [
            ("li", False),
            ("wang", False),
            ("chen", True),
        ]
        told = each.fact
        assert (told.product, told.channel, told.occurred_at) == ("p", "phone", own.fact.occurred_at)
        assert not told.credits
    assert [one.share.numerator for one in own.part.credits] == [3, 2, 1]
    intact(goals)


def test_a_deal_without_credits_has_no_part_and_is_all_its_owners(goals: Enterprise) -> None:
    goals.as_("crm").record(fact("DEAL_WON", amount=yuan(5)))
    shown = listed(goals.as_("operator"), "li")[0]
    assert not shown.HasField("part")
    assert figures(goals) == [500, 0, 0, 0]


def test_overlay_alone_leaves_the_owner_all_of_the_revenue(goals: Enterprise) -> None:
    half = (credit("wang", 50, overlay=True), credit("chen", 1, 3, overlay=True))
    goals.as_("crm").record(deal(*half, amount=yuan(100, 1), kind="ORDER"))
    assert figures(goals) == [10_001, 0, 0, 0]
    # 5,000.5 fen half up, 3,333.67 fen.
    assert figures(goals, "overlay_revenue") == [0, 5_001, 3_334, 0]
    intact(goals)


def test_the_owner_may_leave_all_of_it_to_others(goals: Enterprise) -> None:
    goals.as_("crm").record(deal(credit("li", 0), credit("wang", 1, 1)))
    assert figures(goals) == [0, 1_000_000, 0, 0]
    assert figures(goals, "deals_won") == [1, 0, 0, 0]
    intact(goals)


def test_what_cannot_be_divided_goes_to_the_largest_remainder_and_then_to_who_is_told_first(
    goals: Enterprise,
) -> None:
    thirds = [credit(person, 1, 3) for person in ("li", "wang", "chen")]
    goals.as_("crm").record(deal(*thirds, amount=yuan(0, 2)))
    assert figures(goals) == [1, 1, 0, 0]
    goals.as_("crm").record(deal(*reversed(thirds), amount=yuan(0, 1)))
    assert figures(goals) == [1, 1, 1, 0]
    # Of 2 fen: 0.2, 0.6 and 1.2; the one fen left is wang's.
    goals.as_("crm").record(deal(credit("li", 10), credit("wang", 30), credit("chen", 60), amount=yuan(0, 2)))
    assert figures(goals) == [1, 2, 2, 0]


def test_a_correction_shares_anew_and_who_is_dropped_loses_the_credit(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(deal(*SHARED, external_id="d"))
    crm.record(deal(credit("li", 50), credit("zhao", 50), external_id="d", version=1, amount=yuan(500)))
    assert figures(goals) == [25_000, 0, 0, 25_000]
    assert figures(goals, "overlay_revenue") == [0, 0, 0, 0]
    assert listed(goals.as_("operator"), "wang") == []
    # The other version is still told, with what it said; nothing of it counts.
    then = listed(goals.as_("operator"), "wang", include_uncounted=True)
    assert [(each.fact_id, each.counts, fen(each.fact.amount)) for each in then] == [
        ("crm+credit/0/d/wang", False, 400_000)
    ]
    # A correction that comes late changes nothing.
    crm.record(deal(credit("li", 1), credit("wang", 99), external_id="e", version=3))
    crm.record(deal(*SHARED, external_id="e", version=2))
    assert figures(goals) == [35_000, 990_000, 0, 25_000]
    # Nor does one without credits leave any behind; and the owner may change with it.
    crm.record(deal(external_id="e", version=4, person="chen", amount=yuan(7)))
    assert figures(goals) == [25_000, 0, 700, 25_000]
    intact(goals)


def test_credits_go_with_the_deal_whichever_way_it_goes(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    nothing = [0, 0, 0, 0]
    crm.record(deal(*SHARED, external_id="voided"))
    crm.record(deal(external_id="voided", version=1, voided=True))
    assert figures(goals) == figures(goals, "overlay_revenue") == nothing
    # A void may repeat the credits it takes back, and come first.
    crm.record(deal(*SHARED, external_id="void-first", version=1, voided=True))
    crm.record(deal(*SHARED, external_id="void-first"))
    crm.record(deal(*SHARED, external_id="reversed"))
    crm.record(fact("DEAL_REVERSED", external_id="r1", reverses="reversed"))
    crm.record(fact("DEAL_REVERSED", external_id="r2", reverses="reversed-first"))
    crm.record(deal(*SHARED, external_id="reversed-first"))
    assert figures(goals) == figures(goals, "overlay_revenue") == nothing
    shown = listed(goals.as_("operator"), "wang", include_uncounted=True)
    assert {each.fact_id: each.reversed_by for each in shown} == {
        "crm+credit/0/voided/wang": "",
        "crm+credit/0/void-first/wang": "",
        "crm+credit/0/reversed/wang": "crm/0/r1",
        "crm+credit/0/reversed-first/wang": "crm/0/r2",
    }
    # A reversal that is taken back brings the credits back.
    crm.record(fact("DEAL_REVERSED", external_id="r1", reverses="reversed", version=1, voided=True))
    assert (figures(goals), figures(goals, "overlay_revenue")) == (
        [600_000, 400_000, 0, 0],
        [0, 0, 500_000, 0],
    )
    intact(goals)


def test_a_part_has_a_history_which_ends_with_the_reversals_of_its_deal(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(deal(*SHARED, external_id="d/1"))
    crm.record(deal(*SHARED, external_id="d/1", version=4, amount=yuan(5)))
    crm.record(fact("DEAL_REVERSED", external_id="r", reverses="d/1"))
    request = facts_pb2.GetFactHistoryRequest(fact_id="crm+credit/0/d/1/wang")
    history = goals.as_("operator").facts.GetFactHistory(request).versions
    assert [(each.fact_id, fen(each.fact.amount)) for each in history] == [
        ("crm+credit/0/d/1/wang", 400_000),
        ("crm+credit/4/d/1/wang", 200),
        ("crm/0/r", 0),
    ]
    assert history[1].part.deal_id == "crm/4/d/1"


def test_the_trace_of_a_figure_names_the_deal(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(deal(*SHARED, external_id="d"), fact("ORDER", "wang", amount=yuan(1), external_id="o"))
    why = goals.as_("operator").explain("revenue", "wang")
    assert why.total_facts == 2
    assert {(each.fact_id, each.part.deal_id, fen(each.fact.amount)) for each in why.facts} == {
        ("crm+credit/0/d/wang", "crm/0/d", 400_000),
        ("crm/0/o", "", 100),
    }
    overlay = goals.as_("operator").explain("overlay_revenue", "chen")
    assert [each.part.deal_id for each in overlay.facts] == ["crm/0/d"]


@pytest.mark.parametrize(
    ("told", "reason", "field"),
    [
        ([credit("li", 5_999, 10_000), credit("wang", 40)], "CREDITS_NOT_WHOLE", "credits"),
        ([credit("li", 6_001, 10_000), credit("wang", 40)], "CREDITS_NOT_WHOLE", "credits"),
        ([credit("li", 1, 3), credit("wang", 1, 3)], "CREDITS_NOT_WHOLE", "credits"),
        ([credit("li", 99)], "CREDITS_NOT_WHOLE", "credits"),
        (
            [credit("li", 50), credit("wang", 50), credit("wang", 5, overlay=True)],
            "CREDITED_TWICE",
            "credits",
        ),
        ([credit("li", 50), credit("wang", 25), credit("wang", 25)], "CREDITED_TWICE", "credits"),
        ([credit("li", 50, overlay=True)], "CREDITED_TWICE", "credits"),
        ([credit("wang", 100)], "FIELD_INVALID", "credits"),
        ([credit("li", 100), credit("wang", 0)], "FIELD_INVALID", "credits"),
        ([credit("wang", 0, overlay=True)], "FIELD_INVALID", "credits[0].share"),
        ([credit("li", 101), credit("wang", -1)], "FIELD_INVALID", "credits[0].share"),
        ([credit("wang", 101, overlay=True)], "FIELD_INVALID", "credits[0].share"),
        ([credit("li", 100), credit("wang", 1, 0, overlay=True)], "FIELD_INVALID", "credits[1].share"),
        ([credit("wang", 1, 10**9 + 7, overlay=True)], "FIELD_INVALID", "credits[0].share"),
        ([credit("wang", -1, -2, overlay=True)], "FIELD_INVALID", "credits[0].share"),
        ([facts_pb2.Credit(person_id="wang", overlay=True)], "FIELD_INVALID", "credits[0].share"),
        ([credit("", 1, overlay=True)], "FIELD_INVALID", "credits[0].person_id"),
        ([credit("nobody", 1, overlay=True)], "PERSON_UNKNOWN", "credits[0].person_id"),
        ([credit("shanghai-sales", 1, overlay=True)], "PERSON_UNKNOWN", "credits[0].person_id"),
        ([credit(f"p{n}", 1, overlay=True) for n in range(11)], "FIELD_INVALID", "credits"),
    ],
)
def test_credits_that_are_not_right_are_refused_and_nothing_is_stored(
    goals: Enterprise, told: list[facts_pb2.Credit], reason: str, field: str
) -> None:
    before = goals.rows()
    result = goals.as_("crm").record(deal(*told))[0]
    assert (result.reason, result.field) == (reason, field), result.message
    assert goals.rows() == before


@pytest.mark.parametrize(
    ("shares", "total"),
    [
        (((5_999, 10_000), (4_000, 10_000)), "99.99 %"),
        (((6_001, 10_000), (4_000, 10_000)), "100.01 %"),
        (((1, 2), (2, 5)), "90 %"),
        (((1, 3), (1, 3)), "2/3"),
    ],
)
def test_the_refusal_names_the_sum(
    goals: Enterprise, shares: tuple[tuple[int, int], tuple[int, int]], total: str
) -> None:
    told = deal(credit("li", *shares[0]), credit("wang", *shares[1]))
    with pytest.raises(grpc.RpcError) as refused:
        goals.as_("crm").facts.RecordFact(facts_pb2.RecordFactRequest(fact=told))
    failure = from_rpc_error(refused.value)
    assert failure.reason == "CREDITS_NOT_WHOLE"
    assert failure.fields == {"fact.credits": f"revenue shares must be 100 % together and are {total}"}


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (fact("FOLLOW_UP", customer="c", credits=[credit("li", 100)]), "credits"),
        (fact("DEAL_REVERSED", reverses="x", credits=[credit("li", 100)]), "credits"),
        (fact("DEAL_WON", credits=[credit("li", 100)]), "amount"),
        (fact("DEAL_CREDITED", amount=yuan(1)), "kind"),
        (fact("DEAL_OVERLAY", amount=yuan(1)), "kind"),
        (fact("DEAL_CREDITED", voided=True), "kind"),
        (fact("DEAL_WON", source="crm+credit", external_id="d/wang"), "source"),
    ],
)
def test_nobody_tells_a_part_and_only_what_was_sold_is_shared(
    goals: Enterprise, told: facts_pb2.Fact, field: str
) -> None:
    result = goals.as_("crm").record(told)[0]
    assert (result.reason, result.field) == ("FIELD_INVALID", field), result.message


def test_a_reversal_cannot_name_a_part(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(deal(*SHARED, external_id="d"))
    crm.record(fact("DEAL_REVERSED", reverses="d/wang"))
    assert figures(goals) == [600_000, 400_000, 0, 0]
    intact(goals)


def test_the_same_version_with_other_credits_is_a_conflict_and_equal_shares_are_the_same(
    goals: Enterprise,
) -> None:
    crm = goals.as_("crm")
    told = deal(*SHARED, external_id="d")
    same = deal(credit("li", 3, 5), credit("wang", 2, 5), credit("chen", 1, 2, overlay=True), external_id="d")
    other = deal(credit("li", 50), credit("wang", 50), external_id="d")
    assert crm.outcomes(told) == ["RECORDED"]
    assert crm.outcomes(same, other, deal(external_id="d")) == [
        "ALREADY_KNOWN",
        "FACT_VERSION_CONFLICT",
        "FACT_VERSION_CONFLICT",
    ]
    plain = deal(external_id="plain")
    assert crm.outcomes(plain, deal(*SHARED, external_id="plain")) == ["RECORDED", "FACT_VERSION_CONFLICT"]
    intact(goals)


def test_employee_numbers_name_those_credited_too(goals: Enterprise) -> None:
    share = values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=1, denominator=2)
    by_number = [facts_pb2.Credit(employee_number=each, share=share) for each in ("E-li", "E-wang")]
    crm = goals.as_("crm")
    assert crm.outcomes(deal(*by_number, external_id="d")) == ["RECORDED"]
    assert crm.outcomes(deal(credit("li", 50), credit("wang", 50), external_id="d")) == ["ALREADY_KNOWN"]
    assert figures(goals) == [500_000, 500_000, 0, 0]


def test_a_dry_run_stores_nothing(goals: Enterprise) -> None:
    before = goals.rows()
    result = goals.as_("crm").record(deal(*SHARED), dry_run=True)[0]
    assert result.outcome == facts_pb2.FACT_OUTCOME_RECORDED
    assert goals.rows() == before
