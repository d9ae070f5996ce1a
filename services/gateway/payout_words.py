"""Words for how far a period and a statement are on their way."""

from collections.abc import Mapping
from typing import Final

from foothold.incentives.v1 import closing_pb2, payouts_pb2, periods_pb2

from services.gateway.figures import minor, money, signed
from services.gateway.language import _, later

_STATE = closing_pb2.StatementState
_STAGE = periods_pb2.PeriodStanding

_STATES: Final[Mapping[int, str]] = {
    _STATE.STATEMENT_STATE_ESTIMATE: later("Estimate: the period still runs"),
    _STATE.STATEMENT_STATE_ACCRUED: later("Earned; late facts may still change it"),
    _STATE.STATEMENT_STATE_CLOSED: later("Closed; it never changes again"),
    _STATE.STATEMENT_STATE_APPROVED: later("Approved; payroll pays it"),
    _STATE.STATEMENT_STATE_PAID: later("Paid out"),
}
_STAGES: Final[Mapping[int, str]] = {
    _STAGE.STAGE_RUNS: later("It still runs."),
    _STAGE.STAGE_OVER: later("Over, not closed yet."),
    _STAGE.STAGE_CLOSED: later("Closed."),
}


_PAYOUTS: Final[Mapping[int, str]] = {
    payouts_pb2.Payout.STATE_CLOSED: later("Waiting for approval"),
    payouts_pb2.Payout.STATE_HELD: later("Held back"),
    payouts_pb2.Payout.STATE_APPROVED: later("Approved"),
    payouts_pb2.Payout.STATE_IN_BATCH: later("With payroll"),
    payouts_pb2.Payout.STATE_PAID: later("Paid out"),
}


def payout(code: int) -> str:
    """How far a payout is."""
    return str(_PAYOUTS.get(code, ""))


_NOTICES: Final[Mapping[int, str]] = {
    payouts_pb2.Payout.NOTICE_NEW: later("For the first time"),
    payouts_pb2.Payout.NOTICE_MUCH_MORE: later("Much more than last time"),
    payouts_pb2.Payout.NOTICE_MUCH_LESS: later("Much less than last time"),
    payouts_pb2.Payout.NOTICE_TAKEN_BACK: later("Taken back"),
}


def notice(code: int) -> str:
    """What deserves a look."""
    return str(_NOTICES.get(code, ""))


def change(payout: payouts_pb2.Payout) -> str:
    """What was due last time, and how much more or less that is now."""
    return _(
        "last time %(amount)s (%(change)s)",
        amount=money(payout.last),
        change=signed(minor(payout.due) - minor(payout.last), payout.due.currency_code),
    )


def state(code: int) -> str:
    """How far a statement is; empty where it is not told."""
    return str(_STATES.get(code, ""))


def stage(code: int) -> str:
    """How far a period is."""
    return str(_STAGES.get(code, ""))
