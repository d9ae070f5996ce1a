"""Work calendars typed into forms and said in words: kinds of week, leave policies, ramps, special days."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from foothold.goals.v1 import calendars_pb2, values_pb2

from services.gateway import formats
from services.gateway.figures import exact, from_date, to_date
from services.gateway.language import _, language, later
from services.gateway.parts import today

_KINDS = calendars_pb2.CalendarKind
_MODES = calendars_pb2.LeaveMode
_COUNT, _MONEY, _MINUTES = values_pb2.UNIT_COUNT, values_pb2.UNIT_MONEY, values_pb2.UNIT_MINUTES
_PERCENT: Final = re.compile(r"\d{1,3}")
_MOST_MONTHS: Final = 24
_MOST_DAYS: Final = 400

KINDS: Final[Mapping[str, tuple[str, calendars_pb2.CalendarKind.ValueType]]] = {
    "five": (later("Five days, public holidays off"), _KINDS.CALENDAR_KIND_FIVE_DAY),
    "alternate": (later("Every other Saturday as well"), _KINDS.CALENDAR_KIND_ALTERNATE_SATURDAYS),
    "shifts": (later("Shifts, holidays or not"), _KINDS.CALENDAR_KIND_SHIFTS),
}
POLICIES: Final[
    Mapping[str, tuple[str, calendars_pb2.LeaveMode.ValueType, tuple[values_pb2.Unit.ValueType, ...]]]
] = {
    "one": (later("Counts: one per full day"), _MODES.LEAVE_MODE_ONE_PER_DAY, (_COUNT,)),
    "share": (later("Counts: in proportion"), _MODES.LEAVE_MODE_PRO_RATA, (_COUNT,)),
    "share-all": (
        later("Counts, money, time: in proportion"),
        _MODES.LEAVE_MODE_PRO_RATA,
        (_COUNT, _MONEY, _MINUTES),
    ),
    "none": (later("Nothing"), _MODES.LEAVE_MODE_NONE, ()),
}
WHAT: Final[Mapping[str, str]] = {
    "calendar": later("Workdays"),
    "leave_policy": later("Leave"),
    "ramp": later("Probation"),
}
_HOLIDAYS: Final[Mapping[str, str]] = {
    "New Year's Day": later("New Year's Day"),
    "Spring Festival": later("Spring Festival"),
    "Tomb-sweeping Day": later("Tomb-sweeping Day"),
    "Labour Day": later("Labour Day"),
    "Dragon Boat Festival": later("Dragon Boat Festival"),
    "National Day": later("National Day"),
    "Mid-autumn Festival": later("Mid-autumn Festival"),
}


def rule_of(
    form: Mapping[str, str], what: str, node_id: str
) -> tuple[calendars_pb2.WorkRule, dict[str, str]]:
    """The rule that was typed, and what is wrong with it by field."""
    wrong: dict[str, str] = {}
    since = _day(form.get("effective_from", ""))
    rule = calendars_pb2.WorkRule(
        node_id=node_id, reason=form.get("reason", "").strip()[:500], inherit=form.get("inherit") == "yes"
    )
    if since is None:
        wrong["effective_from"] = _("A day like 2026-11-23, please.")
    else:
        rule.effective_from.CopyFrom(from_date(since))
    if rule.inherit:
        getattr(rule, what).SetInParent()
    elif what == "calendar":
        rule.calendar.CopyFrom(_calendar(form, wrong))
    elif what == "leave_policy":
        known = POLICIES.get(form.get("policy", ""))
        if known is None:
            wrong["policy"] = _("Choose one of the list.")
        else:
            rule.leave_policy.CopyFrom(calendars_pb2.LeavePolicy(mode=known[1], units=known[2]))
    else:
        rule.ramp.CopyFrom(_ramp(form.get("shares", ""), wrong))
    return rule, wrong


def days_of(form: Mapping[str, str], wrong: dict[str, str]) -> list[calendars_pb2.SpecialDay]:
    """The days typed into one form: a range with a name, or a line a day in `off` and `worked`."""
    found = [*_listed(form, "off", wrong, works=False), *_listed(form, "worked", wrong, works=True)]
    if "off" in form or "worked" in form:
        return found
    name, first = form.get("name", "").strip(), _day(form.get("first_day", ""))
    last = _day(form.get("last_day", "")) if form.get("last_day") else first
    if first is None:
        wrong["first_day"] = _("A day like 2026-11-23, please.")
    if last is None or (first is not None and not 0 <= (last - first).days < _MOST_DAYS):
        wrong.setdefault("last_day", _("The same day or a later one, please."))
    if not name:
        wrong["name"] = _("Fill this in, please.")
    if first is None or last is None or wrong:
        return []
    works = form.get("works") == "yes"
    return [
        _special(date.fromordinal(each), name, works=works)
        for each in range(first.toordinal(), last.toordinal() + 1)
    ]


def text_of(rule: calendars_pb2.WorkRule) -> str:
    """What a rule says, in a few words."""
    if rule.inherit:
        return _("as above it again")
    content = rule.WhichOneof("content")
    if content == "calendar":
        return _calendar_text(rule.calendar)
    if content == "leave_policy":
        policy = rule.leave_policy
        wanted = (policy.mode, frozenset(policy.units))
        return next(
            (str(text) for text, mode, units in POLICIES.values() if (mode, frozenset(units)) == wanted),
            str(POLICIES["share"][0]),
        )
    return ramp_text(rule.ramp)


def ramp_text(ramp: calendars_pb2.Ramp) -> str:
    """Which share each month of probation carries."""
    if not ramp.shares:
        return _("Every month carries the whole target")
    shares = _(", ").join(formats.percent(exact(each) or 0, 0) for each in ramp.shares)  # type: ignore[arg-type]  # 0 is exact
    return _("The first months carry %(shares)s of the target", shares=shares)


def usual(what: str) -> str:
    """What holds where nothing is set."""
    texts = {
        "calendar": KINDS["five"][0],
        "leave_policy": POLICIES["one"][0],
        "ramp": ramp_text(calendars_pb2.Ramp()),
    }
    return str(texts[what])


def name_of_day(name: str) -> str:
    """A public holiday's name in the reader's language; what people entered stands as they wrote it."""
    return str(_HOLIDAYS.get(name, name))


def _calendar(form: Mapping[str, str], wrong: dict[str, str]) -> calendars_pb2.WorkCalendar:
    known = KINDS.get(form.get("kind", ""))
    if known is None:
        wrong["kind"] = _("Choose one of the list.")
        return calendars_pb2.WorkCalendar()
    calendar = calendars_pb2.WorkCalendar(kind=known[1])
    if calendar.kind != _KINDS.CALENDAR_KIND_FIVE_DAY:
        anchor = _day(form.get("anchor", ""))
        if anchor is None:
            wrong["anchor"] = _("A day like 2026-11-23, please.")
        else:
            calendar.anchor.CopyFrom(from_date(anchor))
    if calendar.kind == _KINDS.CALENDAR_KIND_SHIFTS:
        calendar.pattern = re.sub(r"\s", "", form.get("pattern", ""))[:100]
    return calendar


def _ramp(text: str, wrong: dict[str, str]) -> calendars_pb2.Ramp:
    typed = re.split(r"[\s,，、%]+", text.strip().strip("%"))
    typed = [each for each in typed if each]
    if len(typed) > _MOST_MONTHS or not all(_PERCENT.fullmatch(each) and int(each) <= 100 for each in typed):  # noqa: PLR2004  a whole
        wrong["shares"] = _("Whole percents from 0 to 100, one a month, at most 24.")
        return calendars_pb2.Ramp()
    return calendars_pb2.Ramp(
        shares=[
            values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=int(each), denominator=100)
            for each in typed
        ]
    )


def _listed(
    form: Mapping[str, str], field: str, wrong: dict[str, str], *, works: bool
) -> list[calendars_pb2.SpecialDay]:
    found = []
    for line in form.get(field, "").splitlines():
        text, _space, name = line.strip().partition(" ")
        if not text:
            continue
        day = _day(text)
        if day is None or not name.strip():
            wrong[field] = _(
                "A line a day, please: 2027-01-01 New Year's Day. This one is not: %(line)s", line=line[:40]
            )
            return []
        found.append(_special(day, name.strip(), works=works))
    if len(found) > _MOST_DAYS:
        wrong[field] = _("At most %(most)s days at once, please.", most=str(_MOST_DAYS))
        return []
    return found


def _special(day: date, name: str, *, works: bool) -> calendars_pb2.SpecialDay:
    return calendars_pb2.SpecialDay(day=from_date(day), workday=works, name=name[:100])


def _calendar_text(calendar: calendars_pb2.WorkCalendar) -> str:
    name = next((str(text) for text, kind in KINDS.values() if kind == calendar.kind), "")
    anchor = to_date(calendar.anchor)
    if anchor is None:
        return name
    day = formats.day(anchor, language(), weekday=False, today=today())
    if calendar.kind == _KINDS.CALENDAR_KIND_SHIFTS:
        return _("%(name)s: %(pattern)s from %(day)s", name=name, pattern=calendar.pattern, day=day)
    return _("%(name)s, %(day)s is worked", name=name, day=day)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None  # noqa: PLR2004  2026-11-23
    except ValueError:
        return None
