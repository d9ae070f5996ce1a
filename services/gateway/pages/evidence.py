"""Evidence: what earlier newcomers reached, beside where a target is set; and how two ranges or groups compare."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, render_template, request
from foothold.goals.v1 import evidence_pb2

from services.gateway import formats, standards_forms, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import exact, from_date, to_date
from services.gateway.language import TAGS, _, language
from services.gateway.me import me
from services.gateway.pages.goals import is_date, place
from services.gateway.pages.people import groups
from services.gateway.pages.standards import metrics
from services.gateway.parts import clients, parts, today
from services.gateway.sections import section

blueprint = Blueprint("evidence", __name__)
_MONTHS: Final = 12
_VENDOR: Final = evidence_pb2.Benchmark.KIND_VENDOR_CLAIM


@blueprint.get("/standards/evidence")
@needs("goals.targets.write", groups=True)
def suggested() -> str:
    """Quartiles by month of tenure, each to be taken over into the form; and figures of others with their source."""
    args = {
        "metric": request.args.get("metric", "")[:40] or "customers_followed",
        "job_role": request.args.get("job_role", "").strip()[:40] or "sales",
        "node_id": request.args.get("node_id", "")[:64],
    }

    def load() -> dict[str, Any]:
        asked = evidence_pb2.SuggestTargetsRequest(months=_MONTHS, **args)
        answer = ask(clients().evidence.SuggestTargets, asked)
        last = max((each.month for each in answer.months if each.n), default=1)
        return {"answer": answer, "months": answer.months[:last], "choices": metrics()}

    return render_template(
        "evidence_suggested.html",
        found=section(load),
        asked=args,
        places=groups("goals.targets.write"),
        where=place(me(), args["node_id"]) if args["node_id"] else _("all you may see"),
        job_roles=words.JOB_ROLES,
        said_by=lambda row: row.sources.get(TAGS[language()], ""),
        typed=lambda value: standards_forms.as_typed(value, parts().settings.currency),
        claimed=_VENDOR,
        days_of=_days,
    )


def _days(month: evidence_pb2.TenureMonth) -> str:
    first, end = to_date(getattr(month, "from")), to_date(month.to)
    return formats.span(first, end, language()) if first and end else ""


@blueprint.get("/compare")
@needs("goals.metrics.read", groups=True)
def compare() -> str:
    """One metric over two ranges, or of two groups."""
    form = _asked(request.args)
    wrong: dict[str, str] = {}
    sides = [_side(form, name, wrong) for name in ("before", "after")]

    def load() -> evidence_pb2.CompareFiguresResponse:
        before, after = (each for each in sides if each is not None)
        asked = evidence_pb2.CompareFiguresRequest(metric=form["metric"][:40], before=before, after=after)
        return ask(clients().evidence.CompareFigures, asked)

    found = section(load) if not wrong else None
    return render_template(
        "evidence_compare.html",
        form=form,
        wrong=wrong,
        found=found,
        chance=_chance(found.content) if found and found.content else False,
        choices=section(metrics),
        places=groups("goals.metrics.read"),
    )


def _chance(answer: evidence_pb2.CompareFiguresResponse) -> bool:
    """Whether the interval holds 0."""
    low, high = exact(answer.interval.low), exact(answer.interval.high)
    return answer.HasField("interval") and low is not None and high is not None and low <= 0 <= high


def _asked(args: Mapping[str, str]) -> dict[str, str]:
    """What the form says; at first this month beside the whole month before."""
    first = today().replace(day=1)
    earlier = (first - timedelta(days=1)).replace(day=1)
    at_first = {
        "metric": "close_rate",
        "before_from": earlier.isoformat(),
        "before_until": (first - timedelta(days=1)).isoformat(),
        "before_node": "",
        "after_from": first.isoformat(),
        "after_until": today().isoformat(),
        "after_node": "",
    }
    return {name: args.get(name, value) for name, value in at_first.items()}


def _side(form: dict[str, str], name: str, wrong: dict[str, str]) -> evidence_pb2.ComparedSide | None:
    """A side as the form says it, its last day included; what is wrong with it by field."""
    days: list[date | None] = [is_date(form[f"{name}_{end}"]) for end in ("from", "until")]
    for end, day in zip(("from", "until"), days, strict=True):
        if day is None:
            wrong[f"{name}_{end}"] = _("A day like 2026-11-23, please.")
    first, last = days
    if first is None or last is None:
        return None
    if last < first:
        wrong[f"{name}_until"] = _("It must not be before the first day.")
        return None
    return evidence_pb2.ComparedSide(
        to=from_date(last + timedelta(days=1)),
        node_id=form[f"{name}_node"][:64],
        **{"from": from_date(first)},  # a keyword of Python
    )
