"""Standards: what is asked of each job role, set at a node, inherited below, overridden within bounds."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import metrics_pb2, standards_pb2, targets_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import standards_forms, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date, to_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import chain, is_date, name_of, place
from services.gateway.pages.people import groups
from services.gateway.parts import clients, parts, today
from services.gateway.problems import status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("standards", __name__)
_MOST: Final = 1000
_REFUSED_SHOWN: Final = 10
_STATE: Final = targets_pb2.TargetState


def metrics() -> list[metrics_pb2.MetricDefinition]:
    """Every metric, in the order people read them."""
    return list(ask(clients().metrics.ListMetrics, metrics_pb2.ListMetricsRequest()).metrics)


def listed(*states: targets_pb2.TargetState.ValueType) -> list[targets_pb2.Target]:
    """All targets the reader may see in these states."""
    asked = targets_pb2.ListTargetsRequest(page_size=_MOST, states=states)
    found: list[targets_pb2.Target] = []
    while True:
        answer = ask(clients().targets.ListTargets, asked)
        found += answer.targets
        asked.page_token = answer.next_page_token
        if not asked.page_token:
            return found


def _load() -> dict[str, Any]:
    directory, day = me().directory, today()
    by_node: dict[str, list[targets_pb2.Target]] = defaultdict(list)
    for target in listed():
        start, end = to_date(target.effective_from), to_date(target.effective_to)
        if end is None or (end > day and end != start):
            by_node[target.node_id].append(target)
    drift = standards_pb2.ListDriftRequest(out_of_bounds_only=True, page_size=_MOST)
    outside = ask(clients().standards.ListDrift, drift).drifts
    ordered = sorted(by_node, key=lambda node: (len(directory.ancestors(node)), node))
    return {
        "groups": [
            (node, directory.node(node), len(directory.ancestors(node)), by_node[node]) for node in ordered
        ],
        "metrics": metrics(),
        "outside": {each.target.id for each in outside},
        "waiting": len(listed(_STATE.TARGET_STATE_PENDING)),
    }


@blueprint.get("/standards")
@needs("goals.targets.write", groups=True)
def overview() -> str:
    return page()


def page(*, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    """The standards, and the form with what was typed."""
    editable = groups("goals.targets.write")
    return render_template(
        "standards.html",
        standards=section(_load),
        places=editable,
        trouble=trouble,
        wrong=wrong or {},
        form=request.form or request.args,
        request_id=new_id(),
        today=today().isoformat(),
        job_roles=words.JOB_ROLES,
        editable=set(editable),
        name_of=lambda person_id: name_of(me(), person_id),
        forms=standards_forms,
    )


@blueprint.get("/standards/allowed")
@needs("goals.targets.write", groups=True)
def allowed() -> str:
    """What may be set at the place chosen in the form, and what holds there until then."""
    args = request.args
    node_id, metric = args.get("node_id", "")[:64], args.get("metric", "")
    definition = next((each for each in metrics() if each.name == metric), None)
    kind = standards_forms.kind_of(args.get("period", ""), definition)
    day = is_date(args.get("effective_from", "")) or today()
    if not node_id:
        return render_template("standards_allowed.html", standard=None, links=())
    found = resolved(node_id, args.get("job_role", "sales"), day)
    standard = next(
        (
            each
            for each in found
            if each.resolved.target.metric == metric and each.resolved.target.period_kind == kind
        ),
        None,
    )
    return render_template(
        "standards_allowed.html",
        standard=standard,
        links=chain(standard.resolved, me()) if standard else (),
        place=lambda id: place(me(), id),
        forms=standards_forms,
    )


def resolved(node_id: str, job_role: str, day: date) -> list[standards_pb2.StandardAtNode]:
    """What holds at a node, and what may be set there. Failure where the node is not the reader's to see."""
    asked = standards_pb2.ResolveStandardRequest(
        node_id=node_id, job_role=job_role.strip()[:40] or "sales", on=from_date(day)
    )
    return list(ask(clients().standards.ResolveStandard, asked).standards)


@blueprint.post("/standards")
@needs("goals.targets.write", groups=True)
def save() -> Response | tuple[str, int]:
    form, currency = request.form, parts().settings.currency
    definition = next((each for each in metrics() if each.name == form.get("metric")), None)
    value = standards_forms.value_of(form.get("value", ""), definition.unit, currency) if definition else None
    start = is_date(form.get("effective_from", ""))
    end = is_date(form.get("effective_to", ""))
    wrong: dict[str, str] = {}
    rule = targets_pb2.OverrideRule()
    if definition is None:
        wrong["metric"] = _("Choose one of the list.")
    else:
        rule, wrong = standards_forms.rule_of(form, definition.unit, currency)
    if value is None:
        wrong["value"] = _("A number, please; rates in percent.")
    if start is None:
        wrong["effective_from"] = _("A day like 2026-11-23, please.")
    if end is None and form.get("effective_to"):
        wrong["effective_to"] = _("A day like 2026-11-23, please.")
    if wrong or value is None or start is None:
        return page(wrong=wrong), 422
    target = targets_pb2.Target(
        node_id=form.get("node_id", "")[:64],
        job_role=form.get("job_role", "").strip()[:40],
        metric=form.get("metric", ""),
        period_kind=standards_forms.kind_of(form.get("period", ""), definition),
        value=value,
        effective_from=from_date(start),
        effective_to=from_date(end) if end else None,
        reason=form.get("reason", "").strip()[:500],
        rule=rule,
    )
    asked = targets_pb2.SetTargetRequest(request_id=request_id(), target=target)

    def stored() -> targets_pb2.Target:
        return ask(clients().targets.SetTarget, asked).target

    return settled(stored, target)


