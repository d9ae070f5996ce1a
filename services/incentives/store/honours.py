"""Honours at the nodes and of the people a scope covers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from services.incentives.domain.honours import Consent, Honour, HonourState, still_first
from services.incentives.domain.metrics import Figure
from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.ranking import Board
from services.incentives.store.board_rows import figures_of

_COLUMNS: Final = (
    "id, board_id, node_id, period_kind, first_day, person_id, numerator, denominator, second_numerator,"
    " second_denominator, state, reason, decided_by, decided_at, consent, story"
)
_READ: Final = (
    f"SELECT {_COLUMNS}, photo_shown, coalesce((SELECT etag FROM honour_photo WHERE honour_id = id), '') AS photo"  # noqa: S608
    " FROM honour"
)
_ONE: Final = text(f"{_READ} WHERE id = :id")
_LOCKED: Final = text(f"{_READ} WHERE id = :id FOR UPDATE OF honour")
_WITH_PHOTO: Final = text(f"""
{_READ} WHERE id > :after AND EXISTS (SELECT FROM honour_photo WHERE honour_id = id) ORDER BY id LIMIT :limit
""")
_LISTED: Final = text(f"""
{_READ}
WHERE (:node_id = '' OR node_id = :node_id) AND (:person_id = '' OR person_id = :person_id)
ORDER BY first_day DESC, period_kind, board_id, person_id
""")
_OF_PERIOD: Final = text(f"""
{_READ} WHERE board_id = :board_id AND node_id = :node_id AND (period_kind, first_day) = (:kind, :day)
""")
_DECIDE: Final = text(f"""
INSERT INTO honour ({_COLUMNS})
VALUES (:id, :board_id, :node_id, :kind, :day, :person_id, :numerator, :denominator, :second_numerator,
        :second_denominator, :state, :reason, :decided_by, :decided_at, 0, '')
ON CONFLICT DO NOTHING RETURNING id
""")  # noqa: S608  the text is ours
_ANSWER: Final = text("""
UPDATE honour SET consent = :consent, story = :story, photo_shown = :photo_shown WHERE id = :id
""")


def get(connection: Connection, honour_id: str, *, lock: bool = False) -> Honour | None:
    """A decision by its id; where it is locked nobody else changes it meanwhile."""
    row = connection.execute(_LOCKED if lock else _ONE, {"id": honour_id}).first()
    return None if row is None else _honour(row)


def with_photo(
    connection: Connection, boards: Mapping[str, Board], *, after: str, limit: int
) -> list[Honour]:
    """The next honours that have a photo, by their ids; withdrawn where corrected figures say so."""
    rows = connection.execute(_WITH_PHOTO, {"after": after, "limit": limit})
    return checked(connection, boards, [_honour(row) for row in rows])


def listed(
    connection: Connection, boards: Mapping[str, Board], *, node_id: str = "", person_id: str = ""
) -> list[Honour]:
    """What was decided at a node, or of a person, newest period first; withdrawn where corrected figures say so."""
    rows = connection.execute(_LISTED, {"node_id": node_id, "person_id": person_id})
    return checked(connection, boards, [_honour(row) for row in rows])


def of_period(connection: Connection, board_id: str, node_id: str, period: Period) -> list[Honour]:
    """What was decided of one board at one node in one period."""
    asked = {"board_id": board_id, "node_id": node_id, "kind": int(period.kind), "day": period.first_day}
    return [_honour(row) for row in connection.execute(_OF_PERIOD, asked)]


def decide(connection: Connection, honour: Honour) -> bool:
    """Store a decision; False where it was decided already."""
    values = {
        "id": honour.id,
        "board_id": honour.board_id,
        "node_id": honour.node_id,
        "kind": int(honour.period.kind),
        "day": honour.period.first_day,
        "person_id": honour.person_id,
        "state": int(honour.state),
        "reason": honour.reason,
        "decided_by": honour.decided_by,
        "decided_at": honour.decided_at,
        **_figure("", honour.value),
        **_figure("second_", honour.second),
    }
    return connection.execute(_DECIDE, values).first() is not None


def answer(
    connection: Connection, honour_id: str, consent: Consent, story: str, *, photo_shown: bool
) -> None:
    """Store what the honoured person lets others see."""
    told = {"consent": int(consent), "story": story, "photo_shown": photo_shown}
    connection.execute(_ANSWER, {"id": honour_id, **told})


def checked(connection: Connection, boards: Mapping[str, Board], honours: Sequence[Honour]) -> list[Honour]:
    """The honours, those withdrawn whose own figures, as they are known now, do not hold them any more."""
    confirmed = [each for each in honours if each.state is HonourState.CONFIRMED]
    keys = {(each.person_id, period) for each in confirmed for period in (each.period, _before(each.period))}
    figures = figures_of(connection, keys)
    gone = {
        each.id
        for each in confirmed
        if not still_first(
            boards[each.board_id],
            each,
            figures.get((each.person_id, each.period), {}),
            figures.get((each.person_id, _before(each.period)), {}),
        )
    }
    return [replace(each, state=HonourState.WITHDRAWN) if each.id in gone else each for each in honours]


def _before(period: Period) -> Period:
    return period_of(period.kind, period.first_day - timedelta(days=1))


def _figure(prefix: str, value: Figure | None) -> dict[str, Any]:
    return {
        f"{prefix}numerator": None if value is None else value.numerator,
        f"{prefix}denominator": None if value is None else value.denominator,
    }


def _honour(row: Row[Any]) -> Honour:
    return Honour(
        row.id,
        row.board_id,
        row.node_id,
        Period(PeriodKind(row.period_kind), row.first_day),
        row.person_id,
        None if row.numerator is None else Figure(int(row.numerator), int(row.denominator)),
        None
        if row.second_numerator is None
        else Figure(int(row.second_numerator), int(row.second_denominator)),
        HonourState(row.state),
        row.reason,
        row.decided_by,
        row.decided_at,
        Consent(row.consent),
        row.story,
        row.photo,
        photo_shown=row.photo_shown,
    )
