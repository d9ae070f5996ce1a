"""What is different in a plan from the one before it, rule by rule, in plain words."""

from collections.abc import Iterable
from typing import NamedTuple

from foothold.incentives.v1 import plans_pb2

from services.gateway.plan_reading import Reading, read


class Change(NamedTuple):
    """A rule before and after; None where there is none. The same sentence on both sides is no change."""

    label: str
    before: Reading | None
    after: Reading | None


def changes(before: Iterable[plans_pb2.Rule], after: Iterable[plans_pb2.Rule]) -> list[Change]:
    """Rules that are new, gone, moved or say something else; a rule is known by its id."""
    old = {each.rule_id: each for each in read(before)}
    new = {each.rule_id: each for each in read(after)}
    found = [
        Change(now.label, old.get(rule_id), now)
        for rule_id, now in new.items()
        if (was := old.get(rule_id)) is None
        or (was.text, was.depth, was.label) != (now.text, now.depth, now.label)
    ]
    return found + [Change(was.label, was, None) for rule_id, was in old.items() if rule_id not in new]
