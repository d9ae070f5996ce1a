"""Looks for what rules of fair play notice, beside recording: it follows goals' own feed.

Each page of events names people and the days whose facts changed. Their months are looked at anew, all of each, in the
transaction that moves the cursor: what stands is the same whatever order facts came in, and nothing is lost.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from access import Directory
from chassis.clock import Clock
from chassis.database import Database
from chassis.feed import FeedReader, Follower, NewEvent, Page, StoredEvent, publish
from chassis.ids import new_id
from services.goals.domain.fairness import (
    FairnessRule,
    Finding,
    Flag,
    FlagState,
    RuleKey,
    findings,
    months_of,
    reconcile,
    rules_for,
)
from services.goals.domain.periods import local_day
from services.goals.store.fairness import Month, facts_of, flags_of, save
from services.goals.store.fairness_rules import fairness_rules_of
from services.goals.wire.fairness import flag_payload
from services.goals.wire.feed import FLAG_CHANGED, VALUES_CHANGED, days_of

_PAGE: Final = 2_000
# Rested for each second worked: a bulk load finds the database free, and more events fit one look.
_REST: Final = 3
_LONGEST_REST: Final = 5.0


class Watcher:
    """Raises flags, and corrects those whose facts were."""

    def __init__(self, database: Database, reader: FeedReader, directory: Directory, clock: Clock) -> None:
        self._reader = reader
        self._directory = directory
        self._clock = clock
        self._rest = 0.0
        self.follower: Follower[StoredEvent] = Follower(
            "fairness", database=database, fetch=self._fetch, apply=self._apply
        )

    def _fetch(self, after: int, wait: float) -> Page[StoredEvent]:
        time.sleep(self._rest)
        page = self._reader.page(after=after, wait=wait, page_size=_PAGE, compacted=True)
        return Page([(event.position, event) for event in page.events], page.head, page.floor)

    def _apply(self, connection: Connection, events: Sequence[StoredEvent]) -> None:
        began = time.monotonic()
        months: set[Month] = set()
        for event in events:
            if event.kind == VALUES_CHANGED and self._directory.person(event.subject) is not None:
                today = local_day(self._clock.now(), self._directory.zone_of(event.subject))
                months |= {(event.subject, month) for month in months_of(days_of(event.payload), today)}
        if months:
            self._look(connection, months)
        self._rest = min(_REST * (time.monotonic() - began), _LONGEST_REST)

    def _look(self, connection: Connection, months: Collection[Month]) -> None:
        found = look(connection, self._directory, months)
        flags = flags_of(connection, months)
        changed: list[Flag] = []
        for person_id, month in sorted(months):
            changed += reconcile(
                found[person_id, month],
                flags.get((person_id, month), ()),
                partial(_raised, person_id, month, self._clock.now()),
            )
        tell(connection, changed)


def _raised(person_id: str, month: date, at: datetime, finding: Finding, turn: int) -> Flag:
    return Flag(new_id(), person_id, month, turn, finding, FlagState.OPEN, at)


def look(
    connection: Connection,
    directory: Directory,
    months: Collection[Month],
    *,
    instead: FairnessRule | None = None,
) -> Mapping[Month, list[Finding]]:
    """What the rules that hold for people notice in their months.

    `instead`: a rule that is taken for the one that holds, alone.
    """
    paths = {person_id: directory.ancestors(person_id) for person_id, _ in months}
    rules: Mapping[RuleKey, FairnessRule] = {}
    if instead is None:
        rules = fairness_rules_of(connection, sorted({node for path in paths.values() for node in path}))
    facts = facts_of(connection, months)

    def works_here(number: str) -> bool:
        person = directory.person_by_employee_number(number)
        return person is not None and person.active

    def of(month: Month) -> list[Finding]:
        looked = facts.get(month, ())
        if not looked:
            return []
        asked = [instead] if instead is not None else rules_for(rules, paths[month[0]])
        return findings(asked, looked, month[1], works_here)

    return {month: of(month) for month in months}


def tell(connection: Connection, flags: Collection[Flag]) -> None:
    """Store flags and tell followers of them."""
    save(connection, flags)
    publish(connection, [NewEvent(FLAG_CHANGED, flag.person_id, flag_payload(flag)) for flag in flags])
