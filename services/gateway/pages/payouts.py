"""What a period comes to for a branch, and closing it."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import disputes_pb2, payouts_pb2, periods_pb2, statements_pb2, values_pb2
from google.type.money_pb2 import Money
from werkzeug.wrappers import Response

from access import Kind
from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import fairness_words, formats, payout_words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, from_minor, minor, to_date
from services.gateway.language import _, ngettext
from services.gateway.me import me
from services.gateway.pages.goals import is_date, name_of, place
from services.gateway.pages.people import groups
from services.gateway.parts import clients, parts, today
from services.gateway.problems import message_of, status_of
from services.gateway.sections import Section, section
from services.gateway.sending import request_id

blueprint = Blueprint("payouts", __name__)
_READ: Final = "incentives.statements.read"
_CLOSE: Final = "incentives.periods.close"
_APPROVE: Final = "incentives.payouts.approve"
_HOLD: Final = "incentives.payouts.hold"
_PAY: Final = "incentives.payouts.pay"
_SHOWN: Final = 50
_LOOKED_AT: Final = 20
_WHOLE: Final = re.compile("-?[0-9]{1,15}")
_KINDS: Final = {"month": values_pb2.PERIOD_KIND_MONTH, "week": values_pb2.PERIOD_KIND_WEEK}


class _Asked(NamedTuple):
    """Which period of which node."""

    node_id: str
    kind: str
    on: date


def _asked(places: dict[str, str]) -> _Asked:
    """What a link or form asks for; without more the last month of the widest place."""
    widest = min(places, key=lambda each: len(me().directory.ancestors(each)), default="")
    kind = request.values.get("kind", "")
    on = is_date(request.values.get("on", "")) or today().replace(day=1) - timedelta(days=1)
    return _Asked(request.values.get("node_id", "")[:64] or widest, kind if kind in _KINDS else "month", on)


def _places() -> dict[str, str]:
    """The enterprise and the branches whose statements the reader sees; of a manager the departments."""
    directory, covered = me().directory, groups(_READ)
    closable = {
        node_id: name
        for node_id, name in covered.items()
        if (node := directory.node(node_id)) is not None and node.kind is not Kind.DEPARTMENT
    }
    return closable or covered


def _statements(asked: _Asked, token: str) -> tuple[list[tuple[statements_pb2.Statement, str]], str]:
    wanted = statements_pb2.ListStatementsRequest(
        node_id=asked.node_id, on=from_date(asked.on), page_size=_SHOWN, page_token=token
    )
    answer = ask(clients().statements.ListStatements, wanted)
    directory = me().directory
    found = []
    for each in answer.statements:
        # Whoever another kind of period pays is on the page of that kind.
        if each.period.kind == _KINDS[asked.kind] and (each.plan_id or each.adjustments):
            person = directory.person(each.person_id)
            found.append((each, person.name if person is not None else each.person_id))
    return found, answer.next_page_token


def _disputed(node_id: str) -> disputes_pb2.ListDisputesResponse:
    """How many disputes wait below a node."""
    return ask(
        clients().disputes.ListDisputes, disputes_pb2.ListDisputesRequest(node_id=node_id, page_size=1)
    )


def _payouts(asked: _Asked, **more: Any) -> payouts_pb2.ListPayoutsResponse:
    wanted = payouts_pb2.ListPayoutsRequest(
        node_id=asked.node_id, period_kind=_KINDS[asked.kind], on=from_date(asked.on), **more
    )
    return ask(clients().payouts.ListPayouts, wanted)


def _beside(
    asked: _Asked, statements: Section[tuple[list[tuple[statements_pb2.Statement, str]], str]]
) -> dict[str, payouts_pb2.Payout]:
    """The payouts of the people shown, by person."""
    people = [each.person_id for each, _name in statements.content[0]] if statements.content else []
    return {each.person_id: each for each in _payouts(asked, person_ids=people).payouts} if people else {}


def _noteworthy(asked: _Asked) -> payouts_pb2.ListPayoutsResponse:
    """How far the payouts are, and those that deserve a look before they are approved."""
    answer = _payouts(asked, order=payouts_pb2.ListPayoutsRequest.ORDER_NOTEWORTHY, page_size=_LOOKED_AT)
    found = [
        each
        for each in answer.payouts
        if each.notices
        or each.hold_reason
        or each.flag_id
        or each.held_lines
        or each.held_deals
        or each.held_flags
    ]
    del answer.payouts[:]
    answer.payouts.extend(found)
    return answer


def _page(*, trouble: str = "") -> str:
    places = _places()
    asked = _asked(places)
    wanted = periods_pb2.GetPeriodRequest(
        node_id=asked.node_id, period_kind=_KINDS[asked.kind], on=from_date(asked.on)
    )
    standing = ask(clients().periods.GetPeriod, wanted).standing
    token = request.values.get("page", "")[:2000]
    first, end = to_date(standing.period.first_day), to_date(standing.period.end_day)
    who = me()
    closed = standing.stage == periods_pb2.PeriodStanding.STAGE_CLOSED
    paying = _noteworthy(asked) if closed else payouts_pb2.ListPayoutsResponse()
    statements = section(lambda: _statements(asked, token))
    return render_template(
        "payouts.html",
        paying=paying,
        disputed=section(lambda: _disputed(asked.node_id)),
        payout_of=_beside(asked, statements) if closed else {},
        name_of=lambda id: name_of(who, id),
        payout_states=payouts_pb2.Payout,
        may_approve=closed and paying.waiting and who.covers(_APPROVE, asked.node_id),
        may_hold=closed and who.covers(_HOLD, asked.node_id),
        may_pay=who.covers(_PAY, asked.node_id),
        closer=standing.closed_by == who.id,
        places=places,
        here=place(who, asked.node_id),
        asked=asked,
        standing=standing,
        before=first - timedelta(days=1) if first else None,
        after=end,
        statements=statements,
        paged=bool(token),
        may_close=who.covers(_CLOSE, asked.node_id),
        closed_by=name_of(who, standing.closed_by),
        closed_at_place=place(who, standing.closed_node_id) if standing.closed_node_id else "",
        words=payout_words,
        fair=fairness_words,
        stages=periods_pb2.PeriodStanding,
        request_id=new_id(),
        trouble=trouble,
    )


@blueprint.get("/payouts")
@needs(_READ, groups=True)
def overview() -> str:
    return _page()


@blueprint.post("/payouts/close")
@needs(_CLOSE, groups=True)
def close() -> Response | tuple[str, int]:
    def carry_out(asked: _Asked) -> str:
        wanted = periods_pb2.ClosePeriodRequest(
            request_id=request_id(),
            node_id=asked.node_id,
            period_kind=_KINDS[asked.kind],
            on=from_date(asked.on),
        )
        ask(clients().periods.ClosePeriod, wanted)
        return _("The period is closed. What is learned later is paid or taken back in the period that runs.")

    return _done(carry_out, _("Choose the place and the period again, then close it."))


@blueprint.post("/payouts/approve")
@needs(_APPROVE, groups=True)
def approve() -> Response | tuple[str, int]:
    def carry_out(asked: _Asked) -> str:
        wanted = payouts_pb2.ApprovePayoutsRequest(
            request_id=request_id(),
            node_id=asked.node_id,
            period_kind=_KINDS[asked.kind],
            on=from_date(asked.on),
        )
        looked_at = _looked_at(request.form)
        if looked_at is not None:
            wanted.waiting = looked_at[0]
            wanted.waiting_total.CopyFrom(looked_at[1])
        answer = ask(clients().payouts.ApprovePayouts, wanted)
        total = formats.money(minor(answer.total), answer.total.currency_code)
        return ngettext(
            "%(num)s payout approved: %(total)s.",
            "%(num)s payouts approved: %(total)s.",
            answer.approved,
            total=total,
        )

    return _done(carry_out)


@blueprint.post("/payouts/batch")
@needs(_PAY, groups=True)
def batch() -> Response | tuple[str, int]:
    form = request.form
    asked = _named(form)
    if asked is None:
        return _page(trouble=_again()), 422
    wanted = payouts_pb2.CreateBatchRequest(
        request_id=request_id(),
        node_id=asked.node_id,
        period_kind=_KINDS[asked.kind],
        on=from_date(asked.on),
    )
    try:
        made = ask(clients().payouts.CreateBatch, wanted).batch
    except Failure as failure:
        return _refused(failure)
    return redirect(url_for("batches.one", batch_id=made.id), 303)


@blueprint.post("/payouts/hold")
@needs(_HOLD, groups=True)
def hold() -> Response | tuple[str, int]:
    """Hold back, or release with `release`."""
    form = request.form
    reason = form.get("reason", "").strip()[:500]
    if not reason:
        return _page(trouble=_("Say why; it is kept with your name.")), 422

    def carry_out(asked: _Asked) -> str:
        values = {
            "request_id": request_id(),
            "person_id": form.get("person_id", "")[:64],
            "period_kind": _KINDS[asked.kind],
            "on": from_date(asked.on),
            "reason": reason,
            "rule_id": form.get("rule_id", "")[:40],
        }
        if form.get("release"):
            ask(clients().payouts.ReleasePayout, payouts_pb2.ReleasePayoutRequest(**values))
            return _("Released: it goes into the next batch once it is approved.")
        ask(clients().payouts.HoldPayout, payouts_pb2.HoldPayoutRequest(**values))
        return _("Held back; the person sees your reason.")

    return _done(carry_out)


def _done(carry_out: Callable[[_Asked], str], again: str = "") -> Response | tuple[str, int]:
    """Do what a form asks for a period it names; a guess would do something else than was shown."""
    asked = _named(request.form)
    if asked is None:
        return _page(trouble=again or _again()), 422
    try:
        flash(carry_out(asked))
    except Failure as failure:
        return _refused(failure)
    return redirect(
        url_for("payouts.overview", node_id=asked.node_id, kind=asked.kind, on=asked.on.isoformat()), 303
    )


def _again() -> str:
    return _("Choose the place and the period again.")


def _looked_at(form: Mapping[str, str]) -> tuple[int, Money] | None:
    """How many payouts the page showed as waiting, and what they came to, in minor units."""
    count, total = form.get("waiting", ""), form.get("waiting_total", "")
    if not _WHOLE.fullmatch(count) or not _WHOLE.fullmatch(total):
        return None
    return int(count), from_minor(int(total), parts().settings.currency)


def _named(form: Mapping[str, str]) -> _Asked | None:
    on = is_date(form.get("on", ""))
    if not form.get("node_id") or form.get("kind") not in _KINDS or on is None:
        return None
    return _Asked(form["node_id"][:64], form["kind"], on)


def _refused(failure: Failure) -> tuple[str, int]:
    if status_of(failure) in (401, 403, 404):
        raise failure
    return _page(trouble=message_of(failure)), status_of(failure)
