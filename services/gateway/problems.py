"""What people and programs are told when something cannot be done.

People get a page or a fragment that says what happened, what was kept and what to do; programs get RFC 9457
problem JSON. Which of the two is decided by what the request accepts.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import quote

import orjson
from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from grpc import StatusCode
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from chassis.errors import Failure
from chassis.logs import logger
from services.gateway.language import _, later
from services.gateway.parts import forget_session

_BY_CODE: Final[Mapping[StatusCode, int]] = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.OUT_OF_RANGE: 400,
    StatusCode.UNAUTHENTICATED: 401,
    StatusCode.PERMISSION_DENIED: 403,
    StatusCode.NOT_FOUND: 404,
    StatusCode.ALREADY_EXISTS: 409,
    StatusCode.ABORTED: 409,
    StatusCode.FAILED_PRECONDITION: 409,
    StatusCode.RESOURCE_EXHAUSTED: 429,
    StatusCode.UNAVAILABLE: 503,
    StatusCode.DEADLINE_EXCEEDED: 503,
    StatusCode.CANCELLED: 503,
}
_REASONS: Final[Mapping[str, str]] = {
    "FIELD_INVALID": later(
        "Something in the form does not fit. Look at the marked fields; what you typed is kept."
    ),
    "CREDENTIALS_WRONG": later("The name or the password is not right. Try again."),
    "SIGN_IN_THROTTLED": later("Too many attempts. Wait a moment, then try again."),
    "PASSWORD_WEAK": later(
        "This password is too easy to guess. Use at least 8 characters that nobody would try first."
    ),
    "ALREADY_EXISTS": later("That name or number is taken already. Choose another."),
    "TREE_INVALID": later("It cannot be put there. Choose another place in the organisation."),
    "NODE_UNKNOWN": later("There is no such department or branch, or it is not yours to see."),
    "PERSON_UNKNOWN": later("There is no such person, or they are not yours to see."),
    "GRANT_EXCEEDS_CALLER": later("You cannot give somebody more than you hold there yourself."),
    "LAST_ADMINISTRATOR": later("This is the last administrator. Name another one first."),
    "ALREADY_DISMISSED": later("This person has left already."),
    "COURSE_NOT_FOR_ROLE": later("This course is not for your job role."),
    "QUIZ_CHANGED": later("The quiz has changed since you opened it. Here is the new one."),
    "COURSE_LOCKED": later("This course is locked. Pass the one before it first."),
    "RETAKE_LOCKED": later("Do the review course first; then the quiz opens again."),
    "LESSONS_INCOMPLETE": later("Finish the lessons first; then the quiz opens."),
    "ALREADY_PASSED": later("You have passed this quiz already."),
    "ANSWERS_INVALID": later("The quiz has changed since you opened it. Load it again."),
    "COURSE_INVALID": later(
        "The course is not complete yet. Look at the marked fields; what you typed is kept."
    ),
    "PLAN_INVALID": later(
        "The plan does not hold together yet. Look at the findings; what you typed is kept."
    ),
    "SECOND_PERSON_NEEDED": later(
        "You took the step before this one: somebody else has to look and approve."
    ),
    "PARAMETER_UNKNOWN": later("The plan that holds there on that day lets nobody below set this number."),
    "SETTING_UNKNOWN": later("There is no such number set, or it is not yours to see."),
    "TARGET_NOT_PENDING": later("Somebody has decided about this already. Look at it again."),
    "PLAN_DECIDED": later("Somebody has decided about this plan already. Look at it again."),
    "PLAN_CHANGED": later("This plan has changed meanwhile. Please read what applies now."),
    "PAYOUTS_CHANGED": later("What waits has changed since you looked. Look again, then approve it."),
    "NOT_FIRST": later("That person is not first on the board any more. Look at it again."),
    "HONOUR_DECIDED": later("Somebody has decided about this honour already. Look at it again."),
    "HONOUR_WITHDRAWN": later(
        "Your figures were corrected since, and the honour is withdrawn: it takes no photo now."
    ),
    "PHOTO_UNKNOWN": later("There is no such photo, or it is not yours to see."),
    "DISPUTE_OPEN": later("You have asked about this line already; it waits for an answer."),
    "DISPUTE_ENDED": later("It has ended already. Look at it again."),
    "PERIOD_NOT_CLOSED": later("Nothing of that period is closed there. Close it first."),
    "PAYOUT_IN_BATCH": later(
        "It is in a batch for payroll already. What is wrong is corrected by facts and paid or taken back next time."
    ),
    "PAYOUT_HOLD": later("Somebody has held it back or released it already. Look at it again."),
    "DEAL_UNKNOWN": later("That deal is not in the figures of this closed period."),
    "DEAL_INSEPARABLE": later(
        "Nothing hangs on this deal by itself, or it cannot be told exactly any more. Hold back the line or all of it."
    ),
    "GOALS_UNREACHABLE": later(
        "What hangs on the deal cannot be worked out just now. Nothing was changed: try again shortly, or hold back the"
        " line or all of it."
    ),
    "NOTHING_TO_PAY": later("Nothing there is approved, free and in no batch yet."),
    "BATCH_PAID": later("Somebody has said already that this batch is paid."),
    "PERIOD_RUNS": later("The period still runs for somebody there. Close it when it is over everywhere."),
    "PLAN_CONFLICT": later("Another plan for this role begins there on the same day. Choose another day."),
    "TIER_GAP": later("Two tiers leave a gap between them."),
    "TIER_OVERLAP": later("Two tiers overlap."),
    "TIER_UNREACHABLE": later("A tier can never be reached."),
    "CALENDAR_YEAR_UNKNOWN": later("Nothing tells yet which days of that year are workdays. HR enters them."),
    "PROBATION_UNKNOWN": later(
        "A day of this probation is not known, so nothing is reckoned over it. HR enters it with the person."
    ),
    "NOT_ON_PROBATION": later("No probation holds on that day, so there is nothing to reckon over it."),
    "VALUE_INVALID": later("That value does not fit what is measured."),
    "METRIC_BUILT_IN": later("A built-in metric has that name. Choose another one."),
    "METRIC_CHANGED": later("Somebody has stored a newer version of this metric in the meantime."),
    "METRIC_COMPUTING": later("The version before is still being computed. Save again when that is done."),
    "METRIC_IN_USE": later("Another metric is made of this one. Take that one out of use first."),
    "FLAG_UNKNOWN": later("There is no such matter, or it is not yours to see."),
    "FLAG_ANSWERED": later("Somebody has answered it already. Look at it again."),
    "COACHING_TASK_UNKNOWN": later("There is no such task, or it is not yours to see."),
    "COACHING_TASK_CLOSED": later("This task is closed already."),
    "LIMIT_REACHED": later("There are as many of these as there may be. Take one out of use first."),
    "METRIC_UNKNOWN": later("There is no such metric. Choose one of the list."),
    "TARGET_UNKNOWN": later("There is no such target, or it is not yours to see."),
    "GOAL_UNKNOWN": later("There is no such goal any more, or it is not yours to see."),
    "GOAL_LINK_INVALID": later(
        "The goal cannot hang there. Look at the marked fields; what you typed is kept."
    ),
    "OBJECTIVE_UNKNOWN": later("There is no such objective any more, or it is not yours to see."),
    "ETAG_MISMATCH": later("Somebody else changed this in the meantime. Load it again, then decide."),
    "CONFLICTING_CHANGE": later("Two changes met each other. Nothing was changed; send it again."),
    "REQUEST_ID_REUSED": later("This form was sent before with other values. Load it again."),
    "METRIC_CONFLICT": later(
        "Another metric has that name and measures something else. It was left as it is."
    ),
    "TEMPLATE_INVALID": later("The document is not sound. What you handed in is kept; look at these places:"),
    "FACT_VERSION_CONFLICT": later("This was recorded before with different values."),
}


def status_of(failure: Failure) -> int:
    """The HTTP status a refusal is told with."""
    return _BY_CODE.get(failure.code, 502)


def message_of(failure: Failure) -> str:
    """A refusal in the reader's language; what a service says in English stands in for what has no sentence yet."""
    known = _REASONS.get(failure.reason)
    if known is not None:
        return str(known)
    status = status_of(failure)
    if status == 503:  # noqa: PLR2004
        return _("That part cannot be reached just now. Nothing was lost; it will be tried again.")
    if status == 403:  # noqa: PLR2004
        return _("You may see this, but not do that here.")
    if status == 404:  # noqa: PLR2004
        return _("This does not exist, or it is not yours to see.")
    return failure.message or _("That did not work.")


