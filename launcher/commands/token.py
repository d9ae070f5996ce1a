"""`foothold token`: keys for a cluster, tokens for integrators, and signing in from a terminal."""

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from launcher import options
from launcher.exits import Exit, Stop, told

if TYPE_CHECKING:
    from foothold.identity.v1 import access_pb2_grpc

    from access.tokens import TokenIssuer

_DAYS: Final = click.IntRange(1, 366)
_COMPONENTS: Final = ("identity", "goals", "training", "incentives", "gateway")


@click.group()
def token() -> None:
    """Make keys and tokens; sign in from a terminal.

    Tokens are printed once, alone, on standard output; nothing else is.
    """


@token.command()
@click.option("--service-account", "account", required=True, help="Its id, e.g. crm; see --create.")
@click.option("--days", type=_DAYS, default=90, show_default=True, help="How long the token works.")
@click.option("--create", is_flag=True, help="Make the account if there is none, with --role on --node.")
@click.option("--name", default="", help="With --create: the shown name. Default: the id.")
@click.option("--role", default="integrator", show_default=True, help="With --create: the role it gets.")
@click.option("--node", default="", help="With --create: where. Default: the enterprise.")
@options.reach
@told
def issue(account: str, days: int, **how: Any) -> None:
    """Issue a token for an integrator's service account.

    Exit codes: 0 printed; 1 no such account; 2, 3, 5 as `foothold --help` says.
    """
    from foothold.identity.v1 import access_pb2, access_pb2_grpc

    from launcher.reaching import reached

    with reached(how["addresses"], how["token"], how["data"]) as platform:
        stub = access_pb2_grpc.AccessServiceStub(platform.channel("identity"))
        if how["create"]:
            node = how["node"] or _enterprise(platform)
            _create(stub, account, how["name"] or account, how["role"], node)
        issued = stub.IssueServiceAccountToken(
            access_pb2.IssueServiceAccountTokenRequest(service_account_id=account, days=days)
        )
    click.echo(f"works until {issued.expires_at.ToJsonString()}", err=True)
    click.echo(issued.token)


def _enterprise(platform: Any) -> str:
    from foothold.identity.v1 import directory_pb2_grpc

    from launcher.importing.directory import nodes

    for node in nodes(directory_pb2_grpc.DirectoryServiceStub(platform.channel("identity"))):
        if not node.parent_id:
            return node.id
    raise Stop("there is no enterprise yet: import people, or seed the demo, first")


def _create(stub: "access_pb2_grpc.AccessServiceStub", account: str, name: str, role: str, node: str) -> None:
    import grpc
    from foothold.identity.v1 import access_pb2

    from chassis.errors import AlreadyExists, from_rpc_error

    wanted = access_pb2.ServiceAccount(id=account, name=name)
    request = access_pb2.CreateServiceAccountRequest(request_id=f"cli-{account}"[:64], service_account=wanted)
    try:
        stub.CreateServiceAccount(request)
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        if not isinstance(failure, AlreadyExists):
            raise failure from error
    binding = access_pb2.Binding(role_id=role, subject_id=account, node_id=node)
    stub.CreateBinding(
        access_pb2.CreateBindingRequest(request_id=f"cli-{role}-{account}"[:64], binding=binding)
    )


@token.command("sign-in")
@click.option("--login", prompt=True, help="Sign-in name.")
@click.option(
    "--password-file",
    type=click.File("r"),
    help="Where the password stands; `-` is standard input. Default: it is asked for.",
)
@options.reach
@told
def sign_in(login: str, password_file: Any, **how: Any) -> None:
    """Sign in as a person and print the access token; it works for some minutes.

    Exit codes: 0 printed; 5 name or password is wrong; 2, 3 as `foothold --help` says.
    """
    from foothold.identity.v1 import sessions_pb2, sessions_pb2_grpc

    from launcher.reaching import reached

    if password_file:
        password = password_file.read().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, err=True)
    # Signing in is open to everybody; the channel still wants some token where an address is named.
    with reached(how["addresses"], how["token"] or "none", how["data"]) as platform:
        answer = sessions_pb2_grpc.SessionServiceStub(platform.channel("identity")).SignIn(
            sessions_pb2.SignInRequest(login=login, password=password)
        )
    click.echo(f"{answer.person.name}, until {answer.tokens.access_expires_at.ToJsonString()}", err=True)
    click.echo(answer.tokens.access_token)


