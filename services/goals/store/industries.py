"""A company's own industry templates: documents, every version of them kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, text

from services.goals.tables import industry_template

_TAKE_TURN: Final = text("LOCK TABLE industry_template IN SHARE ROW EXCLUSIVE MODE")


@dataclass(frozen=True, slots=True)
class Template:
    """One version of a template's document."""

    id: str
    version: int
    document: str
    author_id: str
    recorded_at: datetime
    removed: bool = False


class Templates:
    """The templates, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take_turn(self) -> None:
        """One writer at a time from here on; readers go on."""
        self._connection.execute(_TAKE_TURN)

    def all(self) -> list[Template]:
        """The newest version of each that is in the library, by id."""
        table = industry_template
        newest = select(table).distinct(table.c.id).order_by(table.c.id, table.c.version.desc())
        found = (_read(row) for row in self._connection.execute(newest))
        return [each for each in found if not each.removed]

    def newest(self, template_id: str) -> Template | None:
        """Its newest version, taken out or not."""
        table = industry_template
        query = select(table).where(table.c.id == template_id).order_by(table.c.version.desc()).limit(1)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _read(row)

    def add(self, new: Template) -> None:
        """Store a version."""
        self._connection.execute(
            industry_template.insert().values(
                id=new.id,
                version=new.version,
                document=new.document,
                author_id=new.author_id,
                recorded_at=new.recorded_at,
                removed=new.removed,
            )
        )


def _read(row: Row[Any]) -> Template:
    return Template(row.id, row.version, row.document, row.author_id, row.recorded_at, row.removed)
