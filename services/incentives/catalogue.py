"""The plans and boards there are, kept in memory: few, read with every call, changed rarely."""

import threading
from collections.abc import Mapping

from sqlalchemy import Connection

from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.ranking import Board
from services.incentives.store import catalogue


class Catalogue:
    """A copy of both tables, replaced as a whole when its version has moved."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans = PlanBook((), version=-1)
        # The version and the boards of it, replaced together.
        self._boards: tuple[int, Mapping[str, Board]] = (-1, {})

    @property
    def boards(self) -> Mapping[str, Board]:
        """By id, as last seen."""
        return self._boards[1]

    def plans(self, connection: Connection, version: int | None = None) -> PlanBook:
        """The plans as of `version`, which the connection's own snapshot must have told; asked for when None."""
        if version is None:
            version = catalogue.versions(connection)[0]
        book = self._plans
        if book.version != version:
            with self._lock:
                book = self._plans
                if book.version != version:
                    book = catalogue.read_plans(connection, version)
                    if version > self._plans.version:
                        self._plans = book
        return book

    def refresh_boards(self, connection: Connection) -> Mapping[str, Board]:
        """The boards as of the connection's snapshot; an older one than what is kept replaces nothing."""
        version = catalogue.versions(connection)[1]
        known, boards = self._boards
        if version != known:
            boards = catalogue.read_boards(connection)
            with self._lock:
                if version > self._boards[0]:
                    self._boards = version, boards
        return boards
