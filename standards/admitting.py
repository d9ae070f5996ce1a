"""Whether a standard may be set: what it would meet at its own place, and what the nodes above allow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from chassis.errors import FailedPrecondition
from standards.records import Decision, Latitude, Standard, State
from standards.resolving import allowance


def fitted(new: Standard, others: Iterable[Standard]) -> Standard:
    """The new one, ending where one in force for a later day begins, unless an end was given."""
    if new.dated:
        return new
    later = [
        each.effective_from
        for each in others
        if each.state is State.IN_FORCE
        and each.effective_from > new.effective_from
        and each.effective_from != each.effective_to
    ]
    return replace(new, effective_to=min(later, default=None))


def require_free_days(new: Standard, others: Iterable[Standard]) -> None:
    """Pass where the new one meets no proposal, and nothing in force that it does not plainly follow.

    It follows what began before it where neither has been given an end, and replaces what began on its own first
    day where it covers all of its days: no day is emptied in passing. FailedPrecondition OVERRIDE_OVERLAPS names what
    it meets.
    """
    for each in others:
        if not new.meets(each):
            continue
        last = new.effective_to or date.max
        replaces = each.effective_from == new.effective_from and (each.effective_to or date.max) <= last
        follows = each.effective_from < new.effective_from and not each.dated and not new.dated
        if each.state is State.PENDING or not (replaces or follows):
            raise FailedPrecondition(
                "OVERRIDE_OVERLAPS",
                "Another one at the same place covers some of these days.",
                metadata={**_named(each), "state": each.state.name.lower()},
            )


def require_allowed(new: Standard, above: Sequence[Standard]) -> Decision:
    """Pass where every rule above, on every day the new one would hold, allows it; `above` is nearest first.

    Returns whether it has to be approved. FailedPrecondition OVERRIDE_LOCKED or OVERRIDE_OUT_OF_BOUNDS names the rule.
    """
    binding = [each for each in above if each.state is State.IN_FORCE and new.meets(each)]
    for each in reversed(binding):
        if allowance([each]).admits(new.amount):
            continue
        if each.rule.latitude is Latitude.LOCKED:
            raise FailedPrecondition("OVERRIDE_LOCKED", "It is locked above.", metadata=_named(each))
        raise FailedPrecondition(
            "OVERRIDE_OUT_OF_BOUNDS", "It lies outside of the bounds set above.", metadata=_named(each)
        )
    return Decision(allowance(binding).approval_node)


def _named(standard: Standard) -> Mapping[str, str]:
    told: dict[str, object | None] = {
        "target_id": standard.id,
        "node_id": standard.node_id,
        "value": standard.amount,
        "effective_from": standard.effective_from,
        "effective_to": standard.effective_to,
        "minimum": standard.rule.minimum,
        "maximum": standard.rule.maximum,
    }
    return {
        name: value.isoformat() if isinstance(value, date) else str(value)
        for name, value in told.items()
        if value is not None
    }
