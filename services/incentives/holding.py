"""Holds back what hangs on deals and on flags of fair play of closed payouts, and releases it (0428, 0434)."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from access import Scope
from chassis.clock import Clock
from chassis.errors import FailedPrecondition, NotFound
from services.incentives.asking import MOST_DEALS, MOST_FLAGS, DealsOfGoals
from services.incentives.catalogue import Catalogue
from services.incentives.domain.closing import Deal, DealName, HeldLine
from services.incentives.domain.keeping import kept, same
from services.incentives.domain.payouts import Payout, PayoutLine, PayoutState, lines_of
from services.incentives.domain.periods import Period
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Statement
from services.incentives.store.closing import frozen_of, paid_in
from services.incentives.store.deal_holds import DealHolds
from services.incentives.store.flag_holds import Look, hold_in_part, holding, looked
from services.incentives.store.payouts import PayoutStore, lock_payout


class _Closed(NamedTuple):
    """What a payout was made of, when goals knew just that, and the deals in it."""

    statement: Statement
    plan: Plan
    lines: Sequence[PayoutLine]
    known_at: datetime
    deals: Sequence[Deal]


class Foreseen(NamedTuple):
    """What deals held and all flags of a payout would keep of its lines; `parts` None where it cannot be told."""

    deals: Sequence[DealName]
    flags: Sequence[str]
    parts: Sequence[HeldLine] | None


class DealHolder:
    """Knows from goals what hangs on a deal or a flag; everything else is frozen."""

    def __init__(self, catalogue: Catalogue, goals: DealsOfGoals, clock: Clock) -> None:
        self._catalogue = catalogue
        self._goals = goals
        self._clock = clock

    def hold(
        self,
        connection: Connection,
        scope: Scope,
        person_id: str,
        period: Period,
        deal: DealName,
        reason: str,
    ) -> Payout:
        """The payout with the deal held back; goals is asked before anything is locked that a batch waits for.

        NotFound PAYOUT_UNKNOWN, DEAL_UNKNOWN; FailedPrecondition PAYOUT_IN_BATCH, PAYOUT_HOLD, DEAL_INSEPARABLE,
        LIMIT_REACHED; Unavailable GOALS_UNREACHABLE.
        """
        scope.require_person(person_id)
        store, holds = PayoutStore(connection, scope), DealHolds(connection, person_id, period)
        require_free(known(store.seen_of(person_id, period)))
        held = holds.held()
        if deal in held:
            raise not_so(held=True)
        if len(held) == MOST_DEALS:
            raise FailedPrecondition(
                "LIMIT_REACHED", f"{MOST_DEALS} deals of the payout are held: hold it whole."
            )
        closed = self._closed(connection, person_id, period)
        flags = _in_part(connection, person_id, period)
        before = self._kept(closed, held, flags)
        parts = self._kept(closed, [*held, deal], flags)
        if _sum(parts) <= _sum(before):
            raise inseparable("nothing")
        require_free(known(store.of_person(person_id, period)))
        holds.hold(deal, reason, scope.caller.id, self._clock.now())
        holds.keep(parts)
        return known(store.seen_of(person_id, period))

    def release(
        self,
        connection: Connection,
        scope: Scope,
        person_id: str,
        period: Period,
        deal: DealName,
        reason: str,
    ) -> Payout:
        """The payout with the deal released, also where it is in a batch; goals is asked about others held.

        NotFound PAYOUT_UNKNOWN; FailedPrecondition PAYOUT_HOLD, DEAL_INSEPARABLE; Unavailable GOALS_UNREACHABLE.
        """
        scope.require_person(person_id)
        store, holds = PayoutStore(connection, scope), DealHolds(connection, person_id, period)
        known(store.seen_of(person_id, period))
        held = holds.held()
        if deal not in held:
            raise not_so(held=False)
        others = [each for each in held if each != deal]
        flags = _in_part(connection, person_id, period)
        parts = (
            self._kept(self._closed(connection, person_id, period), others, flags) if others or flags else ()
        )
        known(store.of_person(person_id, period))
        holds.release(deal, reason, scope.caller.id, self._clock.now())
        holds.keep(parts)
        return known(store.seen_of(person_id, period))

    def listed(
        self, connection: Connection, scope: Scope, person_id: str, period: Period, looked_at: DealName | None
    ) -> tuple[Sequence[Deal], Sequence[DealName], Sequence[HeldLine]]:
        """The deals in the frozen figures, those held, and what those, flags and the one looked at keep together.

        Errors as of `hold`.
        """
        store = PayoutStore(connection, scope)
        payout = known(store.seen_of(person_id, period))
        held = [each.name for each in payout.held_deals]
        closed = self._closed(connection, person_id, period)
        asked = held if looked_at is None or looked_at in held else [*held, looked_at]
        return closed.deals, held, self._kept(closed, asked, _in_part(connection, person_id, period))

    def foresee(self, connection: Connection, person_id: str, period: Period) -> Foreseen:
        """What everything that holds a payout back in part would keep of it, its flags among that.

        Unavailable GOALS_UNREACHABLE.
        """
        deals = DealHolds.seen(connection, person_id, period)
        flags = sorted(holding(connection, person_id, period))
        if not deals and not flags:
            return Foreseen(deals, flags, ())
        if len(flags) > MOST_FLAGS:
            return Foreseen(deals, flags, None)
        try:
            closed = self._closed(connection, person_id, period)
            return Foreseen(deals, flags, self._kept(closed, deals, flags))
        except (FailedPrecondition, NotFound):
            return Foreseen(deals, flags, None)

    def keep(self, connection: Connection, look: Look, found: Foreseen) -> None:
        """Have a payout held back as foreseen, unless something of it has changed since: then it is looked at again."""
        person_id, period, _ = look
        holds = DealHolds(connection, person_id, period)
        lock_payout(connection, person_id, period)
        holding(connection, person_id, period, change=True)
        if holds.held() != found.deals or not looked(connection, look):
            return
        if found.parts is not None:
            holds.keep(found.parts)
        hold_in_part(connection, person_id, period, found.flags, in_part=found.parts is not None)

    def _closed(self, connection: Connection, person_id: str, period: Period) -> _Closed:
        key = (person_id, period)
        frozen, adjustments = frozen_of(connection, [key])[key], paid_in(connection, [key]).get(key, ())
        plan = self._catalogue.plans(connection).get(frozen.statement.plan_id)
        if plan is None:
            raise inseparable("nothing")
        lines = lines_of(frozen, plan, adjustments)
        # When the figures last changed, and when they were frozen: what transactions that overlapped told is in the
        # figures by then at the latest.
        for moment in (frozen.statement.as_of, frozen.closed_at):
            if moment is not None:
                answer = self._goals.ask(person_id, period, moment)
                if same(plan, frozen.statement, answer.figures):
                    return _Closed(frozen.statement, plan, lines, moment, answer.deals)
        raise inseparable("figures")

    def _kept(self, closed: _Closed, deals: Sequence[DealName], flags: Sequence[str]) -> tuple[HeldLine, ...]:
        """What deals and flags keep together."""
        if not deals and not flags:
            return ()
        statement = closed.statement
        answer = self._goals.ask(statement.person_id, statement.period, closed.known_at, deals, flags)
        return kept(closed.plan, statement, answer.without, closed.lines)


def _in_part(connection: Connection, person_id: str, period: Period) -> list[str]:
    """The flags whose parts of a payout are kept."""
    return [flag_id for flag_id, in_part in holding(connection, person_id, period).items() if in_part]


def known(payout: Payout | None) -> Payout:
    """A payout that is there; NotFound PAYOUT_UNKNOWN."""
    if payout is None:
        raise NotFound("PAYOUT_UNKNOWN", "Nothing of that person is closed in that period.")
    return payout


def require_free(payout: Payout) -> None:
    """Pass where nothing of a payout is in a batch; FailedPrecondition PAYOUT_IN_BATCH."""
    if payout.state in {PayoutState.IN_BATCH, PayoutState.PAID}:
        raise FailedPrecondition(
            "PAYOUT_IN_BATCH",
            "The payout is in a batch for payroll.",
            metadata={"batch_id": payout.batch_id},
        )


def not_so(*, held: bool) -> FailedPrecondition:
    """What is to be held is held already, or what is to be released is not."""
    return FailedPrecondition(
        "PAYOUT_HOLD",
        "The payout is held back already." if held else "The payout is not held back.",
        metadata={"held": str(held).lower()},
    )


def inseparable(why: str) -> FailedPrecondition:
    """What hangs on a deal cannot be held back by itself: `nothing` does, or `figures` are not found any more."""
    told = {
        "nothing": "The closed statement pays no less without the deal",
        "figures": "Goals does not find the frozen figures any more",
    }
    return FailedPrecondition(
        "DEAL_INSEPARABLE", f"{told[why]}: hold the line or the whole payout.", metadata={"why": why}
    )


def _sum(parts: Sequence[HeldLine]) -> int:
    return sum(each.amount for each in parts)
