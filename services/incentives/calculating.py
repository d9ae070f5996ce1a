"""Computes statements, a page or a batch at a time, and says which changed; in the caller's transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from chassis.clock import Clock
from chassis.database import unawaited
from chassis.feed import NewEvent, publish
from services.incentives.carrying import reading_others
from services.incentives.catalogue import Catalogue
from services.incentives.correcting import Change, Corrector
from services.incentives.domain.metrics import DRAWN
from services.incentives.domain.periods import Period, PeriodKind, period_of, recent
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.prizes import holds, winners
from services.incentives.domain.statements import Standing, Statement, Told, differs, plan_of, take
from services.incentives.placing import Placed, is_open, of_mentors, placed, renewed
from services.incentives.store import prizes
from services.incentives.store.catalogue import begin_calculation, keep_variants
from services.incentives.store.ledger import Key, Ledger, Stale
from services.incentives.store.mentoring import mentors_of
from services.incentives.store.placements import then

STATEMENT_CHANGED: Final = "statement_changed"
# People that are read, computed and written at a time: few, for as much as possible to overlap.
_PAGE: Final = 200

Encode = Callable[[Statement, Plan | None], bytes]


class Calculator:
    """`encode` makes a statement the payload of its event; `corrector` keeps closed periods apart."""

    def __init__(self, catalogue: Catalogue, clock: Clock, encode: Encode, corrector: Corrector) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._encode = encode
        self._corrector = corrector

    def take(self, connection: Connection, told: Iterable[Told], *, newest_only: bool = False) -> None:
        """Take in figures; of several for one person and period the last stands.

        `newest_only`: not where what is stored is of a later position, as of figures that were not told in order.
        """
        last = {(each.person_id, each.period): each for each in told}
        if not last:
            return
        book = self._catalogue.plans(connection, begin_calculation(connection))
        ledger = Ledger(connection)
        known = ledger.known(last)
        now = self._clock.now()
        standings = ledger.standings({person_id for person_id, _ in last}, now, book.courses)
        unpaid = [key for key in last if (before := known.get(key)) is None or not before.plan_id]
        stood = then(connection, unpaid, standings)
        taken: list[Statement] = []
        changed: list[Change] = []
        unseen: set[Key] = set()
        stands = {key: stood.get(key) or standings.get(key[0]) for key in last}
        plans = {key: plan_of(book, known.get(key), stands[key], key[1]) for key in last}
        stands |= reading_others(connection, book, stands, plans, standings)
        for key, each in last.items():
            before = known.get(key)
            if newest_only and before is not None and before.goals_position > each.position:
                continue
            plan, standing = plans[key], stands[key]
            after = take(before, each, plan, standing)
            if after is None or after == before:
                continue
            taken.append(after)
            if differs(before, after):
                changed.append(Change(before, after, plan, standing))
            else:
                unseen.add(key)
        ledger.write(taken, now, unseen=unseen)
        keep_variants(connection, book)
        self._publish(connection, self._corrector.correct(connection, book, changed, standings, now))
        self._carry(connection, book, changed, standings)
        self._pay_mentors(connection, book, changed)

    def renew(self, connection: Connection, limit: int) -> bool:
        """Compute the next people in the queue anew, at most `limit`; whether there were any."""
        book = self._catalogue.plans(connection, begin_calculation(connection))
        ledger = Ledger(connection)
        stale = ledger.take_stale(limit)
        if stale is None:
            return False
        now = self._clock.now()
        renew = self._renew_side_by_side if book.is_self_contained else self._renew_in_turn
        renew(connection, book, stale, now)
        return True

    def _renew_in_turn(self, connection: Connection, book: PlanBook, stale: Stale, now: datetime) -> None:
        """Read everything, compute everything, write everything: statements may read others of the same people."""
        ledger = Ledger(connection)
        standings = ledger.standings(stale.people, now, book.courses)
        stored = ledger.open(stale.people, recent(now), stale.since, book.kinds)
        found = [
            each
            for each in stored
            if (standing := standings.get(each.person_id)) is not None
            and is_open(each, standing, stale.since)
        ]
        changed = renewed(placed(connection, book, found, standings))
        if book.pays_mentors:
            known = {(each.person_id, each.period) for each in found}
            for kind in book.kinds:
                running = {
                    person_id: period_of(kind, standing.today) for person_id, standing in standings.items()
                }
                for period in sorted(set(running.values())):
                    those = {
                        who for who, each in running.items() if each == period and (who, period) not in known
                    }
                    changed += of_mentors(connection, book, those, period, standings)
        self._apply(connection, book, changed, standings, now)

    def _renew_side_by_side(
        self, connection: Connection, book: PlanBook, stale: Stale, now: datetime
    ) -> None:
        """The same where each statement stands alone: the database reads and writes pages while others are computed.

        Periods that are over may be closed, and are few: they are computed at the end, in turn.
        """
        ledger = Ledger(connection)
        over: list[Statement] = []
        stood: dict[str, Standing] = {}
        people = stale.people
        first, *others = [people[at : at + _PAGE] for at in range(0, max(1, len(people)), _PAGE)]
        with unawaited(connection) as ask:
            asked = partial(ledger.ask_open, ask, recent=recent(now), since=stale.since, kinds=book.kinds)
            read = asked(first)()
            for following in (*others, []):
                answer = asked(following)
                standings, stored = ledger.decode(read, now)
                running = []
                for each in stored:
                    standing = standings.get(each.person_id)
                    if standing is None or not is_open(each, standing, stale.since):
                        continue
                    if standing.today < each.period.end_day:
                        running.append(Placed(each, plan_of(book, each, standing, each.period), standing))
                    else:
                        over.append(each)
                        stood[each.person_id] = standing
                changed = renewed(running)
                # Until here the page before was written; this one is written while the next is computed.
                read = answer()
                self._write(connection, changed, now)
                self._publish(connection, changed)
        self._apply(connection, book, renewed(placed(connection, book, over, stood)), stood, now)

    def learn(self, connection: Connection, news: Iterable[tuple[str, str]]) -> None:
        """Compute anew whoever has passed a course that a plan asks for, from the period it was passed in on.

        `news` are people and courses. What is closed meanwhile is adjusted, as after late facts.
        """
        book = self._catalogue.plans(connection, begin_calculation(connection))
        people = sorted({person_id for person_id, course_id in news if course_id in book.courses})
        now = self._clock.now()
        over: dict[Period, list[str]] = {}
        for person_id, standing in Ledger(connection).standings(people, now, book.courses).items():
            for kind in book.kinds if standing.passed else ():
                period = period_of(kind, min(standing.passed.values()))
                while period.first_day <= standing.today:
                    over.setdefault(period, []).append(person_id)
                    period = period_of(kind, period.end_day)
        for period in sorted(over):
            self.recheck(connection, over[period], period, apply=True)

    def settle(self, connection: Connection, plans: Iterable[Plan], period: Period) -> None:
        """Give the prizes of a period that is being closed for all whom these plans pay; each rule's once."""
        now = self._clock.now()
        for plan in plans:
            won: set[str] = set()
            for rule_id, kind in plan.prize_rules.items():
                if holds(kind, period) and prizes.settle(connection, plan, rule_id, period, now):
                    found = winners(kind, prizes.paid_by(connection, plan, period))
                    prizes.give(connection, plan, rule_id, period, found)
                    won |= {each.person_id for each in found}
            if won:
                self.recheck(connection, sorted(won), period, apply=True)

    def recheck(
        self, connection: Connection, people: Sequence[str], period: Period, *, apply: bool
    ) -> tuple[int, list[Change]]:
        """Compute people's statements of a period from what is stored: how many, and those that come out otherwise.

        With `apply` they are stored and told, those of closed periods as adjustments.
        """
        book = self._catalogue.plans(connection, begin_calculation(connection))
        ledger = Ledger(connection)
        now = self._clock.now()
        standings = ledger.standings(people, now, book.courses)
        found = [each for each in ledger.of_period(people, period) if each.person_id in standings]
        changed = renewed(placed(connection, book, found, standings))
        if book.pays_mentors:
            changed += of_mentors(
                connection, book, set(people) - {each.person_id for each in found}, period, standings
            )
        if apply:
            self._apply(connection, book, changed, standings, now)
        return len(found), changed

    def _apply(
        self,
        connection: Connection,
        book: PlanBook,
        changed: Sequence[Change],
        standings: Mapping[str, Standing],
        now: datetime,
    ) -> None:
        self._write(connection, changed, now)
        keep_variants(connection, book)
        self._publish(connection, self._corrector.correct(connection, book, changed, standings, now))
        self._carry(connection, book, changed, standings)

    def _write(self, connection: Connection, changed: Sequence[Change], now: datetime) -> None:
        ledger = Ledger(connection)
        # `aged`: where the month of tenure came to be read, or a hire date was corrected.
        aged: list[Statement] = []
        same: list[Statement] = []
        for before, after, *_ in changed:
            (same if before is not None and before.figures == after.figures else aged).append(after)
        ledger.write_payments(same, now)
        ledger.write(aged, now)

    def _carry(
        self,
        connection: Connection,
        book: PlanBook,
        changed: Sequence[Change],
        standings: Mapping[str, Standing],
    ) -> None:
        """Where another amount is owed after a period, the period after it is computed anew, and so on."""
        following: dict[Period, list[str]] = {}
        for before, after, plan, _ in changed if book.draws else ():
            was = None if before is None else book.get(before.plan_id)
            if not any(each is not None and each.draws for each in (was, plan)):
                continue
            if _owed(before, was) != _owed(after, plan) and after.person_id in standings:
                period = period_of(after.period.kind, after.period.end_day)
                following.setdefault(period, []).append(after.person_id)
        for period in sorted(following):
            self._carry_on(connection, following[period], period, standings)

    def _pay_mentors(self, connection: Connection, book: PlanBook, changed: Sequence[Change]) -> None:
        """Whoever mentors somebody whose figures changed is computed anew, also where they have none themselves."""
        if not book.pays_mentors:
            return
        keys = [
            (after.person_id, after.period)
            for before, after, _, _ in changed
            if before is None or before.figures != after.figures
        ]
        for period, mentors in sorted(mentors_of(connection, keys).items()):
            self.recheck(connection, sorted(mentors), period, apply=True)

    def _carry_on(
        self, connection: Connection, people: Sequence[str], period: Period, standings: Mapping[str, Standing]
    ) -> None:
        waiting = [each for each in people if period.first_day <= standings[each].today]
        if waiting:
            ledger = Ledger(connection)
            without = set(waiting) - {each.person_id for each in ledger.of_period(waiting, period)}
            self.recheck(connection, waiting, period, apply=True)
            # Whoever has no statement of it is asked about the one after: nothing changes in between.
            following = period_of(period.kind, period.end_day)
            self._carry_on(connection, sorted(without), following, standings)

    def _publish(self, connection: Connection, changed: Sequence[Change]) -> None:
        publish(
            connection,
            [
                NewEvent(STATEMENT_CHANGED, statement.person_id, self._encode(statement, plan))
                for _, statement, plan, _ in changed
                if is_told(statement, plan)
            ],
        )


def is_told(statement: Statement, plan: Plan | None) -> bool:
    """Whether its change is told: with a plan, and of every month, for whoever follows hears of each new figure."""
    return plan is not None or statement.period.kind is PeriodKind.MONTH


def _owed(statement: Statement | None, plan: Plan | None) -> dict[str, int] | None:
    """What is owed after a statement's period, by the draw that advanced it; None where nothing is known of it."""
    if statement is None or plan is None:
        return None
    return {
        rule_id: statement.figures.get(f"{DRAWN}{rule_id}", 0) + statement.amounts[at]
        for rule_id, at in plan.draws.items()
    }
