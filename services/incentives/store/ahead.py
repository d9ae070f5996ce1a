"""Pages of the queue that are read before `calculation` is held, and written all at once when they are computed.

What was read may have changed meanwhile. The statement that writes looks: where the plans or people's places are
others, it does nothing; whose statement is another, is left out and queued again. Decision 0424.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from chassis.arrays import numbers, texts
from chassis.database import publishes, unawaited
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.statements import Statement
from services.incentives.store.catalogue import WAITED_FOR
from services.incentives.store.statements import COLUMNS, keeping

_QUEUED: Final = """
SELECT plans_version, directory_position.position, queued.*
FROM calculation CROSS JOIN directory_position LEFT JOIN LATERAL (
    SELECT recompute.id, node_id, since, after_person, coalesce(kind, 4) = 4 AS is_person
    FROM recompute LEFT JOIN directory_node AS node ON node.id = node_id ORDER BY recompute.id LIMIT 1
) AS queued ON true
"""
_PAGE: Final = f"""
WITH people AS MATERIALIZED (
    SELECT id, ancestors, effective_zone FROM directory_node
    WHERE ancestors @> ARRAY[%(node_id)s::text] AND kind = 4 AND id > %(after)s ORDER BY id LIMIT %(limit)s
)
SELECT people.id, person.job_role, people.ancestors, people.effective_zone, person.hire_date,
       statement.xmin::text, {COLUMNS}
FROM people LEFT JOIN directory_person AS person ON person.id = people.id
LEFT JOIN statement ON statement.person_id = people.id
     AND (plan_id <> '' OR period_kind = ANY(%(kinds)s::smallint[]))
     AND (first_day >= %(recent)s OR (plan_id = '' AND first_day >= %(since)s))
ORDER BY people.id
"""  # noqa: S608  the column names are ours
_HOLD: Final = "SELECT 1 FROM calculation FOR UPDATE"
_MOVE: Final = {
    True: "DELETE FROM recompute",
    False: "UPDATE recompute SET after_person = %(until)s",
}
"""Whether it was the last page of an item, and what becomes of the item."""
_WRITE: Final = {
    is_last: f"""
