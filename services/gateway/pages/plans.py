"""Incentive plans: read back in plain words, checked while they are written."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import metrics_pb2
from foothold.incentives.v1 import parameters_pb2, plans_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import (
    course_titles,
    plan_blocks,
    plan_findings,
    plan_forms,
    plan_numbers,
    plan_reading,
    words,
)
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import to_date
from services.gateway.language import _, ngettext
from services.gateway.me import me
from services.gateway.pages import simulations
from services.gateway.pages.goals import place
from services.gateway.pages.people import groups
from services.gateway.pages.plan_life import first_day
from services.gateway.pages.standards import metrics
from services.gateway.parts import clients, parts, today
from services.gateway.plan_blocks import RuleRow
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("plans", __name__)
_MOST: Final = 1000
_PLAN: Final = re.compile(r"^plan(s\[0\])?\.")
_TRIED_MONTHS: Final = 3


def _load() -> dict[str, Any]:
    answer = ask(clients().plans.ListPlans, plans_pb2.ListPlansRequest(page_size=_MOST))
    directory = me().directory
    ordered = sorted(
        answer.plans, key=lambda plan: (len(directory.ancestors(plan.node_id)), plan.node_id, plan.job_role)
    )
    waiting = plans_pb2.ListPlansRequest(page_size=_MOST, state=plans_pb2.Plan.STATE_DRAFT)
    return {
        "waiting": [
            (plan, directory.node(plan.node_id)) for plan in ask(clients().plans.ListPlans, waiting).plans
        ],
        "numbers": _waiting_numbers(answer.plans),
        "plans": [(plan, directory.node(plan.node_id), plan_reading.read(plan.rules)) for plan in ordered],
        "authors": {person.id: person.name for person in directory.people()},
    }


def _waiting_numbers(plans: Iterable[plans_pb2.Plan]) -> list[tuple[plans_pb2.Plan, list[str]]]:
    """The plans for which branches ask for other numbers and the reader decides; and by place how many."""
    who, now = me(), today()
    waiting = [
        each
        for each in plan_numbers.listed([parameters_pb2.ParameterSetting.STATE_PENDING])
        if each.author_id != who.id and who.covers("incentives.plans.approve", each.plan_node_id)
    ]
    pays = {}
    for plan in sorted(plans, key=first_day):
        start = to_date(plan.effective_from)
        if (key := (plan.node_id, plan.job_role)) not in pays or (start is not None and start <= now):
            pays[key] = plan
    found: dict[tuple[str, str], Counter[str]] = {}
    for each in waiting:
        found.setdefault((each.plan_node_id, each.job_role), Counter())[each.node_id] += 1
    return [
        (pays[key], [_counted(node_id, count) for node_id, count in places.items()])
        for key, places in found.items()
        if key in pays
    ]


def _counted(node_id: str, count: int) -> str:
    return ngettext(
        "%(place)s: %(num)s number of its own",
        "%(place)s: %(num)s numbers of its own",
        count,
        place=place(me(), node_id),
    )


@blueprint.get("/plans")
@needs("incentives.plans.read", groups=True)
def overview() -> str:
    return render_template(
        "plans.html",
        plans=section(_load),
        may_write=bool(me().groups("incentives.plans.write")),
        may_try=bool(me().groups("incentives.plans.simulate")),
    )


@dataclass(frozen=True, slots=True)
class Block:
    """A rule of the form, what it says in plain words, and what was found about it."""

    row: RuleRow
    moves: frozenset[str]
    text: str
    found: list[plans_pb2.PlanFinding]
    wrong: list[str]


def _editor(
    rows: list[RuleRow],
    *,
    undo: str = "",
    trouble: str = "",
    typed: plan_forms.Typed | None = None,
    wrong: dict[str, str] | None = None,
    findings: list[plans_pb2.PlanFinding] | None = None,
) -> str:
    """The form; for a check while it is typed only what is said of it, block by block."""
    checked = from_htmx() and request.form.get("action", "check") == "check"
    about = plan_findings.by_block(findings or (), typed.places if typed else ())
    wrong = wrong or {}
    return render_template(
        "plan_checked.html" if checked else "plan_editor.html",
        form=request.form,
        blocks=[
            Block(
                row,
                plan_blocks.movable(rows, index),
                _said(typed, index),
                about.get(index, []),
                [why for name, why in wrong.items() if name.startswith(f"rule-{index}-")] if checked else [],
            )
            for index, row in enumerate(rows)
        ],
        elsewhere=about.get(plan_findings.ELSEWHERE, []),
        checked=checked,
        undo=undo,
        pays=plan_blocks.PAYS,
        wraps=plan_blocks.WRAPS,
        own=plan_blocks.OWN,
        deepest=plan_blocks.DEEPEST,
        metrics=_payable(),
        courses=[(name, words.metric(name)) for name, _title in course_titles.choices()],
        places=groups("incentives.plans.write"),
        may_try=bool(me().groups("incentives.plans.simulate")),
        job_roles=words.JOB_ROLES,
        trouble=trouble,
        wrong=wrong,
        findings=findings,
        told=plan_findings,
        request_id=new_id(),
        today=today().isoformat(),
    )


def _said(typed: plan_forms.Typed | None, index: int) -> str:
    """A rule in plain words, as soon as it can be read."""
    if typed is None or any(name.startswith(f"rule-{index}-") for name in typed.wrong):
        return ""
    return plan_reading.sentence(typed.rules[index])


def _payable() -> list[metrics_pb2.MetricDefinition]:
    return plan_forms.payable(metrics())


@blueprint.get("/plans/new")
@needs("incentives.plans.write", groups=True)
def new() -> str:
    return _editor([RuleRow()])


@blueprint.post("/plans/new")
@needs("incentives.plans.write", groups=True)
def save() -> Response | str | tuple[str, int]:
    rows = plan_blocks.rows_of(request.form)
    action, undo = request.form.get("action", "check"), request.form.get("undo", "")[:100_000]
    if action not in ("check", "save", "try"):
        rows, undo = plan_blocks.act(rows, action, undo)
        return _editor(rows, undo=undo)
    typed = plan_forms.plan_of(request.form, rows, _payable(), parts().settings.currency)
    if typed.wrong:
        # While it is typed, what is still empty is not wrong yet.
        if from_htmx():
            return _editor(rows, typed=typed, wrong=_begun(typed.wrong))
        return _editor(
            rows,
            undo=undo,
            typed=typed,
            wrong=typed.wrong,
            trouble=_(
                "Something in the form does not fit. Look at the marked fields; what you typed is kept."
            ),
        ), 422
    plan = typed.plan
    try:
        findings = list(ask(clients().plans.CheckPlan, plans_pb2.CheckPlanRequest(plan=plan)).findings)
        errors = any(each.severity == plans_pb2.PlanFinding.SEVERITY_ERROR for each in findings)
        if action == "check" or errors:
            answer = _editor(rows, undo=undo, typed=typed, findings=findings)
            return answer, 422 if errors and not from_htmx() else 200
        if action == "try":
            return _tried(plan)
        created = plans_pb2.CreatePlanRequest(request_id=request_id(), plan=plan)
        made = ask(clients().plans.CreatePlan, created).plan
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        refused = faults({_PLAN.sub("", name): why for name, why in failure.fields.items()})
        return _editor(rows, undo=undo, typed=typed, trouble=message_of(failure), wrong=refused), status_of(
            failure
        )
    flash(_("Proposed: %(title)s. It pays once somebody else has approved it.", title=plan.name))
    return redirect(url_for("plan_life.one", plan_id=made.id), 303)


def _tried(plan: plans_pb2.Plan) -> Response:
    """The draft on the last whole months, where it would hold."""
    first = simulations.months_back(_TRIED_MONTHS)
    made = simulations.start(plan.name, plan.node_id, first, _TRIED_MONTHS, [plan])
    return redirect(url_for("simulations.one", simulation_id=made), 303)


def _begun(wrong: dict[str, str]) -> dict[str, str]:
    """What is wrong with fields that something was typed into."""
    return {name: why for name, why in wrong.items() if request.form.get(name, "").strip()}
