"""What a definition in the form would have measured, before anything is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from foothold.goals.v1 import metric_library_pb2, metrics_pb2

from chassis.errors import Failure
from services.gateway import metric_forms
from services.gateway.clients import ask
from services.gateway.figures import exact, from_date
from services.gateway.language import _
from services.gateway.metric_forms import Form
from services.gateway.pages.goals import is_date
from services.gateway.parts import clients, parts
from services.gateway.problems import message_of, status_of

_SECONDS: Final = 11.0
"""Less than a page waits for an answer."""
_MONTHS_BACK: Final = 2
_LAST_DAY: Final = date(2099, 12, 30)
_ANYTHING: Final = "–"
"""Stands for a text that is not written yet: a preview needs to know what is counted, not what it is called.

Whoever has tried to save (`tried`) is told what is missing.
"""
_LATER: Final = ("name", "title_zh", "title_en", "description")


@dataclass(frozen=True, slots=True)
class Preview:
    """The answer, or why there is none: in a sentence, and by field of the form. `group_by` says what a row is."""

    group_by: int
    answer: metric_library_pb2.PreviewMetricResponse | None = None
    rows: Sequence[metrics_pb2.MetricRow] = ()
    trouble: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)


def range_of(day: date) -> dict[str, str]:
    """This month and the two before, by person: what is looked at until somebody chooses otherwise."""
    month = day.year * 12 + day.month - 1 - _MONTHS_BACK
    first = date(month // 12, month % 12 + 1, 1)
    return {"from": first.isoformat(), "to": day.isoformat(), "by": "person"}


def _told(form: Form, name: str) -> tuple[metrics_pb2.MetricDefinition, dict[str, str]]:
    """The definition with something in the place of texts that are not written yet, and what does not fit."""
    told, wrong = metric_forms.definition_of(
        form, name or metric_forms.name_of(form), parts().settings.currency
    )
    told.name = told.name or "preview"
    if "description" in wrong:
        told.description = _ANYTHING
    for language, title in (("zh-CN", "title_zh"), ("en", "title_en")):
        if title in wrong:
            told.titles[language] = _ANYTHING
    if form.get("tried") != "yes":
        wrong = {each: why for each, why in wrong.items() if each not in _LATER or form.get(each, "").strip()}
    if not name and parts().titles.of(told.name):
        wrong["name"] = _("There is a metric of that name already.")
    return told, wrong


def look(form: Form, name: str) -> Preview:
    """Ask goals. Refusals are part of the answer; only a lost session or right is not."""
    group_by = metric_forms.GROUPS.get(form.get("by", ""), metrics_pb2.GROUP_BY_PERSON)
    told, wrong = _told(form, name)
    first, last = is_date(form.get("from", "")), is_date(form.get("to", ""))
    for each, day in (("from", first), ("to", last)):
        if day is None or day > _LAST_DAY:
            wrong[each] = _("A day like 2026-11-23, please.")
    if first is None or last is None or wrong.keys() - set(_LATER):
        return Preview(group_by, wrong=wrong)
    asked = metric_library_pb2.PreviewMetricRequest(
        definition=told,
        to=from_date(last + timedelta(days=1)),
        node_id=form.get("node", "")[:64],
        group_by=group_by,
        **{"from": from_date(first)},  # a keyword of Python
    )
    try:
        answer = ask(clients().library.PreviewMetric, asked, seconds=_SECONDS)
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        found = metric_forms.wrong_of(failure)
        return Preview(group_by, trouble="" if found else message_of(failure), wrong=wrong | found)
    rows = list(answer.rows)
    if group_by != metrics_pb2.GROUP_BY_MONTH:
        rows.sort(key=lambda row: exact(row.value) or 0, reverse=True)
    return Preview(group_by, answer, rows, wrong=wrong)
