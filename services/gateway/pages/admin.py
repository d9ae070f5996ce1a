"""The organisation, who may do what, and integrators' accounts."""

from typing import Any, Final
from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.identity.v1 import access_pb2, directory_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.people import groups
from services.gateway.parts import clients, parts
from services.gateway.problems import from_htmx, message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("admin", __name__)
_MOST: Final = 1000
_SHOWN: Final = 50
_CHECK_SECONDS: Final = 60.0


def _tell(failure: Failure) -> None:
    """Say it on the next page; a lost session and what is not one's own go the usual way."""
    if status_of(failure) in (401, 403, 404):
        raise failure
    flash(message_of(failure))


# The organisation.


@blueprint.get("/organisation")
@needs("identity.nodes.read", groups=True)
def organisation() -> str:
    def load() -> dict[str, Any]:
        asked = directory_pb2.ListNodesRequest(page_size=_MOST)
        nodes = list(ask(clients().directory.ListNodes, asked).nodes)
        return {"tree": _tree(nodes)}

    writable = groups("identity.nodes.write")
    return render_template(
        "organisation.html",
        watches=",".join(f"people@{node}" for node in me().groups("identity.people.read")),
        nodes=section(load),
        writable=writable,
        kinds=(directory_pb2.NODE_KIND_BRANCH, directory_pb2.NODE_KIND_DEPARTMENT),
        request_id=new_id(),
        zones=sorted(available_timezones()) if writable else [],
    )


def _tree(nodes: list[directory_pb2.Node]) -> list[tuple[directory_pb2.Node, int]]:
    """Every node with its depth, each right below its parent."""
    known = {node.id for node in nodes}
    below: dict[str, list[directory_pb2.Node]] = {}
    for node in nodes:
        below.setdefault(node.parent_id if node.parent_id in known else "", []).append(node)
    found: list[tuple[directory_pb2.Node, int]] = []
    waiting = [(node, 0) for node in reversed(below.get("", []))]
    while waiting:
        node, depth = waiting.pop()
        found.append((node, depth))
        waiting.extend((child, depth + 1) for child in reversed(below.get(node.id, [])))
    return found


@blueprint.post("/organisation")
@needs("identity.nodes.write", groups=True)
def add_node() -> Response:
    kind = request.form.get("kind", "")
    node = directory_pb2.Node(
        parent_id=request.form.get("parent_id", "")[:64],
        name=request.form.get("name", "").strip()[:200],
        time_zone=request.form.get("time_zone", "").strip()[:64],
        kind=directory_pb2.NODE_KIND_BRANCH if kind == "branch" else directory_pb2.NODE_KIND_DEPARTMENT,
    )
    try:
        ask(
            clients().directory.CreateNode,
            directory_pb2.CreateNodeRequest(request_id=request_id(), node=node),
        )
        flash(_("Added: %(name)s.", name=node.name))
    except Failure as failure:
        _tell(failure)
    return redirect(url_for("admin.organisation"), 303)


@blueprint.post("/organisation/<node_id>")
@needs("identity.nodes.write", groups=True)
def change_node(node_id: str) -> Response:
    node = directory_pb2.Node(
        id=node_id,
        name=request.form.get("name", "").strip()[:200],
        time_zone=request.form.get("time_zone", "").strip()[:64],
        etag=request.form.get("etag", "")[:200],
    )
    asked = directory_pb2.UpdateNodeRequest(
        request_id=request_id(), node=node, update_mask=FieldMask(paths=["name", "time_zone"])
    )
    try:
        ask(clients().directory.UpdateNode, asked)
        flash(_("Saved."))
    except Failure as failure:
        _tell(failure)
    return redirect(url_for("admin.organisation"), 303)


# Who may do what.


@blueprint.get("/access")
@needs("identity.bindings.read", groups=True)
def bindings() -> str:
    def load() -> dict[str, Any]:
        asked = access_pb2.ListBindingsRequest(
            subject_id=request.args.get("subject", "")[:64],
            node_id=request.args.get("node", "")[:64],
            page_size=_SHOWN,
            page_token=request.args.get("page", "")[:2000],
        )
        answer = ask(clients().access.ListBindings, asked)
        return {"bindings": answer.bindings, "next_page": answer.next_page_token}

    def roles() -> list[access_pb2.Role]:
        return list(ask(clients().access.ListRoles, access_pb2.ListRolesRequest()).roles)

    directory = me().directory
    found = section(load)
    if from_htmx() and request.args.get("page"):
        return render_template("bindings_rows.html", found=found, name_of=_name_of, request_id=new_id)
    people = sorted(
        (each for each in directory.people() if each.active and me().covers("identity.people.read", each.id)),
        key=lambda each: (each.name, each.id),
    )
    return render_template(
        "bindings.html",
        found=found,
        roles=section(roles) if me().holds("identity.roles.read") else None,
        people=people if len(people) <= _MOST else [],
        places=groups("identity.bindings.write"),
        name_of=_name_of,
        request_id=new_id,
        subject=request.args.get("subject", ""),
    )


