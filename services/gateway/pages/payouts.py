"""What a period comes to for a branch, and closing it."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import periods_pb2, statements_pb2, values_pb2
from werkzeug.wrappers import Response

from access import Kind
from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import payout_words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, to_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date, name_of, place
from services.gateway.pages.people import groups
from services.gateway.parts import clients, today
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section

blueprint = Blueprint("payouts", __name__)
_READ: Final = "incentives.statements.read"
_CLOSE: Final = "incentives.periods.close"
_SHOWN: Final = 50
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
    return render_template(
        "payouts.html",
        places=places,
        here=place(who, asked.node_id),
        asked=asked,
        standing=standing,
        before=first - timedelta(days=1) if first else None,
        after=end,
        statements=section(lambda: _statements(asked, token)),
        paged=bool(token),
        may_close=who.covers(_CLOSE, asked.node_id),
        closed_by=name_of(who, standing.closed_by),
        closed_at_place=place(who, standing.closed_node_id) if standing.closed_node_id else "",
        words=payout_words,
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
    form = request.form
    # What cannot be taken back is closed as the form names it, or not at all.
    on = is_date(form.get("on", ""))
    if not form.get("node_id") or form.get("kind") not in _KINDS or on is None:
        return _page(trouble=_("Choose the place and the period again, then close it.")), 422
    asked = _Asked(form["node_id"][:64], form["kind"], on)
    wanted = periods_pb2.ClosePeriodRequest(
        request_id=request.form.get("request_id", "")[:64] or new_id(),
        node_id=asked.node_id,
        period_kind=_KINDS[asked.kind],
        on=from_date(asked.on),
    )
    try:
        ask(clients().periods.ClosePeriod, wanted)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        return _page(trouble=message_of(failure)), status_of(failure)
    flash(_("The period is closed. What is learned later is paid or taken back in the period that runs."))
    return redirect(
        url_for("payouts.overview", node_id=asked.node_id, kind=asked.kind, on=asked.on.isoformat()), 303
    )
