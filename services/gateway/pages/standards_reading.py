"""Standards, read: where branches differ, as a page and as CSV, and how one came to be; undo as a new version."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from foothold.goals.v1 import standards_pb2, targets_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from werkzeug.wrappers import Response as BaseResponse

from chassis.ids import new_id
from services.gateway import standards_forms, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, to_date, written
from services.gateway.formats import cell
from services.gateway.language import _, later
from services.gateway.me import me
from services.gateway.pages.goals import chain, is_date, name_of, place
from services.gateway.pages.people import groups
from services.gateway.pages.standards import blueprint, metrics, page, settled
from services.gateway.parts import clients, today
from services.gateway.sections import section
from services.gateway.sending import request_id
from services.gateway.spreadsheets import download
from services.gateway.standards_forms import PERIODS

_SHOWN: Final = 50
_MOST: Final = 1000
_LONGEST_NUMBER: Final = 18
_KINDS = targets_pb2.TargetChange
CHANGES: Final = {
    _KINDS.TARGET_CHANGE_SET: later("set"),
    _KINDS.TARGET_CHANGE_SUCCEEDED: later("followed by another"),
    _KINDS.TARGET_CHANGE_ENDED: later("ended"),
    _KINDS.TARGET_CHANGE_PROPOSED: later("proposed"),
    _KINDS.TARGET_CHANGE_APPROVED: later("approved"),
    _KINDS.TARGET_CHANGE_REFUSED: later("refused"),
    _KINDS.TARGET_CHANGE_WITHDRAWN: later("taken back"),
}


def _asked(size: int) -> standards_pb2.ListDriftRequest:
    return standards_pb2.ListDriftRequest(
        on=from_date(is_date(request.args.get("on", "")) or today()),
        out_of_bounds_only=request.args.get("outside") == "yes",
        page_size=size,
        page_token=request.args.get("page", "")[:2000],
    )


@blueprint.get("/standards/drift")
@needs("goals.targets.read", groups=True)
def drift() -> str:
    asked = _asked(_SHOWN)
    return render_template(
        "standards_drift.html",
        drift=section(lambda: ask(clients().standards.ListDrift, asked)),
        asked=asked,
        place=lambda node_id: place(me(), node_id),
        name_of=lambda person_id: name_of(me(), person_id),
        forms=standards_forms,
        slug=_slug,
    )


@blueprint.get("/standards/drift.csv")
@needs("goals.targets.read", groups=True)
def export() -> Response:
    """The same as CSV for a spreadsheet, all of it: one row per difference."""
    head = [
        *(_("Where"), _("Job role"), _("What"), _("Per"), _("Here"), _("Above"), _("Set above by")),
        *(_("Difference"), _("Out of bounds"), _("From"), _("Why"), _("Set by"), _("Approved by")),
    ]
    return download("standards-drift.csv", head, map(_row, _everything()))


def _everything() -> Iterator[standards_pb2.Drift]:
    asked = _asked(_MOST)
    while True:
        answer = ask(clients().standards.ListDrift, asked)
        yield from answer.drifts
        asked.page_token = answer.next_page_token
        if not asked.page_token:
            return


def _row(each: standards_pb2.Drift) -> list[str]:
    own, since = each.target, to_date(each.target.effective_from)
    return [
        cell(place(me(), own.node_id)),
        cell(words.job_role(own.job_role)),
        cell(words.metric(own.metric)),
        words.per(own.period_kind),
        written(own.value),
        written(each.standard.value),
        cell(place(me(), each.standard.node_id)),
        standards_forms.difference_words(each.difference),
        _("yes") if each.out_of_bounds else "",
        since.isoformat() if since else "",
        cell(own.reason),
        cell(name_of(me(), own.author_id)),
        cell(name_of(me(), own.approver_id)),
    ]


def _slug(kind: int) -> str:
    return next((name for name, each in PERIODS.items() if each == kind), "month")


@blueprint.get("/standards/at/<node_id>")
@needs("goals.targets.read", groups=True)
def history(node_id: str) -> str:
    """One metric's standard at a node: what holds on a day, as known then, and every change of it."""
    args = request.args
    role = args.get("job_role", "").strip()[:40] or "sales"
    metric = args.get("metric", "")[:40] or metrics()[0].name
    period = args.get("period", "month")
    kind = PERIODS.get(period, PERIODS["month"])
    on = is_date(args.get("on", "")) or today()
    known = is_date(args.get("known", ""))
    standard = _resolved(node_id, role, on, known)
    found = next(
        (
            each
            for each in standard
            if (each.resolved.target.metric, each.resolved.target.period_kind) == (metric, kind)
        ),
        None,
    )
    asked = standards_pb2.ListTargetChangesRequest(
        node_id=node_id,
        job_role=role,
        metric=metric,
        period_kind=kind,
        page_size=_SHOWN,
        page_token=args.get("page", "")[:2000],
    )

    def load() -> dict[str, Any]:
        answer = ask(clients().standards.ListTargetChanges, asked)
        return {"changes": answer.changes, "next": answer.next_page_token}

    return render_template(
        "standards_history.html",
        node_id=node_id,
        place=place(me(), node_id),
        job_role=role,
        metric=metric,
        period=period if period in PERIODS else "month",
        kind=kind,
        on=on,
        known=known,
        standard=found,
        links=chain(found.resolved, me()) if found else (),
        changes=section(load),
        words_of=CHANGES,
        name_of=lambda person_id: name_of(me(), person_id),
        may_write=node_id in groups("goals.targets.write"),
        forms=standards_forms,
        new_id=new_id,
        today=today().isoformat(),
    )


def _resolved(node_id: str, role: str, on: date, known: date | None) -> list[standards_pb2.StandardAtNode]:
    asked = standards_pb2.ResolveStandardRequest(node_id=node_id, job_role=role, on=from_date(on))
    if known is not None:
        # As it was known when that day ended where the reader is.
        end = datetime.combine(known + timedelta(days=1), time(), ZoneInfo(me().zone))
        moment = Timestamp()
        moment.FromDatetime(end.astimezone(UTC) - timedelta(microseconds=1))
        asked.known_at.CopyFrom(moment)
    return list(ask(clients().standards.ResolveStandard, asked).standards)


@blueprint.post("/standards/<target_id>/restore")
@needs("goals.targets.write", groups=True)
def restore(target_id: str) -> BaseResponse | tuple[str, int]:
    form = request.form
    start = is_date(form.get("effective_from", ""))
    end = is_date(form.get("effective_to", ""))
    revision = form.get("revision", "")
    if start is None or not (revision.isascii() and revision.isdigit() and len(revision) <= _LONGEST_NUMBER):
        return page(trouble=_("A day like 2026-11-23, please.")), 422
    asked = standards_pb2.RestoreTargetRequest(
        request_id=request_id(),
        target_id=target_id,
        revision=int(revision),
        effective_from=from_date(start),
        effective_to=from_date(end) if end else None,
        reason=form.get("reason", "").strip()[:500],
    )
    about = next((each for each in metrics() if each.name == form.get("metric")), None)
    shown = targets_pb2.Target()
    if about is not None:
        shown.value.unit = about.unit
    return settled(lambda: ask(clients().standards.RestoreTarget, asked).target, shown)
