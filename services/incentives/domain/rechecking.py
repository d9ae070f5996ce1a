"""Which lines of a statement come out otherwise when it is computed again."""

from typing import NamedTuple

from services.incentives.domain.closing import amounts
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.statements import Statement


class Difference(NamedTuple):
    """A line, in minor units; a plan's id is empty where there was none."""

    person_id: str
    rule_id: str
    label: str
    stored: int
    computed: int
    stored_plan_id: str
    computed_plan_id: str


def differences(before: Statement, after: Statement, book: PlanBook) -> list[Difference]:
    """The lines that differ, those of the computed plan first; where only the plan does, every line of both."""
    was = amounts(before, book.get(before.plan_id))
    made = amounts(after, book.get(after.plan_id))
    nothing = ("", 0)
    return [
        Difference(
            before.person_id,
            rule_id,
            made.get(rule_id, was.get(rule_id, nothing))[0],
            was.get(rule_id, nothing)[1],
            made.get(rule_id, nothing)[1],
            before.plan_id,
            after.plan_id,
        )
        for rule_id in dict.fromkeys((*made, *was))
        if before.plan_id != after.plan_id or was[rule_id] != made[rule_id]
    ]