def _name_of(subject_or_node: str) -> str:
    directory = me().directory
    account = directory.service_account(subject_or_node)
    node = directory.node(subject_or_node)
    return node.name if node else (account.name if account else subject_or_node)


@blueprint.post("/access")
@needs("identity.bindings.write", groups=True)
def bind() -> Response:
    binding = access_pb2.Binding(
        role_id=request.form.get("role_id", "")[:40],
        subject_id=request.form.get("subject_id", "").strip()[:64],
        node_id=request.form.get("node_id", "")[:64] or request.form.get("subject_id", "")[:64],
    )
    asked = access_pb2.CreateBindingRequest(request_id=request_id(), binding=binding)
    try:
        ask(clients().access.CreateBinding, asked)
        flash(_("Given. It holds within seconds, everywhere."))
    except Failure as failure:
        _tell(failure)
    return redirect(url_for("admin.bindings"), 303)


@blueprint.post("/access/<binding_id>/remove")
@needs("identity.bindings.write", groups=True)
def unbind(binding_id: str) -> Response:
    asked = access_pb2.DeleteBindingRequest(request_id=request_id(), binding_id=binding_id)
    try:
        ask(clients().access.DeleteBinding, asked)
        flash(_("Taken away. It ends within seconds, everywhere."))
    except Failure as failure:
        _tell(failure)
    return redirect(url_for("admin.bindings"), 303)


# Integrators.


def _integrations(
    *, token: access_pb2.IssueServiceAccountTokenResponse | None = None, account: str = ""
) -> str:
    def load() -> list[access_pb2.ServiceAccount]:
        asked = access_pb2.ListServiceAccountsRequest(page_size=_MOST)
        return list(ask(clients().access.ListServiceAccounts, asked).service_accounts)

    settings = parts().settings
    return render_template(
        "integrations.html",
        accounts=section(load),
        token=token,
        token_account=account,
        request_id=new_id,
        webhook=bool(
            settings.webhook_secret.get_secret_value() and settings.webhook_token.get_secret_value()
        ),
        address=(settings.public_url or request.host_url).rstrip("/"),
    )


@blueprint.get("/integrations")
@needs("identity.service_accounts.read", groups=True)
def integrations() -> str:
    return _integrations()


@blueprint.post("/integrations")
@needs("identity.service_accounts.write", groups=True)
def add_account() -> Response:
    name = request.form.get("name", "").strip()[:200]
    account = access_pb2.ServiceAccount(name=name)
    asked = access_pb2.CreateServiceAccountRequest(request_id=request_id(), service_account=account)
    try:
        made = ask(clients().access.CreateServiceAccount, asked).service_account
        binding = access_pb2.Binding(role_id="integrator", subject_id=made.id, node_id=me().directory.root_id)
        ask(
            clients().access.CreateBinding,
            access_pb2.CreateBindingRequest(request_id=new_id(), binding=binding),
        )
        flash(_("Added: %(name)s.", name=name))
    except Failure as failure:
        _tell(failure)
    return redirect(url_for("admin.integrations"), 303)


@blueprint.post("/integrations/<account_id>/token")
@needs("identity.service_accounts.write", groups=True)
def issue(account_id: str) -> Response | str:
    """The token is in this one answer and nowhere else."""
    days = request.form.get("days", "")
    asked = access_pb2.IssueServiceAccountTokenRequest(
        service_account_id=account_id,
        days=int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 90,  # noqa: PLR2004
    )
    try:
        token = ask(clients().access.IssueServiceAccountToken, asked)
    except Failure as failure:
        _tell(failure)
        return redirect(url_for("admin.integrations"), 303)
    return _integrations(token=token, account=account_id)


@blueprint.post("/integrations/<account_id>/disable")
@needs("identity.service_accounts.write", groups=True)
def disable(account_id: str) -> Response:
    asked = access_pb2.DisableServiceAccountRequest(request_id=request_id(), service_account_id=account_id)
    try:
        ask(clients().access.DisableServiceAccount, asked)
        flash(_("Disabled. Its tokens no longer work."))
    except Failure as failure:
        _tell(failure)
    return redirect(url_for("admin.integrations"), 303)
