"""The deals of somebody's closed period: what hangs on each, holding one back and releasing it."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import payouts_pb2, values_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure, NotFound
from chassis.ids import new_id
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, from_minor, minor
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date, name_of
from services.gateway.parts import clients, parts
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("payout_deals", __name__)
_HOLD: Final = "incentives.payouts.hold"
_KINDS: Final = {"month": values_pb2.PERIOD_KIND_MONTH, "week": values_pb2.PERIOD_KIND_WEEK}
_LISTED: Final = 100
_LONGEST_NAME: Final = 120


class _Asked(NamedTuple):
    """Whose payout of which period."""

    person_id: str
    kind: str
    on: date

    @property
    def fields(self) -> dict[str, Any]:
        """As requests name it."""
        return {"person_id": self.person_id, "period_kind": _KINDS[self.kind], "on": from_date(self.on)}

    @property
    def address(self) -> str:
        """Where the page is."""
        return url_for(
            "payout_deals.overview", person_id=self.person_id, kind=self.kind, on=self.on.isoformat()
        )


def _asked(person_id: str, told: Mapping[str, str]) -> _Asked:
    on = is_date(told.get("on", ""))
    if told.get("kind") not in _KINDS or on is None:
        raise _unknown()
    return _Asked(person_id[:64], told["kind"], on)


def _unknown() -> NotFound:
    return NotFound("PAYOUT_UNKNOWN", "Nothing of that person is closed in that period.")


def _payout(asked: _Asked) -> payouts_pb2.Payout:
    directory = me().directory
    node_id = directory.department_of(asked.person_id) or directory.branch_of(asked.person_id)
    fields = asked.fields
    wanted = payouts_pb2.ListPayoutsRequest(
        node_id=node_id or directory.root_id, person_ids=[fields.pop("person_id")], **fields
    )
    found = ask(clients().payouts.ListPayouts, wanted).payouts
    if not found:
        raise _unknown()
    return found[0]


class _Deals(NamedTuple):
    """What the page shows of deals: those listed, how many there are, the one looked at, and what is kept."""

    listed: list[payouts_pb2.ListPayoutDealsResponse.Deal]
    number: int
    one: payouts_pb2.ListPayoutDealsResponse.Deal | None
    sought: str
    kept: payouts_pb2.ListPayoutDealsResponse
    adds: int


def _deals(asked: _Asked, told: Mapping[str, str]) -> _Deals:
    """The deals, and what would be kept with the one that is named, by its id alone or with its source."""
    stub = clients().payouts
    now = ask(stub.ListPayoutDeals, payouts_pb2.ListPayoutDealsRequest(**asked.fields))
    sought, source = told.get("deal", "").strip()[:_LONGEST_NAME], told.get("source", "")
    one = next(
        (
            each
            for each in now.deals
            if each.name.external_id == sought and source in {"", each.name.source} and sought
        ),
        None,
    )
    kept = now
    if one is not None and not one.held:
        wanted = payouts_pb2.ListPayoutDealsRequest(**asked.fields, looked_at=one.name)
        kept = ask(stub.ListPayoutDeals, wanted)
    adds = sum(minor(each.amount) for each in kept.kept) - sum(minor(each.amount) for each in now.kept)
    return _Deals(list(now.deals[:_LISTED]), len(now.deals), one, sought, kept, adds)


def _page(asked: _Asked, told: Mapping[str, str], *, trouble: str = "") -> str:
    payout = _payout(asked)
    currency = parts().settings.currency
    who = me()
    return render_template(
        "payout_deals.html",
        asked=asked,
        payout=payout,
        back_to=who.directory.branch_of(asked.person_id) or who.directory.root_id,
        name=name_of(who, asked.person_id) or asked.person_id,
        name_of=lambda id: name_of(who, id),
        may_hold_more=payout.state <= payouts_pb2.Payout.STATE_APPROVED,
        deals=section(lambda: _deals(asked, told)),
        as_money=lambda number: from_minor(number, currency),
        request_id=new_id(),
        trouble=trouble,
    )


@blueprint.get("/payouts/deals/<person_id>")
@needs(_HOLD, groups=True)
def overview(person_id: str) -> str:
    return _page(_asked(person_id, request.args), request.args)


@blueprint.post("/payouts/deals/<person_id>")
@needs(_HOLD, groups=True)
def change(person_id: str) -> Response | tuple[str, int]:
    """Hold a deal back, or release it with `release`."""
    form = request.form
    asked = _asked(person_id, form)
    reason = form.get("reason", "").strip()[:500]
    if not reason:
        return _page(asked, form, trouble=_("Say why; it is kept with your name.")), 422
    values = {
        **asked.fields,
        "request_id": request_id(),
        "reason": reason,
        "deal": payouts_pb2.PayoutDeal(
            source=form.get("source", "")[: _LONGEST_NAME + 1],
            external_id=form.get("deal", "")[: _LONGEST_NAME + 1],
        ),
    }
    try:
        if form.get("release"):
            ask(clients().payouts.ReleasePayout, payouts_pb2.ReleasePayoutRequest(**values))
            flash(_("Released: it goes into the next batch once it is approved."))
        else:
            ask(clients().payouts.HoldPayout, payouts_pb2.HoldPayoutRequest(**values))
            flash(_("Held back; the person sees your reason."))
    except Failure as failure:
        if status_of(failure) in (401, 403, 404) and failure.reason != "DEAL_UNKNOWN":
            raise
        return _page(asked, form, trouble=message_of(failure)), status_of(failure)
    return redirect(asked.address, 303)
