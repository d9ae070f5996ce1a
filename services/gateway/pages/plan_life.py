"""One plan: read, approved or rejected by a second person, and who of those it pays has acknowledged it."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Final, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import plan_life_pb2, plans_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import formats, plan_findings, plan_numbers, plan_reading
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import name_of, place
from services.gateway.parts import clients
from services.gateway.plan_changes import Change, changes
from services.gateway.problems import message_of, status_of
from services.gateway.sections import Section, section
from services.gateway.sending import request_id
from services.gateway.spreadsheets import download

blueprint = Blueprint("plan_life", __name__)
_READ: Final = "incentives.plans.read"
_SHOWN: Final = 50
_MOST: Final = 1000


class _Readers(NamedTuple):
    """Whom a plan applies to, a page of them, and how many of all have acknowledged it."""

    rows: list[tuple[str, plan_life_pb2.Acknowledgement]]
    people: int
    acknowledged: int
    next_page: str


@blueprint.get("/plans/<plan_id>")
@needs(_READ, groups=True)
def one(plan_id: str) -> str:
    return _page(plan_id)


@blueprint.post("/plans/<plan_id>/approve")
@needs("incentives.plans.approve", groups=True)
def approve(plan_id: str) -> Response | tuple[str, int]:
    asked = plan_life_pb2.ApprovePlanRequest(request_id=request_id(), plan_id=plan_id)
    try:
        plan = ask(clients().plan_life.ApprovePlan, asked).plan
    except Failure as failure:
        return _refused(plan_id, failure)
    flash(
        _(
            "Approved: %(title)s. It pays from its first day on; those it pays are asked to read it.",
            title=plan.name,
        )
    )
    return redirect(url_for("plan_life.one", plan_id=plan_id), 303)


@blueprint.post("/plans/<plan_id>/reject")
@needs("incentives.plans.write", groups=True)
def reject(plan_id: str) -> Response | tuple[str, int]:
    reason = request.form.get("reason", "").strip()[:500]
    if not reason:
        return _page(plan_id, wrong={"reason": _("Say why; it is kept with your name.")}), 422
    asked = plan_life_pb2.RejectPlanRequest(request_id=request_id(), plan_id=plan_id, reason=reason)
    try:
        plan = ask(clients().plan_life.RejectPlan, asked).plan
    except Failure as failure:
        return _refused(plan_id, failure)
    flash(_("Not put in force: %(title)s. It stays here to be read.", title=plan.name))
    return redirect(url_for("plan_life.one", plan_id=plan_id), 303)


@blueprint.get("/plans/<plan_id>/acknowledged.csv")
@needs(_READ, groups=True)
def acknowledged(plan_id: str) -> Response:
    head = [_("Name"), _("Employee number"), _("Where"), _("Read and acknowledged")]
    return download("acknowledged.csv", head, _csv_rows(_everybody(plan_id)))


def _everybody(plan_id: str) -> Iterator[plan_life_pb2.Acknowledgement]:
    token = ""
    while True:
        page = _ask_readers(plan_id, _MOST, token)
        yield from page.acknowledgements
        token = page.next_page_token
        if not token:
            return


@blueprint.post("/bonus/plan")
@needs("incentives.plans.acknowledge", own=True)
def acknowledge() -> Response:
    asked = plan_life_pb2.AcknowledgePlanRequest(
        request_id=request_id(),
        plan_id=request.form.get("plan_id", "")[:64],
        digest=request.form.get("digest", "")[:64],
    )
    try:
        ask(clients().plan_life.AcknowledgePlan, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        flash(_("This plan has changed meanwhile. Please read what applies now."))
    else:
        flash(_("Noted, with the time and exactly what you read."))
    return redirect(url_for("bonus.statement"), 303)


class OwnPlan(NamedTuple):
    """A plan that applies to the reader, in plain words."""

    told: plan_life_pb2.PersonPlan
    sentences: list[plan_reading.Reading]
    coming: bool

    @property
    def numbers(self) -> list[str]:
        """Which of its numbers the reader's branch or department has set."""
        return [
            plan_numbers.differing(each, place(me(), each.node_id) if each.node_id else "")
            for each in self.told.plan.numbers
        ]

    @property
    def waits(self) -> bool:
        """Whether the reader has yet to say that they have read it."""
        return not self.told.HasField("acknowledged_at")


