"""Many people at once. In a module of its own: nobody else's enterprise shall be that large."""

from foothold.identity.v1 import directory_pb2

from chassis.errors import InvalidArgument
from tests.fixtures_identity import Enterprise, enterprise, refused
from tests.identity.test_people import CREATED, UNCHANGED, row, take_in

__all__ = ["enterprise"]


def test_a_thousand_people_come_in_at_once_and_more_do_not(enterprise: Enterprise) -> None:
    rows = [row(f"BULK-{number:04}", "dept-sh-1", own_roles=["salesperson"]) for number in range(1000)]
    assert {each.outcome for each in take_in(enterprise, *rows)} == {CREATED}
    assert {each.outcome for each in take_in(enterprise, *rows)} == {UNCHANGED}
    with refused("FIELD_INVALID", InvalidArgument):
        take_in(enterprise, *rows, row("BULK-MORE"))
    with refused("FIELD_INVALID", InvalidArgument):
        take_in(enterprise)
    found = enterprise.directory("hr-sh").ListPeople(directory_pb2.ListPeopleRequest(query="BULK-"))
    assert (len(found.people), found.total_size) == (50, 1000)
