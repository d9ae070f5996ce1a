"""The enterprise's own metrics, as goals tells of them, and the periods whose figures are to be read anew."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE own_metric (
            name text PRIMARY KEY,
            unit smallint NOT NULL,
            above text NOT NULL,
            below text[] NOT NULL,
            retired boolean NOT NULL
        )
    """)
    op.execute(
        "COMMENT ON TABLE own_metric IS 'those that plans and boards may read; above and below are of ratios'"
    )
    op.execute("""
        CREATE TABLE reread (
            period_kind smallint NOT NULL,
            first_day date NOT NULL,
            after_person text NOT NULL,
            PRIMARY KEY (period_kind, first_day)
        )
    """)
    op.execute("COMMENT ON TABLE reread IS 'periods whose figures goals is to tell anew, up to whom it has'")
    # A board of one's own metric keeps what it measured when the board was made, as a plan does.
    op.execute("ALTER TABLE board ALTER COLUMN metric TYPE jsonb USING to_jsonb(metric)")
    op.execute("ALTER TABLE calculation ADD COLUMN figures_version bigint NOT NULL DEFAULT 0")
