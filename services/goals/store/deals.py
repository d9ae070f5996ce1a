"""A person's deals of a period, and what their figures are without some of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, select, tuple_

from chassis.errors import NotFound
from services.goals.domain.credits import deal_source, part_key
from services.goals.domain.facts import PARTS, REVERSIBLE, Key
from services.goals.domain.metrics import Counter, Figures
from services.goals.domain.periods import Period
from services.goals.domain.recorded import Deal
from services.goals.store.figures import Span, read_figures
from services.goals.store.standing import stood
from services.goals.tables import fact, flag

_MOST: Final = 1_000
_KINDS: Final = sorted(map(int, REVERSIBLE | PARTS))


class Deals:
    """The deals that count for a person in a period, as they stood at a time; None for now."""

    def __init__(
        self, connection: Connection, person_id: str, period: Period, known_at: datetime | None
    ) -> None:
        self._connection = connection
        self._span = Span(person_id, period)
        self._known_at = known_at

    def newest(self) -> list[Deal]:
        """The newest first, at most 1,000."""
        order = (fact.c.occurred_at.desc(), fact.c.source, fact.c.external_id)
        rows = self._connection.execute(self._query().order_by(*order).limit(_MOST))
        return [Deal(_deal_of(row), *row[3:]) for row in rows]

    def counted_of(self, named: Sequence[Key]) -> list[Key]:
        """The facts by which these deals count for the person; of one that does not there is none."""
        # A part is asked for by its deal: no deal has two names.
        told = [deal for deal in named if deal.source == deal_source(deal.source)]
        keys = [each for deal in told for each in (deal, part_key(deal, self._span.person_id))]
        same = tuple_(fact.c.source, fact.c.external_id).in_(keys)
        return [Key(*row[:2]) for row in self._connection.execute(self._query(same))]

    def flagged(self, flag_ids: Sequence[str]) -> list[Key]:
        """The facts of flags, and by which shared deals of them count for the person. NotFound FLAG_UNKNOWN."""
        person_id = self._span.person_id
        query = select(flag.c.fact_keys).where(flag.c.id.in_(flag_ids), flag.c.person_id == person_id)
        rows = self._connection.execute(query).scalars().all()
        if len(rows) < len(flag_ids):
            raise NotFound("FLAG_UNKNOWN", "A flag is not one of that person's.")
        keys = {Key(*key) for row in rows for key in row}
        return sorted(keys | {part_key(key, person_id) for key in keys})

    def figures(self, counters: Sequence[Counter], left_out: Sequence[Key]) -> Figures:
        """The period's figures without some of the facts that `counted_of` found, or `flagged` for a time."""
        reading = read_figures(
            self._connection,
            [self._span],
            as_of=self._span.period.stop,
            known_at=self._known_at,
            counters=counters,
            left_out=left_out,
        )
        return reading.figures[0]

    def _query(self, *more: ColumnElement[bool]) -> Select[Any]:
        person_id, period = self._span
        columns = (
            "source",
            "external_id",
            "deal",
            "kind",
            "occurred_at",
            "amount_minor",
            "deal_minor",
            "product",
        )
        inside = (
            fact.c.person_id == person_id,
            fact.c.kind.in_(_KINDS),
            fact.c.counts,
            fact.c.occurred_at >= period.start,
            fact.c.occurred_at < period.stop,
        )
        then = () if self._known_at is None else stood([person_id], self._known_at)
        return select(*(fact.c[name] for name in columns)).where(and_(*inside, *more)).add_cte(*then)


def _deal_of(row: Any) -> Key:
    return Key(deal_source(row.source), row.deal or row.external_id)
