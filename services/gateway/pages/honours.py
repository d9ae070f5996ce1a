"""Honours beside the boards: what waits for a decision, who was first, and what one lets others see of one's own."""

from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import honours_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import board_words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date
from services.gateway.parts import clients, today
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("honours", __name__)
CONFIRM: Final = "incentives.honours.confirm"
ANSWER: Final = "incentives.honours.answer"
_SHOWN: Final = 20
_CONSENTS: Final = {
    "name": honours_pb2.Honour.CONSENT_NAME,
    "story": honours_pb2.Honour.CONSENT_STORY,
    "nothing": honours_pb2.Honour.CONSENT_NOTHING,
}


def honours_at(node_id: str) -> list[honours_pb2.Honour]:
    """The newest honours at a node, what waits for the reader first."""
    asked = honours_pb2.ListHonoursRequest(node_id=node_id, page_size=_SHOWN)
    return list(ask(clients().honours.ListHonours, asked).honours)


def unanswered() -> list[honours_pb2.Honour]:
    """The reader's own honours they have not said anything about yet."""
    if not me().own(ANSWER):
        return []
    asked = honours_pb2.ListHonoursRequest(person_id=me().id, page_size=_SHOWN)
    found = ask(clients().honours.ListHonours, asked).honours
    waits, confirmed = honours_pb2.Honour.CONSENT_UNSPECIFIED, honours_pb2.Honour.STATE_CONFIRMED
    return [each for each in found if each.state == confirmed and each.consent == waits]


@blueprint.get("/honours")
@needs("incentives.boards.read")
def mine() -> str:
    return _mine()


@blueprint.post("/honours/confirm")
@needs(CONFIRM, groups=True)
def confirm() -> Response:
    form = request.form
    asked = honours_pb2.ConfirmHonourRequest(
        request_id=request_id(),
        board_id=form.get("board_id", "")[:64],
        node_id=form.get("node_id", "")[:64],
        on=from_date(is_date(form.get("on", "")) or today()),
        person_id=form.get("person_id", "")[:64],
        reason=form.get("reason", "").strip()[:200],
    )
    made = ask(clients().honours.ConfirmHonour, asked).honour
    flash(_("%(name)s is honoured: %(title)s.", name=made.name, title=made.board.honour))
    return redirect(url_for("boards.overview", board=made.board.id, node=made.node_id), 303)


@blueprint.post("/honours/pass")
@needs(CONFIRM, groups=True)
def pass_over() -> Response:
    form = request.form
    asked = honours_pb2.PassHonourRequest(
        request_id=request_id(),
        board_id=form.get("board_id", "")[:64],
        node_id=form.get("node_id", "")[:64],
        on=from_date(is_date(form.get("on", "")) or today()),
        reason=form.get("reason", "").strip()[:200],
    )
    made = ask(clients().honours.PassHonour, asked).honour
    flash(_("Passed over; nobody is honoured."))
    return redirect(url_for("boards.overview", board=made.board.id, node=made.node_id), 303)


@blueprint.post("/honours/<honour_id>/answer")
@needs(ANSWER)
def answer(honour_id: str) -> Response | tuple[str, int]:
    form = request.form
    consent = _CONSENTS.get(form.get("consent", ""))
    story = form.get("story", "").strip()
    wrong: dict[str, str] = {}
    if consent is None:
        wrong["consent"] = _("Choose what others may see.")
    if consent == honours_pb2.Honour.CONSENT_STORY and not story:
        wrong["story"] = _("Say in a sentence or two how it was, or let only your name be shown.")
    if wrong or consent is None:
        return _mine(at=honour_id, wrong=wrong), 422
    asked = honours_pb2.AnswerHonourRequest(
        request_id=request_id(), honour_id=honour_id[:64], consent=consent, story=story[:500]
    )
    try:
        ask(clients().honours.AnswerHonour, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        return _mine(at=honour_id, trouble=message_of(failure)), status_of(failure)
    flash(_("Kept. You can change it any time."))
    return redirect(url_for("honours.mine"), 303)


def _mine(*, at: str = "", wrong: dict[str, str] | None = None, trouble: str = "") -> str:
    def load() -> list[honours_pb2.Honour]:
        asked = honours_pb2.ListHonoursRequest(person_id=me().id, page_size=_SHOWN)
        return list(ask(clients().honours.ListHonours, asked).honours)

    return render_template(
        "honours_mine.html",
        found=section(load),
        may_answer=me().own(ANSWER),
        consents={number: key for key, number in _CONSENTS.items()},
        tells=board_words,
        at=at,
        wrong=wrong or {},
        trouble=trouble,
        form=request.form,
        new_id=new_id,
    )
