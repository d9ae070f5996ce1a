"""The ledger checked against itself: hashed, and every kept value recomputed from the facts."""

import hashlib
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from services.goals.domain.metrics import PURCHASES
from services.goals.store.checking_parts import check_parts
from services.goals.store.counting import recomputed
from services.goals.store.library import Versions

_PAGE: Final = 5_000
# Times of arrival, and the day a first touch had before, tell of the order of arrival and are left out.
_STATE: Final = (
    """
    SELECT row(source, external_id, version, kind, person_id, occurred_at, day, customer, product, channel,
               amount_minor, minutes, reverses, attributes, voided, current, counts, leave_first, leave_stop, credits,
               deal_minor, deal)::text
    FROM fact ORDER BY source COLLATE "C", external_id COLLATE "C", version
    """,
    """
    SELECT row(person_id, day, kind, n, amount_minor, minutes)::text
    FROM tally ORDER BY person_id COLLATE "C", day, kind
    """,
    """
    SELECT row(person_id, day, customer, n)::text
    FROM touch ORDER BY person_id COLLATE "C", day, customer COLLATE "C"
    """,
    """
    SELECT row(person_id, customer, day)::text
    FROM first_touch ORDER BY person_id COLLATE "C", customer COLLATE "C"
    """,
    """
    SELECT row(person_id, counter, day, customer, n, amount_minor, minutes)::text
    FROM patron ORDER BY person_id COLLATE "C", counter, day, customer COLLATE "C"
    """,
)
_FACTS: Final = "SELECT count(*), count(*) FILTER (WHERE counts) FROM fact"
_CHECKS: Final = (
    """
    WITH ranked AS (
        SELECT source, external_id, kind, reverses, voided, current, counts,
               version = max(version) OVER (PARTITION BY source, external_id) AS newest
        FROM fact WHERE deal IS NULL
    ), taken_back AS (
        SELECT DISTINCT source, reverses AS external_id, true AS is_taken_back
        FROM ranked WHERE kind = 4 AND newest AND NOT voided
    ), judged AS (
        SELECT current, counts, newest,
               newest AND NOT voided AND NOT (kind IN (2, 5) AND coalesce(is_taken_back, false)) AS should
        FROM ranked LEFT JOIN taken_back USING (source, external_id)
    )
    SELECT 0, count(*) FILTER (WHERE current <> newest OR counts <> should) FROM judged
    """,
    """
    WITH recomputed AS (
        SELECT person_id, day, kind, count(*) AS n, coalesce(sum(amount_minor), 0) AS amount_minor,
               sum(minutes) AS minutes
        FROM fact WHERE counts AND kind <> 9 GROUP BY person_id, day, kind
    )
    SELECT count(*), count(*) FILTER (WHERE (kept.n, kept.amount_minor, kept.minutes)
                                      IS DISTINCT FROM (recomputed.n, recomputed.amount_minor, recomputed.minutes))
    FROM (SELECT * FROM tally WHERE kind < 100) AS kept FULL JOIN recomputed USING (person_id, day, kind)
    """,
    """
    WITH recomputed AS (
        SELECT person_id, day, customer, count(*) AS n FROM fact WHERE counts AND kind = 1
        GROUP BY person_id, day, customer
    )
    SELECT count(*), count(*) FILTER (WHERE kept.n IS DISTINCT FROM recomputed.n)
    FROM touch AS kept FULL JOIN recomputed USING (person_id, day, customer)
    """,
    """
    WITH recomputed AS (
        SELECT person_id, customer, min(day) AS day FROM fact WHERE counts AND kind = 1
        GROUP BY person_id, customer
    )
    SELECT count(*), count(*) FILTER (WHERE kept.day IS DISTINCT FROM recomputed.day)
    FROM first_touch AS kept FULL JOIN recomputed USING (person_id, customer)
    """,
)


# One query per counter whose values are all computed.
_COUNTED: Final = {
    False: """
    WITH recomputed AS ({query})
    SELECT count(*), count(*) FILTER (WHERE (kept.n, kept.amount_minor, kept.minutes)
                                      IS DISTINCT FROM (recomputed.n, recomputed.amount_minor, recomputed.minutes))
    FROM (SELECT * FROM tally WHERE kind = {counter}) AS kept FULL JOIN recomputed USING (person_id, day)
    """,
    True: """
    WITH recomputed AS ({query})
    SELECT count(*), count(*) FILTER (WHERE (kept.n, kept.amount_minor, kept.minutes)
                                      IS DISTINCT FROM (recomputed.n, recomputed.amount_minor, recomputed.minutes))
    FROM (SELECT * FROM patron WHERE counter = {counter}) AS kept
         FULL JOIN recomputed USING (person_id, day, customer)
    """,
}


class Check(NamedTuple):
    """What a check found."""

    state_hash: str
    versions: int
    counting: int
    checked: int
    differing: int


def check_ledger(connection: Connection) -> Check:
    """Hash and recompute everything, in one snapshot."""
    digest = hashlib.sha256()
    for query in _STATE:
        rows = connection.execute(text(query), execution_options={"yield_per": _PAGE})
        for page in rows.partitions():
            digest.update("".join(f"{row[0]}\n" for row in page).encode())
        digest.update(b"\0")
    versions, counting = connection.execute(text(_FACTS)).one()
    found: list[Any] = [connection.execute(text(query)).one() for query in _CHECKS]
    found.append(check_parts(connection))
    for counter in (PURCHASES, *Versions(connection).load().computed_counters):
        query, parameters = recomputed(counter)
        told = _COUNTED[counter.by_customer].format(query=query, counter=counter.id)
        found.append(connection.exec_driver_sql(told, parameters).one())
    return Check(
        digest.hexdigest(), versions, counting, sum(row[0] for row in found), sum(row[1] for row in found)
    )
