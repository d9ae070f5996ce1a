"""Fair play: what rules noticed, the answers to it, and one's own word."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import fairness_pb2
from werkzeug.wrappers import Response as BaseResponse

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import fairness_words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import to_date
from services.gateway.formats import cell
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import name_of, place
from services.gateway.pages.people import groups
from services.gateway.parts import clients
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id
from services.gateway.spreadsheets import download

blueprint = Blueprint("fairness", __name__)
_READ: Final = "goals.fairness.read"
_ANSWER: Final = "goals.fairness.answer"
_SHOWN: Final = 50
_MOST: Final = 500
_PAGES: Final = 20
_STATE = fairness_pb2.FlagState
_STATES: Final = {
    "": (_STATE.FLAG_STATE_OPEN,),
    "confirmed": (_STATE.FLAG_STATE_CONFIRMED,),
    "dismissed": (_STATE.FLAG_STATE_DISMISSED,),
    "corrected": (_STATE.FLAG_STATE_CORRECTED,),
    "all": (),
}
_OUTCOMES: Final = {
    "confirmed": _STATE.FLAG_STATE_CONFIRMED,
    "dismissed": _STATE.FLAG_STATE_DISMISSED,
}
_NOT_OF_THE_FORM: Final = (401, 403, 404)


def _request(size: int, page: str) -> fairness_pb2.ListFlagsRequest:
    kind = request.args.get("kind", "")
    known = {str(each): each for each in fairness_pb2.FairnessKind.values() if each}
    return fairness_pb2.ListFlagsRequest(
        node_id=request.args.get("node", "")[:64],
        states=_STATES.get(request.args.get("state", ""), _STATES[""]),
        kinds=[known[kind]] if kind in known else [],
        page_size=size,
        page_token=page,
    )


@blueprint.get("/fairness")
@needs(_READ, groups=True)
def overview() -> str:
    page = request.args.get("page", "")[:2000]
    return render_template(
        "fairness.html",
        found=section(lambda: ask(clients().fairness.ListFlags, _request(_SHOWN, page))),
        nodes=groups(_READ),
        state=request.args.get("state", ""),
        paged=bool(page),
        **_told(),
    )


def _told() -> dict[str, Any]:
    """What every page of flags needs to say them."""
    return {"said": fairness_words, "name_of": lambda id: name_of(me(), id), "STATE": _STATE}


@blueprint.get("/fairness.csv")
@needs(_READ, groups=True)
def export() -> Response:
    """The flags as filtered, as CSV for a spreadsheet."""
    head = [
        *(_("Employee number"), _("Name"), _("Rule"), _("What was noticed"), _("From"), _("To")),
        *(_("State"), _("Their word"), _("Answer"), _("Answered by")),
    ]
    return download("fair-play.csv", head, map(_row, _everything()))


def _row(flag: fairness_pb2.Flag) -> list[str]:
    person = me().directory.person(flag.person_id)
    first, last = to_date(flag.first_day), to_date(flag.last_day)
    cells = [
        person.employee_number if person else "",
        person.name if person else "",
        str(fairness_words.KINDS.get(flag.rule.kind, "")),
        fairness_words.noticed(flag),
        first.isoformat() if first else "",
        last.isoformat() if last else "",
        str(fairness_words.STATES.get(flag.state, ("", ""))[1]),
        flag.reply,
        flag.answer,
        name_of(me(), flag.answered_by),
    ]
    return [cell(each) for each in cells]


def _everything() -> Iterator[fairness_pb2.Flag]:
    page = ""
    for _turn in range(_PAGES):
        answer = ask(clients().fairness.ListFlags, _request(_MOST, page))
        yield from answer.flags
        page = answer.next_page_token
        if not page:
            return


def own_flags(*, waiting: bool) -> list[fairness_pb2.Flag]:
    """The reader's own flags, those that wait first."""
    states = (_STATE.FLAG_STATE_OPEN, _STATE.FLAG_STATE_CONFIRMED) if waiting else ()
    asked = fairness_pb2.ListFlagsRequest(person_id=me().id, states=states, page_size=_SHOWN)
    return list(ask(clients().fairness.ListFlags, asked).flags)


@blueprint.get("/fairness/mine")
@needs(_READ, own=True)
def mine() -> str:
    return render_template("fairness_mine.html", found=section(lambda: own_flags(waiting=False)), **_told())


@blueprint.get("/fairness/<flag_id>")
@needs(_READ)
def one(flag_id: str) -> str:
    return _page(flag_id)


def _page(flag_id: str, *, trouble: str = "", wrong: Mapping[str, str] | None = None) -> str:
    who = me()
    answer = ask(clients().fairness.GetFlag, fairness_pb2.GetFlagRequest(flag_id=flag_id[:64]))
    flag = answer.flag
    own = flag.person_id == who.id
    may_answer = not own and who.covers(_ANSWER, flag.person_id)
    return render_template(
        "fairness_one.html",
        answer=answer,
        flag=flag,
        own=own,
        waits=flag.state == _STATE.FLAG_STATE_OPEN,
        may_answer=may_answer and flag.state in (_STATE.FLAG_STATE_OPEN, _STATE.FLAG_STATE_CONFIRMED),
        set_at=place(who, flag.rule.node_id) if flag.rule.node_id else "",
        customers=who.covers("goals.customers.read", flag.person_id),
        form=request.form,
        trouble=trouble,
        wrong=wrong or {},
        request_id=new_id(),
        **_told(),
    )


@blueprint.post("/fairness/<flag_id>/answer")
@needs(_ANSWER, groups=True)
def answer(flag_id: str) -> BaseResponse | tuple[str, int]:
    asked = fairness_pb2.AnswerFlagRequest(
        request_id=request_id(),
        flag_id=flag_id[:64],
        outcome=_OUTCOMES.get(request.form.get("outcome", ""), _STATE.FLAG_STATE_UNSPECIFIED),
        reason=request.form.get("reason", "").strip(),
    )
    try:
        told = ask(clients().fairness.AnswerFlag, asked).flag
    except Failure as failure:
        return _refused(flag_id, failure)
    dismissed = told.state == _STATE.FLAG_STATE_DISMISSED
    flash(
        _("Dismissed. What was held back for it is free again.")
        if dismissed
        else _("Confirmed. What is due stays held back until the facts are corrected or you release it.")
    )
    return redirect(url_for("fairness.one", flag_id=flag_id), 303)


@blueprint.post("/fairness/<flag_id>/reply")
@needs("goals.fairness.reply", own=True)
def reply(flag_id: str) -> BaseResponse | tuple[str, int]:
    asked = fairness_pb2.ReplyToFlagRequest(
        request_id=request_id(), flag_id=flag_id[:64], reply=request.form.get("reply", "").strip()
    )
    try:
        ask(clients().fairness.ReplyToFlag, asked)
    except Failure as failure:
        return _refused(flag_id, failure)
    flash(_("Thank you. Whoever looks at it reads your word first."))
    return redirect(url_for("fairness.one", flag_id=flag_id), 303)


def _refused(flag_id: str, failure: Failure) -> tuple[str, int]:
    if status_of(failure) in _NOT_OF_THE_FORM:
        raise failure
    wrong = faults(failure.fields)
    # What is wrong beside no field of the form is told above it.
    trouble = "" if wrong.keys() & {"reason", "reply"} else message_of(failure)
    return _page(flag_id, trouble=trouble, wrong=wrong), status_of(failure)
