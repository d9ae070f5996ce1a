"""Whose a shared deal is, in words: under a fact wherever facts are listed."""

from fractions import Fraction

from foothold.goals.v1 import facts_pb2

from services.gateway import figures
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.traced import share

_PARTS = (facts_pb2.FACT_KIND_DEAL_CREDITED, facts_pb2.FACT_KIND_DEAL_OVERLAY)


def lines(told: facts_pb2.RecordedFact) -> list[str]:
    """What of which deal it is, with whom it is shared, and who is credited on top; nothing for what is not shared."""
    if not told.HasField("part"):
        return []
    part, owner = told.part, told.fact.person_id
    own = next((each for each in part.credits if each.person_id == owner), None)
    beside = [each for each in part.credits if each.person_id != owner and not each.overlay]
    on_top = [each for each in part.credits if each.person_id != owner and each.overlay]
    found = []
    if own is not None and (beside or own.overlay):
        whole = figures.money(part.deal_amount)
        if beside and not own.overlay:
            found.append(
                _(
                    "%(share)s of %(amount)s, with %(people)s",
                    share=_share(own),
                    amount=whole,
                    people=_people(beside),
                )
            )
        else:
            found.append(_("%(share)s of %(amount)s on top", share=_share(own), amount=whole))
            if beside:
                found.append(_("The revenue is shared by %(people)s", people=_people(beside)))
    if on_top:
        found.append(_("Overlay credit: %(people)s", people=_people(on_top)))
    if told.fact.kind in _PARTS:
        found.append(_("Deal %(id)s", id=part.deal_id))
    return found


def _people(told: list[facts_pb2.Credit]) -> str:
    """Names with shares: Wang Fang (40 %), Chen Jie (10 %)."""
    directory = me().directory
    named = []
    for each in told:
        person = directory.person(each.person_id)
        named.append(
            _("%(name)s (%(share)s)", name=person.name if person else each.person_id, share=_share(each))
        )
    return _(", ").join(named)


def _share(credit: facts_pb2.Credit) -> str:
    return share(Fraction(credit.share.numerator, credit.share.denominator))
