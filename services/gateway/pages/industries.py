"""Industries: one in full, and adopting it."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import industries_pb2, metric_library_pb2, metrics_pb2
from werkzeug.wrappers import Response as BaseResponse

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import industry_words, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date
from services.gateway.pages.people import groups
from services.gateway.parts import clients, parts, today
from services.gateway.problems import message_of, status_of
from services.gateway.sections import at_once, section
from services.gateway.sending import request_id
from services.gateway.standards_forms import value_of

blueprint = Blueprint("industries", __name__)
_RESULT: Final = industries_pb2.AdoptionResult
_EVIDENCE_DAYS: Final = 90


def may_adopt() -> bool:
    """Whether the reader may define metrics, which belong to the enterprise."""
    return me().directory.root_id in me().nodes("goals.metrics.write")


@dataclass(frozen=True, slots=True)
class _Row:
    """A KPI on the page: its number in the form, what it is measured by, and what became of it."""

    number: int
    kpi: industries_pb2.IndustryKpi
    metric: industries_pb2.IndustryMetric
    rule: str
    parts: list[str]
    evidence: list[str]
    chosen: bool
    value: str
    outcome: tuple[str, str] | None


@blueprint.get("/industries/<industry_id>")
@needs("goals.metrics.read", groups=True)
def show(industry_id: str) -> str:
    return _page(_read(industry_id))


def _read(industry_id: str) -> industries_pb2.GetIndustryResponse:
    return ask(clients().industries.GetIndustry, industries_pb2.GetIndustryRequest(industry_id=industry_id))


def _page(
    found: industries_pb2.GetIndustryResponse,
    *,
    trouble: str = "",
    wrong: dict[str, str] | None = None,
    results: dict[int, industries_pb2.AdoptionResult] | None = None,
    evidence: dict[str, str] | None = None,
    done: bool = False,
) -> str:
    currency = parts().settings.currency
    metrics = {each.definition.name: each for each in found.metrics}
    rows = []
    for number, kpi in enumerate(found.kpis):
        metric, result = metrics[kpi.metric], (results or {}).get(number)
        sample = industry_words.typed(kpi.value, currency)
        rows.append(
            _Row(
                number,
                kpi,
                metric,
                industry_words.rule(metric.definition, metrics),
                industry_words.parts(metric.definition, metrics),
                [
                    (evidence or {})[name]
                    for name in (kpi.metric, metric.definition.numerator, *metric.definition.denominators)
                    if result and name in (evidence or {})
                ],
                str(number) in request.form.getlist("kpi"),
                request.form.get(f"value-{number}", sample),
                result
                and industry_words.outcome(result, kpi.value.unit, currency, me().directory, done=done),
            )
        )
    return render_template(
        "industry.html",
        industry=found.industry,
        stages=found.stages,
        rows=rows,
        industry_words=industry_words,
        may_adopt=may_adopt(),
        places=groups("goals.targets.write"),
        job_roles=words.JOB_ROLES,
        form=request.form,
        wrong=wrong or {},
        trouble=trouble,
        looked=results is not None,
        done=done,
        request_id=new_id(),
        today=today().isoformat(),
    )


@blueprint.post("/industries/<industry_id>/adopt")
@needs("goals.metrics.write", groups=True)
def adopt(industry_id: str) -> BaseResponse | str | tuple[str, int]:
    """Adopt the chosen KPIs; with the action `look` only say what would come of it."""
    found, form = _read(industry_id), request.form
    look = form.get("action") == "look"
    currency = parts().settings.currency
    chosen = [number for number in range(len(found.kpis)) if str(number) in form.getlist("kpi")]
    day = is_date(form.get("effective_from", ""))
    wrong: dict[str, str] = {}
    asked = industries_pb2.AdoptIndustryRequest(
        request_id=request_id(),
        validate_only=look,
        industry_id=industry_id,
        node_id=form.get("node_id", "")[:64],
        job_role=form.get("job_role", "").strip()[:40],
        reason=form.get("reason", "").strip()[:500],
    )
    for number in chosen:
        kpi = found.kpis[number]
        value = value_of(form.get(f"value-{number}", ""), kpi.value.unit, currency)
        if value is None:
            wrong[f"value-{number}"] = _("A number, please; rates in percent.")
        asked.kpis.add(metric=kpi.metric, period_kind=kpi.period_kind, value=value)
    if day is None:
        wrong["effective_from"] = _("A day like 2026-11-23, please.")
    else:
        asked.effective_from.CopyFrom(from_date(day))
    if not chosen:
        return _page(found, trouble=_("Choose at least one KPI."), wrong=wrong), 422
    if wrong:
        return _page(found, wrong=wrong), 422
    try:
        answer = ask(clients().industries.AdoptIndustry, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        return _page(found, trouble=message_of(failure), wrong=_by_field(failure, chosen)), status_of(failure)
    results = dict(zip(chosen, answer.results, strict=True))
    if look:
        return _page(found, results=results, evidence=_evidence(found, chosen, asked.node_id))
    if any(each.outcome == _RESULT.OUTCOME_REFUSED for each in results.values()):
        return _page(found, results=results, done=True)
    waiting = any(each.outcome == _RESULT.OUTCOME_PROPOSED for each in results.values())
    flash(
        _("Adopted. What needs approval waits for it; everything else holds from that day on.")
        if waiting
        else _("Adopted. The targets are set; new metrics show once their values are computed.")
    )
    return redirect(url_for("industries.show", industry_id=industry_id), 303)


def _evidence(found: industries_pb2.GetIndustryResponse, chosen: list[int], node_id: str) -> dict[str, str]:
    """Of the metrics that would be defined: how many of the facts there are would count, by the metric's name.

    What a CRM does not tell cannot be counted; that is better known before than wondered at afterwards.
    """
    by_name = {each.definition.name: each for each in found.metrics}
    picked = [by_name[found.kpis[number].metric].definition for number in chosen]
    names = {name for each in picked for name in (each.name, each.numerator, *each.denominators) if name}
    tried = [
        each.definition
        for name in sorted(names)
        if (each := by_name.get(name))
        and each.standing == each.STANDING_MISSING
        and not each.definition.numerator
    ]

    def preview(definition: metrics_pb2.MetricDefinition) -> str:
        asked = metric_library_pb2.PreviewMetricRequest(
            definition=definition,
            to=from_date(today() + timedelta(days=1)),
            node_id=node_id,
            group_by=metrics_pb2.GROUP_BY_BRANCH,
        )
        getattr(asked, "from").CopyFrom(from_date(today() - timedelta(days=_EVIDENCE_DAYS)))
        return industry_words.evidence(
            definition, ask(clients().library.PreviewMetric, asked), days=_EVIDENCE_DAYS
        )

    told = at_once(partial(section, partial(preview, each)) for each in tried)
    return {each.name: said.content or said.trouble for each, said in zip(tried, told, strict=True)}


def _by_field(failure: Failure, chosen: list[int]) -> dict[str, str]:
    """What is wrong by the form's fields: `kpis[1].value` is that of the second one chosen."""
    wrong: dict[str, str] = {}
    for name, why in faults(failure.fields).items():
        place, _dot, field = name.partition("].")
        number = place.removeprefix("kpis[")
        if field and number.isdigit() and int(number) < len(chosen):
            wrong[f"value-{chosen[int(number)]}"] = why
        else:
            wrong[name] = why
    return wrong