WITH moved AS (
    {move} WHERE id = %(item)s AND after_person = %(after)s
        AND (SELECT plans_version FROM calculation) = %(plans_version)s
        AND (SELECT position FROM directory_position) = %(directory)s
    RETURNING since
), new AS MATERIALIZED (
    SELECT person_id, period_kind, first_day, row_version::xid, plan_id, total, amounts::bigint[], told, moved.since
    FROM moved, unnest(%(people)s::text[], %(kinds)s::smallint[], %(days)s::date[], %(versions)s::text[],
                       %(plans)s::text[], %(totals)s::bigint[], %(amounts)s::text[], %(told)b::bytea[])
         AS new (person_id, period_kind, first_day, row_version, plan_id, total, amounts, told)
), renewed AS (
    UPDATE statement SET plan_id = new.plan_id, total = new.total, amounts = new.amounts
    FROM new
    WHERE (statement.period_kind, statement.first_day, statement.person_id)
        = (new.period_kind, new.first_day, new.person_id) AND statement.xmin = new.row_version
    RETURNING statement.*, new.told
), kept AS (
    {keeping("renewed")}
), batch AS (
    INSERT INTO outbox_batch (size) SELECT count(*) FROM renewed WHERE told <> '' HAVING count(*) > 0 RETURNING id
), published AS (
    INSERT INTO outbox_event (batch_id, ordinal, kind, subject, payload)
    SELECT batch.id, row_number() OVER () - 1, %(event)s, renewed.person_id, renewed.told
    FROM batch, renewed WHERE renewed.told <> ''
), again AS (
    INSERT INTO recompute (node_id, since)
    SELECT DISTINCT person_id, since FROM new
    WHERE (SELECT count(*) FROM renewed) < (SELECT count(*) FROM new) AND NOT EXISTS (
        SELECT FROM renewed WHERE (renewed.period_kind, renewed.first_day, renewed.person_id)
                                = (new.period_kind, new.first_day, new.person_id))
)
SELECT (SELECT count(*) FROM moved), statement_timestamp()
"""  # noqa: S608  the parts are ours
    for is_last, move in _MOVE.items()
}
_SINCE: Final = f"SELECT {WAITED_FOR}, clock_timestamp()"


class Place(NamedTuple):
    """Where in the queue a page begins: an item, and behind which of its people."""

    item: int
    node_id: str
    since: date | None
    after: str


class Queue(NamedTuple):
    """The versions of plans and directory in a snapshot, and where the queue begins.

    None where it is empty or begins with a person, who is for whoever holds `calculation`.
    """

    plans_version: int
    directory: int
    head: Place | None


class Page(NamedTuple):
    """People from a place on, where they are and their statements as stored; `rows` as `_PAGE` has them."""

    queue: Queue
    place: Place
    rows: Sequence[Sequence[Any]]
    is_last: bool

    @property
    def following(self) -> Place:
        """Where the next page begins."""
        return self.place._replace(after=self.rows[-1][0]) if self.rows else self.place


class Renewed(NamedTuple):
    """A statement computed anew, the version of the row it was computed from, and its event, empty for none."""

    statement: Statement
    version: str
    told: bytes


class Written(NamedTuple):
    """Whether the page was still to be done as it was read, whether anybody waits, how long the lock was held."""

    done: bool
    is_waited_for: bool
    held: timedelta


def read_queue(connection: Connection) -> Queue:
    """What is to be done next, and as of which versions it is seen."""
    plans_version, directory, *head, is_person = connection.exec_driver_sql(_QUEUED).one()
    return Queue(plans_version, directory, Place(*head) if is_person is False else None)


def read_page(
    connection: Connection,
    queue: Queue,
    at: Place,
    *,
    limit: int,
    recent: date,
    kinds: Collection[PeriodKind],
) -> Page:
    """At most `limit` people from a place on, in the snapshot in which the queue was read."""
    values = {
        "node_id": at.node_id,
        "after": at.after,
        "limit": limit,
        "kinds": numbers(kinds),
        "recent": recent,
        "since": at.since or date.max,
    }
    rows = connection.exec_driver_sql(_PAGE, values).all()
    return Page(queue, at, rows, len({row[0] for row in rows}) < limit)


def write_page(
    connection: Connection,
    page: Page,
    renewed: Sequence[Renewed],
    *,
    event: str,
    now: datetime,
    meanwhile: Callable[[], None],
) -> Written:
    """Write a page, known from `now` on, and commit; `meanwhile` is called while the database does so.

    `event` is the kind of the events that tell it.
    """
    ordered = sorted(renewed, key=lambda each: (each.statement.period, each.statement.person_id))
    values = {
        "item": page.place.item,
        "after": page.place.after,
        "until": page.following.after,
        "plans_version": page.queue.plans_version,
        "directory": page.queue.directory,
        "now": now,
        "event": event,
        "people": texts([each.statement.person_id for each in ordered]),
        "kinds": numbers(each.statement.period.kind for each in ordered),
        "days": texts([each.statement.period.first_day.isoformat() for each in ordered]),
        "versions": texts([each.version for each in ordered]),
        "plans": texts([each.statement.plan_id for each in ordered]),
        "totals": numbers(each.statement.total for each in ordered),
        "amounts": texts([numbers(each.statement.amounts) for each in ordered]),
        "told": [each.told for each in ordered],
    }
    with unawaited(connection) as ask:
        ask(_HOLD, {})
        answers = ask(_WRITE[page.is_last], values), ask(_SINCE, {})
        # Behind everything else: the lock goes as soon as the database has done it all, whatever is computed meanwhile.
        ask("COMMIT", {})
        meanwhile()
        (moved, began), (waited_for, ended) = (answer()[0] for answer in answers)
    publishes(connection)
    return Written(bool(moved), waited_for, ended - began)
