"""Disputes: a line one asks to be looked at again, and what came of it."""

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import disputes_pb2, statements_pb2
from google.type.money_pb2 import Money
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import trace
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, from_typed
from services.gateway.language import _, later
from services.gateway.me import me
from services.gateway.pages.goals import is_date, name_of
from services.gateway.pages.people import groups
from services.gateway.parts import clients, parts
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id
from services.gateway.standards_forms import number

blueprint = Blueprint("disputes", __name__)
_READ: Final = "incentives.statements.read"
_OPEN: Final = "incentives.disputes.open"
_ANSWER: Final = "incentives.disputes.answer"
_SHOWN: Final = 50
_LONGEST: Final = 1000
_LARGEST: Final = 10**10
STATES: Final = {
    disputes_pb2.Dispute.STATE_OPEN: later("Waits for an answer"),
    disputes_pb2.Dispute.STATE_ANSWERED: later("Answered"),
    disputes_pb2.Dispute.STATE_ADJUSTED: later("Adjusted"),
    disputes_pb2.Dispute.STATE_WITHDRAWN: later("Withdrawn"),
}


@blueprint.get("/disputes")
@needs(_READ)
def overview() -> str:
    who, places = me(), groups(_READ)
    widest = min(places, key=lambda each: len(who.directory.ancestors(each)), default=who.id)
    node_id = request.args.get("node_id", "")[:64]
    node_id = node_id if node_id in places else widest
    token = request.args.get("page", "")[:2000]

    def load() -> disputes_pb2.ListDisputesResponse:
        asked = disputes_pb2.ListDisputesRequest(node_id=node_id, page_size=_SHOWN, page_token=token)
        return ask(clients().disputes.ListDisputes, asked)

    return render_template(
        "disputes.html",
        found=section(load),
        places=places,
        node_id=node_id,
        own=node_id == who.id,
        name=lambda id: name_of(who, id),
        states=STATES,
        paged=bool(token),
    )


@blueprint.get("/disputes/new")
@needs(_OPEN, own=True)
def new() -> str:
    return _form()


@blueprint.post("/disputes/new")
@needs(_OPEN, own=True)
def begin() -> Response | tuple[str, int]:
    said = request.form.get("words", "").strip()
    if not said or len(said) > _LONGEST:
        return _form(wrong={"words": _("Say what is wrong, in at most 1,000 characters.")}), 422
    on = is_date(request.form.get("on", ""))
    asked = disputes_pb2.OpenDisputeRequest(
        request_id=request_id(),
        rule_id=request.form.get("rule_id", "")[:40],
        on=from_date(on) if on else None,
        words=said,
    )
    try:
        made = ask(clients().disputes.OpenDispute, asked).dispute
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        return _form(trouble=message_of(failure)), status_of(failure)
    flash(_("Asked. HR answers by the day shown; you see it here."))
    return redirect(url_for("disputes.one", dispute_id=made.id), 303)


@blueprint.get("/disputes/<dispute_id>")
@needs(_READ)
def one(dispute_id: str) -> str:
    return _page(dispute_id)


@blueprint.post("/disputes/<dispute_id>/withdraw")
@needs(_OPEN, own=True)
def withdraw(dispute_id: str) -> Response | tuple[str, int]:
    asked = disputes_pb2.WithdrawDisputeRequest(request_id=request_id(), dispute_id=dispute_id)
    try:
        ask(clients().disputes.WithdrawDispute, asked)
    except Failure as failure:
        return _refused(dispute_id, failure)
    flash(_("Withdrawn."))
    return redirect(url_for("disputes.one", dispute_id=dispute_id), 303)


@blueprint.post("/disputes/<dispute_id>/answer")
@needs(_ANSWER, groups=True)
def answer(dispute_id: str) -> Response | tuple[str, int]:
    form = request.form
    wrong: dict[str, str] = {}
    said = form.get("answer", "").strip()
    if not said or len(said) > _LONGEST:
        wrong["answer"] = _("Answer in at most 1,000 characters; the person reads it.")
    asked = disputes_pb2.AnswerDisputeRequest(request_id=request_id(), dispute_id=dispute_id, answer=said)
    text = form.get("adjustment", "").strip()[:20]
    if text:
        amount = _amount(text)
        if amount is None:
            wrong["adjustment"] = _("An amount like 120 or -12.50, please; leave it empty for none.")
        else:
            asked.adjustment.CopyFrom(amount)
    if wrong:
        return _page(dispute_id, wrong=wrong), 422
    try:
        ask(clients().disputes.AnswerDispute, asked)
    except Failure as failure:
        return _refused(dispute_id, failure)
    flash(_("Answered; the person sees it."))
    return redirect(url_for("disputes.one", dispute_id=dispute_id), 303)


def _amount(text: str) -> Money | None:
    """An amount with a sign; None for what is none."""
    typed = number(text.removeprefix("-"))
    if typed is None or typed > _LARGEST:
        return None
    return from_typed(-typed if text.startswith("-") else typed, parts().settings.currency)


def _form(*, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    on = is_date(request.values.get("on", ""))
    rule_id = request.values.get("rule_id", "")[:40]
    asked = statements_pb2.ExplainLineRequest(
        person_id=me().id, rule_id=rule_id, on=from_date(on) if on else None
    )
    return render_template(
        "dispute_new.html",
        answer=ask(clients().statements.ExplainLine, asked),
        rule_id=rule_id,
        on=on.isoformat() if on else "",
        form=request.form,
        trouble=trouble,
        wrong=wrong or {},
        request_id=new_id(),
    )


def _page(dispute_id: str, *, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    who = me()
    asked = disputes_pb2.GetDisputeRequest(dispute_id=dispute_id)
    found = ask(clients().disputes.GetDispute, asked).dispute
    waits = found.state == disputes_pb2.Dispute.STATE_OPEN
    mine = found.person_id == who.id
    return render_template(
        "dispute.html",
        dispute=found,
        person=who.directory.person(found.person_id),
        answered_by=name_of(who, found.answered_by) if found.answered_by else "",
        steps=trace.lines(found.trace),
        states=STATES,
        waits=waits,
        mine=mine,
        may_answer=waits and not mine and who.covers(_ANSWER, found.person_id),
        form=request.form,
        trouble=trouble,
        wrong=wrong or {},
        request_id=new_id(),
    )


def _refused(dispute_id: str, failure: Failure) -> tuple[str, int]:
    if status_of(failure) in (401, 403, 404):
        raise failure
    return _page(dispute_id, trouble=message_of(failure)), status_of(failure)
