"""Who may correct a fact or take it back: whoever may record for everybody whose it is."""

from collections.abc import Iterable, Mapping, Sequence

from access import Scope
from chassis.errors import Failure
from services.goals.domain.facts import Fact, Key, Refusal
from services.goals.domain.ledger import Version, people_of


def find_refusals(told: Sequence[tuple[Fact, Scope]], heads: Mapping[Key, Version]) -> list[Refusal | None]:
    """Per row None, or why its teller may not tell it. A refused row says nothing about whose its key is."""
    known = {key: head.people for key, head in heads.items()}
    refusals: list[Refusal | None] = [None] * len(told)
    while True:
        standing = zip(told, refusals, strict=True)
        owners = {
            fact.key: people_of(fact.person_id, fact.credits)
            for (fact, _), refusal in standing
            if refusal is None
        } | known
        again = [_check_right(fact, scope, heads.get(fact.key), owners) for fact, scope in told]
        if again == refusals:
            return refusals
        refusals = again


def named_by(fact: Fact, head: Version | None) -> Iterable[Key]:
    """What a fact, or the version it follows, takes back."""
    if fact.reverses:
        yield Key(fact.source, fact.reverses)
    if head is not None and head.reverses:
        yield Key(fact.source, head.reverses)


def _check_right(
    fact: Fact, scope: Scope, head: Version | None, owners: Mapping[Key, tuple[str, ...]]
) -> Refusal | None:
    """What is already somebody's can only be corrected or taken back by who may record for all of them."""
    wrong = None if head is None else _uncovered(scope, head.people, "external_id")
    for key in named_by(fact, head):
        people = owners.get(key)
        if people is not None:
            wrong = wrong or _uncovered(scope, people, "reverses")
        elif not scope.everywhere:
            # Nobody can tell yet whose it will be, and so whether this caller may take it back.
            wrong = wrong or Refusal(
                "reverses", "FACT_UNKNOWN", "the fact taken back is not known yet; send the reversal after it"
            )
    return wrong


def _uncovered(scope: Scope, people: Iterable[str], field: str) -> Refusal | None:
    for person_id in people:
        if scope.covers(person_id):
            continue
        try:
            scope.require_person(person_id)
        except Failure as failure:
            return Refusal(field, failure.reason, failure.message)
    return None
