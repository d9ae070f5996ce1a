"""New counters count the facts there are in one pass; what is recorded meanwhile is kept apart."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE metric_version ADD COLUMN taking smallint NOT NULL DEFAULT 2")
    op.execute("ALTER TABLE metric_version DROP COLUMN after_person")
    # Deleted by the transaction that counts them, whose snapshot is older than anything else it could note that in.
    op.execute("CREATE TABLE uncounted (counter smallint PRIMARY KEY)")
    # What was half computed begins anew.
    op.execute(
        "DELETE FROM tally USING metric_version WHERE state = 1 AND tally.kind = metric_version.counter"
    )
    op.execute(
        "DELETE FROM patron USING metric_version WHERE state = 1 AND patron.counter = metric_version.counter"
    )
    op.execute("INSERT INTO uncounted (counter) SELECT counter FROM metric_version WHERE state = 1")
    op.execute("UPDATE metric_version SET taking = 0, people_done = 0 WHERE state = 1")
    # Kept apart are differences, which may be negative. What is there already met the stricter rule.
    for table, number in (("tally", "kind"), ("patron", "counter")):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_n_check")
        op.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_n_check CHECK (n > 0 OR {number} > 100) NOT VALID"
        )
        op.execute(f"CREATE INDEX {table}_apart ON {table} ({number}) WHERE {number} > 16384")
