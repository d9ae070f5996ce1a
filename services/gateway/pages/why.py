"""Why this number? The rule, where the target comes from, and the facts, in plain lines."""

from collections.abc import Iterable

from flask import Blueprint, abort, render_template, request
from foothold.goals.v1 import progress_pb2, values_pb2
from foothold.incentives.v1 import statements_pb2

from services.gateway import trace
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date
from services.gateway.me import me
from services.gateway.pages.goals import chain, is_date
from services.gateway.parts import clients
from services.gateway.past import past
from services.gateway.problems import from_htmx

blueprint = Blueprint("why", __name__)
PERIODS = {
    "day": values_pb2.PERIOD_KIND_DAY,
    "week": values_pb2.PERIOD_KIND_WEEK,
    "month": values_pb2.PERIOD_KIND_MONTH,
    "quarter": values_pb2.PERIOD_KIND_QUARTER,
}
_FACTS = 30


@blueprint.get("/why/<person_id>/progress/<metric>/<period>")
@needs("goals.progress.read")
def progress(person_id: str, metric: str, period: str) -> str:
    if period not in PERIODS:
        abort(404)
    asked = progress_pb2.ExplainProgressRequest(
        person_id=person_id,
        metric=metric[:40],
        period_kind=PERIODS[period],
        page_size=_FACTS,
        page_token=request.args.get("page", "")[:2000],
    )
    past().ask(asked)
    answer = ask(clients().progress.ExplainProgress, asked)
    who = me()
    person = who.directory.person(person_id)
    template = "why_progress_body.html" if from_htmx() else "why_progress.html"
    if from_htmx() and request.args.get("page"):
        template = "why_facts.html"
    return render_template(
        template,
        answer=answer,
        person=person,
        person_id=person_id,
        metric=metric,
        period=period,
        components=list(zip(answer.components, answer.component_values, strict=False)),
        links=chain(answer.target.target, who) if answer.HasField("target") else [],
        mine=person_id == who.id,
    )


@blueprint.get("/why/<person_id>/line/<rule_id>")
@needs("incentives.statements.read")
def line(person_id: str, rule_id: str) -> str:
    on = is_date(request.args.get("on", ""))
    asked = statements_pb2.ExplainLineRequest(
        person_id=person_id, rule_id=rule_id[:40], on=from_date(on) if on else None
    )
    answer = ask(clients().statements.ExplainLine, asked)
    who = me()
    template = "why_line_body.html" if from_htmx() else "why_line.html"
    return render_template(
        template,
        answer=answer,
        person=who.directory.person(person_id),
        person_id=person_id,
        places=_names(answer.plan_node_ids),
        units=_names(answer.person_node_ids),
        steps=trace.lines(answer),
        mine=person_id == who.id,
    )


def _names(node_ids: Iterable[str]) -> list[str]:
    directory = me().directory
    return [node.name for each in node_ids if (node := directory.node(each))]
