"""Effort: what a person puts in by day and by week, beside their own weeks before. Nobody is compared with others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

import orjson
from flask import Blueprint, abort, render_template, request
from foothold.goals.v1 import effort_pb2, values_pb2

from services.gateway import charts, formats
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import MINUTES, exact, from_date, to_date
from services.gateway.language import _, language, later
from services.gateway.me import me
from services.gateway.pages.goals import is_date
from services.gateway.parts import clients
from services.gateway.sections import section

blueprint = Blueprint("effort", __name__)
KINDS: Final = {
    "minutes": later("Time"),
    "follow_ups": later("Follow-ups"),
    "calls": later("Calls"),
    "emails": later("E-mails"),
    "meetings": later("Meetings"),
}
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of effort: this week so far, the same days before, and what is usual; as goals' values."""

    kind: str
    so_far: values_pb2.Value
    before: values_pb2.Value
    difference: values_pb2.Value
    relative: values_pb2.Value
    usual: values_pb2.Value | None


@dataclass(frozen=True, slots=True)
class Report:
    """A person's effort; `weeks` and `days` draw one kind of it."""

    rows: list[Row]
    usual_weeks: int
    weeks: charts.Course
    days: charts.Course
    week: values_pb2.Period
    earlier: date
    later: date | None
    """Days of the weeks beside it; no week begins in the future."""


@blueprint.get("/effort")
@needs("goals.progress.read", own=True)
def mine() -> str:
    return _page(me().id, own=True)


@blueprint.get("/team/<person_id>/effort")
@needs("goals.progress.read")
def of_person(person_id: str) -> str:
    if me().directory.person(person_id) is None or not me().covers("goals.progress.read", person_id):
        abort(404)
    return _page(person_id, own=person_id == me().id)


def _page(person_id: str, *, own: bool) -> str:
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else "minutes"
    asked = is_date(request.args.get("on", ""))

    def load() -> Report:
        wanted = effort_pb2.GetEffortRequest(person_id=person_id, on=from_date(asked) if asked else None)
        return _report(ask(clients().effort.GetEffort, wanted), kind)

    return render_template(
        "effort.html",
        person=me().directory.person(person_id),
        own=own,
        found=section(load),
        kind=kind,
        kinds=KINDS,
        watches="" if asked else f"progress@{person_id}",
    )


def _report(answer: effort_pb2.GetEffortResponse, kind: str) -> Report:
    last = answer.weeks[-1].week
    first, stop = to_date(last.first_day), to_date(last.end_day)
    today = to_date(answer.today)
    if first is None or stop is None or today is None:
        raise ValueError("goals tells every week with its days")
    return Report(
        [_row(answer, each) for each in KINDS],
        answer.usual.weeks,
        _by_week(answer, kind),
        _by_day(answer, kind, first),
        last,
        first - _WEEK,
        stop if stop <= today else None,
    )


def _row(answer: effort_pb2.GetEffortResponse, kind: str) -> Row:
    now, before = getattr(answer.so_far, kind), getattr(answer.same_days_before, kind)
    relative = Fraction(now - before, before) if before else None
    return Row(
        kind,
        _value(kind, now),
        _value(kind, before),
        _value(kind, now - before),
        values_pb2.Value(
            unit=values_pb2.UNIT_RATE, numerator=relative.numerator, denominator=relative.denominator
        )
        if relative is not None
        else values_pb2.Value(unit=values_pb2.UNIT_RATE),
        getattr(answer.usual, kind) if answer.HasField("usual") else None,
    )


def _value(kind: str, number: int) -> values_pb2.Value:
    unit = values_pb2.UNIT_MINUTES if kind == "minutes" else values_pb2.UNIT_COUNT
    return values_pb2.Value(unit=unit, numerator=number, denominator=1)


def _axis(kind: str) -> str:
    """What is drawn, with its unit where that is not plain."""
    return _("time in hours") if kind == "minutes" else KINDS[kind]


def _writer(kind: str) -> Callable[[Fraction], str]:
    if kind == "minutes":
        return lambda number: formats.minutes(int(number), language())
    return formats.count


def _by_week(answer: effort_pb2.GetEffortResponse, kind: str) -> charts.Course:
    """Weeks as bars, the usual week as a line across."""
    weeks = [
        (first, stop, Fraction(getattr(each.effort, kind)))
        for each in answer.weeks
        if (first := to_date(each.week.first_day)) and (stop := to_date(each.week.end_day))
    ]
    usual = exact(getattr(answer.usual, kind)) if answer.HasField("usual") else None
    write = _writer(kind)
    rows = [
        charts.Row(
            formats.span(first, stop, language()), write(number), "–" if usual is None else write(usual)
        )
        for first, stop, number in weeks
    ]
    return charts.Course(
        kind,
        _("%(kind)s by week", kind=_axis(kind)),
        _drawing(
            kind,
            [(first, number, usual) for first, _stop, number in weeks],
            done=_("In the week"),
            pace=_("Your usual week"),
        ),
        rows,
        (_("Week"), _("In the week"), _("Your usual week")),
    )


def _by_day(answer: effort_pb2.GetEffortResponse, kind: str, monday: date) -> charts.Course:
    """The last week's days as bars, the same days of the week before as a line."""
    told = {to_date(each.day): Fraction(getattr(each.effort, kind)) for each in answer.days}
    days = [monday + timedelta(days=number) for number in range(7)]
    write = _writer(kind)
    rows = [
        charts.Row(formats.day(day, language()), write(told[day]), write(told.get(day - _WEEK, Fraction(0))))
        for day in days
        if day in told
    ]
    return charts.Course(
        kind,
        _("%(kind)s by day", kind=_axis(kind)),
        _drawing(
            kind,
            [(day, told.get(day), told.get(day - _WEEK)) for day in days],
            done=_("This week"),
            pace=_("The week before"),
        ),
        rows,
        (_("Day"), _("This week"), _("The week before")),
    )


def _drawing(kind: str, points: list[tuple[date, Fraction | None, Fraction | None]], **words: str) -> str:
    """What chart.js draws, in ten-thousandths."""

    def scaled(number: Fraction | None) -> int | None:
        return None if number is None else int(number * charts.PLACES)

    data: dict[str, Any] = {
        "bars": True,
        "x": [
            int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
            for day, _done, _pace in points
        ],
        "done": [scaled(done) for _day, done, _pace in points],
        "pace": [scaled(pace) for _day, _done, pace in points],
        "scale": charts.PLACES * (charts.PARTS[MINUTES] if kind == "minutes" else 1),
        "percent": False,
        "labels": [formats.day(day, language(), weekday=False) for day, _done, _pace in points],
        "words": words,
    }
    return orjson.dumps(data).decode()
