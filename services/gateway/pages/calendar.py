"""The work calendar of a unit: its month, what holds and since when, special days, leave and probation."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import calendars_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import calendar_forms
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date, to_date
from services.gateway.language import _, language
from services.gateway.me import me
from services.gateway.pages.goals import is_date, name_of, place
from services.gateway.pages.people import groups
from services.gateway.parts import clients, today
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("calendar", __name__)
_REASONS = calendars_pb2.DayReason
_SHOWN: Final = 20
_MOST: Final = 1000
_LONGEST_NUMBER: Final = 18
_USUAL: Final = frozenset({_REASONS.DAY_REASON_WEEKDAY, _REASONS.DAY_REASON_SHIFT_ON})
_FREE: Final = frozenset({_REASONS.DAY_REASON_WEEKEND, _REASONS.DAY_REASON_SHIFT_OFF})
_WEEK: Final = 7
_NOVEMBER: Final = 11
"""When the State Council has announced the next year."""


class Square(NamedTuple):
    """A day in the month's grid. `mark` is what stands under the number: nothing for an ordinary workday."""

    day: date
    mark: str
    look: str


class Named(NamedTuple):
    """Days in a row that are as they are for the same reason: the first, and the last where there are several."""

    told: calendars_pb2.CalendarDay
    last: date | None


class Month(NamedTuple):
    """A unit's month: weeks of seven squares, None outside of the month; days worth naming; how many are worked."""

    title: str
    weeks: list[list[Square | None]]
    named: list[Named]
    workdays: int


@blueprint.get("/calendar")
@needs("goals.calendars.write", groups=True)
def overview() -> str:
    return _page(request.args.get("node_id", "")[:64])


def _page(node_id: str, *, trouble: str = "", wrong: Mapping[str, str] | None = None, sent: str = "") -> str:
    """The calendar of a unit, with the form that was `sent` as it was typed. Failure where it is not to be seen."""
    places = groups("goals.calendars.write")
    widest = min(places, key=lambda each: len(me().directory.ancestors(each)), default="")
    node_id = node_id or widest
    first = is_date(f"{request.values.get('month', '')[:7]}-01") or today().replace(day=1)
    resolved = ask(
        clients().calendars.ResolveWorkRules, calendars_pb2.ResolveWorkRulesRequest(node_id=node_id)
    )
    unknown: dict[str, str] = {}
    return render_template(
        "calendar.html",
        node_id=node_id,
        places=places,
        here=place(me(), node_id),
        first=first,
        before=_month_name(first - timedelta(days=1)),
        after=_month_name(_next(first)),
        month=section(partial(_month, node_id, first, unknown)),
        unknown=unknown,
        coming=_coming(node_id),
        rules=[(what, getattr(resolved, what)) for what in calendar_forms.WHAT],
        more=section(partial(_more, node_id, first.year)),
        may_write=node_id in places,
        root=me().directory.root_id,
        trouble=trouble,
        wrong=wrong or {},
        sent=sent,
        form=request.form if sent else {},
        request_id=new_id(),
        today=today(),
        place=lambda node: place(me(), node),
        name_of=lambda person: name_of(me(), person),
        forms=calendar_forms,
    )


def _coming(node_id: str) -> int:
    """Next year, where it begins soon and nothing tells its workdays yet; else 0."""
    year = today().year + 1
    if today().month < _NOVEMBER:
        return 0
    asked = calendars_pb2.ListDaysRequest(
        node_id=node_id, first_day=from_date(date(year, 1, 1)), end_day=from_date(date(year, 2, 1))
    )
    try:
        ask(clients().calendars.ListDays, asked)
    except Failure as failure:
        return year if failure.reason == "CALENDAR_YEAR_UNKNOWN" else 0
    return 0


def _month(node_id: str, first: date, unknown: dict[str, str]) -> Month:
    """The month; where its year is not known, `unknown` is told which and whose."""
    asked = calendars_pb2.ListDaysRequest(
        node_id=node_id, first_day=from_date(first), end_day=from_date(_next(first))
    )
    try:
        answer = ask(clients().calendars.ListDays, asked)
    except Failure as failure:
        if failure.reason != "CALENDAR_YEAR_UNKNOWN":
            raise
        unknown.update(failure.metadata)
        return Month("", [], [], 0)
    squares: list[Square | None] = [None] * first.weekday()
    squares += [_square(each) for each in answer.days]
    squares += [None] * (-len(squares) % _WEEK)
    weeks = [squares[start : start + _WEEK] for start in range(0, len(squares), _WEEK)]
    title = f"{first.year}年{first.month}月" if language() == "zh" else f"{first:%b %Y}"
    return Month(title, weeks, _named(answer.days), answer.workdays)


