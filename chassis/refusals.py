"""What an exception that reached the edge means to the caller."""

from typing import Final

import psycopg
from sqlalchemy import exc

from chassis.errors import Aborted, AlreadyExists, DeadlineExceeded, Failure, InvalidArgument, Unavailable

_CONFLICTS: Final = frozenset({"40001", "40P01", "55P03"})
# A value the column cannot hold: out of range, too long, a NUL character, half a character.
_UNSTORABLE: Final = frozenset({"22000", "22001", "22003", "22007", "22008", "22021", "22P02", "22P05"})
_UNIQUE_VIOLATION: Final = "23505"
_QUERY_CANCELLED: Final = "57014"


def as_failure(error: BaseException) -> Failure | None:
    """The failure to answer, or None where the exception is a fault of the program."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, exc.TimeoutError):
        return Unavailable("DATABASE_UNAVAILABLE", "every database connection is busy; send it again")
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return None
    return _from_database(cause, lost=isinstance(error, exc.DBAPIError) and error.connection_invalidated)


def _from_database(error: psycopg.Error, *, lost: bool) -> Failure | None:
    state = error.sqlstate
    if state in _CONFLICTS:
        return Aborted("CONFLICTING_CHANGE", "two changes met each other; send it again")
    if state == _UNIQUE_VIOLATION:
        return AlreadyExists("ALREADY_EXISTS", "such a record exists already")
    if state == _QUERY_CANCELLED:
        return DeadlineExceeded("DEADLINE_PASSED", "the database took too long; nothing was changed")
    if state in _UNSTORABLE or (state is None and isinstance(error, psycopg.DataError)):
        return InvalidArgument("FIELD_INVALID", "a value in the request cannot be stored")
    if lost or isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unavailable("DATABASE_UNAVAILABLE", "the database cannot be reached just now; send it again")
    return None
