"""Targets over probation while none holds: why nothing is measured, and where to look instead."""

from typing import Final

from flask import Flask, url_for
from foothold.goals.v1 import progress_pb2

from services.gateway import formats
from services.gateway.figures import to_date
from services.gateway.language import _, language

_REASON: Final = progress_pb2.UnmeasuredTarget


def why(told: progress_pb2.UnmeasuredTarget) -> str:
    """Why the target is not measured, and what to do about it."""
    first, last = to_date(told.first_day), to_date(told.last_day)
    if told.reason == _REASON.REASON_OVER and last:
        return _("Probation ended on %(day)s.", day=formats.day(last, language(), weekday=False))
    if told.reason == _REASON.REASON_NOT_BEGUN and first:
        return _("Counts from %(day)s on, when probation begins.", day=formats.day(first, language()))
    if told.reason == _REASON.REASON_END_UNKNOWN:
        return _("The last day of probation is not entered yet, so nothing is reckoned. HR enters it.")
    return _("No probation is entered, so nothing is reckoned. HR enters its days.")


def result(told: progress_pb2.UnmeasuredTarget, person_id: str) -> str:
    """The address of what was reached by the end of a probation that is over; empty otherwise."""
    last = to_date(told.last_day)
    if told.reason != _REASON.REASON_OVER or last is None:
        return ""
    at = f"{last.isoformat()}T23:59"
    metric = told.target.target.metric
    return url_for("why.progress", person_id=person_id, metric=metric, period="probation", at=at, known="now")


def install(app: Flask) -> None:
    """Make `unmeasured` known to the templates."""
    app.jinja_env.globals.update(unmeasured_why=why, unmeasured_result=result)
