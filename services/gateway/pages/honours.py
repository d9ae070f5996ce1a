"""Honours beside the boards: what waits for a decision, who was first, and what one lets others see of one's own."""

from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import honours_pb2
from werkzeug.wrappers import Response as BaseResponse

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import board_words, pictures
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date
from services.gateway.language import _, later
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
_NOT_TAKEN: Final[Mapping[pictures.Fault, str]] = {
    pictures.Fault.TOO_LARGE: later(
        "This photo is over 8 MiB. Choose a smaller one, or take a screenshot of it and choose that."
    ),
    pictures.Fault.TOO_WIDE: later(
        "This picture has too many pixels. Choose a smaller one, or take a screenshot of it and choose that."
    ),
    pictures.Fault.MOVES: later("This picture moves. Choose a still one."),
    pictures.Fault.UNREADABLE: later(
        "This cannot be read: it is no JPEG, PNG or WebP picture, or the file is broken. Choose another one."
    ),
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
def confirm() -> BaseResponse:
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
def pass_over() -> BaseResponse:
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
@needs(ANSWER, upload=pictures.LARGEST_FORM)
def answer(honour_id: str) -> BaseResponse | tuple[str, int]:
    form = request.form
    consent = _CONSENTS.get(form.get("consent", ""))
    story, removes = form.get("story", "").strip(), "remove_photo" in form
    wrong: dict[str, str] = {}
    if consent is None:
        wrong["consent"] = _("Choose what others may see.")
    if consent == honours_pb2.Honour.CONSENT_STORY and not story:
        wrong["story"] = _("Say in a sentence or two how it was, or let only your name be shown.")
    photo = b"" if removes else _photo_sent(wrong)
    if wrong or consent is None:
        return _refused(honour_id, photo, wrong), 422
    asked = honours_pb2.AnswerHonourRequest(
        request_id=request_id(),
        honour_id=honour_id[:64],
        consent=consent,
        story=story[:500],
        photo=photo,
        show_photo="show_photo" in form and not removes,
        remove_photo=removes,
    )
    try:
        ask(clients().honours.AnswerHonour, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        names = {"show_photo": "photo"}
        found = {names.get(name, name): why for name, why in faults(failure.fields).items()}
        return _refused(honour_id, photo, found, message_of(failure)), status_of(failure)
    flash(_("Your photo is deleted.") if removes else _("Kept. You can change it any time."))
    return redirect(url_for("honours.mine"), 303)


@blueprint.get("/honours/<honour_id>/photo")
@needs("incentives.boards.read")
def photo(honour_id: str) -> Response:
    """A photo the reader may see. A browser keeps it, and asks each time whether it may still show it."""
    copies = request.if_none_match.as_set(include_weak=True)
    known = next((each for each in copies if each.isalnum()), "")
    asked = honours_pb2.GetHonourPhotoRequest(honour_id=honour_id[:64], etag=known[:64])
    found = ask(clients().honours.GetHonourPhoto, asked)
    # Its type is said by us and by nobody who sent it.
    response = Response(found.photo, 200 if found.photo else 304, content_type="image/jpeg")
    response.set_etag(found.etag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie"
    return response


def _photo_sent(wrong: dict[str, str]) -> bytes:
    """The photo in the form, made plain; empty where there is none, or where `wrong` says why it is not taken."""
    sent = request.files.get("photo")
    if sent is None or not sent.filename:
        return b""
    try:
        return pictures.plain(sent.read(pictures.LARGEST_UPLOAD + 1))
    except pictures.Refused as refused:
        wrong["photo"] = str(_NOT_TAKEN[refused.fault])
        return b""


def _refused(honour_id: str, photo: bytes, wrong: dict[str, str], trouble: str = "") -> str:
    if photo:
        # No page can put a file back into a form.
        wrong.setdefault("photo", _("Choose the photo again: it was not kept."))
    fallback = _("Something in the form does not fit. Look at the marked fields; what you typed is kept.")
    return _mine(at=honour_id, wrong=wrong, trouble=trouble or fallback)


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
