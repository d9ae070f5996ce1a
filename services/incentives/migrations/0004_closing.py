"""Closed periods, what is frozen of them, and the adjustments that later facts make."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE closing (
            id text PRIMARY KEY,
            node_id text NOT NULL,
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            first_day date NOT NULL,
            closed_by text NOT NULL,
            closed_at timestamptz NOT NULL,
            CONSTRAINT closing_once UNIQUE (period_kind, first_day, node_id)
        )
    """)
    op.execute("COMMENT ON TABLE closing IS 'a period was closed for everybody at or below a node'")
    op.execute("""
        CREATE TABLE frozen (
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            first_day date NOT NULL,
            person_id text NOT NULL,
            figures jsonb NOT NULL,
            as_of timestamptz,
            goals_position bigint NOT NULL,
            plan_id text NOT NULL,
            total bigint NOT NULL,
            amounts bigint[] NOT NULL,
            adjusted bigint NOT NULL,
            digest text NOT NULL,
            closing_id text NOT NULL REFERENCES closing (id),
            PRIMARY KEY (period_kind, first_day, person_id)
        )
    """)
    op.execute(
        "COMMENT ON TABLE frozen IS 'statements as they were when their period was closed; never changed'"
    )
    op.execute("CREATE INDEX frozen_person ON frozen (person_id, first_day)")
    # A promise to everybody who was paid by it, so not left to the program alone.
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'a closed period never changes';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER frozen_for_good BEFORE UPDATE OR DELETE OR TRUNCATE ON frozen
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """)
    op.execute("""
        CREATE TABLE adjustment (
            id bigserial PRIMARY KEY,
            person_id text NOT NULL,
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            first_day date NOT NULL,
            of_kind smallint NOT NULL CHECK (of_kind IN (1, 2)),
            of_first_day date NOT NULL,
            rule_id text NOT NULL,
            label text NOT NULL,
            amount bigint NOT NULL,
            changed_at timestamptz NOT NULL,
            goals_position bigint NOT NULL,
            CONSTRAINT adjustment_once
                UNIQUE (person_id, of_kind, of_first_day, rule_id, period_kind, first_day)
        )
    """)
    op.execute("COMMENT ON TABLE adjustment IS 'paid in a period for a line of an earlier, closed one (R11)'")
    op.execute("CREATE INDEX adjustment_paid_in ON adjustment (period_kind, first_day, person_id)")
    op.execute("CREATE INDEX adjustment_of ON adjustment (of_kind, of_first_day)")
