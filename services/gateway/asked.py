"""What a target comes to for a person, in plain lines: the standard, the month of probation, leave, the pace left."""

from fractions import Fraction
from typing import Final

from foothold.goals.v1 import calendars_pb2, progress_pb2, values_pb2
from google.type.date_pb2 import Date

from services.gateway import formats, words
from services.gateway.figures import COUNT, MINUTES, exact, to_date, written
from services.gateway.language import _, language, ngettext

_MOST_DAYS: Final = 4
"""Days of leave that get a line each; more are told in one."""


def is_adjusted(target: progress_pb2.TargetProgress) -> bool:
    """Whether something else is asked than the standard says."""
    return any(step.change.numerator for step in target.adjustments)


def brief(target: progress_pb2.TargetProgress) -> str:
    """How what is asked comes about, for a card: standard 20, leave −1. Empty where it is the standard."""
    if not is_adjusted(target):
        return ""
    parts = [_("standard %(value)s", value=written(target.target.target.value))]
    for step in target.adjustments:
        if step.change.numerator:
            name = _("probation") if step.HasField("ramp") else _("leave")
            # A word joiner: no line ends between the sign and its amount.
            parts.append(_("%(what)s −%(amount)s", what=name, amount=f"\u2060{_size(step.change)}"))
    return _(", ").join(parts)


def daily(target: progress_pb2.TargetProgress) -> str:
    """What each day left asks for: 4 a day for 3 workdays. Empty where there is no such pace."""
    if not target.HasField("daily_pace"):
        return ""
    days = ngettext("%(num)s workday", "%(num)s workdays", target.workdays_left)
    return _("%(amount)s a day for %(days)s", amount=_at_least(target.daily_pace), days=days)


def no_calendar(target: progress_pb2.TargetProgress) -> str:
    """Why there is no pace. Empty where there is one."""
    if not target.HasField("unknown_year"):
        return ""
    return _(
        "No pace, and leave is not taken off: the workdays of %(year)s are not known yet. HR enters them.",
        year=str(target.unknown_year.year),
    )


def lines(target: progress_pb2.TargetProgress, places: dict[str, str], author: str) -> list[str]:
    """Where what is asked comes from, in at most eight lines; `places` names nodes, `author` who set the standard."""
    standard = target.target.target
    place, day = places.get(standard.node_id, standard.node_id), _day(standard.effective_from)
    value = written(standard.value)
    if author:
        first = _(
            "%(value)s from the standard of %(place)s, set by %(name)s, since %(day)s",
            value=value,
            place=place,
            name=author,
            day=day,
        )
    else:
        first = _(
            "%(value)s from the standard of %(place)s, since %(day)s", value=value, place=place, day=day
        )
    told = [first]
    for step in target.adjustments:
        told += _ramp(step, places) if step.HasField("ramp") else _leave(step, places)
    if target.adjustments:
        told.append(
            _("So %(value)s %(per)s", value=written(target.asked), per=words.per(standard.period_kind))
        )
    for more in (_missing(target), no_calendar(target)):
        if more:
            told.append(more)
    return told


def _missing(target: progress_pb2.TargetProgress) -> str:
    """What is missing and what that asks of each day."""
    pace = daily(target)
    if not pace:
        return ""
    return _("%(amount)s to go: %(pace)s", amount=written(target.remaining), pace=pace)


def _ramp(step: progress_pb2.TargetAdjustment, places: dict[str, str]) -> list[str]:
    share = formats.percent(exact(step.ramp.share) or Fraction(0), 0)
    if step.ramp.month:
        why = _("month %(month)s of probation carries %(share)s", month=str(step.ramp.month), share=share)
    else:
        why = _("the months of probation carry %(share)s of it", share=share)
    return [_with_rule(_("−%(amount)s: %(why)s", amount=_size(step.change), why=why), step, places)]


def _leave(step: progress_pb2.TargetAdjustment, places: dict[str, str]) -> list[str]:
    taken, days = step.leave, list(step.leave.days)
    whole = all(each.morning and each.afternoon for each in days)
    lost = -(exact(step.change) or Fraction(0))
    one_each = taken.mode == calendars_pb2.LEAVE_MODE_ONE_PER_DAY and whole and lost == len(days)
    if one_each and len(days) <= _MOST_DAYS:
        return [
            _with_rule(_("−1 for leave on %(day)s", day=_day(each.day, weekday=True)), step, places)
            for each in days
        ]
    named = [_named(each) for each in days[:_MOST_DAYS]]
    if len(days) > _MOST_DAYS:
        more = len(days) - _MOST_DAYS
        named.append(ngettext("%(num)s more day", "%(num)s more days", more))
    if taken.mode == calendars_pb2.LEAVE_MODE_ONE_PER_DAY and not lost:
        day = _(", ").join(named)
        return [_("Leave on %(days)s: less than a full day takes nothing off", days=day)]
    amount = formats.count(Fraction(taken.half_days, 2))
    told = [_("Leave on %(days)s", days=_(", ").join(named))]
    if taken.mode == calendars_pb2.LEAVE_MODE_PRO_RATA:
        why = _("%(days)s of %(workdays)s workdays, in proportion", days=amount, workdays=str(taken.workdays))
    else:
        why = _("one for each full day of %(days)s", days=amount)
    told.append(_with_rule(_("−%(amount)s: %(why)s", amount=_size(step.change), why=why), step, places))
    return told


def _named(taken: progress_pb2.LeaveDay) -> str:
    day = _day(taken.day, weekday=True)
    if taken.morning and taken.afternoon:
        return day
    return _("%(day)s, the morning", day=day) if taken.morning else _("%(day)s, the afternoon", day=day)


def _with_rule(text: str, step: progress_pb2.TargetAdjustment, places: dict[str, str]) -> str:
    if not step.node_id:
        return text
    place = places.get(step.node_id, step.node_id)
    rule = _("rule of %(place)s since %(day)s", place=place, day=_day(step.since))
    return _("%(text)s (%(rule)s)", text=text, rule=rule)


def _day(when: Date, *, weekday: bool = False) -> str:
    found = to_date(when)
    return formats.day(found, language(), weekday=weekday) if found else ""


def _size(change: values_pb2.Value) -> str:
    return written(
        values_pb2.Value(
            unit=change.unit,
            numerator=-change.numerator,
            denominator=change.denominator,
            currency=change.currency,
        )
    )


def _at_least(pace: values_pb2.Value) -> str:
    """A pace in whole units, rounded up: less a day would not be enough."""
    if pace.unit not in {COUNT, MINUTES}:
        return written(pace)
    up = -(-pace.numerator // pace.denominator)
    return written(values_pb2.Value(unit=pace.unit, numerator=up, denominator=1))
