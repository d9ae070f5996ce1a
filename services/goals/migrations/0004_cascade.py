"""The goal tree, objectives and their key results."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE goal (
            revision bigserial PRIMARY KEY,
            id text NOT NULL,
            parent_id text NOT NULL,
            node_id text NOT NULL,
            metric text NOT NULL,
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            end_day date NOT NULL CHECK (end_day > first_day),
            periods smallint NOT NULL CHECK (periods > 0),
            unit smallint NOT NULL,
            numerator bigint NOT NULL CHECK (numerator >= 0),
            denominator bigint NOT NULL CHECK (denominator > 0),
            method smallint NOT NULL,
            weight bigint NOT NULL,
            weight_sum bigint NOT NULL,
            divided bigint NOT NULL,
            basis_from date,
            basis_to date,
            reason text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            superseded_at timestamptz,
            withdrawn boolean NOT NULL
        ) WITH (fillfactor = 90)
    """)
    op.execute("CREATE UNIQUE INDEX goal_known ON goal (id) WHERE superseded_at IS NULL")
    op.execute("""
        CREATE UNIQUE INDEX goal_place ON goal (node_id, metric, period_kind, first_day)
         WHERE superseded_at IS NULL AND NOT withdrawn
    """)
    op.execute("CREATE INDEX goal_parent ON goal (parent_id) WHERE superseded_at IS NULL AND NOT withdrawn")
    op.execute("CREATE INDEX goal_history ON goal (id) WHERE superseded_at IS NOT NULL")
    op.execute("CREATE INDEX goal_parent_history ON goal (parent_id) WHERE superseded_at IS NOT NULL")
    op.execute("""
        CREATE TABLE objective (
            revision bigserial PRIMARY KEY,
            id text NOT NULL,
            node_id text NOT NULL,
            title text NOT NULL,
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            end_day date NOT NULL CHECK (end_day > first_day),
            reason text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            superseded_at timestamptz,
            withdrawn boolean NOT NULL
        )
    """)
    op.execute("CREATE UNIQUE INDEX objective_known ON objective (id) WHERE superseded_at IS NULL")
    op.execute(
        "CREATE INDEX objective_node ON objective (node_id) WHERE superseded_at IS NULL AND NOT withdrawn"
    )
    op.execute("""
        CREATE TABLE key_result (
            objective_revision bigint NOT NULL REFERENCES objective (revision),
            place smallint NOT NULL,
            weight_numerator bigint NOT NULL CHECK (weight_numerator > 0),
            weight_denominator bigint NOT NULL CHECK (weight_denominator > 0),
            target_id text NOT NULL,
            goal_id text NOT NULL,
            metric text NOT NULL,
            period_kind smallint NOT NULL,
            unit smallint,
            numerator bigint,
            denominator bigint CHECK (denominator > 0),
            direction smallint,
            PRIMARY KEY (objective_revision, place),
            CHECK ((numerator IS NULL) = (target_id <> '' OR goal_id <> ''))
        )
    """)
