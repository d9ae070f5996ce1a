"""Work calendars, leave and ramps; leave as facts."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE fact ADD COLUMN leave_first integer, ADD COLUMN leave_stop integer")
    # Read with every progress; of facts that are leave there are few, so the others pay nothing for it.
    op.execute("CREATE INDEX fact_leave ON fact (person_id, leave_stop) WHERE kind = 9 AND counts")
    op.execute("""
        CREATE TABLE work_rule (
            revision bigserial PRIMARY KEY,
            node_id text NOT NULL,
            kind smallint NOT NULL,
            effective_from date NOT NULL,
            content jsonb,
            reason text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            superseded_at timestamptz
        )
    """)
    op.execute(
        "CREATE UNIQUE INDEX work_rule_known ON work_rule (node_id, kind, effective_from) WHERE superseded_at IS NULL"
    )
    op.execute("""
        CREATE TABLE special_day (
            revision bigserial PRIMARY KEY,
            node_id text NOT NULL,
            day date NOT NULL,
            works boolean NOT NULL,
            name text NOT NULL,
            reason text NOT NULL,
            author_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            superseded_at timestamptz,
            removed boolean NOT NULL
        )
    """)
    op.execute(
        "CREATE UNIQUE INDEX special_day_known ON special_day (node_id, day) WHERE superseded_at IS NULL"
    )
    # Grows with every change of a rule or special day; whoever reads figures reads it along. Writers take turns at it.
    op.execute("ALTER TABLE calendar ADD COLUMN rules bigint NOT NULL DEFAULT 0")