def problem(
    status: int,
    kind: str,
    title: str,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """An RFC 9457 problem. `kind` becomes its type, a stable URN of this product."""
    body: dict[str, Any] = {"type": f"urn:foothold:problem:{kind}", "title": title, "status": status}
    if detail:
        body["detail"] = detail
    body.update(members)
    return Response(orjson.dumps(body), status, headers, content_type="application/problem+json")


def wants_json() -> bool:
    """Whether a program asks: an API or webhook path, or a request that accepts JSON rather than HTML."""
    if request.path.startswith(("/webhooks/", "/healthz", "/readyz")):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return bool(request.accept_mimetypes) and best in ("application/json", "application/problem+json")


def from_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def page(status: int, title: str, text: str, *, reference: str = "") -> Response:
    """A designed page, or for htmx a fragment, that says what happened and what to do next."""
    template = "problem_fragment.html" if from_htmx() else "problem.html"
    return make_response(
        render_template(template, status=status, title=title, text=text, reference=reference), status
    )


def to_sign_in() -> BaseResponse:
    """Off to the sign-in page, and back afterwards."""
    if wants_json():
        return problem(401, "signed-out", "Sign in first.")
    back = request.full_path.rstrip("?") if request.method == "GET" and not from_htmx() else ""
    target = url_for("account.sign_in") + (f"?next={quote(back)}" if back not in ("", "/") else "")
    if from_htmx():
        return Response(status=401, headers={"HX-Redirect": target})
    return redirect(target, 303)


def refused(failure: Failure) -> BaseResponse:
    """The answer to a refusal that no view handled."""
    status = status_of(failure)
    if status == 401:  # noqa: PLR2004
        return forget_session(to_sign_in())
    if wants_json():
        return problem(
            status, failure.reason.lower().replace("_", "-"), failure.message, fields=failure.fields
        )
    titles = {403: _("This is not open to you"), 404: _("Not found"), 503: _("Just a moment")}
    reference = failure.metadata.get("trace_id", "")
    return page(status, titles.get(status, _("That did not work")), message_of(failure), reference=reference)


def install(app: Flask) -> None:
    """Answer every error in words; the unexpected with a reference that finds it in the log."""

    @app.errorhandler(Failure)
    def on_failure(failure: Failure) -> BaseResponse:
        return refused(failure)

    @app.errorhandler(CSRFError)
    def on_csrf(_error: CSRFError) -> BaseResponse:
        if wants_json():
            return problem(400, "form-expired", "The form's token is missing or has expired.")
        return page(
            400,
            _("The form has expired"),
            _("Nothing was changed. Go back, load the page again and send it once more."),
        )

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> BaseResponse:
        status = error.code or 500
        if error.response is not None:
            return cast("BaseResponse", error.response)
        if 300 <= status < 400:  # noqa: PLR2004  a redirect is an answer
            return error.get_response()
        if wants_json():
            return problem(status, f"http-{status}", error.name, error.description or "")
        titles = {
            403: (
                _("This is not open to you"),
                _("Your role does not include this page. Ask your administrator if you need it."),
            ),
            404: (_("Not found"), _("This does not exist, or it is not yours to see.")),
            405: (_("That does not work here"), _("Go back and use the buttons on the page.")),
            413: (_("Too much at once"), _("Nothing was changed. Send less at a time.")),
        }
        title, text = titles.get(
            status, (_("That did not work"), _("Nothing was changed. Go back and try again."))
        )
        return page(status, title, text)

    @app.errorhandler(Exception)
    def on_anything(error: Exception) -> BaseResponse:
        reference = uuid.uuid4().hex[:12]
        logger(__name__).error("page_failed", reference=reference, endpoint=request.endpoint, exc_info=error)
        if wants_json():
            return problem(500, "internal", "An unexpected fault.", reference=reference)
        return page(
            500,
            _("Something broke on our side"),
            _(
                "Nothing was changed. Try again; if it happens again, give your administrator the reference below."
            ),
            reference=reference,
        )
