"""What a command's exit code says, and how failures become one."""

import sys
from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import Final, NoReturn, ParamSpec, TypeVar

import click


class Exit(IntEnum):
    """The exit codes, the same for every command; `foothold --help` and docs/commands.md explain them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    PARTLY = 4
    NOT_PERMITTED = 5
    INTERRUPTED = 130


class Stop(Exception):  # noqa: N818  an end with a message and a code, not an error in the program
    """Ends the command with a message on stderr and an exit code."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


P = ParamSpec("P")
R = TypeVar("R")

_NOT_PERMITTED: Final = ("UNAUTHENTICATED", "PERMISSION_DENIED")
_UNREACHABLE: Final = ("UNAVAILABLE", "DEADLINE_EXCEEDED")


def leave(code: Exit) -> NoReturn:
    """End the process with this code, through click."""
    click.get_current_context().exit(int(code))


def told(command: Callable[P, R]) -> Callable[P, R]:
    """Around a command: every expected failure ends with one line and the documented exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except Stop as stop:
            click.echo(f"foothold: {stop.message}", err=True)
            sys.exit(int(stop.code))
        except KeyboardInterrupt:
            click.echo("foothold: interrupted", err=True)
            sys.exit(int(Exit.INTERRUPTED))
        except Exception as error:
            told_as = _explain(error)
            if told_as is None:
                raise
            click.echo(f"foothold: {told_as.message}", err=True)
            sys.exit(int(told_as.code))

    return run


def _explain(error: Exception) -> Stop | None:
    # Loaded here, and each only where it comes to that: a command that fails on its arguments needs no gRPC,
    # and one that fails on a call no database.
    import grpc

    from chassis.errors import Failure, from_rpc_error

    if isinstance(error, grpc.RpcError):
        error = from_rpc_error(error)
    if isinstance(error, Failure):
        return Stop(str(error), _code_of(error.code.name))
    return _explain_own(error)


def _explain_own(error: Exception) -> Stop | None:
    """What failed on this machine: the database, or the settings."""
    import psycopg
    from sqlalchemy.exc import OperationalError

    from chassis.embedded import EmbeddedError
    from chassis.settings import SettingsError

    match error:
        case EmbeddedError():
            return Stop(str(error), Exit.UNREACHABLE)
        case psycopg.OperationalError() | OperationalError():
            return Stop(f"the database does not answer: {_first_line(error)}", Exit.UNREACHABLE)
        case SettingsError():
            return Stop("the configuration is not valid:\n  " + "\n  ".join(error.problems), Exit.USAGE)
        case _:
            return None


def _code_of(status: str) -> Exit:
    if status in _NOT_PERMITTED:
        return Exit.NOT_PERMITTED
    return Exit.UNREACHABLE if status in _UNREACHABLE else Exit.FAILED


def _first_line(error: BaseException) -> str:
    return (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]
