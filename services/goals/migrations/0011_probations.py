"""What was known of people's probations, and until when."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE probation (
            person_id text NOT NULL,
            recorded_at timestamptz NOT NULL,
            first_day date,
            last_day date,
            superseded_at timestamptz,
            PRIMARY KEY (person_id, recorded_at)
        )
    """)
    op.execute("CREATE UNIQUE INDEX probation_known ON probation (person_id) WHERE superseded_at IS NULL")
    # When those before were told was not kept: since ever is the nearest there is.
    op.execute("""
        INSERT INTO probation (person_id, recorded_at, first_day, last_day)
        SELECT id, 'epoch', probation_start, probation_end FROM directory_person
         WHERE probation_start IS NOT NULL
    """)
