"""Credits of a deal: as they are told, and as they are shown."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from foothold.goals.v1 import facts_pb2, values_pb2

from services.goals.domain.credits import MOST_CREDITS, check_credits, check_share, credited
from services.goals.domain.facts import Credit, Fact, Refusal

Owner = Callable[[str, str], tuple[str, str] | Refusal]
"""(person_id, employee_number) -> the person's id and zone, or why there is none the caller may record for."""


def with_credits(fact: Fact, told: Sequence[facts_pb2.Credit], owner: Owner) -> Fact | Refusal:
    """A deal with the credits told for it, or what is wrong with them."""
    if len(told) > MOST_CREDITS:
        return Refusal("credits", "FIELD_INVALID", f"must be at most {MOST_CREDITS}")
    read = []
    for index, each in enumerate(told):
        credit = _to_credit(each, owner)
        if isinstance(credit, Refusal):
            return replace(credit, field=f"credits[{index}].{credit.field}")
        read.append(credit)
    wrong = check_credits(fact.kind, fact.person_id, fact.amount, read, voided=fact.voided)
    return wrong if wrong is not None else credited(fact, tuple(read))


def _to_credit(told: facts_pb2.Credit, owner: Owner) -> Credit | Refusal:
    found = owner(told.person_id, told.employee_number)
    if isinstance(found, Refusal):
        return found
    share = told.share
    if share.unit != values_pb2.UNIT_RATE or share.denominator <= 0:
        return Refusal("share", "FIELD_INVALID", "must be a RATE over a number above 0")
    exact = Fraction(share.numerator, share.denominator)
    wrong = check_share(exact, overlay=told.overlay)
    return Refusal("share", "FIELD_INVALID", wrong) if wrong else Credit(found[0], exact, told.overlay)


def from_credits(given: Sequence[Credit]) -> list[facts_pb2.Credit]:
    """Credits as the contract tells them, shares in lowest terms."""
    return [
        facts_pb2.Credit(
            person_id=each.person_id,
            share=values_pb2.Value(
                unit=values_pb2.UNIT_RATE,
                numerator=each.share.numerator,
                denominator=each.share.denominator,
            ),
            overlay=each.overlay,
        )
        for each in given
    ]