@token.command()
@click.option("--login", required=True, help="Whose, by sign-in name.")
@click.option(
    "--password-file", type=click.File("r"), help="Where the new password stands; `-` is standard input."
)
@options.reach
@told
def password(login: str, password_file: Any, **how: Any) -> None:
    """Set somebody's password and end their sessions: how the first administrator of a new enterprise gets in.

    Exit codes: 0 set; 1 nobody has that sign-in name, or the password is too weak; 2, 3, 5 as `foothold --help` says.
    """
    from foothold.identity.v1 import sessions_pb2, sessions_pb2_grpc

    from chassis.ids import new_id
    from launcher.reaching import reached

    if password_file:
        chosen = password_file.read().rstrip("\r\n")
    else:
        chosen = click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
    with reached(how["addresses"], how["token"], how["data"]) as platform:
        person_id = _person(platform, login)
        sessions_pb2_grpc.SessionServiceStub(platform.channel("identity")).ResetPassword(
            sessions_pb2.ResetPasswordRequest(request_id=new_id(), person_id=person_id, new_password=chosen)
        )
    click.echo(f"the password of {login} is set", err=True)


@token.command()
@click.option("--login", required=True, help="Who, by sign-in name.")
@click.option("--role", required=True, help="The role, e.g. administrator.")
@click.option("--node", default="", help="Where, and on everything below. Default: the enterprise.")
@options.reach
@told
def grant(login: str, role: str, node: str, **how: Any) -> None:
    """Bind a role to a person on a unit: how a new enterprise gets its first administrator.

    Exit codes: 0 granted; 1 no such person, role or unit; 2, 3, 5 as `foothold --help` says.
    """
    from foothold.identity.v1 import access_pb2, access_pb2_grpc

    from chassis.ids import new_id
    from launcher.reaching import reached

    with reached(how["addresses"], how["token"], how["data"]) as platform:
        subject = _person(platform, login)
        binding = access_pb2.Binding(role_id=role, subject_id=subject, node_id=node or _enterprise(platform))
        access_pb2_grpc.AccessServiceStub(platform.channel("identity")).CreateBinding(
            access_pb2.CreateBindingRequest(request_id=new_id(), binding=binding)
        )
    click.echo(f"{login} is {role}", err=True)


def _person(platform: Any, login: str) -> str:
    from foothold.identity.v1 import directory_pb2_grpc

    from launcher.importing.directory import people

    stub = directory_pb2_grpc.DirectoryServiceStub(platform.channel("identity"))
    for person in people(stub, query=login):
        if person.login == login.lower():
            return person.id
    raise Stop(f"nobody signs in as {login}")


@token.command()
@options.data
@told
def operator(data: Path | None) -> None:
    """Print an operator's token for the platform on the data folder; it may do everything for twelve hours.

    In a cluster give the signing key: FOOTHOLD_SIGNING_KEY or FOOTHOLD_SIGNING_KEY_FILE.
    """
    from launcher.folder import OPERATOR, DataFolder, default_folder

    issuer = _issuer(None)
    if issuer:
        click.echo(issuer.service_account(OPERATOR, lifetime=timedelta(hours=12))[0])
        return
    folder = DataFolder(data or default_folder())
    if not folder.secrets.exists():
        raise Stop(f"{folder.path} holds no platform yet; start one with foothold serve", Exit.USAGE)
    click.echo(folder.operator_token())


@token.command()
@click.argument("name", type=click.Choice(_COMPONENTS))
@click.option("--days", type=_DAYS, default=366, show_default=True, help="How long the token works.")
@click.option(
    "--signing-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The private key's file. Default: FOOTHOLD_SIGNING_KEY or FOOTHOLD_SIGNING_KEY_FILE.",
)
@told
def component(name: str, days: int, signing_key: Path | None) -> None:
    """Print the token by which one of the platform's own processes reads the others' feeds."""
    issuer = _issuer(signing_key)
    if not issuer:
        raise Stop("give --signing-key, or set FOOTHOLD_SIGNING_KEY_FILE", Exit.USAGE)
    click.echo(issuer.component(name, lifetime=timedelta(days=days)))


def _issuer(key: Path | None) -> "TokenIssuer | None":
    from access.tokens import TokenIssuer, load_private

    named = os.environ.get("FOOTHOLD_SIGNING_KEY_FILE")
    file = key or (Path(named) if named else None)
    pem = file.read_text("utf-8") if file else os.environ.get("FOOTHOLD_SIGNING_KEY")
    if not pem:
        return None
    try:
        return TokenIssuer(load_private(pem))
    except ValueError as error:
        raise Stop(f"the signing key cannot be read: {error}", Exit.USAGE) from error


@token.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="A new or empty folder. The files are readable by you only.",
)
@told
def keys(out: Path) -> None:
    """Make every secret that a cluster needs, a file each, ready for `kubectl create secret --from-file`.

    \b
      signing_key.pem          identity only
      verifying_keys.pem       every target
      component_<name>.token   the target of that name
      cookie_secret            gateway
      webhook_secret           gateway, and whoever sends CRM events
      webhook.token            gateway: records the webhook's facts as the service account crm-webhook
    """  # noqa: D301
    from launcher.folder import DataFolder

    if out.exists() and any(out.iterdir()):
        raise Stop(f"{out} is not empty; nothing was written", Exit.USAGE)
    made = DataFolder(out).write_secrets(out)
    for path in made:
        click.echo(str(path))
