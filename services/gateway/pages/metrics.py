"""The metric library: what is measured and how, for everybody; defined and taken out of use by those who may."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import metric_library_pb2
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import metric_forms, metric_preview, metric_words, words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.metric_forms import Form
from services.gateway.metric_preview import Preview
from services.gateway.pages.goals import is_date, name_of
from services.gateway.pages.people import groups
from services.gateway.pages.standards import metrics
from services.gateway.parts import clients, parts, today
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("metrics", __name__)
Version = metric_library_pb2.MetricVersion
_WRITE: Final = "goals.metrics.write"
_MOST: Final = 1_000
_NEW: Final = "new"
_LONGEST_NUMBER: Final = 9


def _versions(name: str, *, most: int = _MOST) -> list[Version]:
    """A metric's versions, newest first; without a name the newest of every metric, built-in ones first."""
    asked = metric_library_pb2.ListMetricVersionsRequest(metric=name, page_size=most)
    return list(ask(clients().library.ListMetricVersions, asked).versions)


def _may_write() -> bool:
    return me().covers(_WRITE, me().directory.root_id)


def _fits(version: Version, query: str) -> bool:
    told = version.definition
    texts = (
        told.name,
        *told.titles.values(),
        words.metric(told.name),
        words.rule(told.name, told.description),
    )
    return all(word in " ".join(texts).casefold() for word in query.casefold().split())


@blueprint.get("/metrics")
@needs("goals.metrics.read")
def overview() -> str:
    query = request.args.get("q", "").strip()[:100]

    def load() -> list[Version]:
        return [each for each in _versions("") if _fits(each, query)]

    return render_template(
        "metrics_list.html" if from_htmx() else "metrics.html",
        found=section(load),
        says=metric_words,
        may_write=_may_write(),
    )


@blueprint.get("/metrics/<name>")
@needs("goals.metrics.read")
def show(name: str) -> str:
    versions = _versions(name)
    if not versions[0].version or not _may_write():
        return render_template(
            "metric.html", name=name, may_define=_may_write(), may_write=False, **_shown(versions)
        )
    wanted = request.args.get("version", "")
    start = next((each for each in versions if str(each.version) == wanted), versions[0])
    return _editor(_form(start), name=name, versions=versions)


def _form(version: Version | None = None) -> Form:
    """What is typed so far: a version to go on from, or follow-ups counted."""
    form: Form = MultiDict({"aggregation": "count", "kind": "follow_up"})
    if version is not None:
        form = metric_forms.form_of(version.definition, parts().settings.currency)
    form.update({**metric_preview.range_of(today()), "effective_from": today().isoformat()})
    return form


@blueprint.get("/metrics/<name>/state")
@needs("goals.metrics.read")
def state(name: str) -> str:
    """How far its values are computed; asked for again while they are."""
    newest = _versions(name, most=1)[0]
    return render_template("metric_state.html", newest=newest, says=metric_words)


def _shown(versions: list[Version]) -> dict[str, Any]:
    """What the page of a metric says, whoever reads it."""
    currency = parts().settings.currency
    return {
        "versions": versions,
        "newest": versions[0],
        "rule_of": lambda version: metric_words.rule(version.definition, currency),
        "says": metric_words,
        "author_of": lambda version: name_of(me(), version.author_id),
    }


def _editor(
    form: Form,
    *,
    name: str = "",
    versions: list[Version] | None = None,
    trouble: str = "",
    wrong: dict[str, str] | None = None,
    newer: Version | None = None,
    seen: Preview | None = None,
) -> str:
    """The form with what is typed. `newer` is the version somebody else has stored meanwhile."""
    parts_of_ratios = [
        each
        for each in metrics()
        if each.aggregation not in metric_forms.RATIOS and not each.rolling_days and each.name != name
    ]
    replaces = form.get("replaces") or str(versions[0].version if versions else 0)
    return render_template(
        "metric_editor.html",
        form=form,
        forms=metric_forms,
        name=name,
        replaces=replaces,
        trouble=trouble,
        wrong=wrong or {},
        newer=newer,
        preview=seen,
        metrics=parts_of_ratios,
        aggregations=_options(metric_forms.AGGREGATIONS, metric_words.COUNTED),
        directions=_options(metric_forms.DIRECTIONS, metric_words.DIRECTIONS),
        novelties=_options(metric_forms.NOVELTIES, metric_words.NOVELTIES),
        windows=metric_words.WINDOWS,
        units=_options(metric_forms.UNITS, metric_words.UNITS),
        groups=_options(metric_forms.GROUPS, metric_words.GROUPS),
        places=groups("goals.metrics.read"),
        request_id=new_id(),
        currency=parts().settings.currency,
        may_write=True,
        **(_shown(versions) if versions else {"says": metric_words, "versions": []}),
    )