def own_plans() -> list[OwnPlan]:
    """What pays the reader today and what comes next."""
    answer = ask(clients().plan_life.GetPersonPlans, plan_life_pb2.GetPersonPlansRequest(person_id=me().id))
    return [
        OwnPlan(getattr(answer, name), plan_reading.read(getattr(answer, name).plan.rules), name == "next")
        for name in ("current", "next")
        if answer.HasField(name)
    ]


def _page(plan_id: str, *, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    who = me()
    plan = ask(clients().plans.GetPlan, plans_pb2.GetPlanRequest(plan_id=plan_id)).plan
    draft = plan.state == plans_pb2.Plan.STATE_DRAFT
    own = plan.author_id == who.id
    return render_template(
        "plan.html",
        plan=plan,
        here=place(who, plan.node_id),
        sentences=plan_reading.read(plan.rules),
        states=plans_pb2.Plan,
        numbers=plan_numbers.numbers(plan),
        differing=plan_numbers.differing,
        author=name_of(who, plan.author_id),
        decider=name_of(who, plan.decided_by) if plan.decided_by else "",
        before=section(lambda: _before(plan)) if draft else None,
        findings=section(lambda: _findings(plan)) if draft else None,
        told=plan_findings,
        readers=_readers(plan) if plan.state == plans_pb2.Plan.STATE_APPROVED else None,
        paged=bool(request.args.get("page")),
        may_approve=draft and not own and who.covers("incentives.plans.approve", plan.node_id),
        may_reject=draft and who.covers("incentives.plans.write", plan.node_id),
        own=own,
        trouble=trouble,
        wrong=wrong or {},
        form=request.form,
        request_id=new_id(),
    )


def _before(plan: plans_pb2.Plan) -> tuple[plans_pb2.Plan | None, list[Change]]:
    """The plan that this one would follow at its node, and what changes."""
    asked = plans_pb2.ListPlansRequest(node_id=plan.node_id, job_role=plan.job_role, page_size=_MOST)
    earlier = [
        each for each in ask(clients().plans.ListPlans, asked).plans if first_day(each) < first_day(plan)
    ]
    before = max(earlier, key=first_day, default=None)
    return before, changes(before.rules if before is not None else (), plan.rules)


def first_day(plan: plans_pb2.Plan) -> tuple[int, int, int]:
    """The day a plan holds from, to order plans by."""
    return plan.effective_from.year, plan.effective_from.month, plan.effective_from.day


def _findings(plan: plans_pb2.Plan) -> list[plans_pb2.PlanFinding]:
    asked = plans_pb2.Plan()
    asked.CopyFrom(plan)
    return list(ask(clients().plans.CheckPlan, plans_pb2.CheckPlanRequest(plan=asked)).findings)


def _readers(plan: plans_pb2.Plan) -> Section[_Readers]:
    def load() -> _Readers:
        found = _ask_readers(plan.id, _SHOWN, request.args.get("page", "")[:2000])
        rows = [(name_of(me(), each.person_id), each) for each in found.acknowledgements]
        return _Readers(rows, found.people, found.acknowledged, found.next_page_token)

    return section(load)


def _ask_readers(plan_id: str, size: int, token: str) -> plan_life_pb2.ListAcknowledgementsResponse:
    asked = plan_life_pb2.ListAcknowledgementsRequest(plan_id=plan_id, page_size=size, page_token=token)
    return ask(clients().plan_life.ListAcknowledgements, asked)


def _csv_rows(found: Iterable[plan_life_pb2.Acknowledgement]) -> Iterator[list[str]]:
    directory = me().directory
    for each in found:
        person = directory.person(each.person_id)
        if person is not None:
            told = each.acknowledged_at.ToDatetime(UTC).strftime("%Y-%m-%d %H:%M UTC")
            cells = (person.name, person.employee_number, place(me(), person.parent_id))
            yield [*map(formats.cell, cells), told if each.HasField("acknowledged_at") else ""]


def _refused(plan_id: str, failure: Failure) -> tuple[str, int]:
    if status_of(failure) in (401, 403, 404):
        raise failure
    return _page(plan_id, trouble=message_of(failure)), status_of(failure)
