"""Many corrections in one batch, each taking back or giving back another deal."""

from tests.goals.enterprise import Enterprise, fact, yuan


def test_a_batch_that_takes_some_deals_back_and_gives_others_again_moves_each_its_own(
    goals: Enterprise,
) -> None:
    crm = goals.as_("crm")
    deals = [fact("DEAL_WON", external_id=f"deal-{n}", customer=f"c{n}", amount=yuan(2**n)) for n in range(6)]
    taken = [fact("DEAL_REVERSED", external_id=f"back-{n}", reverses=f"deal-{n}") for n in (4, 5)]
    crm.record(*deals, *taken)
    assert (
        crm.outcomes(
            fact("DEAL_REVERSED", external_id="back-4", version=1, reverses="deal-4", voided=True),
            fact("DEAL_REVERSED", external_id="back-0", reverses="deal-0"),
            fact("DEAL_REVERSED", external_id="back-5", version=1, reverses="deal-1"),
        )
        == ["RECORDED"] * 3
    )
    operator = goals.as_("operator")
    assert operator.check().values_differing == 0
    assert operator.value("revenue") == ((4 + 8 + 16 + 32) * 100, 1)
    # What counts now is what the next correction starts from.
    crm.record(*(fact("DEAL_WON", external_id=f"deal-{n}", version=1, voided=True) for n in range(6)))
    assert operator.check().values_differing == 0
    assert operator.value("revenue") == (0, 1)
