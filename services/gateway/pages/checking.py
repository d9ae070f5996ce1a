"""Checking a period's figures: every statement computed anew from what is stored, and what comes out otherwise."""

from datetime import date, timedelta
from typing import Final

from flask import Blueprint, render_template, request
from foothold.incentives.v1 import recompute_pb2, values_pb2

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date
from services.gateway.pages.people import groups
from services.gateway.parts import clients, today
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sending import request_id

blueprint = Blueprint("checking", __name__)
_PERMISSION: Final = "incentives.periods.close"
_KINDS: Final = {"month": values_pb2.PERIOD_KIND_MONTH, "week": values_pb2.PERIOD_KIND_WEEK}
_PEOPLE: Final = 500
_SECONDS: Final = 30.0


def _page(answer: recompute_pb2.RecomputePeriodResponse | None = None, *, trouble: str = "") -> str:
    directory, places = me().directory, groups(_PERMISSION)
    widest = min(places, key=lambda each: len(directory.ancestors(each)), default="")
    values = request.values
    on: date = is_date(values.get("on", "")) or today().replace(day=1) - timedelta(days=1)
    found = _count("found") + (answer.lines_changed if answer else 0)
    return render_template(
        "checking_more.html" if from_htmx() and answer is not None else "checking.html",
        places=places,
        node_id=values.get("node_id", "")[:64] or widest,
        kind=values.get("kind", "month"),
        on=on.isoformat(),
        applying=values.get("apply") == "yes",
        answer=answer,
        statements=_count("statements") + (answer.statements if answer else 0),
        found=found,
        lines=[
            (each, person.name if (person := directory.person(each.person_id)) else each.person_id)
            for each in (answer.lines if answer else ())
        ],
        trouble=trouble,
        request_id=new_id(),
    )


def _count(name: str) -> int:
    """A sum that is carried from page to page, for showing only."""
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0  # noqa: PLR2004


@blueprint.get("/payouts/check")
@needs(_PERMISSION, groups=True)
def overview() -> str:
    return _page()


@blueprint.post("/payouts/check")
@needs(_PERMISSION, groups=True)
def check() -> str | tuple[str, int]:
    form = request.form
    on = is_date(form.get("on", ""))
    if on is None or form.get("kind") not in _KINDS or not form.get("node_id"):
        return _page(trouble=_("Choose the place and the period again, then check it.")), 422
    wanted = recompute_pb2.RecomputePeriodRequest(
        request_id=request_id(),
        node_id=form["node_id"][:64],
        period_kind=_KINDS[form["kind"]],
        on=from_date(on),
        apply=form.get("apply") == "yes",
        page_size=_PEOPLE,
        page_token=form.get("page", "")[:2000],
    )
    try:
        return _page(ask(clients().recompute.RecomputePeriod, wanted, seconds=_SECONDS))
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        return _page(trouble=message_of(failure)), status_of(failure)
