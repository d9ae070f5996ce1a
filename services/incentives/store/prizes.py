"""Prizes as they were settled, in a transaction that holds `calculation`; nobody calls this."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from services.incentives.domain.metrics import Figure, Figures
from services.incentives.domain.periods import Period
from services.incentives.domain.plans import Plan
from services.incentives.domain.prizes import Won
from services.incentives.store.closing import asked_for
from services.incentives.store.ledger import Key
from services.incentives.store.statements import COLUMNS, as_statement

_SETTLE: Final = text("""
INSERT INTO settled (plan_id, rule_id, period_kind, first_day, settled_at)
VALUES (:plan_id, :rule_id, :kind, :first_day, :now) ON CONFLICT DO NOTHING RETURNING rule_id
""")
_ADD: Final = text("""
INSERT INTO prize (plan_id, rule_id, period_kind, first_day, person_id, rank, tied, numerator, denominator, amount)
VALUES (:plan_id, :rule_id, :kind, :first_day, :person_id, :rank, :tied, :numerator, :denominator, :amount)
""")
_PAID_BY: Final = text(f"""
SELECT {COLUMNS} FROM statement WHERE period_kind = :kind AND first_day = :first_day
  AND plan_id IN (SELECT :plan_id UNION ALL SELECT id FROM variant WHERE plan_id = :plan_id)
""")  # noqa: S608  the column names are ours
_WON: Final = """
SELECT person_id, period_kind, first_day, plan_id, rule_id, rank, tied, numerator, denominator, amount
FROM prize JOIN unnest(%(people)b::text[], %(kinds)b::smallint[], %(days)b::date[]) AS asked (person, kind, day)
  ON (person_id, period_kind, first_day) = (person, kind, day)
"""


def paid_by(connection: Connection, plan: Plan, period: Period) -> dict[str, Figures]:
    """The figures of everybody whom a plan, or a variant of it, pays for a period."""
    values = {"kind": int(period.kind), "first_day": period.first_day, "plan_id": plan.id}
    found = map(as_statement, connection.execute(_PAID_BY, values))
    return {each.person_id: each.figures for each in found}


def settle(connection: Connection, plan: Plan, rule_id: str, period: Period, now: datetime) -> bool:
    """Say that the prizes of a rule and period are settled; False where they were."""
    values = {"plan_id": plan.id, "rule_id": rule_id, "kind": int(period.kind), "first_day": period.first_day}
    return connection.execute(_SETTLE, {**values, "now": now}).first() is not None


def give(connection: Connection, plan: Plan, rule_id: str, period: Period, won: Sequence[Won]) -> None:
    """Keep who won what."""
    if won:
        of = {"plan_id": plan.id, "rule_id": rule_id, "kind": int(period.kind), "first_day": period.first_day}
        connection.execute(
            _ADD,
            [
                {
                    **of,
                    "person_id": each.person_id,
                    "rank": each.rank,
                    "tied": each.tied,
                    "numerator": each.value.numerator,
                    "denominator": each.value.denominator,
                    "amount": each.amount,
                }
                for each in won
            ],
        )


def won_of(connection: Connection, keys: Iterable[Key]) -> dict[Key, dict[tuple[str, str], Won]]:
    """What people won in these periods, by plan and rule."""
    asked = list(keys)
    found: dict[Key, dict[tuple[str, str], Won]] = {}
    by_day = {
        (person_id, int(period.kind), period.first_day): (person_id, period) for person_id, period in asked
    }
    for (
        person_id,
        kind,
        day,
        plan_id,
        rule_id,
        rank,
        tied,
        above,
        below,
        amount,
    ) in connection.exec_driver_sql(_WON, asked_for(asked)):
        won = Won(person_id, rank, tied, Figure(above, below), amount)
        found.setdefault(by_day[person_id, kind, day], {})[plan_id, rule_id] = won
    return found
