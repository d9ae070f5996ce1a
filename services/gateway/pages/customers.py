"""Recording a follow-up in five fields, taking it back, and what was recorded."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from foothold.goals.v1 import facts_pb2
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from chassis.errors import Failure, InvalidArgument
from chassis.ids import new_id
from services.gateway import words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.parts import clients, parts
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sections import section

blueprint = Blueprint("customers", __name__)
SOURCE: Final = "foothold"
RESULTS: Final = ("talking", "won", "lost")
CHANNELS: Final = ("phone", "wechat", "visit", "online", "email", "referral")
_LAST: Final = "last-follow-up"
_AMOUNT: Final = re.compile(r"\d{1,9}(?:\.\d{1,2})?")
_KEY: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_UNDO_SECONDS: Final = 3600
_SHOWN: Final = 30
_MOST_MINUTES: Final = 10_080


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was typed."""

    key: str
    customer: str = ""
    channel: str = "phone"
    result: str = "talking"
    minutes: str = "10"
    amount: str = ""


def _blank() -> Typed:
    """An empty form, with what was chosen last time."""
    channel, _sep, spent = request.cookies.get(_LAST, "").partition("-")
    return Typed(
        new_id(),
        channel=channel if channel in CHANNELS else "phone",
        minutes=spent if spent.isdigit() and len(spent) < 4 else "10",  # noqa: PLR2004
    )


def _typed() -> Typed:
    form = request.form
    key = form.get("key", "")
    return Typed(
        key if _KEY.fullmatch(key) else new_id(),
        *(
            form.get(name, "").strip()[:200]
            for name in ("customer", "channel", "result", "minutes", "amount")
        ),
    )


def _wrong(typed: Typed) -> dict[str, str]:
    """What does not fit, by field, in words."""
    found: dict[str, str] = {}
    if not 1 <= len(typed.customer) <= 120:  # noqa: PLR2004
        found["customer"] = _("Name the customer, in at most 120 characters.")
    if typed.channel not in CHANNELS:
        found["channel"] = _("Choose one of the list.")
    if typed.result not in RESULTS:
        found["result"] = _("Choose one of the list.")
    minutes = typed.minutes
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) <= 5 and int(minutes) <= _MOST_MINUTES):  # noqa: PLR2004
        found["minutes"] = _("Whole minutes, please, at most a week of them.")
    if typed.result == "won" and typed.amount and not _AMOUNT.fullmatch(typed.amount):
        found["amount"] = _("An amount like 1200 or 1200.50, please.")
    return found


def _facts(typed: Typed, person_id: str, now: datetime) -> facts_pb2.RecordFactsRequest:
    occurred = Timestamp()
    occurred.FromDatetime(now)
    common: dict[str, Any] = {
        "source": SOURCE,
        "person_id": person_id,
        "occurred_at": occurred,
        "customer": typed.customer,
        "channel": typed.channel,
    }
    told = facts_pb2.RecordFactsRequest()
    told.facts.add(
        **common, external_id=f"{typed.key}-f", kind=facts_pb2.FACT_KIND_FOLLOW_UP, minutes=int(typed.minutes)
    )
    if typed.result == "won":
        deal = told.facts.add(**common, external_id=f"{typed.key}-d", kind=facts_pb2.FACT_KIND_DEAL_WON)
        if typed.amount:
            units, _dot, cents = typed.amount.partition(".")
            nanos = int(cents.ljust(9, "0")) if cents else 0
            deal.amount.CopyFrom(
                Money(currency_code=parts().settings.currency, units=int(units), nanos=nanos)
            )
    elif typed.result == "lost":
        told.facts.add(**common, external_id=f"{typed.key}-d", kind=facts_pb2.FACT_KIND_DEAL_LOST)
    return told


def _record(told: facts_pb2.RecordFactsRequest) -> None:
    """Record all; InvalidArgument with the first refusal's field when one is refused."""
    for result in ask(clients().facts.RecordFacts, told).results:
        if result.outcome == facts_pb2.FACT_OUTCOME_REFUSED:
            raise InvalidArgument(result.reason, result.message, fields={result.field: result.message})