def _options(values: Mapping[str, int], said: Mapping[int, str]) -> list[tuple[str, str]]:
    """A select's choices: what the form sends, and its words."""
    return [(name, said[value]) for name, value in values.items()]


@blueprint.get("/metrics/new")
@needs(_WRITE, groups=True)
def new() -> str:
    return _editor(_form())


@blueprint.post("/metrics/new/preview")
@needs(_WRITE, groups=True)
def preview() -> str:
    """What the definition in the form would have measured, and what does not fit, told beside the fields."""
    seen = metric_preview.look(request.form, request.form.get("of", ""))
    return render_template(
        "metric_preview.html", preview=seen, says=metric_words, slots=metric_forms.slots(request.form)
    )


@blueprint.post("/metrics/new")
@needs(_WRITE, groups=True)
def create() -> Response | str | tuple[str, int]:
    return _save("", [])


@blueprint.post("/metrics/<name>")
@needs(_WRITE, groups=True)
def change(name: str) -> Response | str | tuple[str, int]:
    versions = _versions(name)
    if not versions[0].version:
        abort(405)
    return _save(name, versions)


def _save(name: str, versions: list[Version]) -> Response | str | tuple[str, int]:
    form: Form = MultiDict(request.form)
    action = form.get("action", "save")
    if action == "preview":
        return _editor(form, name=name, versions=versions, seen=metric_preview.look(form, name))
    if action in ("denominators", "attributes"):
        # One more row of these.
        form[action] = str(min(metric_forms.how_many(form, action) + 1, metric_forms.MOST_PARTS))
        return _editor(form, name=name, versions=versions)
    chosen = name or metric_forms.name_of(form)
    told, wrong = metric_forms.definition_of(form, chosen, parts().settings.currency)
    start = is_date(form.get("effective_from", ""))
    if start is None:
        wrong["effective_from"] = _("A day like 2026-11-23, please.")
    if not form.get("reason", "").strip():
        wrong["reason"] = _("Fill this in, please.")
    if chosen == _NEW:
        wrong["name"] = _("Taken already; choose another.")
    if wrong or start is None:
        return _editor(form, name=name, versions=versions, wrong=wrong), 422
    asked = metric_library_pb2.DefineMetricRequest(
        request_id=request_id(),
        definition=told,
        effective_from=from_date(start),
        reason=form.get("reason", "").strip()[:500],
        replaces_version=_number(form.get("over") or form.get("replaces", "")),
    )
    try:
        stored = ask(clients().library.DefineMetric, asked).version
    except Failure as failure:
        return _refused(failure, form, name, chosen, versions), status_of(failure)
    parts().titles.forget()
    flash(
        _("Saved. Its values are being computed.")
        if stored.state == Version.STATE_COMPUTING
        else _("Saved. It is in use now.")
    )
    return redirect(url_for("metrics.show", name=stored.definition.name), 303)


def _refused(failure: Failure, form: Form, name: str, chosen: str, versions: list[Version]) -> str:
    """The form once more, with what was typed and why it was refused."""
    if status_of(failure) in (401, 403):
        raise failure
    wrong = metric_forms.wrong_of(failure)
    newer, trouble = None, message_of(failure)
    if failure.reason == "METRIC_CHANGED":
        newer = _versions(chosen, most=1)[0]
        if not name:
            wrong["name"] = trouble = _("There is a metric of that name already.")
    return _editor(form, name=name, versions=versions, trouble=trouble, wrong=wrong, newer=newer)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else 0


@blueprint.post("/metrics/<name>/retire")
@needs(_WRITE, groups=True)
def retire(name: str) -> Response | tuple[str, int]:
    versions = _versions(name)
    if not versions[0].version:
        abort(405)
    asked = metric_library_pb2.RetireMetricRequest(
        request_id=request_id(), metric=name, reason=request.form.get("reason", "").strip()[:500]
    )
    try:
        ask(clients().library.RetireMetric, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        return _kept(failure, name, versions), status_of(failure)
    parts().titles.forget()
    flash(_("Out of use. What it measured stays readable."))
    return redirect(url_for("metrics.show", name=name), 303)


def _kept(failure: Failure, name: str, versions: list[Version]) -> str:
    """The metric's page with why it stays in use."""
    trouble = message_of(failure)
    if failure.reason == "METRIC_IN_USE":
        other = words.metric(failure.metadata["metric"])
        trouble = _("“%(metric)s” is made of it. Take that out of use first.", metric=other)
    why = faults(failure.fields).get("reason")
    wrong = {"retire": why} if why else {}
    return _editor(
        _form(versions[0]), name=name, versions=versions, trouble="" if wrong else trouble, wrong=wrong
    )
