"""A new plan for 100,000 people: how fast statements are computed anew, and how long anybody waits for it."""

import time
from collections.abc import Iterator

import grpc
import psycopg

from benchmarks.figures import Figure
from benchmarks.incentives_reads import agree
from benchmarks.incentives_stage import MONTH, PEOPLE, ready, stage

# The same plan as SQL would compute it, batch-free: with the version each statement keeps for ever (0422) and the event
# every change is told by. It looks at no tree of units, asks of no period whether it is closed, and gives no positions.
_IN_SQL = """
WITH figured AS (
    SELECT person_id, (figures->>'new_customers')::bigint * 5000 AS unit,
           greatest(0, ((figures->>'deals_won')::bigint * 10 - (figures->>'customers_followed')::bigint) * 100
                       / ((figures->>'customers_followed')::bigint * 10)) * 5000 AS points
    FROM statement WHERE period_kind = 2 AND first_day = %(month)s
), computed AS (
    UPDATE statement AS s SET plan_id = 'sql', total = unit + points, amounts = ARRAY[unit, points]
    FROM figured WHERE s.period_kind = 2 AND s.first_day = %(month)s AND s.person_id = figured.person_id
    RETURNING s.*
), kept AS (
    INSERT INTO statement_version (person_id, period_kind, first_day, known_from, figures, as_of, goals_position,
                                   plan_id, total, amounts)
    SELECT person_id, period_kind, first_day, now(), figures, as_of, goals_position, plan_id, total, amounts
    FROM computed
), batch AS (
    INSERT INTO outbox_batch (size) SELECT count(*) FROM computed RETURNING id
)
INSERT INTO outbox_event (batch_id, ordinal, kind, subject, payload)
SELECT batch.id, row_number() OVER () - 1, 'statement_changed', person_id,
       convert_to(repeat(person_id || total, 16), 'UTF8')
FROM batch, computed
"""


def measure() -> Iterator[Figure]:
    """The whole queue after CreatePlan against one set-based statement; the longest a commit had to wait."""
    with stage() as company, grpc.insecure_channel(company.address) as channel:
        ready(channel)
        with psycopg.connect(company.url, autocommit=True) as connection:
            longest, began = 0.0, time.perf_counter()
            agree(company, channel, wait=False)
            while connection.execute("SELECT 1 FROM recompute").fetchone():
                asked = time.perf_counter()
                # What a page of goals' figures has to wait for.
                connection.execute("SELECT plans_version FROM calculation FOR UPDATE")
                longest = max(longest, time.perf_counter() - asked)
                time.sleep(0.02)
            ours = time.perf_counter() - began
            done = connection.execute("SELECT count(*) FROM statement WHERE plan_id <> '' AND total > 0")
            paid = done.fetchone()
            assert paid is not None
            assert paid[0] > PEOPLE * 0.9
            connection.execute("VACUUM ANALYZE statement")
            began = time.perf_counter()
            connection.execute(_IN_SQL, {"month": MONTH})
            bare = time.perf_counter() - began
    yield Figure(
        "incentives",
        "statements of 100,000 people computed anew and told, against one set-based SQL statement that keeps versions"
        " as well (rate)",
        bare / ours,
        f"{PEOPLE / ours:,.0f}/s against {PEOPLE / bare:,.0f}/s",
        at_least=0.6,
        bound_by="processor time a person on two shared cores: 28 µs computing, 17 the database's (0424)",
    )
    yield Figure(
        "incentives",
        "the longest a page of figures waited meanwhile, in units of 100 ms",
        longest / 0.1,
        f"{longest * 1e3:.0f} ms",
        at_most=1,
        bound_by="one transaction of 25 ms, and how soon the woken process gets its turn at a core",
    )
