"""Plans, statements, boards; the directory replica, feed, cursors and requests every service has."""

from alembic import op

from access import create_replica
from chassis.feed import create_cursors, create_outbox, create_requests

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox(op)
    create_cursors(op)
    create_requests(op)
    create_replica(op)
    op.execute("""
        CREATE TABLE calculation (
            singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
            plans_version bigint NOT NULL DEFAULT 0,
            boards_version bigint NOT NULL DEFAULT 0
        )
    """)
    op.execute("INSERT INTO calculation DEFAULT VALUES")
    op.execute("COMMENT ON TABLE calculation IS 'locked by whoever computes statements or adds a plan'")
    op.execute("""
        CREATE TABLE plan (
            id text PRIMARY KEY,
            node_id text NOT NULL,
            job_role text NOT NULL,
            name text NOT NULL,
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            rules jsonb NOT NULL,
            effective_from date NOT NULL,
            reason text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            CONSTRAINT plan_series UNIQUE (node_id, job_role, effective_from)
        )
    """)
    op.execute("""
        CREATE TABLE statement (
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            first_day date NOT NULL,
            person_id text NOT NULL,
            figures jsonb NOT NULL,
            as_of timestamptz,
            goals_position bigint NOT NULL,
            plan_id text NOT NULL,
            total bigint NOT NULL,
            amounts bigint[] NOT NULL,
            PRIMARY KEY (period_kind, first_day, person_id)
        ) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)
    """)
    op.execute("CREATE INDEX statement_person ON statement (person_id, first_day)")
    op.execute("CREATE INDEX statement_goals_position ON statement (goals_position)")
    op.execute("""
        CREATE TABLE recompute (
            id bigserial PRIMARY KEY,
            node_id text NOT NULL,
            since date,
            after_person text NOT NULL DEFAULT ''
        )
    """)
    op.execute("COMMENT ON TABLE recompute IS 'whose statements a new plan or a move made stale'")
    op.execute("""
        CREATE TABLE board (
            id text PRIMARY KEY,
            name text NOT NULL,
            metric text NOT NULL,
            period_kind smallint NOT NULL CHECK (period_kind IN (1, 2)),
            minimum_denominator bigint NOT NULL,
            job_role text NOT NULL
        )
    """)
    op.execute("""
        INSERT INTO board (id, name, metric, period_kind, minimum_denominator, job_role) VALUES
            ('close-rate-week', '本周成交率', 'close_rate', 1, 5, ''),
            ('follow-ups-month', '本月跟进客户', 'customers_followed', 2, 5, '')
    """)
