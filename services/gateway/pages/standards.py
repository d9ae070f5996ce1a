"""Standards: what is asked of each job role, set at a node, inherited below, overridden with a reason."""

import re
from collections import defaultdict
from fractions import Fraction
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import metrics_pb2, targets_pb2, values_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date
from services.gateway.formats import minor_digits
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date
from services.gateway.pages.people import groups
from services.gateway.parts import clients, parts, today
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section

blueprint = Blueprint("standards", __name__)
_NUMBER: Final = re.compile(r"(\d{1,10})(?:\.(\d{1,4}))?")
_MOST: Final = 1000
PERIODS: Final = {
    "week": values_pb2.PERIOD_KIND_WEEK,
    "month": values_pb2.PERIOD_KIND_MONTH,
    "quarter": values_pb2.PERIOD_KIND_QUARTER,
}


def metrics() -> list[metrics_pb2.MetricDefinition]:
    """Every metric, in the order people read them."""
    return list(ask(clients().metrics.ListMetrics, metrics_pb2.ListMetricsRequest()).metrics)


def number(text: str) -> Fraction | None:
    """A plain decimal number, exact; None for anything else."""
    found = _NUMBER.fullmatch(text.strip().replace(",", ""))
    if found is None:
        return None
    places = found[2] or ""
    return Fraction(int(found[1] + places), 10 ** len(places))


def value_of(text: str, unit: values_pb2.Unit.ValueType) -> values_pb2.Value | None:
    """What was typed, in the metric's unit: rates in percent, money in the currency's main unit."""
    typed = number(text)
    if typed is None:
        return None
    currency = ""
    if unit == values_pb2.UNIT_RATE:
        typed /= 100
    elif unit == values_pb2.UNIT_MONEY:
        currency = parts().settings.currency
        typed *= 10 ** minor_digits(currency)
    return values_pb2.Value(
        unit=unit,
        numerator=typed.numerator,
        denominator=typed.denominator,
        currency=currency,
    )


def _load() -> dict[str, Any]:
    answer = ask(clients().targets.ListTargets, targets_pb2.ListTargetsRequest(page_size=_MOST))
    directory = me().directory
    day = today()
    by_node: dict[str, list[targets_pb2.Target]] = defaultdict(list)
    for target in answer.targets:
        end = target.effective_to
        if not end.year or (end.year, end.month, end.day) > (day.year, day.month, day.day):
            by_node[target.node_id].append(target)
    ordered = sorted(by_node, key=lambda node: (len(directory.ancestors(node)), node))
    return {
        "groups": [
            (node, directory.node(node), len(directory.ancestors(node)), by_node[node]) for node in ordered
        ],
        "metrics": metrics(),
        "authors": {person.id: person.name for person in directory.people()},
    }


@blueprint.get("/standards")
@needs("goals.targets.write", groups=True)
def overview() -> str:
    return _page()


def _page(*, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    return render_template(
        "standards.html",
        standards=section(_load),
        places=groups("goals.targets.write"),
        trouble=trouble,
        wrong=wrong or {},
        form=request.form,
        request_id=new_id(),
        today=today().isoformat(),
        job_roles=words.JOB_ROLES,
        editable=set(groups("goals.targets.write")),
    )


@blueprint.post("/standards")
@needs("goals.targets.write", groups=True)
def save() -> Response | tuple[str, int]:
    form = request.form
    definition = next((each for each in metrics() if each.name == form.get("metric")), None)
    value = value_of(form.get("value", ""), definition.unit) if definition else None
    start = is_date(form.get("effective_from", ""))
    wrong: dict[str, str] = {}
    if definition is None:
        wrong["metric"] = _("Choose one of the list.")
    if value is None:
        wrong["value"] = _("A number, please; rates in percent.")
    if start is None:
        wrong["effective_from"] = _("A day like 2026-11-23, please.")
    if wrong or value is None or start is None:
        return _page(wrong=wrong), 422
    target = targets_pb2.Target(
        node_id=form.get("node_id", "")[:64],
        job_role=form.get("job_role", "").strip()[:40],
        metric=form.get("metric", ""),
        period_kind=PERIODS.get(form.get("period", ""), values_pb2.PERIOD_KIND_MONTH),
        value=value,
        effective_from=from_date(start),
        reason=form.get("reason", "").strip()[:500],
    )
    asked = targets_pb2.SetTargetRequest(
        request_id=form.get("request_id", "")[:64] or new_id(), target=target
    )
    try:
        ask(clients().targets.SetTarget, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        fields = {name.rpartition(".")[2]: why for name, why in faults(failure.fields).items()}
        return _page(trouble=message_of(failure), wrong=fields), status_of(failure)
    flash(_("Saved. It holds from that day on, for everybody below who has none of their own."))
    return redirect(url_for("standards.overview"), 303)


@blueprint.post("/standards/<target_id>/end")
@needs("goals.targets.write", groups=True)
def end(target_id: str) -> Response | tuple[str, int]:
    day = is_date(request.form.get("effective_to", "")) or today()
    asked = targets_pb2.EndTargetRequest(
        request_id=request.form.get("request_id", "")[:64] or new_id(),
        target_id=target_id,
        effective_to=from_date(day),
        reason=request.form.get("reason", "").strip()[:500],
    )
    try:
        ask(clients().targets.EndTarget, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        return _page(trouble=message_of(failure)), status_of(failure)
    flash(_("Ended. What is set above holds again."))
    return redirect(url_for("standards.overview"), 303)
