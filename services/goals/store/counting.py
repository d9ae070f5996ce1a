"""Counters: what metrics with conditions keep over the facts, incrementally, and the same from the facts themselves.

A counter by customer keeps `patron`, a row per person, day and customer; any other keeps `tally`, under its own number
instead of a kind. What is said twice, in Python for facts as they are told and in SQL for facts that are there, is
held together by `CheckLedger`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from services.goals.domain.facts import Fact
from services.goals.domain.ledger import Counted, Sums
from services.goals.domain.metrics import Counter
from services.goals.store.arrays import Longs, Texts

# After the statement that stores the facts, in its transaction, so that only what was stored and counts is counted.
# The rows taken here come after all that the statement takes, in one order: no deadlocks.
_COUNT: Final = """
WITH told AS (
    SELECT * FROM unnest(%(sources)b::text[], %(external_ids)b::text[], %(counters)b::bigint[],
                         %(by_customer)b::bigint[]) AS row (source, external_id, counter, by_customer)
), counted AS (
    SELECT counter, by_customer = 1 AS by_customer, person_id, day, customer, amount_minor, minutes
    FROM told JOIN fact USING (source, external_id) WHERE current AND counts
), tallied AS (
    INSERT INTO tally AS kept (person_id, day, kind, n, amount_minor, minutes, recorded_at)
    SELECT person_id, day, counter, count(*), coalesce(sum(amount_minor), 0), sum(minutes), now()
    FROM counted WHERE NOT by_customer GROUP BY person_id, day, counter ORDER BY person_id, day, counter
    ON CONFLICT (person_id, day, kind) DO UPDATE
    SET n = kept.n + excluded.n, amount_minor = kept.amount_minor + excluded.amount_minor,
        minutes = kept.minutes + excluded.minutes, recorded_at = greatest(kept.recorded_at, excluded.recorded_at)
    RETURNING 1
)
INSERT INTO patron AS kept (person_id, counter, day, customer, n, amount_minor, minutes)
SELECT person_id, counter, day, customer, count(*), coalesce(sum(amount_minor), 0), sum(minutes)
FROM counted WHERE by_customer AND customer <> '' AND (SELECT count(*) FROM tallied) >= 0
GROUP BY person_id, counter, day, customer ORDER BY person_id, counter, day, customer
ON CONFLICT (person_id, counter, day, customer) DO UPDATE
SET n = kept.n + excluded.n, amount_minor = kept.amount_minor + excluded.amount_minor,
    minutes = kept.minutes + excluded.minutes
"""
# A row that comes to nothing goes, as in the tallies.
_MOVE: Final = """
WITH moved AS (
    SELECT person_id, counter::smallint, date 'epoch' + day::integer AS day, customer, n, amount, minutes
    FROM unnest(%(people)b::text[], %(counters)b::bigint[], %(days)b::bigint[], %(customers)b::text[],
                %(counts)b::bigint[], %(amounts)b::bigint[], %(minutes)b::bigint[])
         AS row (person_id, counter, day, customer, n, amount, minutes)
), gone AS (
    DELETE FROM patron USING moved
    WHERE (patron.person_id, patron.counter, patron.day, patron.customer)
        = (moved.person_id, moved.counter, moved.day, moved.customer)
      AND (patron.n + moved.n, patron.amount_minor + moved.amount, patron.minutes + moved.minutes) = (0, 0, 0)
), changed AS (
    UPDATE patron
    SET n = patron.n + moved.n, amount_minor = patron.amount_minor + moved.amount,
        minutes = patron.minutes + moved.minutes
    FROM moved
    WHERE (patron.person_id, patron.counter, patron.day, patron.customer)
        = (moved.person_id, moved.counter, moved.day, moved.customer)
      AND (patron.n + moved.n, patron.amount_minor + moved.amount, patron.minutes + moved.minutes) <> (0, 0, 0)
)
INSERT INTO patron (person_id, counter, day, customer, n, amount_minor, minutes)
SELECT person_id, counter, day, customer, n, amount, minutes FROM moved
WHERE NOT EXISTS (
    SELECT FROM patron WHERE (patron.person_id, patron.counter, patron.day, patron.customer)
                           = (moved.person_id, moved.counter, moved.day, moved.customer))
"""
_TALLIES: Final = """
SELECT person_id, day, {counter} AS kind, count(*) AS n, coalesce(sum(amount_minor), 0) AS amount_minor,
       sum(minutes) AS minutes, max(recorded_at) AS recorded_at
