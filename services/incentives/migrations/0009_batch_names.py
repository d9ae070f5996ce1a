"""A batch keeps whom it pays by the name and number they had, so that its files stay what they were."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE batch_item
            ADD COLUMN name text NOT NULL DEFAULT '',
            ADD COLUMN employee_number text NOT NULL DEFAULT ''
    """)
    # What they are called now is what files said until today.
    op.execute("""
        UPDATE batch_item SET name = person.name, employee_number = person.employee_number
        FROM directory_person AS person WHERE person.id = person_id
    """)
