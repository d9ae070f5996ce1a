"""Incentive plans: read back in plain words, checked while they are written."""

from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import metrics_pb2
from foothold.incentives.v1 import plans_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import plan_forms, plan_reading, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.people import groups
from services.gateway.pages.standards import metrics
from services.gateway.parts import clients, parts, today
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sections import section

blueprint = Blueprint("plans", __name__)
_MOST: Final = 1000
_CODES: Final = ("TIER_GAP", "TIER_OVERLAP", "TIER_UNREACHABLE", "PLAN_INVALID")


def _load() -> dict[str, Any]:
    answer = ask(clients().plans.ListPlans, plans_pb2.ListPlansRequest(page_size=_MOST))
    directory = me().directory
    ordered = sorted(
        answer.plans, key=lambda plan: (len(directory.ancestors(plan.node_id)), plan.node_id, plan.job_role)
    )
    return {
        "plans": [(plan, directory.node(plan.node_id), plan_reading.read(plan.rules)) for plan in ordered],
        "authors": {person.id: person.name for person in directory.people()},
    }


@blueprint.get("/plans")
@needs("incentives.plans.read", groups=True)
def overview() -> str:
    return render_template(
        "plans.html", plans=section(_load), may_write=bool(me().groups("incentives.plans.write"))
    )


def _editor(
    *,
    rows: list[plan_forms.RuleRow],
    trouble: str = "",
    wrong: dict[str, str] | None = None,
    findings: list[plans_pb2.PlanFinding] | None = None,
    sentences: list[plan_reading.Reading] | None = None,
) -> str:
    return render_template(
        "plan_checked.html" if from_htmx() else "plan_editor.html",
        form=request.form,
        rows=rows,
        kinds=plan_forms.KINDS,
        metrics=_payable(),
        places=groups("incentives.plans.write"),
        job_roles=words.JOB_ROLES,
        trouble=trouble,
        wrong=wrong or {},
        findings=findings,
        sentences=sentences or [],
        request_id=new_id(),
        today=today().isoformat(),
    )


def _payable() -> list[metrics_pb2.MetricDefinition]:
    return [each for each in metrics() if each.name in plan_forms.PAYABLE]


@blueprint.get("/plans/new")
@needs("incentives.plans.write", groups=True)
def new() -> str:
    return _editor(rows=[plan_forms.RuleRow()])


@blueprint.post("/plans/new")
@needs("incentives.plans.write", groups=True)
def save() -> Response | str | tuple[str, int]:
    rows = plan_forms.rows_of(request.form)
    action = request.form.get("action", "check")
    if action == "add":
        return _editor(rows=[*rows, plan_forms.RuleRow()][:50])
    plan, wrong = plan_forms.plan_of(request.form, rows, _payable(), parts().settings.currency)
    if wrong:
        return _editor(
            rows=rows,
            wrong=wrong,
            trouble=_(
                "Something in the form does not fit. Look at the marked fields; what you typed is kept."
            ),
        ), 422
    try:
        findings = list(ask(clients().plans.CheckPlan, plans_pb2.CheckPlanRequest(plan=plan)).findings)
        sentences = plan_reading.read(plan.rules)
        errors = any(each.severity == plans_pb2.PlanFinding.SEVERITY_ERROR for each in findings)
        if action != "save" or errors:
            return _editor(
                rows=rows, findings=findings, sentences=sentences
            ), 422 if errors and not from_htmx() else 200
        created = plans_pb2.CreatePlanRequest(
            request_id=request.form.get("request_id", "")[:64] or new_id(), plan=plan
        )
        ask(clients().plans.CreatePlan, created)
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        return _editor(rows=rows, trouble=message_of(failure), wrong=faults(failure.fields)), status_of(
            failure
        )
    flash(_("Saved: %(title)s.", title=plan.name))
    return redirect(url_for("plans.overview"), 303)
