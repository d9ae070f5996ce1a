"""People: finding, adding, changing, and ending access."""

from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from foothold.identity.v1 import directory_pb2, sessions_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.figures import from_date, to_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date
from services.gateway.parts import clients, today
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("people", __name__)
_SHOWN: Final = 50
_DATES: Final = ("hire_date", "probation_start", "probation_end")
_TEXTS: Final = (
    "name",
    "employee_number",
    "login",
    "job_role",
    "parent_id",
    "mentor_id",
    "manager_id",
    "language",
)
OWN_ROLES: Final = ("salesperson",)


def _found() -> dict[str, Any]:
    node_id = request.args.get("node", "")[:64]
    asked = directory_pb2.ListPeopleRequest(
        under_node_id=node_id,
        query=request.args.get("q", "").strip()[:100],
        on_probation=request.args.get("probation") == "yes",
        include_dismissed=request.args.get("left") == "yes",
        page_size=_SHOWN,
        page_token=request.args.get("page", "")[:2000],
    )
    answer = ask(clients().directory.ListPeople, asked)
    day = today()
    left = {each.id: (end - day).days for each in answer.people if (end := to_date(each.probation_end))}
    return {"answer": answer, "asked": asked, "days_left": left, "first_page": not asked.page_token}


@blueprint.get("/people")
@needs("identity.people.write", groups=True)
def overview() -> str:
    people = section(_found)
    if from_htmx():
        template = "people_rows.html" if request.args.get("page") else "people_table.html"
        return render_template(template, people=people, places=groups("identity.people.read"))
    watches = ",".join(f"people@{node}" for node in me().groups("identity.people.read"))
    return render_template(
        "people.html", watches=watches, people=people, places=groups("identity.people.read")
    )


def groups(permission: str) -> dict[str, str]:
    """Enterprise, branches and departments the reader covers, with their path as the name."""
    directory = me().directory
    found: dict[str, str] = {}
    for node in directory.nodes():
        if directory.person(node.id) is None and me().covers(permission, node.id):
            path = [
                above.name
                for each in reversed(directory.ancestors(node.id))
                if (above := directory.node(each))
            ]
            found[node.id] = " / ".join(path[1:] or path)
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _editor(
    person: directory_pb2.Person,
    *,
    trouble: str = "",
    wrong: dict[str, str] | None = None,
    is_new: bool = False,
) -> str:
    directory = me().directory
    colleagues = sorted(
        (each for each in directory.people() if each.active and me().covers("identity.people.read", each.id)),
        key=lambda each: (each.name, each.id),
    )
    return render_template(
        "person_editor.html",
        person=person,
        places=groups("identity.people.write"),
        colleagues=colleagues if len(colleagues) <= 1000 else [],  # noqa: PLR2004
        is_new=is_new,
        trouble=trouble,
        wrong={name.rpartition(".")[2]: why for name, why in (wrong or {}).items()},
        request_id=new_id(),
        may_dismiss=bool(person.id)
        and me().covers("identity.people.dismiss", person.id)
        and person.id != me().id,
        may_reset=bool(person.id) and me().covers("identity.passwords.reset", person.id),
        left=person.status == directory_pb2.PERSON_STATUS_DISMISSED,
        job_roles=words.JOB_ROLES,
    )


@blueprint.get("/people/new")
@needs("identity.people.write", groups=True)
def new() -> str:
    return _editor(directory_pb2.Person(job_role="sales"), is_new=True)


@blueprint.get("/people/<person_id>")
@needs("identity.people.write", groups=True)
def edit(person_id: str) -> str:
    return _editor(_person(person_id))


def _person(person_id: str) -> directory_pb2.Person:
    if not me().covers("identity.people.write", person_id):
        abort(404)
    return ask(clients().directory.GetPerson, directory_pb2.GetPersonRequest(person_id=person_id)).person


