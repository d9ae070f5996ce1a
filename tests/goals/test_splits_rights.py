"""Who may credit whom, and what those credited see."""

import grpc
import pytest
from foothold.goals.v1 import facts_pb2
from foothold.identity.v1 import directory_pb2

from chassis.errors import from_rpc_error
from tests.goals.enterprise import Enterprise, fact, yuan
from tests.goals.splitting import SHARED, credit, deal, fen, figures, intact, listed


@pytest.mark.parametrize(
    ("caller", "owner", "other", "outcome"),
    [
        # A newcomer credits nobody but themselves, whatever the credit is.
        ("li", "li", "wang", "PERSON_UNKNOWN"),
        ("li", "li", "mentor", "PERSON_UNKNOWN"),
        ("li", "li", "zhao", "PERSON_UNKNOWN"),
        ("manager", "li", "wang", "RECORDED"),
        ("manager", "li", "zhao", "PERSON_UNKNOWN"),
        ("other-manager", "li", "zhao", "PERSON_UNKNOWN"),
        ("crm", "li", "zhao", "RECORDED"),
    ],
)
@pytest.mark.parametrize("overlay", [False, True])
def test_who_credits_whom(
    goals: Enterprise, caller: str, owner: str, other: str, outcome: str, *, overlay: bool
) -> None:
    before = goals.rows()
    shared = [] if overlay else [credit(owner, 60)]
    told = deal(*shared, credit(other, 40, overlay=overlay), person=owner)
    told.source = "crm" if caller == "crm" else "foothold"
    assert goals.as_(caller).outcomes(told) == [outcome]
    assert (goals.rows() == before) is (outcome != "RECORDED")


def test_a_shared_deal_is_corrected_and_taken_back_by_who_may_record_for_all_of_it(goals: Enterprise) -> None:
    goals.as_("crm").record(
        deal(credit("li", 60), credit("wang", 40), source="foothold", external_id="within"),
        deal(credit("li", 60), credit("zhao", 40), source="foothold", external_id="across"),
    )
    before = goals.rows()

    def tells(caller: str, external_id: str) -> list[str]:
        """Drop the other, void it, and take it back."""
        named = {"source": "foothold", "external_id": external_id}
        return goals.as_(caller).outcomes(
            deal(**named, version=1),
            deal(**named, version=2, voided=True),
            fact("DEAL_REVERSED", source="foothold", reverses=external_id),
        )

    for caller, external_id in (
        ("li", "within"),
        ("li", "across"),
        ("wang", "within"),
        ("manager", "across"),
    ):
        refused = tells(caller, external_id)
        assert set(refused) <= {"PERSON_UNKNOWN", "PERMISSION_MISSING"}, (caller, external_id, refused)
    assert goals.rows() == before
    assert set(tells("manager", "within")) == {"RECORDED"}
    intact(goals)


def test_whoever_is_credited_sees_their_part_and_nothing_else_of_the_owners(goals: Enterprise) -> None:
    goals.as_("crm").record(deal(*SHARED, external_id="d", customer="c"), deal(external_id="own"))
    assert [each.fact_id for each in listed(goals.as_("wang"), "")] == ["crm+credit/0/d/wang"]
    for hidden in ("crm/0/d", "crm+credit/0/d/chen", "crm/0/own"):
        with pytest.raises(grpc.RpcError) as refused:
            goals.as_("wang").facts.GetFactHistory(facts_pb2.GetFactHistoryRequest(fact_id=hidden))
        assert from_rpc_error(refused.value).code is grpc.StatusCode.NOT_FOUND
    # Customers are for who may see customers, in a part as in a deal.
    assert listed(goals.as_("wang"), "")[0].fact.customer == "c"
    goals.as_("crm").record(deal(credit("wang", 50), credit("li", 50), person="wang", customer="c"))
    shown = [each for each in listed(goals.as_("mentor"), "li") if each.part.deal_id]
    assert [each.fact.customer for each in shown] == ["", ""]


def test_who_has_left_keeps_their_part_and_is_credited_with_what_is_told_late(goals: Enterprise) -> None:
    goals.add_people(["leaver"])
    crm = goals.as_("crm")
    shared = (credit("li", 50), credit("leaver", 50))
    crm.record(deal(*shared, external_id="before"))
    left = goals.person("leaver", "shanghai-sales")
    left.status = directory_pb2.PERSON_STATUS_DISMISSED
    goals.tell({"person_changed": left})
    # As with facts of their own: what they did before may be told after.
    assert crm.outcomes(fact("ORDER", "leaver", amount=yuan(1)), deal(*shared)) == ["RECORDED", "RECORDED"]
    assert figures(goals)[0] == 1_000_000
    assert sum(fen(each.fact.amount) for each in listed(goals.as_("operator"), "leaver")) == 1_000_100
    intact(goals)
