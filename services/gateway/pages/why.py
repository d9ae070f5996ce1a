"""Why this number? The rule, where the target comes from, and the facts, in plain lines."""

from collections.abc import Iterable

from flask import Blueprint, abort, render_template, request
from foothold.goals.v1 import progress_pb2
from foothold.incentives.v1 import statements_pb2

from services.gateway import asked, goal_chains, goal_words, plan_numbers, trace
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, to_date
from services.gateway.me import Me, me
from services.gateway.pages.goals import chain, is_date, name_of, place
from services.gateway.parts import clients
from services.gateway.past import past
from services.gateway.problems import from_htmx
from services.gateway.sections import section
from services.gateway.standards_forms import PERIODS

blueprint = Blueprint("why", __name__)
_FACTS = 30


@blueprint.get("/why/<person_id>/progress/<metric>/<period>")
@needs("goals.progress.read")
def progress(person_id: str, metric: str, period: str) -> str:
    if period not in PERIODS:
        abort(404)
    wanted = progress_pb2.ExplainProgressRequest(
        person_id=person_id,
        metric=metric[:40],
        period_kind=PERIODS[period],
        page_size=_FACTS,
        page_token=request.args.get("page", "")[:2000],
    )
    past().ask(wanted)
    answer = ask(clients().progress.ExplainProgress, wanted)
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
        asked_lines=_asked_lines(answer.target, who) if answer.HasField("target") else [],
        origins=section(lambda: _origins(person_id, answer)),
        goals=goal_words,
        name_of=lambda id: name_of(who, id),
        mine=person_id == who.id,
    )


def _origins(person_id: str, answer: progress_pb2.ExplainProgressResponse) -> list[goal_chains.Origin]:
    """The person's goals about the same figure in the same period, with where they come from."""
    first = to_date(answer.period.first_day)
    kind = answer.period.kind
    return goal_chains.origins(person_id, first, metric=answer.definition.name, kind=kind) if first else []


@blueprint.get("/why/<person_id>/line/<rule_id>")
@needs("incentives.statements.read")
def line(person_id: str, rule_id: str) -> str:
    on = is_date(request.args.get("on", ""))
    wanted = statements_pb2.ExplainLineRequest(
        person_id=person_id, rule_id=rule_id[:40], on=from_date(on) if on else None
    )
    back = past()
    if back.at is not None:
        wanted.on.CopyFrom(from_date(on or back.day))
        if back.then:
            wanted.known_at.CopyFrom(back.told)
    answer = ask(clients().statements.ExplainLine, wanted)
    who = me()
    template = "why_line_body.html" if from_htmx() else "why_line.html"
    return render_template(
        template,
        answer=answer,
        person=who.directory.person(person_id),
        person_id=person_id,
        places=_names(answer.plan_node_ids),
        numbers=[plan_numbers.differing(each, place(who, each.node_id)) for each in answer.numbers],
        units=_names(answer.person_node_ids),
        steps=trace.lines(answer),
        mine=person_id == who.id,
        disputable=person_id == who.id and back.at is None and who.own("incentives.disputes.open"),
    )


def _asked_lines(target: progress_pb2.TargetProgress, who: Me) -> list[str]:
    nodes = {target.target.target.node_id, *(step.node_id for step in target.adjustments)}
    places = {node_id: place(who, node_id) for node_id in nodes if node_id}
    return asked.lines(target, places, name_of(who, target.target.target.author_id))


def _names(node_ids: Iterable[str]) -> list[str]:
    directory = me().directory
    return [node.name for each in node_ids if (node := directory.node(each))]
