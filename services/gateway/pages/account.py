"""Signing in and out, the language, one's own password."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from foothold.identity.v1 import directory_pb2, sessions_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from services.gateway import language as languages
from services.gateway.clients import as_caller, ask
from services.gateway.doors import public, signed_in
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.me import signed_in as is_signed_in
from services.gateway.parts import clients, forget_session, keep_session, parts
from services.gateway.problems import message_of, status_of
from services.gateway.signing_in import session_of
from services.gateway.tabs import tabs_of

blueprint = Blueprint("account", __name__)
_YEAR = 365 * 24 * 3600


def local(target: str) -> str:
    """The target when it is a path of ours, else the start page: nobody is sent elsewhere from here."""
    ours = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if ours and target.isprintable() else url_for("account.start")


@blueprint.get("/")
@signed_in
def start() -> Response | str:
    """The person's first room."""
    mine = tabs_of(me())
    return redirect(url_for(mine[0].endpoint), 303) if mine else render_template("nothing.html")


@blueprint.get("/sign-in")
@public
def sign_in() -> Response | str:
    if is_signed_in():
        return redirect(local(request.args.get("next", "/")), 303)
    return _sign_in_page()


def _sign_in_page(*, login: str = "", trouble: str = "") -> str:
    return render_template(
        "sign_in.html",
        login=login,
        trouble=trouble,
        back=request.values.get("next", ""),
        accounts=parts().settings.demo_accounts,
    )


@blueprint.post("/sign-in")
@public
def enter() -> Response | tuple[str, int]:
    login, password = request.form.get("login", "").strip(), request.form.get("password", "")
    asked = sessions_pb2.SignInRequest(
        login=login, password=password, client_address=(request.remote_addr or "")[:64]
    )
    try:
        # As ourselves: identity believes nobody else about where a sign-in comes from.
        with as_caller(parts().settings.component_token.get_secret_value()):
            answer = ask(clients().sessions.SignIn, asked)
    except Failure as failure:
        status = status_of(failure)
        trouble = message_of(failure)
        if failure.reason == "FIELD_INVALID":
            trouble = _("The name or the password is not right. Try again.")
        return _sign_in_page(login=login, trouble=trouble), status
    session.clear()
    session.permanent = True
    answered = redirect(local(request.form.get("next", "/")), 303)
    return keep_session(answered, session_of(parts().sessions, answer.tokens))


@blueprint.post("/sign-out")
@signed_in
def leave() -> Response:
    everywhere = request.form.get("everywhere") == "yes"
    try:
        ask(clients().sessions.SignOut, sessions_pb2.SignOutRequest(everywhere=everywhere))
    except Failure as failure:
        if status_of(failure) != 401:  # noqa: PLR2004
            flash(_("This browser is signed out. Other devices may stay signed in for up to ten minutes."))
    session.pop("csrf_token", None)
    return forget_session(redirect(url_for("account.sign_in"), 303))


@blueprint.post("/language")
@public
def switch_language() -> Response:
    answered = redirect(local(request.form.get("next", "/")), 303)
    wanted = request.form.get("language", "")
    if wanted in languages.LOCALES:
        answered.set_cookie(
            languages.COOKIE,
            wanted,
            max_age=_YEAR,
            secure=parts().settings.https,
            httponly=True,
            samesite="Lax",
        )
    return answered


@blueprint.get("/menu")
@signed_in
def menu() -> str:
    """Every room, for phones whose bar cannot hold them all."""
    return render_template("menu.html")


@blueprint.get("/profile")
@signed_in
def profile() -> str:
    return _profile()


def _profile(*, trouble: str = "") -> str:
    who = me()
    request_ = directory_pb2.GetPersonRequest(person_id=who.id)
    try:
        person = ask(clients().directory.GetPerson, request_)
    except Failure:
        person = None
    roles = sorted({(each.role_id, each.node_id) for each in who.directory.bindings_of(who.id)})
    named = [
        (role_id, who.directory.role(role_id), who.directory.node(node_id), node_id == who.id)
        for role_id, node_id in roles
    ]
    return render_template("profile.html", answer=person, roles=named, trouble=trouble)


@blueprint.post("/profile/password")
@signed_in
def change_password() -> Response | tuple[str, int]:
    current, new = request.form.get("current", ""), request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _profile(trouble=_("The two new passwords differ. Nothing was changed.")), 400
    asked = sessions_pb2.ChangePasswordRequest(current_password=current, new_password=new)
    try:
        ask(clients().sessions.ChangePassword, asked)
    except Failure as failure:
        if status_of(failure) == 401 and failure.reason != "CREDENTIALS_WRONG":  # noqa: PLR2004
            raise
        if failure.reason == "FIELD_INVALID":
            return _profile(
                trouble=_(
                    "This password is too easy to guess. Use at least 8 characters that nobody would try first."
                )
            ), 400
        if failure.reason == "CREDENTIALS_WRONG":
            return _profile(trouble=_("The present password is not right. Nothing was changed.")), 400
        return _profile(trouble=message_of(failure)), status_of(failure)
    flash(_("The password is changed. Your other devices are signed out."))
    return redirect(url_for("account.profile"), 303)
