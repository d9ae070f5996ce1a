"""Corrections of several deals in one batch."""

from tests.goals.enterprise import Enterprise, fact, yuan


def test_a_batch_that_takes_one_deal_back_and_gives_another_again_moves_each_its_own(
    goals: Enterprise,
) -> None:
    crm, operator = goals.as_("crm"), goals.as_("operator")
    given = fact("DEAL_WON", external_id="deal-1", amount=yuan(1))
    taken = fact("DEAL_WON", external_id="deal-2", version=2, amount=yuan(2))
    crm.record(given, taken, fact("DEAL_REVERSED", external_id="back-1", reverses="deal-1"))
    assert operator.value("revenue") == (200, 1)
    # An older version of the second deal comes late, beside what takes that deal back: the ledger meets
    # that deal before the first one.
    crm.record(
        fact("DEAL_WON", external_id="deal-2", version=1, amount=yuan(9)),
        fact("DEAL_REVERSED", external_id="back-2", reverses="deal-2"),
        fact("DEAL_REVERSED", external_id="back-1", version=1, reverses="deal-1", voided=True),
    )
    assert operator.check().values_differing == 0
    assert operator.value("revenue") == (100, 1)
    # What counts now is what the next correction starts from.
    crm.record(*(fact("DEAL_WON", external_id=f"deal-{n}", version=3, voided=True) for n in (1, 2)))
    assert operator.check().values_differing == 0
    assert operator.value("revenue") == (0, 1)