def settled(
    store: Callable[[], targets_pb2.Target], target: targets_pb2.Target
) -> Response | tuple[str, int]:
    """Set it and say what came of it; a refusal keeps what was typed and names what it conflicts with."""
    try:
        stored = store()
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        fields = {name.rpartition(".")[2]: why for name, why in faults(failure.fields).items()}
        trouble = standards_forms.conflict_words(failure, target, me().directory)
        return page(trouble=trouble, wrong=fields), status_of(failure)
    if stored.state == _STATE.TARGET_STATE_PENDING:
        flash(_("Handed in. It has no effect until somebody else approves it."))
        return redirect(url_for("standards.pending"), 303)
    flash(_("Saved. It holds from that day on, for everybody below who has none of their own."))
    return redirect(url_for("standards.overview"), 303)


@blueprint.post("/standards/<target_id>/end")
@needs("goals.targets.write", groups=True)
def end(target_id: str) -> Response | tuple[str, int]:
    day = is_date(request.form.get("effective_to", "")) or today()
    asked = targets_pb2.EndTargetRequest(
        request_id=request_id(),
        target_id=target_id,
        effective_to=from_date(day),
        reason=request.form.get("reason", "").strip()[:500],
    )
    try:
        ended = ask(clients().targets.EndTarget, asked).target
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        return page(trouble=standards_forms.conflict_words(failure, targets_pb2.Target(), me().directory)), (
            status_of(failure)
        )
    if ended.state == _STATE.TARGET_STATE_WITHDRAWN:
        flash(_("Taken back. It never had an effect."))
        return redirect(url_for("standards.pending"), 303)
    flash(_("Ended. What is set above holds again."))
    return redirect(url_for("standards.overview"), 303)


@blueprint.get("/standards/pending")
@needs("goals.targets.write", groups=True)
def pending() -> str:
    return _pending()


def _proposals() -> list[targets_pb2.Target]:
    """Those that wait, then those refused last."""
    refused = listed(_STATE.TARGET_STATE_REFUSED)
    refused.sort(key=lambda each: each.decided_at.ToNanoseconds(), reverse=True)
    return [*listed(_STATE.TARGET_STATE_PENDING), *refused[:_REFUSED_SHOWN]]


def _pending(trouble: str = "") -> str:
    def load() -> list[dict[str, Any]]:
        rows = []
        for target in _proposals():
            first = to_date(target.effective_from) or today()
            found = resolved(target.node_id, target.job_role, max(first, today()))
            standard = next(
                (
                    each
                    for each in found
                    if each.resolved.target.metric == target.metric
                    and each.resolved.target.period_kind == target.period_kind
                ),
                None,
            )
            rows.append(
                {
                    "target": target,
                    "place": place(me(), target.node_id),
                    "author": name_of(me(), target.author_id),
                    "approver": name_of(me(), target.approver_id),
                    "above": place(me(), target.approval_node_id),
                    "links": chain(standard.resolved, me()) if standard else (),
                    "mine": target.author_id == me().id,
                    "waits": target.state == _STATE.TARGET_STATE_PENDING,
                    "may_decide": target.author_id != me().id
                    and me().covers("goals.targets.approve", target.approval_node_id),
                    "may_withdraw": me().covers("goals.targets.write", target.node_id),
                }
            )
        return rows

    return render_template("standards_pending.html", rows=section(load), trouble=trouble, new_id=new_id)


@blueprint.post("/standards/<target_id>/approve")
@needs("goals.targets.approve", groups=True)
def approve(target_id: str) -> Response | tuple[str, int]:
    asked = standards_pb2.ApproveTargetRequest(
        request_id=request_id(), target_id=target_id, reason=request.form.get("reason", "").strip()[:500]
    )
    return _decided(
        lambda: ask(clients().standards.ApproveTarget, asked).target,
        _("Approved. It holds from its first day on."),
    )


@blueprint.post("/standards/<target_id>/refuse")
@needs("goals.targets.approve", groups=True)
def refuse(target_id: str) -> Response | tuple[str, int]:
    asked = standards_pb2.RefuseTargetRequest(
        request_id=request_id(), target_id=target_id, reason=request.form.get("reason", "").strip()[:500]
    )
    return _decided(
        lambda: ask(clients().standards.RefuseTarget, asked).target,
        _("Refused. It is kept with your reason and has no effect."),
    )


def _decided(decide: Callable[[], targets_pb2.Target], done: str) -> Response | tuple[str, int]:
    try:
        decide()
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        waiting = listed(_STATE.TARGET_STATE_PENDING)
        about = next((each for each in waiting if each.id in request.path), targets_pb2.Target())
        trouble = standards_forms.conflict_words(failure, about, me().directory)
        return _pending(trouble), status_of(failure)
    flash(done)
    return redirect(url_for("standards.pending"), 303)
