"""Where people stand: now, as the directory says, and at a past time, as it was told (decision 0322)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from access import Directory, Person
from access.records import DEFAULT_ZONE
from services.goals.domain.periods import day_start

# Told again, or with nothing changed that is kept here, nothing is noted. A clock that goes back does not reorder.
_NOTE: Final = text("""
INSERT INTO placement (node_id, since, parent_id, zone, job_role, works)
SELECT node.id, greatest(:at, last.since), node.parent_id, node.zone, coalesce(person.job_role, ''),
       coalesce(person.status = 1, true)
FROM directory_node AS node LEFT JOIN directory_person AS person ON person.id = node.id
LEFT JOIN LATERAL (
    SELECT * FROM placement WHERE node_id = node.id ORDER BY since DESC LIMIT 1
) AS last ON true
WHERE node.id = ANY (:nodes) AND (last.parent_id, last.zone, last.job_role, last.works)
      IS DISTINCT FROM (node.parent_id, node.zone, coalesce(person.job_role, ''), coalesce(person.status = 1, true))
ON CONFLICT (node_id, since) DO UPDATE
   SET parent_id = excluded.parent_id, zone = excluded.zone, job_role = excluded.job_role, works = excluded.works
""")
# Of each unit and of some people: where it stood at `at`, and before the first time anything was told of it where it
# stood first; and what was the last word of it; both of what was told by `known`.
_STOOD: Final = text(
    """
SELECT node.id, stood.parent_id, stood.job_role, stood.works, last.parent_id, last.zone
FROM directory_node AS node
CROSS JOIN LATERAL (
    SELECT parent_id, job_role, works FROM placement WHERE node_id = node.id AND since <= {known}
    ORDER BY since <= :at DESC, CASE WHEN since <= :at THEN since END DESC, since LIMIT 1
) AS stood
CROSS JOIN LATERAL (
    SELECT parent_id, zone FROM placement WHERE node_id = node.id AND since <= {known} ORDER BY since DESC LIMIT 1
) AS last
WHERE node.kind <> 4 OR node.id = ANY (:people)
""".replace("{known}", "coalesce(CAST(:known AS timestamptz), 'infinity')")
)


Ancestors = Callable[[str], tuple[str, ...]]


class Place(NamedTuple):
    """Where somebody stands, nearest node first, in which zone and job role, and whether they work here."""

    path: tuple[str, ...]
    zone: str
    job_role: str
    works: bool


class _Stood(NamedTuple):
    parent_id: str
    job_role: str
    works: bool
    last_parent_id: str
    last_zone: str


class PastTree:
    """The tree as it stood at a time. What nothing was known of then stands where it does now."""

    def __init__(self, directory: Directory, stood: Mapping[str, _Stood]) -> None:
        self._directory = directory
        self._stood = stood
        self._under: dict[str, list[str]] | None = None

    def ancestors(self, node_id: str) -> tuple[str, ...]:
        """The node itself, what it stood below, and so on up to the enterprise."""
        path = self._path(node_id, lambda stood: stood.parent_id)
        return tuple(path) or self._directory.ancestors(node_id)

    def zone_of(self, node_id: str) -> str:
        """The zone that was in force by the last that was known: days are reckoned by it, whenever they were."""
        path = self._path(node_id, lambda stood: stood.last_parent_id)
        if not path:
            return self._directory.zone_of(node_id)
        return next((zone for each in path if (zone := self._stood[each].last_zone)), DEFAULT_ZONE)

    def place(self, person: Person) -> Place:
        """Where somebody stood. Of whom nothing was known then did not work here yet."""
        then = self._stood.get(person.id)
        role, works = (person.job_role, False) if then is None else (then.job_role, then.works)
        return Place(self.ancestors(person.id), self.zone_of(person.id), role, works)

    def people_under(self, node_id: str) -> Collection[str]:
        """Who stood at or below the node, people who had left included, as far as the tree was read for them."""
        if self._under is None:
            self._under = {}
            for person in self._directory.people():
                for each in self.ancestors(person.id):
                    self._under.setdefault(each, []).append(person.id)
        return self._under.get(node_id, ())

    def _path(self, node_id: str, parent_of: Callable[[_Stood], str]) -> list[str]:
        # Where some stood first and others then may make a ring.
        path: list[str] = []
        while node_id in self._stood and node_id not in path:
            path.append(node_id)
            node_id = parent_of(self._stood[node_id])
        return path


def note(connection: Connection, nodes: Collection[str], at: datetime) -> None:
    """Note where the directory's tables say that these people and units stand, from now on."""
    if nodes:
        connection.execute(_NOTE, {"nodes": sorted(nodes), "at": at})


def tree_at(
    connection: Connection,
    directory: Directory,
    people: Iterable[str],
    *,
    as_of: datetime,
    known_at: datetime | None,
) -> PastTree:
    """Where every unit and some people stood at `as_of`, as it was known at `known_at`: one statement.

    A move counts from when it was told.
    """
    asked = {"people": list(people), "at": as_of, "known": known_at}
    return PastTree(directory, {row[0]: _Stood(*row[1:]) for row in connection.execute(_STOOD, asked)})


def whole_tree(
    connection: Connection, directory: Directory, *, as_of: datetime | None, known_at: datetime | None
) -> Directory | PastTree:
    """Where everybody and everything stands: now, which reads nothing, or at a past time."""
    if as_of is None:
        return directory
    people = [each.id for each in directory.people()]
    return tree_at(connection, directory, people, as_of=as_of, known_at=known_at)


def ancestors_at(
    connection: Connection,
    directory: Directory,
    nodes: Iterable[str],
    *,
    as_of: datetime | None,
    known_at: datetime | None,
) -> Ancestors:
    """What tells the path of every unit and of these nodes, nearest first: now, or at a past time."""
    if as_of is None:
        return directory.ancestors
    return tree_at(connection, directory, nodes, as_of=as_of, known_at=known_at).ancestors


def places(
    connection: Connection,
    directory: Directory,
    people: Sequence[Person],
    *,
    as_of: datetime | None,
    known_at: datetime | None,
) -> Mapping[str, Place]:
    """Where each of these people stands, by id: now, which reads nothing, or at a past time."""
    if as_of is None:
        return {
            each.id: Place(
                directory.ancestors(each.id), directory.zone_of(each.id), each.job_role, each.active
            )
            for each in people
        }
    tree = tree_at(connection, directory, [each.id for each in people], as_of=as_of, known_at=known_at)
    return {each.id: tree.place(each) for each in people}


def zone_at(connection: Connection, directory: Directory, person_id: str, known_at: datetime | None) -> str:
    """The zone somebody's days are reckoned by: now, which reads nothing, or by what was known then."""
    if known_at is None:
        return directory.zone_of(person_id)
    return tree_at(connection, directory, [person_id], as_of=known_at, known_at=known_at).zone_of(person_id)


def end_of(day: date | None, zone: str, now: datetime, known_at: datetime | None) -> datetime | None:
    """The moment whose tree holds for a day: its end where it is over, else when it was known; None is now."""
    stop = None if day is None else day_start(day + timedelta(days=1), zone)
    return known_at if stop is None or stop > now else stop - timedelta(microseconds=1)
