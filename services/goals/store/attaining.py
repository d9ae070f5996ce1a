"""How far nodes are: the figures of everybody at or below each, added up."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from access import Directory
from services.goals.domain.metrics import Figures
from services.goals.domain.periods import Period
from services.goals.store.figures import Span, read_figures


class Asked(NamedTuple):
    """A node's period."""

    node_id: str
    period: Period


def read_nodes(connection: Connection, directory: Directory, asked: Sequence[Asked]) -> list[Figures]:
    """The figures of each node's period: one statement for all of them. People who have left count where they stood."""
    spans: list[Span] = []
    slots: list[int] = []
    for slot, (node_id, period) in enumerate(asked):
        for person_id in directory.people_under(node_id):
            spans.append(Span(person_id, period))
            slots.append(slot)
    found = [Figures() for _ in asked]
    if spans:
        for slot, figures in zip(slots, read_figures(connection, spans).figures, strict=True):
            found[slot].merge(figures)
    return found
