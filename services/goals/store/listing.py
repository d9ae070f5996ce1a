"""Facts as they stand in the ledger."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, func, or_, select, tuple_

from access import Scope
from services.goals.domain.conditions import Novelty
from services.goals.domain.credits import deal_source
from services.goals.domain.facts import FactKind, Key
from services.goals.domain.metrics import Aggregation, Metric
from services.goals.domain.periods import Period
from services.goals.domain.recorded import Place, Recorded
from services.goals.store.crediting import read_credits
from services.goals.store.standing import STOOD_FIRST, stood
from services.goals.tables import fact, first_touch

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REVERSAL: Final = int(FactKind.DEAL_REVERSED)


class Facts:
    """The ledger's facts, as far as the scope reaches."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def page(
        self,
        *,
        person_id: str = "",
        first: datetime | None = None,
        stop: datetime | None = None,
        kinds: Collection[int] = (),
        uncounted: bool = False,
        after: Place | None,
        limit: int,
    ) -> list[Recorded]:
        """Facts that count, newest occurrence first; with `uncounted` all versions."""
        query = self._query()
        if person_id:
            query = query.where(fact.c.person_id == person_id)
        if first is not None:
            query = query.where(fact.c.occurred_at >= first)
        if stop is not None:
            query = query.where(fact.c.occurred_at < stop)
        if kinds:
            query = query.where(fact.c.kind.in_(sorted(kinds)))
        if not uncounted:
            query = query.where(fact.c.counts)
        return self._read(_newest_first(query, after).limit(limit))

    def behind(
        self,
        person_id: str,
        period: Period,
        metric: Metric,
        *,
        until: datetime | None,
        known_at: datetime | None,
        after: Place | None,
        limit: int,
    ) -> tuple[int, list[Recorded]]:
        """How many facts a metric's figure rests on, and a page of them: current ones, void and reversed ones too.

        With `known_at` as they stood then.
        """
        then = () if known_at is None else stood([person_id], known_at)
        inside = [
            fact.c.person_id == person_id,
            fact.c.current,
            or_(
                *(
                    _counted_by(each, period, known=known_at is not None)
                    for each in metric.components or (metric,)
                )
            ),
            fact.c.occurred_at >= period.start,
            fact.c.occurred_at < period.stop,
        ]
        if until is not None:
            inside.append(fact.c.occurred_at <= until)
        narrowed = and_(self._scope.clause(fact.c.person_id), *inside)
        counted = select(func.count()).select_from(fact).where(narrowed).add_cte(*then)
        total = self._connection.execute(counted).scalar_one()
        page = _newest_first(self._query().where(*inside), after).limit(limit).add_cte(*then)
        return total, self._read(page)

    def standing(self, keys: Sequence[Key]) -> list[Recorded]:
        """The current versions of these facts, void and reversed ones too, the earliest occurrence first."""
        same = tuple_(fact.c.source, fact.c.external_id).in_(keys)
        order = (fact.c.occurred_at, fact.c.source, fact.c.external_id)
        return self._read(self._query().where(same, fact.c.current).order_by(*order))

    def history(self, key: Key) -> list[Recorded]:
        """All versions of a fact, oldest first, then the reversals that name it, as far as the scope reaches.

        Of a part, the versions of that part; then the reversals of its deal.
        """
        same = and_(fact.c.source == key.source, fact.c.external_id == key.external_id)
        # Said twice, so that each half goes by the partial index made for it.
        versions = self._read(
            self._query()
            .where(or_(and_(same, fact.c.current), and_(same, ~fact.c.current)))
            .order_by(fact.c.version)
        )
        deal = next((version.deal for version in versions if version.deal), key.external_id)
        reversals = self._query().where(
            fact.c.source == deal_source(key.source),
            fact.c.reverses == deal,
            fact.c.kind == _REVERSAL,
            fact.c.current,
            ~fact.c.voided,
        )
        return versions + self._read(reversals.order_by(fact.c.external_id))

    def _query(self) -> Select[Any]:
        columns = [
            fact.c[name]
            for name in (
                "source", "external_id", "version", "kind", "person_id", "occurred_at", "customer", "product",
                "channel", "amount_minor", "minutes", "reverses", "attributes", "leave_first", "leave_stop", "voided",
                "counts", "recorded_at", "credits", "deal_minor", "deal",
            )
        ]  # fmt: skip
        return select(*columns, _reversed_by()).where(self._scope.clause(fact.c.person_id))

    def _read(self, query: Select[Any]) -> list[Recorded]:
        return [_recorded(row) for row in self._connection.execute(query)]


def _recorded(row: Row[Any]) -> Recorded:
    return Recorded(*row)._replace(credits=read_credits(row.credits), deal=row.deal or "")


def _newest_first(query: Select[Any], after: Place | None) -> Select[Any]:
    order = (fact.c.occurred_at, fact.c.source, fact.c.external_id, fact.c.version)
    if after is not None:
        micros, source, external_id, version = after
        instant = _EPOCH + timedelta(microseconds=micros)
        query = query.where(tuple_(*order) < (instant, source, external_id, version))
    return query.order_by(*(column.desc() for column in order))


def _reversed_by() -> ColumnElement[str]:
    """The id of the live reversal that takes a fact back; empty when none does."""
    reversal = fact.alias("reversal")
    named = (
        select(func.concat(reversal.c.source, "/", reversal.c.version, "/", reversal.c.external_id))
        .where(
            # Of a part, whatever takes its deal back.
            reversal.c.source == func.split_part(fact.c.source, "+", 1),
            reversal.c.reverses == func.coalesce(fact.c.deal, fact.c.external_id),
            reversal.c.kind == _REVERSAL,
            reversal.c.current,
            ~reversal.c.voided,
        )
        .order_by(reversal.c.external_id)
        .limit(1)
        .scalar_subquery()
    )
    taken_back = and_(fact.c.current, ~fact.c.counts, ~fact.c.voided)
    return case((taken_back, func.coalesce(named, "")), else_="").label("reversed_by")


def _counted_by(metric: Metric, period: Period, *, known: bool) -> ColumnElement[bool]:
    """Whether a metric that is made of no others looks at a fact; `known` is for facts as they stood."""
    asked = metric.conditions
    clauses: list[ColumnElement[bool]] = [fact.c.kind.in_(sorted(int(kind) for kind in metric.kinds))]
    if asked.channels:
        clauses.append(fact.c.channel.in_(sorted(asked.channels)))
    if asked.products:
        clauses.append(fact.c.product.in_(sorted(asked.products)))
    if asked.least_amount is not None:
        clauses.append(fact.c.amount_minor >= asked.least_amount)
    if asked.most_amount is not None:
        clauses.append(fact.c.amount_minor <= asked.most_amount)
    clauses += [fact.c.attributes[name].astext.in_(sorted(values)) for name, values in asked.attributes]
    new = metric.aggregation is Aggregation.NEW_CUSTOMERS or asked.customers is Novelty.NEW
    if new or asked.customers is Novelty.KNOWN:
        clauses.append(_first_touched(period, new=new, known=known))
    return and_(*clauses)


def _first_touched(period: Period, *, new: bool, known: bool) -> ColumnElement[bool]:
    """Whether the customer was first followed up in the period, or before it."""
    touched: Any = STOOD_FIRST if known else first_touch
    at: ColumnElement[Any] = touched.c.at if known else touched.c.day
    first, stop = (period.start, period.stop) if known else (period.first, period.end)
    return exists().where(
        touched.c.person_id == fact.c.person_id,
        touched.c.customer == fact.c.customer,
        and_(at >= first, at < stop) if new else at < first,
    )
