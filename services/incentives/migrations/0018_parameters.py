"""Numbers of plans that nodes below may set, what they set, and the plans as they pay with those numbers."""

from alembic import op

from standards import bound_standards, create_standards

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for table in ("plan", "proposal"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN parameters jsonb NOT NULL DEFAULT '[]'")
    create_standards(op)
    bound_standards(op)
    op.execute("COMMENT ON TABLE standard IS 'what nodes set for parameters of plans; approved ones count'")
    op.execute("""
        CREATE TABLE variant (
            id text PRIMARY KEY,
            plan_id text NOT NULL REFERENCES plan (id),
            numbers jsonb NOT NULL
        )
    """)
    op.execute(
        "COMMENT ON TABLE variant IS 'plans with numbers of nodes below that a statement was computed with'"
    )
    op.execute("CREATE INDEX variant_plan ON variant (plan_id)")
