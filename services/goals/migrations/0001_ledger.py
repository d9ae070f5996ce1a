"""The ledger, what is kept over it, targets, and the tables every service has."""

from alembic import op

from access import create_replica
from chassis.feed import create_cursors, create_outbox, create_requests
from standards import create_standards

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_replica(op)
    create_outbox(op)
    create_cursors(op)
    create_requests(op)
    create_standards(op)
    op.execute("""
        CREATE TABLE fact (
            source text NOT NULL,
            external_id text NOT NULL,
            version integer NOT NULL,
            kind smallint NOT NULL,
            person_id text NOT NULL,
            occurred_at timestamptz NOT NULL,
            day date NOT NULL,
            customer text NOT NULL,
            product text NOT NULL,
            channel text NOT NULL,
            amount_minor bigint,
            minutes integer NOT NULL,
            reverses text NOT NULL,
            attributes jsonb,
            voided boolean NOT NULL,
            current boolean NOT NULL,
            counts boolean NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT now(),
            CHECK (current OR NOT counts)
        ) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02)
    """)
    # Two partial indexes instead of one over all versions: a key's current version is found, and made
    # unique, without a look at the few that were superseded, and an ordinary fact pays for one index only.
    op.execute("CREATE UNIQUE INDEX fact_current ON fact (source, external_id) WHERE current")
    op.execute("CREATE UNIQUE INDEX fact_superseded ON fact (source, external_id, version) WHERE NOT current")
    op.execute("CREATE INDEX fact_person ON fact (person_id, occurred_at)")
    op.execute(
        "CREATE INDEX fact_reversal ON fact (source, reverses) WHERE kind = 4 AND current AND NOT voided"
    )
    op.execute("""
        CREATE TABLE tally (
            person_id text NOT NULL,
            day date NOT NULL,
            kind smallint NOT NULL,
            n integer NOT NULL CHECK (n > 0),
            amount_minor bigint NOT NULL,
            minutes bigint NOT NULL,
            recorded_at timestamptz NOT NULL,
            PRIMARY KEY (person_id, day, kind)
        ) WITH (fillfactor = 80)
    """)
    op.execute("""
        CREATE TABLE touch (
            person_id text NOT NULL,
            day date NOT NULL,
            customer text NOT NULL,
            n integer NOT NULL CHECK (n > 0),
            PRIMARY KEY (person_id, day, customer)
        )
    """)
    # `was` is the day before the last move to an earlier one; only the statement that moves it reads it.
    op.execute("""
        CREATE TABLE first_touch (
            person_id text NOT NULL,
            customer text NOT NULL,
            day date NOT NULL,
            was date,
            PRIMARY KEY (person_id, customer)
        )
    """)
    op.execute("CREATE INDEX first_touch_day ON first_touch (person_id, day)")
    # The directory's position up to whose zones every local day in the ledger has been brought.
    op.execute(
        "CREATE TABLE calendar (single boolean PRIMARY KEY DEFAULT true CHECK (single), position bigint NOT NULL)"
    )
    op.execute("INSERT INTO calendar (position) VALUES (0)")
