"""Nothing a caller can send is answered with a fault of ours, and nothing malformed changes a row."""

import random
from collections.abc import Callable
from typing import Any, Final

import grpc
from foothold.identity.v1 import access_pb2, directory_pb2, feed_pb2, sessions_pb2
from sqlalchemy import text

from chassis.database import Database
from chassis.errors import from_rpc_error
from tests.fixtures_identity import Enterprise, enterprise
from tests.identity.malformed import malformed, spoilable

__all__ = ["enterprise"]

_SEED: Final = 20260311
_EACH: Final = 130
_REFUSALS: Final = {
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "PERMISSION_DENIED",
    "FAILED_PRECONDITION",
    "ALREADY_EXISTS",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNAUTHENTICATED",
    "RESOURCE_EXHAUSTED",
}
_METHODS: Final = [
    method
    for file in (access_pb2, directory_pb2, sessions_pb2, feed_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if spoilable(method)
]
# Counting attempts to sign in is what a refused sign-in is supposed to do.
_COUNTED: Final = "attempt"


def fingerprint(database: Database) -> dict[str, str]:
    """A hash of the rows of each table."""
    with database.read() as connection:
        tables = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
        ).scalars()
        return {
            table: connection.execute(
                text(f"SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} AS t")
            ).scalar_one()
            for table in tables.all()
            if table != _COUNTED
        }


def test_more_than_two_thousand_malformed_requests_change_nothing(
    enterprise: Enterprise, database_for: Callable[[str], Any]
) -> None:
    database = database_for("identity").database
    channel = enterprise.connect("admin")
    before = fingerprint(database)
    chance = random.Random(_SEED)
    told: dict[str, int] = {}
    for method in _METHODS:
        call = channel.unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=lambda raw: raw,
            response_deserializer=lambda raw: raw,
        )
        for request in malformed(method, chance, _EACH):
            try:
                answer = call(request, timeout=10)
            except grpc.RpcError as error:
                failure = from_rpc_error(error)
                code = failure.code.name
                assert code in _REFUSALS, (method.name, request, failure)
                assert not any(word in str(failure) for word in ("Traceback", "psycopg", "SELECT"))
            else:
                code = "OK"
                # The one method that answers row by row.
                assert method.name == "ImportPeople", (method.name, request)
                results = directory_pb2.ImportPeopleResponse.FromString(answer).results
                assert any(each.reason for each in results), request
                assert not any(each.person_id for each in results), request
            told[code] = told.get(code, 0) + 1
    assert sum(told.values()) >= 2_000
    assert told["INVALID_ARGUMENT"] > 1_500, told
    after = fingerprint(database)
    # An import whose every row was refused leaves its answer, to be given again.
    assert {name for name in before if before[name] != after[name]} <= {"requests"}
