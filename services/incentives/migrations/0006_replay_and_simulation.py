"""What statements were, by when it was known; and plans tried on what happened."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE statement_version (
            person_id text NOT NULL,
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            first_day date NOT NULL,
            known_from timestamptz NOT NULL,
            figures jsonb NOT NULL,
            as_of timestamptz,
            goals_position bigint NOT NULL,
            plan_id text NOT NULL,
            total bigint NOT NULL,
            amounts bigint[] NOT NULL,
            PRIMARY KEY (person_id, first_day, period_kind, known_from)
        )
    """)
    op.execute("COMMENT ON TABLE statement_version IS 'a statement as it was from known_from until the next'")
    # Versions come in the order of time, so that the old ones are found by a few pages' worth of index.
    op.execute("CREATE INDEX statement_version_known ON statement_version USING brin (known_from)")
    # What was shown before is not known here; what is shown now is what was shown since it last changed.
    op.execute("""
        INSERT INTO statement_version (person_id, period_kind, first_day, known_from, figures, as_of, goals_position,
                                       plan_id, total, amounts)
        SELECT person_id, period_kind, first_day, coalesce(as_of, now()), figures, as_of, goals_position, plan_id,
               total, amounts
        FROM statement
    """)
    op.execute("""
        CREATE TABLE simulation (
            id text PRIMARY KEY,
            name text NOT NULL,
            node_id text NOT NULL,
            author_id text NOT NULL,
            first_month date NOT NULL,
            months smallint NOT NULL CHECK (months BETWEEN 1 AND 24),
            plans jsonb NOT NULL,
            created_at timestamptz NOT NULL,
            goals_position bigint NOT NULL,
            state smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
            people integer NOT NULL,
            done integer NOT NULL,
            after_person text NOT NULL,
            digest text NOT NULL,
            tally jsonb NOT NULL,
            finished_at timestamptz
        )
    """)
    op.execute(
        "COMMENT ON TABLE simulation IS 'plans tried on past months: what was asked, how far it is, the sums'"
    )
    op.execute("CREATE INDEX simulation_open ON simulation (created_at) WHERE state IN (1, 2)")
    op.execute("""
        CREATE TABLE simulated (
            simulation_id text NOT NULL REFERENCES simulation (id) ON DELETE CASCADE,
            person_id text NOT NULL,
            branch_id text NOT NULL,
            paid bigint NOT NULL,
            first bigint NOT NULL,
            second bigint,
            PRIMARY KEY (simulation_id, person_id)
        )
    """)
    op.execute(
        "COMMENT ON TABLE simulated IS 'what a person was paid over the months, and what each plan would pay'"
    )
    op.execute("CREATE INDEX simulated_gain ON simulated (simulation_id, (first - paid), person_id)")