def _undo() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="undo-follow-up")


def _page(typed: Typed, wrong: dict[str, str] | None = None, trouble: str = "") -> str:
    template = "customers_form.html" if from_htmx() else "customers.html"
    return render_template(
        template,
        form=typed,
        wrong=wrong or {},
        trouble=trouble,
        channels=[(name, words.channel(name)) for name in CHANNELS],
        watches=f"progress@{me().id}",
        facts=section(_recent) if not from_htmx() else None,
        known=_known,
    )


def _recent() -> facts_pb2.ListFactsResponse:
    page = request.args.get("page", "")[:2000]
    return ask(
        clients().facts.ListFacts,
        facts_pb2.ListFactsRequest(person_id=me().id, page_size=_SHOWN, page_token=page),
    )


def _known(answer: facts_pb2.ListFactsResponse) -> list[str]:
    """Customers recorded lately, for the field's suggestions."""
    return list(dict.fromkeys(each.fact.customer for each in answer.facts if each.fact.customer))


@blueprint.get("/customers")
@needs("goals.facts.record", own=True)
def overview() -> str:
    return _page(_blank())


@blueprint.get("/customers/list")
@needs("goals.facts.read", own=True)
def listed() -> str:
    template = "customers_rows.html" if request.args.get("page") else "customers_list.html"
    return render_template(template, facts=section(_recent))


@blueprint.post("/customers")
@needs("goals.facts.record", own=True)
def record() -> Response:
    typed = _typed()
    wrong = _wrong(typed)
    if wrong:
        return make_response(_page(typed, wrong), 422)
    told = _facts(typed, me().id, parts().clock.now())
    try:
        _record(told)
    except Failure as failure:
        status = status_of(failure)
        if status in (401, 403):
            raise
        known = {"customer", "channel", "minutes", "amount"}
        fields = {name: message_of(failure) for name in failure.fields if name in known}
        return make_response(_page(typed, fields, message_of(failure)), 422 if status == 400 else status)  # noqa: PLR2004
    token = _undo().dumps(base64.b64encode(told.SerializeToString()).decode())
    if from_htmx():
        answer = make_response(
            render_template(
                "customers_form.html",
                form=_blank(),
                wrong={},
                trouble="",
                channels=[(name, words.channel(name)) for name in CHANNELS],
                done=typed.customer,
                undo=token,
            )
        )
    else:
        flash(_("Recorded: %(customer)s.", customer=typed.customer))
        answer = redirect(url_for("customers.overview"), 303)  # type: ignore[assignment]  # a response as well
    answer.set_cookie(
        _LAST,
        f"{typed.channel}-{int(typed.minutes)}",
        max_age=30 * 24 * 3600,
        secure=parts().settings.https,
        httponly=True,
        samesite="Lax",
    )
    return answer


@blueprint.post("/customers/undo")
@needs("goals.facts.record", own=True)
def undo() -> Response:
    """Take back what was just recorded: a void version of each fact."""
    try:
        raw = base64.b64decode(_undo().loads(request.form.get("undo", ""), max_age=_UNDO_SECONDS))
        told = facts_pb2.RecordFactsRequest.FromString(raw)
    except (BadData, binascii.Error, DecodeError, TypeError, ValueError) as error:
        raise InvalidArgument("FIELD_INVALID", "There is nothing to take back.") from error
    for fact in told.facts:
        fact.version, fact.voided = fact.version + 1, True
    _record(told)
    if from_htmx():
        return make_response(
            render_template(
                "customers_form.html",
                form=_blank(),
                wrong={},
                trouble="",
                channels=[(name, words.channel(name)) for name in CHANNELS],
                undone=True,
            )
        )
    flash(_("Taken back. Nothing of it counts."))
    return redirect(url_for("customers.overview"), 303)