def _named(days: Iterable[calendars_pb2.CalendarDay]) -> list[Named]:
    """Whatever is not as in any week, days in a row together."""
    found: list[Named] = []
    for each in days:
        day = to_date(each.day) or date.min
        if each.reason in _USUAL | _FREE:
            continue
        before = found[-1] if found else None
        if before is not None:
            end = before.last or to_date(before.told.day) or date.min
            same = (each.reason, each.name, each.node_id)
            if end + timedelta(days=1) == day and same == (
                before.told.reason,
                before.told.name,
                before.told.node_id,
            ):
                found[-1] = Named(before.told, day)
                continue
        found.append(Named(each, None))
    return found


def _square(told: calendars_pb2.CalendarDay) -> Square:
    day = to_date(told.day) or date.min
    if told.reason in _USUAL:
        return Square(day, "", "on")
    if told.reason in _FREE:
        return Square(day, _("off"), "free")
    return Square(day, _("on"), "extra") if told.workday else Square(day, _("off"), "holiday")


def _more(node_id: str, year: int) -> dict[str, Any]:
    """What was set here and when, and the special days of the year here and above."""
    known = calendars_pb2.ListWorkRulesRequest(node_id=node_id, include_superseded=True, page_size=_MOST)
    special = calendars_pb2.ListSpecialDaysRequest(year=year, page_size=_MOST)
    rules = list(ask(clients().calendars.ListWorkRules, known).rules)
    days = ask(clients().calendars.ListSpecialDays, special).days
    path = me().directory.ancestors(node_id)
    newest = dict.fromkeys(calendar_forms.WHAT, 0)
    for rule in rules:
        what = rule.WhichOneof("content") or ""
        newest[what] = max(newest.get(what, 0), rule.revision)
    return {
        "history": rules[:_SHOWN],
        "newest": newest,
        "days": [each for each in days if each.node_id in path],
    }


@blueprint.post("/calendar/rules")
@needs("goals.calendars.write", groups=True)
def save() -> Response | tuple[str, int]:
    form, what = request.form, request.form.get("what", "")
    what = what if what in calendar_forms.WHAT else "calendar"
    node_id, replaces = form.get("node_id", "")[:64], form.get("replaces", "")
    rule, wrong = calendar_forms.rule_of(form, what, node_id)
    if wrong:
        return _page(node_id, wrong=wrong, sent=what), 422
    number = (
        int(replaces) if replaces.isascii() and replaces.isdigit() and len(replaces) <= _LONGEST_NUMBER else 0
    )
    asked = calendars_pb2.SetWorkRuleRequest(request_id=request_id(), rule=rule, replaces=number)
    return _settled(
        lambda: ask(clients().calendars.SetWorkRule, asked),
        node_id,
        what,
        _("Saved. It holds from that day on, for everybody below who has none of their own."),
    )


@blueprint.post("/calendar/days")
@needs("goals.calendars.write", groups=True)
def enter() -> Response | tuple[str, int]:
    form, wrong = request.form, dict[str, str]()
    node_id, year = form.get("node_id", "")[:64], form.get("complete_year", "")
    sent = "year" if year else "days"
    days = calendar_forms.days_of(form, wrong)
    if wrong:
        return _page(node_id, wrong=wrong, sent=sent), 422
    asked = calendars_pb2.SetDaysRequest(
        request_id=request_id(),
        node_id=node_id,
        days=days,
        complete_year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 else 0,  # noqa: PLR2004  2027
        reason=form.get("reason", "").strip()[:500],
    )
    return _settled(
        lambda: ask(clients().calendars.SetDays, asked),
        node_id,
        sent,
        _("Entered. Targets and paces go by it from now on."),
    )


@blueprint.post("/calendar/days/remove")
@needs("goals.calendars.write", groups=True)
def remove() -> Response | tuple[str, int]:
    node_id, day = request.form.get("node_id", "")[:64], is_date(request.form.get("day", ""))
    asked = calendars_pb2.SetDaysRequest(
        request_id=request_id(),
        node_id=node_id,
        removed_days=[from_date(day)] if day else [],
        reason=_("taken back"),
    )
    return _settled(
        lambda: ask(clients().calendars.SetDays, asked),
        node_id,
        "remove",
        _("Taken back. The day is as its calendar has it again."),
    )


def _settled(store: Callable[[], object], node_id: str, sent: str, done: str) -> Response | tuple[str, int]:
    """Store it and say so; a refusal keeps what was typed."""
    try:
        store()
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        found = faults(failure.fields)
        fields = {name.rpartition(".")[2]: why for name, why in found.items()}
        trouble = message_of(failure)
        if fields.get("days") or fields.get("complete_year"):
            trouble = fields.get("days") or fields["complete_year"]
        return _page(node_id, trouble=trouble, wrong=fields, sent=sent), status_of(failure)
    flash(done)
    month = request.form.get("month", "")[:7]
    return redirect(url_for("calendar.overview", node_id=node_id, month=month or None), 303)


def _next(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _month_name(day: date) -> str:
    return f"{day:%Y-%m}"
