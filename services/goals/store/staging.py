"""The facts there are, counted in one pass: read from end to end, set down by person, written person by person.

A batch of people has its facts all over the ledger, and fetching a page for each costs several times what reading
every page once does. So the ledger is read in the order it is stored in. What a counter takes of it is set down in
slices of people: a slice is then sorted in memory, and written to neighbouring places of an index. Everything happens
in one transaction with one snapshot, and what is set down goes with it.
"""

from typing import Final

from sqlalchemy import Connection, text

from services.goals.domain.metrics import Counter
from services.goals.store.counting import counted_by, gathered, kept_by

_BLOCKS_A_SLICE: Final = 1_500
_MOST_SLICES: Final = 128
# A slice is sorted, not hashed: it goes to its index in that order.
_SETTINGS: Final = (
    "SET LOCAL work_mem = '32MB'",
    "SET LOCAL enable_hashagg = off",
    # Whoever rewrites the table would move what is read by its place.
    "LOCK TABLE fact IN ACCESS SHARE MODE",
)
_BLOCKS: Final = text("SELECT pg_relation_size('fact') / current_setting('block_size')::bigint")
_BOUNDS: Final = text("""
SELECT coalesce(array_agg(first ORDER BY first), '{}') FROM (
    SELECT min(id) AS first FROM (
        SELECT id, ntile(:slices) OVER (ORDER BY id) AS slice FROM directory_node WHERE kind = 4) AS cut
    GROUP BY slice) AS bound
""")
_STAGED: Final = """
CREATE TABLE staged (slice integer, person_id text, day date, customer text, amount_minor bigint, minutes integer,
                     recorded_at timestamptz) PARTITION BY LIST (slice)
"""


class Staging:
    """One counter's facts as a snapshot has them.

    Of a transaction whose isolation is REPEATABLE READ. First `read` every block, then `write` every slice, then `end`.
    """

    def __init__(self, connection: Connection, counter: Counter) -> None:
        self._connection = connection
        self._counter = counter
        for setting in _SETTINGS:
            connection.exec_driver_sql(setting)
        self.blocks: int = connection.execute(_BLOCKS).scalar_one()
        slices = min(max(self.blocks // _BLOCKS_A_SLICE, 1), _MOST_SLICES)
        self._bounds: list[str] = connection.execute(_BOUNDS, {"slices": slices}).scalar_one()
        self.slices = len(self._bounds) + 1
        connection.exec_driver_sql(_STAGED)
        for number in range(self.slices):
            # Unlogged: nobody needs it after a crash. A service's role has no right to temporary tables.
            connection.exec_driver_sql(
                f"CREATE UNLOGGED TABLE staged_{number} PARTITION OF staged FOR VALUES IN ({number})"
            )

    def read(self, first: int, stop: int) -> None:
        """Set down what is in the blocks from `first` up to `stop`."""
        admitted, parameters = counted_by(self._counter)
        customer = "customer" if self._counter.by_customer else "''"
        self._connection.exec_driver_sql(
            f"""
            INSERT INTO staged (slice, person_id, day, customer, amount_minor, minutes, recorded_at)
            SELECT width_bucket(person_id, %(bounds)b::text[]), person_id, day, {customer}, amount_minor, minutes,
                   recorded_at
            FROM fact WHERE ctid >= '({first},0)' AND ctid < '({stop},0)' AND {admitted}
            """,  # noqa: S608  ours
            {**parameters, "bounds": self._bounds},
        )

    def write(self, slice_number: int) -> None:
        """Write what the counter keeps of a slice."""
        kept = kept_by(self._counter)
        query = gathered(self._counter, f"staged WHERE slice = {slice_number}")
        self._connection.exec_driver_sql(
            f"INSERT INTO {kept.table} ({kept.columns}) {query} ORDER BY {kept.keys}"
        )

    def end(self) -> None:
        """Away with what was set down."""
        self._connection.exec_driver_sql("DROP TABLE staged")


def forget_apart(connection: Connection, counter: Counter) -> None:
    """Away with what was kept apart beside a pass that did not come to its end."""
    kept = kept_by(counter)
    connection.exec_driver_sql(
        f"DELETE FROM {kept.table} WHERE {kept.number} = {counter.apart.id}"  # noqa: S608  ours
    )