def _typed(person: directory_pb2.Person) -> dict[str, str]:
    """Take the form over into `person`; what is no date is told by field."""
    wrong: dict[str, str] = {}
    for name in _TEXTS:
        if name in request.form:
            setattr(person, name, request.form[name].strip()[:300])
    person.login = person.login.lower()
    for name in _DATES:
        text = request.form.get(name, "").strip()
        found = is_date(text)
        if text and found is None:
            wrong[name] = _("A day like 2026-11-23, please.")
        person.ClearField(name)  # type: ignore[arg-type]  # one of the date fields
        if found:
            getattr(person, name).CopyFrom(from_date(found))
    return wrong


@blueprint.post("/people/new")
@needs("identity.people.write", groups=True)
def create() -> Response | tuple[str, int]:
    person = directory_pb2.Person()
    wrong = _typed(person)
    if wrong:
        return _editor(person, is_new=True, wrong=wrong), 422
    asked = directory_pb2.CreatePersonRequest(
        request_id=request_id(),
        person=person,
        password=request.form.get("password", ""),
        own_roles=OWN_ROLES if request.form.get("salesperson") == "yes" else (),
    )
    try:
        answer = ask(clients().directory.CreatePerson, asked)
    except Failure as failure:
        return _again(failure, person, is_new=True)
    flash(_("Added: %(name)s.", name=answer.person.name))
    return redirect(url_for("people.overview"), 303)


def _again(failure: Failure, person: directory_pb2.Person, *, is_new: bool = False) -> tuple[str, int]:
    """The form once more with what was typed."""
    if status_of(failure) in (401, 403, 404):
        raise failure
    return _editor(
        person, trouble=message_of(failure), wrong=faults(failure.fields), is_new=is_new
    ), status_of(failure)


@blueprint.post("/people/<person_id>")
@needs("identity.people.write", groups=True)
def change(person_id: str) -> Response | tuple[str, int]:
    person = _person(person_id)
    etag = request.form.get("etag", "")[:200]
    wrong = _typed(person)
    if wrong:
        return _editor(person, wrong=wrong), 422
    person.etag = etag
    asked = directory_pb2.UpdatePersonRequest(
        request_id=request_id(),
        person=person,
        update_mask=FieldMask(paths=[*_TEXTS, *_DATES]),
    )
    try:
        ask(clients().directory.UpdatePerson, asked)
    except Failure as failure:
        return _again(failure, person)
    flash(_("Saved."))
    return redirect(url_for("people.edit", person_id=person_id), 303)


@blueprint.post("/people/<person_id>/dismiss")
@needs("identity.people.dismiss", groups=True)
def dismiss(person_id: str) -> Response | tuple[str, int]:
    """Ends access at once. The reason is kept with the name of whoever decided (R13)."""
    reason = request.form.get("reason", "").strip()
    if not reason:
        return _editor(_person(person_id), wrong={"reason": _("Say why; it is kept with your name.")}), 422
    asked = directory_pb2.DismissPersonRequest(
        request_id=request_id(),
        person_id=person_id,
        reason=reason[:500],
    )
    try:
        ask(clients().directory.DismissPerson, asked)
    except Failure as failure:
        return _again(failure, _person(person_id))
    flash(_("Access has ended. What was recorded stays."))
    return redirect(url_for("people.overview"), 303)


@blueprint.post("/people/<person_id>/password")
@needs("identity.passwords.reset", groups=True)
def reset(person_id: str) -> Response | tuple[str, int]:
    asked = sessions_pb2.ResetPasswordRequest(
        request_id=request_id(),
        person_id=person_id,
        new_password=request.form.get("password", ""),
    )
    try:
        ask(clients().sessions.ResetPassword, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        trouble = message_of(failure)
        if failure.reason == "FIELD_INVALID":
            trouble = _(
                "This password is too easy to guess. Use at least 8 characters that nobody would try first."
            )
        return _editor(_person(person_id), trouble=trouble), status_of(failure)
    flash(_("The password is set. Tell it to the person yourself."))
    return redirect(url_for("people.edit", person_id=person_id), 303)