FROM {source} GROUP BY person_id, day
"""
_PATRONS: Final = """
SELECT person_id, {counter} AS counter, day, customer, count(*) AS n,
       coalesce(sum(amount_minor), 0) AS amount_minor, sum(minutes) AS minutes
FROM {source} GROUP BY person_id, day, customer
"""
_THESE: Final = "person_id = ANY (%(these)b::text[])"
_NOTHING: Final = "n = 0 AND amount_minor = 0 AND minutes = 0"


def count_facts(connection: Connection, counters: Sequence[Counter], facts: Iterable[Fact]) -> None:
    """Add what was just stored to the counters; what does not count there adds nothing."""
    by_kind: dict[int, list[Counter]] = {}
    for counter in counters:
        for kind in counter.kinds:
            by_kind.setdefault(kind, []).append(counter)
    found = [
        (fact, counter)
        for fact in facts
        for counter in by_kind.get(fact.kind, ())
        if counter.conditions.admit(fact.channel, fact.product, fact.amount, fact.attributes)
    ]
    if found:
        connection.exec_driver_sql(
            _COUNT,
            {
                "sources": Texts([fact.source for fact, _ in found]),
                "external_ids": Texts([fact.external_id for fact, _ in found]),
                "counters": Longs(counter.id for _, counter in found),
                "by_customer": Longs(int(counter.by_customer) for _, counter in found),
            },
        )


def move_patrons(connection: Connection, moved: Mapping[Counted, Sums]) -> None:
    """Write what a correction changes for counters by customer."""
    connection.exec_driver_sql(
        _MOVE,
        {
            "people": Texts([each.person_id for each in moved]),
            "counters": Longs(each.counter for each in moved),
            "days": Longs(each.day for each in moved),
            "customers": Texts([each.customer for each in moved]),
            "counts": Longs(sums.n for sums in moved.values()),
            "amounts": Longs(sums.amount for sums in moved.values()),
            "minutes": Longs(sums.minutes for sums in moved.values()),
        },
    )


def rebuild(connection: Connection, counter: Counter, people: Sequence[str]) -> None:
    """Compute a counter anew from the facts, for some people."""
    kept = kept_by(counter)
    parameters = {"these": list(people)}
    gone = f"DELETE FROM {kept.table} WHERE {kept.number} = {counter.id} AND {_THESE}"  # noqa: S608  ours
    connection.exec_driver_sql(gone, parameters)
    query, more = recomputed(counter, narrowed=_THESE)
    connection.exec_driver_sql(f"INSERT INTO {kept.table} ({kept.columns}) {query}", {**parameters, **more})


def move(connection: Connection, counter: Counter, people: Sequence[str], *, sign: int) -> None:
    """Add what the facts of some people come to, or take it away, to what a counter keeps: a difference.

    For counters that do not keep all of their facts yet, and so cannot be computed anew for some people.
    """
    kept = kept_by(counter)
    query, parameters = recomputed(counter, narrowed=_THESE)
    sums = f"{sign} * n AS n, {sign} * amount_minor AS amount_minor, {sign} * minutes AS minutes"
    rest = f"{kept.keys}, {kept.number}, {kept.rest or 'NULL'}"
    told = f"SELECT {rest}, {sums} FROM ({query}) AS told"  # noqa: S608  ours
    source = f"SELECT {kept.columns} FROM ({told}) AS signed ORDER BY {kept.keys}"  # noqa: S608  ours
    connection.exec_driver_sql(kept.adding(source), {**parameters, "these": list(people)})
    connection.exec_driver_sql(
        f"DELETE FROM {kept.table} WHERE {kept.number} = {counter.id} AND {_THESE} AND {_NOTHING}",  # noqa: S608  ours
        {"these": list(people)},
    )


def bring_in(connection: Connection, counter: Counter, most: int) -> int:
    """Add some of what was kept apart for a counter to what it keeps; of how many rows, at most so many.

    For whoever holds the ledger's gate at least shared, and is alone in doing this; the counter takes in new facts by
    itself already. Rows are taken as recording takes them, so that neither holds the other up for good.
    """
    kept = kept_by(counter)
    # By where they are: a batch is found through the index over what is apart, however large the table.
    taken = f"""
        DELETE FROM {kept.table} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM {kept.table} WHERE {kept.number} = {counter.apart.id} LIMIT {most}))
        RETURNING {kept.columns}
    """  # noqa: S608  ours
    source = f"SELECT {kept.renumbered(counter)} FROM taken ORDER BY {kept.keys}"  # noqa: S608  ours
    statement = f"""
        WITH taken AS ({taken}), added AS ({kept.adding(source)} RETURNING {kept.columns})
        SELECT (SELECT count(*) FROM taken), array_agg(person_id), array_agg(day) FROM added WHERE {_NOTHING}
    """  # noqa: S608  ours
    many, people, days = connection.exec_driver_sql(statement).one()
    if people:
        # All that was there is taken back, as in `_MOVE`.
        connection.exec_driver_sql(
            f"DELETE FROM {kept.table} WHERE {kept.number} = {counter.id} AND {_NOTHING}"  # noqa: S608  ours
            " AND (person_id, day) IN (SELECT * FROM unnest(%(people)b::text[], %(days)b::date[]))",
            {"people": people, "days": days},
        )
    return int(many)


def recomputed(counter: Counter, *, narrowed: str = "true") -> tuple[str, dict[str, Any]]:
    """A query for what a counter keeps, from the facts alone, with its parameters: the columns of its table."""
    admitted, parameters = counted_by(counter)
    return gathered(counter, f"fact WHERE {admitted} AND {narrowed}"), parameters


def counted_by(counter: Counter) -> tuple[str, dict[str, Any]]:
    """The condition that facts in a counter meet, in SQL, with its parameters."""
    admitted, parameters = admitted_by(counter)
    return f"counts AND {admitted}" + (" AND customer <> ''" if counter.by_customer else ""), parameters


def gathered(counter: Counter, source: str) -> str:
    """A query for what a counter keeps of rows that have the columns of facts and are all its own."""
    return (_PATRONS if counter.by_customer else _TALLIES).format(counter=counter.id, source=source)


class Kept(NamedTuple):
    """Where a counter keeps what it counts."""

    table: str
    number: str
    keys: str
    rest: str
    columns: str

    def renumbered(self, counter: Counter) -> str:
        """The columns, as rows of another number are selected for this counter."""
        return self.columns.replace(self.number, str(counter.id))

    def adding(self, source: str) -> str:
        """A statement that adds rows of `columns` to those there are."""
        newest = ", recorded_at = greatest(kept.recorded_at, excluded.recorded_at)" if self.rest else ""
        return (
            f"INSERT INTO {self.table} AS kept ({self.columns}) {source}"
            f" ON CONFLICT ({self.keys}, {self.number}) DO UPDATE SET n = kept.n + excluded.n,"
            " amount_minor = kept.amount_minor + excluded.amount_minor,"
            f" minutes = kept.minutes + excluded.minutes{newest}"
        )


_IN_TALLY: Final = Kept(
    "tally",
    "kind",
    "person_id, day",
    "recorded_at",
    "person_id, day, kind, n, amount_minor, minutes, recorded_at",
)
_IN_PATRON: Final = Kept(
    "patron",
    "counter",
    "person_id, day, customer",
    "",
    "person_id, counter, day, customer, n, amount_minor, minutes",
)


def kept_by(counter: Counter) -> Kept:
    """Where a counter keeps what it counts."""
    return _IN_PATRON if counter.by_customer else _IN_TALLY


def admitted_by(counter: Counter) -> tuple[str, dict[str, Any]]:
    """The condition a fact meets, in SQL, with its parameters: what people wrote goes in as those only.

    It names columns of `fact`; parameters are named after the counter, so that several go into one statement.
    """
    conditions = counter.conditions
    prefix = f"c{counter.id}"
    clauses = [f"kind = ANY (%({prefix}_kinds)s::integer[])"]
    parameters: dict[str, Any] = {f"{prefix}_kinds": sorted(counter.kinds)}

    def ask(clause: str, name: str, value: Any) -> None:
        clauses.append(clause.format(f"%({prefix}_{name})s"))
        parameters[f"{prefix}_{name}"] = value

    if conditions.channels:
        ask("channel = ANY ({}::text[])", "channels", sorted(conditions.channels))
    if conditions.products:
        ask("product = ANY ({}::text[])", "products", sorted(conditions.products))
    if conditions.least_amount is not None:
        ask("amount_minor >= {}", "least_amount", conditions.least_amount)
    if conditions.most_amount is not None:
        ask("amount_minor <= {}", "most_amount", conditions.most_amount)
    for number, (name, values) in enumerate(conditions.attributes):
        parameters[f"{prefix}_name_{number}"] = name
        ask(
            f"attributes ->> %({prefix}_name_{number})s = ANY ({{}}::text[])",
            f"values_{number}",
            sorted(values),
        )
    return " AND ".join(clauses), parameters
