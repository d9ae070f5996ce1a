"""The metric library: versions of definitions, what counters by customer keep, and who bought so far."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE patron (
            person_id text NOT NULL,
            counter smallint NOT NULL,
            day date NOT NULL,
            customer text NOT NULL,
            n integer NOT NULL CHECK (n > 0),
            amount_minor bigint NOT NULL,
            minutes bigint NOT NULL,
            PRIMARY KEY (person_id, counter, day, customer)
        )
    """)
    op.execute("""
        INSERT INTO patron (person_id, counter, day, customer, n, amount_minor, minutes)
        SELECT person_id, 100, day, customer, count(*), coalesce(sum(amount_minor), 0), sum(minutes)
        FROM fact WHERE counts AND kind IN (2, 5) AND customer <> '' GROUP BY person_id, day, customer
    """)
    op.execute("""
        CREATE TABLE metric_version (
            metric text NOT NULL,
            version integer NOT NULL,
            counter smallint NOT NULL,
            definition jsonb NOT NULL,
            effective_from date NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            reason text NOT NULL,
            state smallint NOT NULL,
            after_person text NOT NULL DEFAULT '',
            people_done bigint NOT NULL DEFAULT 0,
            people_total bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (metric, version)
        )
    """)
    # The number that grows with every change of the library, beside the position of the directory: whoever passes the
    # ledger's gate reads both in one row, and so never records with an old library.
    op.execute("ALTER TABLE calendar ADD COLUMN library bigint NOT NULL DEFAULT 0")
    # Passes the gate, then reads: a statement of its own sees what was committed while it waited for the lock, which
    # the statement that called it does not. A large batch ahead is no reason to give up within the usual 5 s.
    op.execute("""
        CREATE FUNCTION enter_ledger(key bigint, alone boolean) RETURNS bigint[] LANGUAGE plpgsql AS $$
        DECLARE state bigint[];
        BEGIN
            PERFORM set_config('lock_timeout', '20s', true);
            IF alone THEN
                PERFORM pg_advisory_xact_lock(key);
            ELSE
                PERFORM pg_advisory_xact_lock_shared(key);
            END IF;
            SELECT ARRAY[position, library] INTO state FROM calendar;
            RETURN state;
        END $$
    """)
