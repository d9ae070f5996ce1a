"""What taking in people costs beside writing their rows."""

from collections.abc import Iterator
from typing import Final

import psycopg
from foothold.identity.v1 import directory_pb2

from benchmarks.baselines import postgres
from benchmarks.figures import Figure, paired
from chassis.database import migrate, provision, schema_of
from tests.fixtures_identity import found_enterprise, request_id, start_identity

_PEOPLE: Final = 1_000
_ROUNDS: Final = 7
_LONGEST_SECONDS: Final = 2.0


def measure() -> Iterator[Figure]:
    """ImportPeople with 1,000 new salespeople, against inserting 1,000 rows one by one in one transaction."""
    with postgres() as admin_url:
        url = provision(admin_url, ["identity"])["identity"]
        migrate(url, schema=schema_of("identity"), package="services.identity")
        enterprise = start_identity(url)
        try:
            found_enterprise(enterprise)
            directory = enterprise.directory("admin")
            batches = iter(range(1_000))

            def take_in() -> None:
                batch = next(batches)
                rows = [_row(f"{batch}-{number}") for number in range(_PEOPLE)]
                request = directory_pb2.ImportPeopleRequest(request_id=request_id(), rows=rows)
                results = directory.ImportPeople(request, timeout=60).results
                assert not any(result.reason for result in results)

            with psycopg.connect(admin_url) as connection:
                connection.execute(
                    "CREATE TABLE rows (batch int, number int, name text, PRIMARY KEY (batch, number))"
                )
                connection.commit()

                def insert() -> None:
                    batch = next(batches)
                    for number in range(_PEOPLE):
                        connection.execute("INSERT INTO rows VALUES (%s, %s, %s)", (batch, number, "a name"))
                    connection.commit()

                ours, bare = paired(take_in, insert, _ROUNDS)
        finally:
            enterprise.close()
    yield Figure(
        "identity",
        "importing 1,000 people against 1,000 single-row inserts in one transaction",
        ours / bare,
        f"{ours * 1e3:.0f} ms against {bare * 1e3:.0f} ms (a thousand people are to take well under"
        f" {_LONGEST_SECONDS:.0f} s)",
    )


def _row(number: str) -> directory_pb2.PersonRow:
    person = directory_pb2.Person(
        parent_id="dept-sh-1", name=f"Name of {number}", employee_number=number, job_role="sales"
    )
    return directory_pb2.PersonRow(person=person, own_roles=["salesperson"])
