"""The Flask application: every page, who may open it, and what each request begins and ends with."""

import hashlib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from flask import Flask, abort, current_app, g, request, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from chassis.errors import Failure, Unauthenticated, Unavailable
from services.gateway import (
    asked,
    deal_words,
    doors,
    figures,
    goal_words,
    health,
    language,
    past,
    problems,
    security,
    standards_forms,
    tabs,
    tracing,
    unmeasured,
    webhooks,
)
from services.gateway.clients import set_caller
from services.gateway.me import Me
from services.gateway.pages import blueprints
from services.gateway.parts import Parts, keep_session, parts, session_cookie

LARGEST_FORM: Final = 512 * 1024
_STATIC: Final = Path(__file__).parent / "static"
ResponseT = TypeVar("ResponseT", bound=Response)


@cache
def _version(name: str) -> str:
    path = _STATIC / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""


def asset(name: str) -> str:
    """The address of a file of ours; it changes with the content, so browsers may keep it for a year."""
    return url_for("static", filename=name, v=_version(name))


def create_app(made: Parts) -> Flask:
    """The application. RuntimeError when a route does not say who may open it."""
    settings = made.settings
    app = Flask(__name__, static_folder=str(_STATIC))
    app.extensions["foothold"] = made
    https = settings.https
    app.config.update(
        SECRET_KEY=hashlib.sha256(b"forms:" + settings.cookie_secret.get_secret_value().encode()).digest(),
        SESSION_COOKIE_NAME="__Host-foothold-form" if https else "foothold-form",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        MAX_CONTENT_LENGTH=webhooks.LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=5_000,
        # The token lives as long as the session it is bound to; the cookies are SameSite as well.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_HEADERS=["X-CSRFToken"],
        WTF_CSRF_SSL_STRICT=False,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.autoescape = True
    app.jinja_env.globals.update(asset=asset, asked=asked, deal_lines=deal_words.lines)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    tracing.install(app)
    security.install(app, https=https)
    language.install(app)
    figures.install(app, made.clock)
    past.install(app)
    standards_forms.install(app)
    unmeasured.install(app)
    goal_words.install(app)
    tabs.install(app)
    problems.install(app)
    app.before_request(_enter)
    csrf = CSRFProtect(app)
    app.after_request(_leave)
    for blueprint in (*blueprints(), health.blueprint, webhooks.blueprint):
        app.register_blueprint(blueprint)
    csrf.exempt(webhooks.blueprint)
    app.view_functions["static"] = doors.public(app.view_functions["static"])
    undeclared = doors.closed(app)
    if undeclared:
        raise RuntimeError(f"routes that do not say who may open them: {', '.join(undeclared)}")
    return app


def _enter() -> Any:
    """Who asks, and may they open this route at all."""
    g.me = g.session = None
    set_caller("")
    door = doors.door_of(current_app, request.endpoint or "")
    if request.endpoint == "static" or request.path.startswith("/webhooks/"):
        return None
    refused = _recognise()
    if door is None or door.public:
        # A route that does not exist, or one for everybody.
        return None
    if refused is not None:
        return problems.refused(refused)
    if g.me is None:
        return problems.to_sign_in()
    who: Me = g.me
    if door.permission:
        held = who.own(door.permission) if door.own else who.holds(door.permission)
        if door.groups:
            held = bool(who.groups(door.permission))
        if not held:
            abort(403)
    if door.upload:
        # Before the form is read for its token, and only for those who may send a file.
        request.max_content_length = door.upload
    return None


def _recognise() -> Failure | None:
    """Set the caller from the cookie; the failure when there is a session that cannot be used just now."""
    made = parts()
    session = made.sessions.open(request.cookies.get(session_cookie(made.settings)))
    if session is None:
        return None
    directory = made.replica.directory
    try:
        if directory.session_ended(session.session_id):
            raise Unauthenticated("TOKEN_INVALID", "The session has ended.")
        fresh = made.sessions.fresh(session)
    except Failure as failure:
        return failure
    person = directory.person(fresh.person_id)
    if person is None:
        return Unavailable("NOT_READY", "The directory is still being read.")
    if not person.active:
        return Unauthenticated("PERSON_DISMISSED", "The person has left the enterprise.")
    g.session, g.renewed = fresh, fresh is not session
    g.me = Me(person, fresh.session_id, directory)
    set_caller(fresh.access)
    return None


def _leave(response: ResponseT) -> ResponseT:
    session = g.get("session")
    if session is not None and g.get("renewed"):
        keep_session(response, session)
    set_caller("")
    return response
