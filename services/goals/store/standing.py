"""The facts as they stood at a past time: what had been told by then, and what of it counted.

A fact is known from `recorded_at` on, which is when the transaction that stored it began. Its `day` is the one it has
now; as another zone may have held then, whatever goes by days goes by the instants they begin at.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CTE, bindparam, column, table, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import DateTime, Text

from services.goals.tables import fact

# Stands before a query and takes the places of the tables `fact` and `first_touch` in it, for some people. A key is
# theirs when any version known then was; the deals that their parts are of, and the reversals that name any of it, come
# along. Current versions and superseded ones are asked for apart, so that each goes by the partial index made for it.
_NEWEST: Final = """
SELECT DISTINCT ON (source, external_id) version.* FROM (
    WITH own AS (
        SELECT source, external_id, deal FROM fact
        WHERE person_id = ANY ({people}) AND recorded_at <= {known_at}
    ), named AS (
        SELECT source, external_id FROM own UNION SELECT split_part(source, '+', 1), deal FROM own WHERE deal <> ''
    ), concerned AS (
        SELECT source, external_id FROM named
        UNION
        SELECT fact.source, fact.external_id
        FROM named JOIN fact ON fact.source = named.source AND fact.reverses = named.external_id AND fact.kind = 4
    )
    SELECT fact.* FROM concerned JOIN fact USING (source, external_id) WHERE current
    UNION ALL
    SELECT fact.* FROM concerned JOIN fact USING (source, external_id) WHERE NOT current
) AS version
WHERE recorded_at <= {known_at} ORDER BY source, external_id, version DESC
"""
# Of a part stands what its deal's version then has: a later one may have dropped it.
_STOOD: Final = """
SELECT source, external_id, version, kind, person_id, occurred_at, day, customer, product, channel, amount_minor,
       minutes, reverses, attributes, leave_first, leave_stop, credits, deal_minor, deal, voided, stands AS current,
       stands AND NOT voided{more} AND NOT (kind IN (2, 5, 10, 11) AND EXISTS (
           SELECT FROM newest AS reversal
           WHERE reversal.source = split_part(newest.source, '+', 1)
             AND reversal.reverses = coalesce(newest.deal, newest.external_id)
             AND reversal.kind = 4 AND NOT reversal.voided)) AS counts,
       recorded_at
FROM newest CROSS JOIN LATERAL (
    SELECT newest.deal IS NULL OR EXISTS (
        SELECT FROM newest AS whole
        WHERE whole.source = split_part(newest.source, '+', 1) AND whole.external_id = newest.deal
          AND whole.version = newest.version) AS stands
) AS standing
"""
_FIRST: Final = """
SELECT person_id, customer, min(occurred_at) AS at FROM fact WHERE counts AND kind = 1 GROUP BY person_id, customer
"""
_PLACES: Final = {"people": "%(people)b::text[]", "known_at": "%(known_at)s"}
_STANDING: Final = f"newest AS ({_NEWEST.format(**_PLACES)}), fact AS ({_STOOD}), first_touch AS ({_FIRST})"
STOOD: Final = _STANDING.format(more="")
"""For after `WITH`. Parameters: `people`, an array of ids, and `known_at`."""
STOOD_WITHOUT: Final = _STANDING.format(
    more=" AND (source, external_id) NOT IN (SELECT * FROM unnest(%(sources)b::text[], %(external_ids)b::text[]))"
)
"""The same as if some facts had never been told. Parameters besides: `sources` and `external_ids`, two arrays."""
STOOD_FIRST: Final = table(
    "first_touch", column("person_id", Text), column("customer", Text), column("at", DateTime(timezone=True))
)
"""The first touches as they stood, each with its instant."""


def stood(people: Sequence[str], known_at: datetime) -> tuple[CTE, ...]:
    """The same for a query to be added to."""
    newest = text(_NEWEST.format(people=":people", known_at=":known_at")).bindparams(
        bindparam("people", list(people), ARRAY(Text)), bindparam("known_at", known_at)
    )
    columns: list[Any] = [column(each.name, each.type) for each in fact.columns]
    return (
        newest.columns(*columns).cte("newest"),
        text(_STOOD.format(more="")).columns(*columns).cte("fact"),
        text(_FIRST).columns(*STOOD_FIRST.c).cte("first_touch"),
    )
