"""Computes pages of the queue before `calculation` is held; then the database writes one in one go (0424).

A page is computed while the one before is written. That goes where statements stand alone: their periods run, their
figures stay, and no plan pays by courses, mentees, prizes or draws. What does not go is for `Calculator.renew`.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final, NamedTuple

from chassis.clock import Clock
from chassis.database import Database
from services.incentives.calculating import STATEMENT_CHANGED, Encode, is_told
from services.incentives.catalogue import Catalogue
from services.incentives.domain.periods import recent, today
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.statements import Standing, plan_of, renew
from services.incentives.placing import is_open
from services.incentives.store.ahead import (
    Page,
    Place,
    Renewed,
    read_page,
    read_queue,
    write_page,
)
from services.incentives.store.statements import as_statement

HELD_SECONDS: Final = 0.025
"""How long a transaction should take: figures may wait for two of them, and stay far below 100 ms (0424)."""
_FEWEST, _FIRST, _MOST = 20, 100, 1_000
"""People of a page: as many as the database writes in that time, as busy as it is just now."""
_CONFLICTS: Final = 3


class _Prepared(NamedTuple):
    page: Page
    renewed: list[Renewed]


class Ahead:
    """`encode` makes a statement the payload of its event."""

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock, encode: Encode) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self._encode = encode
        self._people = _FIRST

    def work_off(self, give_way: Callable[[], None], is_stopping: Callable[[], bool]) -> bool:
        """Compute the queue from its head on as far as it goes; whether to try again when the head is another.

        `give_way` is called after a page somebody waited for. What changes between reading and writing is tried again.
        """
        conflicts = 0
        prepared, goes = self._prepare(None)
        while prepared is not None and conflicts < _CONFLICTS and not is_stopping():
            following: tuple[_Prepared | None, bool] = None, True
            page = prepared.page

            def prepare() -> None:
                nonlocal following
                following = self._prepare(page.following)  # noqa: B023  called before the loop goes on

            with self._database.begin() as connection:
                now = self._clock.now()
                meanwhile = (lambda: None) if page.is_last else prepare
                written = write_page(
                    connection, page, prepared.renewed, event=STATEMENT_CHANGED, now=now, meanwhile=meanwhile
                )
            if written.is_waited_for:
                give_way()
            if written.done and not page.is_last:
                prepared, goes = following
            else:
                conflicts += not written.done
                prepared, goes = self._prepare(None)
            most = min(
                2 * self._people, int(self._people * HELD_SECONDS / max(written.held.total_seconds(), 0.001))
            )
            self._people = max(_FEWEST, min(_MOST, most))
        return goes

    def _prepare(self, at: Place | None) -> tuple[_Prepared | None, bool]:
        """The next page, computed; or None, and whether the next one may go."""
        now = self._clock.now()
        with self._database.read() as connection:
            queue = read_queue(connection)
            at = at or queue.head
            book = self._catalogue.plans(connection, queue.plans_version)
            if at is None or not book.is_self_contained:
                return None, True
            page = read_page(connection, queue, at, limit=self._people, recent=recent(now), kinds=book.kinds)
        found = self._renewed(book, page, now)
        if found is None:
            return None, False
        # A plan that came up with other numbers is to be stored before anybody is paid by it.
        return (None if book.unkept else _Prepared(page, found)), True

    def _renewed(self, book: PlanBook, page: Page, now: datetime) -> list[Renewed] | None:
        """The statements that come out otherwise; None where one needs more than is read here."""
        found = []
        days: dict[str, date] = {}
        for _person_id, job_role, ancestors, zone, hired, version, *stored in page.rows:
            # Whoever has no statement, and a node that no person is known of yet, count for the page only.
            if version is None or job_role is None:
                continue
            day = days.get(zone) or days.setdefault(zone, today(now, zone))
            standing = Standing(ancestors[::-1], job_role, day, None, hired)
            before = as_statement(stored)
            if not is_open(before, standing, page.place.since):
                continue
            if before.period.end_day <= day:
                return None
            plan = plan_of(book, before, standing, before.period)
            if plan is None and not before.plan_id:
                continue
            after = renew(before, plan, standing)
            if after == before:
                continue
            if after.figures != before.figures:
                return None
            told = self._encode(after, plan) if is_told(after, plan) else b""
            found.append(Renewed(after, version, told))
        return found
