"""People made for a journey."""

from collections.abc import Sequence

from foothold.identity.v1 import directory_pb2, directory_pb2_grpc
from google.type.date_pb2 import Date

from access import Directory
from chassis.ids import new_id
from launcher.demo.accounts import PASSWORD
from tests.platform import Platform


def hire(
    platform: Platform,
    directory: Directory,
    name: str,
    *,
    job_role: str = "sales",
    beside: str = "何思琪",
    roles: Sequence[str] = ("salesperson",),
) -> str:
    """Hire somebody into the department of `beside`, with the demo's password; their sign-in name.

    Who has a role is on probation: whoever is, can open the pages of a newcomer.
    """
    mark = new_id()[-8:]
    people = directory_pb2_grpc.DirectoryServiceStub(platform.channel("identity"))
    person = directory_pb2.Person(
        parent_id=next(person.parent_id for person in directory.people() if person.name == beside),
        name=name,
        employee_number=f"J-{mark}",
        login=f"journey.{mark}",
        job_role=job_role,
        probation_start=Date(year=2026, month=11, day=1) if roles else None,
    )
    people.CreatePerson(
        directory_pb2.CreatePersonRequest(
            request_id=new_id(), person=person, password=PASSWORD, own_roles=roles
        )
    )
    return person.login
