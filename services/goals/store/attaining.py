"""How far nodes are: the figures of everybody at or below each, added up."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from access import Directory
from services.goals.domain.metrics import PURCHASES, Counter, Figures
from services.goals.domain.periods import Period
from services.goals.store.figures import Span, read_figures
from services.goals.store.placements import PastTree


class Asked(NamedTuple):
    """A node's period."""

    node_id: str
    period: Period


def read_nodes(
    connection: Connection,
    tree: Directory | PastTree,
    asked: Sequence[Asked],
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    counters: Sequence[Counter] = (PURCHASES,),
) -> list[Figures]:
    """The figures of each node's period: one statement for all of them. People who have left count where they stood.

    `tree` is the one that holds at `as_of`; see `read_figures`.
    """
    spans: list[Span] = []
    slots: list[int] = []
    for slot, (node_id, period) in enumerate(asked):
        for person_id in tree.people_under(node_id):
            spans.append(Span(person_id, period))
            slots.append(slot)
    found = [Figures() for _ in asked]
    if spans:
        read = read_figures(connection, spans, as_of=as_of, known_at=known_at, counters=counters)
        for slot, figures in zip(slots, read.figures, strict=True):
            found[slot].merge(figures)
    return found
