"""A deal that several people earned: what the source may tell of it, and what of its amount is whose.

Revenue given share the amount out and are 100 % together; overlay given are on top of it and are never revenue.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final

from services.goals.domain.facts import REVERSIBLE, Credit, Fact, FactKind, Key, Refusal

MOST_CREDITS: Final = 10
LARGEST_DENOMINATOR: Final = 10**9
PART_SOURCE: Final = "+credit"
"""After a deal's source, the source of its parts. No source is told with a plus, so no told fact takes their keys."""

DayOf = Callable[[str, int], int]
"""(person's id, microseconds since 1970) -> the day there, as days since 1970-01-01."""


def part_key(deal: Key, person_id: str) -> Key:
    """The key of what a person is credited with of a deal: one over all of the deal's versions."""
    return Key(deal.source + PART_SOURCE, f"{deal.external_id}/{person_id}")


def deal_source(source: str) -> str:
    """The source of the deal that a part, or the deal itself, is of."""
    return source.removesuffix(PART_SOURCE)


def check_share(share: Fraction, *, overlay: bool) -> str:
    """What is wrong with one share, empty when nothing is."""
    if share.denominator > LARGEST_DENOMINATOR:
        return f"must have a denominator of at most {LARGEST_DENOMINATOR}"
    if not 0 <= share <= 1 or (overlay and not share):
        return "must be more than 0 and at most 100 %"
    return ""


def check_credits(
    kind: int, owner: str, amount: int | None, given: Sequence[Credit], *, voided: bool
) -> Refusal | None:
    """What is wrong with a deal's credits, each of which is right by itself. `amount` is in minor units."""
    if kind not in REVERSIBLE:
        return _invalid("is for DEAL_WON and ORDER only")
    if amount is None and not voided:
        return Refusal("amount", "FIELD_INVALID", "credits need the amount they are parts of")
    people = [each.person_id for each in given]
    overlaid = {each.person_id for each in given if each.overlay}
    if len(set(people)) < len(people) or owner in overlaid:
        return Refusal(
            "credits",
            "CREDITED_TWICE",
            "a person is credited once; the owner's credit is revenue, or all of it where no share is told",
        )
    shares = [each for each in given if not each.overlay]
    if not shares:
        return None
    if owner not in people:
        return _invalid("must list the owner's own share where others share the revenue")
    if any(not each.share and each.person_id != owner for each in shares):
        return _invalid("a share of 0 % is for the owner only")
    total = sum((each.share for each in shares), Fraction())
    if total != 1:
        return Refusal(
            "credits",
            "CREDITS_NOT_WHOLE",
            f"revenue shares must be 100 % together and are {_percent(total)}",
        )
    return None


def apportion(amount: int, shares: Sequence[Fraction]) -> list[int]:
    """An amount in whole parts that sum to it, for shares that sum to 1.

    Each gets what its share comes to, rounded down; what is left goes one by one to the largest remainders, of
    equal ones to the one told first. No part is a whole unit away from its share.
    """
    exact = [amount * share for share in shares]
    parts = [each.numerator // each.denominator for each in exact]
    left = amount - sum(parts)
    ranked = sorted(range(len(shares)), key=lambda index: parts[index] - exact[index])
    for index in ranked[:left]:
        parts[index] += 1
    return parts


def overlay_amount(amount: int, share: Fraction) -> int:
    """What an overlay credit comes to, half a minor unit upwards."""
    doubled = 2 * amount * share + 1
    return doubled.numerator // (2 * doubled.denominator)


def amounts_of(amount: int, given: Sequence[Credit]) -> list[int]:
    """What each credit comes to, in minor units."""
    shares = [each.share for each in given if not each.overlay]
    parts = iter(apportion(amount, shares) if shares else ())
    return [overlay_amount(amount, each.share) if each.overlay else next(parts) for each in given]


def credited(fact: Fact, given: tuple[Credit, ...]) -> Fact:
    """A deal told with credits: it counts with the owner's own part of its amount."""
    amount = fact.amount
    if not given or amount is None or fact.voided:
        return fact._replace(credits=given)
    own = amount
    for credit, part in zip(given, amounts_of(amount, given), strict=True):
        if credit.person_id == fact.person_id:
            own = part
    return fact._replace(amount=own, credits=given, deal_amount=amount)


def parts_of(deal: Fact, day_of: DayOf) -> list[Fact]:
    """What everybody but the owner is credited with; nothing of a void deal."""
    if deal.deal_amount is None:
        return []
    parts = []
    for credit, amount in zip(deal.credits, amounts_of(deal.deal_amount, deal.credits), strict=True):
        person_id = credit.person_id
        if person_id == deal.person_id:
            continue
        source, external_id = part_key(deal.key, person_id)
        parts.append(
            deal._replace(
                source=source,
                external_id=external_id,
                kind=int(FactKind.DEAL_OVERLAY if credit.overlay else FactKind.DEAL_CREDITED),
                person_id=person_id,
                day=day_of(person_id, deal.occurred),
                amount=amount,
                deal=deal.external_id,
            )
        )
    return parts


def _percent(share: Fraction) -> str:
    percent = 100 * share
    for decimals in range(10):
        scaled = percent * 10**decimals
        if scaled.denominator == 1:
            whole, rest = divmod(scaled.numerator, 10**decimals)
            return f"{whole}.{rest:0{decimals}} %" if decimals else f"{whole} %"
    return f"{share.numerator}/{share.denominator}"


def _invalid(message: str) -> Refusal:
    return Refusal("credits", "FIELD_INVALID", message)
