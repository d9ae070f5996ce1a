"""Local days after a change of zone."""

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Connection, text

from access import Directory
from chassis.feed import publish
from services.goals.domain.metrics import PURCHASES
from services.goals.domain.periods import Calendar
from services.goals.store.arrays import Longs
from services.goals.store.correcting import events_of
from services.goals.store.counting import move, rebuild
from services.goals.store.library import LibraryCache
from services.goals.store.recording import enter_ledger

_ZONES: Final = text("""
SELECT id, effective_zone FROM directory_node
WHERE kind = 4 AND (id = ANY (:nodes) OR ancestors && CAST(:nodes AS text[]))
""")
_OCCURRENCES: Final = """
SELECT source, external_id, version, person_id, day - date 'epoch',
       (extract(epoch FROM occurred_at) * 1000000)::bigint
FROM fact WHERE person_id = ANY (%(people)b::text[])
"""
_REDATE: Final = """
UPDATE fact SET day = date 'epoch' + row.day::integer
FROM unnest(%(sources)b::text[], %(external_ids)b::text[], %(versions)b::bigint[], %(days)b::bigint[])
     AS row (source, external_id, version, day)
WHERE fact.source = row.source AND fact.external_id = row.external_id AND fact.version = row.version
  AND (fact.current OR NOT fact.current)
"""
_DAYS: Final = (
    "SELECT DISTINCT person_id, day - date 'epoch' FROM tally WHERE person_id = ANY (%(people)b::text[])"
)
# Counters are rebuilt by themselves.
_REBUILD: Final = (
    "DELETE FROM tally WHERE kind < 100 AND person_id = ANY (%(people)b::text[])",
    "DELETE FROM touch WHERE person_id = ANY (%(people)b::text[])",
    "DELETE FROM first_touch WHERE person_id = ANY (%(people)b::text[])",
    """
    INSERT INTO tally (person_id, day, kind, n, amount_minor, minutes, recorded_at)
    SELECT person_id, day, kind, count(*), coalesce(sum(amount_minor), 0), sum(minutes), max(recorded_at)
    FROM fact WHERE counts AND kind <> 9 AND person_id = ANY (%(people)b::text[]) GROUP BY person_id, day, kind
    """,
    """
    INSERT INTO touch (person_id, day, customer, n)
    SELECT person_id, day, customer, count(*)
    FROM fact WHERE counts AND kind = 1 AND person_id = ANY (%(people)b::text[])
    GROUP BY person_id, day, customer
    """,
    """
    INSERT INTO first_touch (person_id, customer, day)
    SELECT person_id, customer, min(day) FROM touch WHERE person_id = ANY (%(people)b::text[])
    GROUP BY person_id, customer
    """,
)
_REACHED: Final = text("UPDATE calendar SET position = :position WHERE position < :position")


def rezone(
    connection: Connection,
    key: int,
    library: LibraryCache,
    *,
    nodes: Collection[str],
    before: Directory,
    position: int,
) -> None:
    """Reckon anew the days of everybody at or below `nodes` whose zone in force is not the one `before` says.

    The tables of the directory are those after the change. From then on nobody records with a directory older than
    `position`.
    """
    rows = connection.execute(_ZONES, {"nodes": sorted(nodes)})
    moved = {person: zone for person, zone in rows if before.zone_of(person) != zone}
    if not moved:
        return
    gate = enter_ledger(connection, key, alone=True)
    connection.execute(_REACHED, {"position": position})
    people = sorted(moved)
    calendar = Calendar()
    redated = []
    for source, external_id, version, person, day, micros in connection.exec_driver_sql(
        _OCCURRENCES, {"people": people}
    ):
        now = calendar.day_number(micros, moved[person])
        if now != day:
            redated.append((source, external_id, version, person, now))
    if not redated:
        return
    changed = sorted({row[3] for row in redated})
    days = _read_days(connection, changed)
    known = library.at_least(connection, gate.library)
    unfinished = set(known.counters) - set(known.computed_counters)
    for counter in unfinished:
        move(connection, counter, changed, sign=-1)
    sources, external_ids, versions, _, numbers = zip(*redated, strict=True)
    connection.exec_driver_sql(
        _REDATE,
        {
            "sources": list(sources),
            "external_ids": list(external_ids),
            "versions": Longs(versions),
            "days": Longs(numbers),
        },
    )
    for statement in _REBUILD:
        connection.exec_driver_sql(statement, {"people": changed})
    for counter in (PURCHASES, *known.computed_counters):
        rebuild(connection, counter, changed)
    for counter in unfinished:
        move(connection, counter, changed, sign=1)
    publish(connection, events_of(days | _read_days(connection, changed)))


def _read_days(connection: Connection, people: Iterable[str]) -> set[tuple[str, int]]:
    return {(row[0], row[1]) for row in connection.exec_driver_sql(_DAYS, {"people": list(people)})}
