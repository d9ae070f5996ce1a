"""People: taken in, changed, found, dismissed; mentors; and files of them where a bad row stops nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from foothold.identity.v1 import access_pb2, directory_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from chassis.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from tests.fixtures_identity import Enterprise, enterprise, refused, request_id

__all__ = ["enterprise"]

CREATED = directory_pb2.PersonResult.OUTCOME_CREATED
UPDATED = directory_pb2.PersonResult.OUTCOME_UPDATED
UNCHANGED = directory_pb2.PersonResult.OUTCOME_UNCHANGED
REFUSED = directory_pb2.PersonResult.OUTCOME_REFUSED


def row(number: str, parent_id: str = "dept-bj-1", **more: Any) -> directory_pb2.PersonRow:
    outside = ("mentor_employee_number", "manager_employee_number", "own_roles", "parent_roles", "password")
    kept = {name: more.pop(name) for name in outside if name in more}
    fields = {"parent_id": parent_id, "name": f"Name of {number}", "job_role": "sales", **more}
    return directory_pb2.PersonRow(person=directory_pb2.Person(employee_number=number, **fields), **kept)


def take_in(
    enterprise: Enterprise, *rows: directory_pb2.PersonRow, who: str = "admin", dry_run: bool = False
) -> list[directory_pb2.PersonResult]:
    request = directory_pb2.ImportPeopleRequest(request_id=request_id(), rows=rows, dry_run=dry_run)
    return list(enterprise.directory(who).ImportPeople(request).results)


def get(enterprise: Enterprise, person_id: str, who: str = "admin") -> directory_pb2.Person:
    request = directory_pb2.GetPersonRequest(person_id=person_id)
    return enterprise.directory(who).GetPerson(request).person


def update(enterprise: Enterprise, who: str, *paths: str, **fields: Any) -> directory_pb2.Person:
    request = directory_pb2.UpdatePersonRequest(
        request_id=request_id(), person=directory_pb2.Person(**fields), update_mask=FieldMask(paths=paths)
    )
    return enterprise.directory(who).UpdatePerson(request).person


def dismiss(enterprise: Enterprise, who: str, person_id: str) -> directory_pb2.Person:
    request = directory_pb2.DismissPersonRequest(
        request_id=request_id(), person_id=person_id, reason="has left"
    )
    return enterprise.directory(who).DismissPerson(request).person


def bindings(enterprise: Enterprise, subject_id: str) -> set[tuple[str, str]]:
    request = access_pb2.ListBindingsRequest(subject_id=subject_id, page_size=1000)
    found = enterprise.access("admin").ListBindings(request).bindings
    return {(binding.role_id, binding.node_id) for binding in found}


def find(enterprise: Enterprise, who: str = "admin", **query: Any) -> list[str]:
    answer = enterprise.directory(who).ListPeople(directory_pb2.ListPeopleRequest(page_size=1000, **query))
    assert answer.total_size == len(answer.people)
    return [person.id for person in answer.people]


def test_a_person_is_a_leaf_with_a_record(enterprise: Enterprise) -> None:
    made = enterprise.hire(
        "leaf", hire_date=Date(year=2026, month=3, day=2), mentor_id="mentor-bj-1", language="zh-CN"
    )
    assert made == get(enterprise, "leaf", who="hr-bj")
    assert made.status == directory_pb2.PERSON_STATUS_ACTIVE
    assert bindings(enterprise, "leaf") == {("salesperson", "leaf")}
    seen_by_oneself = get(enterprise, "leaf", who="leaf")
    assert seen_by_oneself == made


def test_a_mentor_is_bound_to_the_mentee_while_being_the_mentor(enterprise: Enterprise) -> None:
    enterprise.hire("mentee", mentor_id="mentor-bj-1")
    enterprise.hire("other-mentor")
    assert ("mentor", "mentee") in bindings(enterprise, "mentor-bj-1")
    assert get(enterprise, "mentee", who="mentor-bj-1").id == "mentee"
    update(enterprise, "hr-bj", "mentor_id", id="mentee", mentor_id="other-mentor")
    assert ("mentor", "mentee") not in bindings(enterprise, "mentor-bj-1")
    assert ("mentor", "mentee") in bindings(enterprise, "other-mentor")
    with refused("PERSON_UNKNOWN", NotFound):
        get(enterprise, "mentee", who="mentor-bj-1")
    dismiss(enterprise, "hr-bj", "other-mentor")
    assert get(enterprise, "mentee").mentor_id == ""
    with refused("ALREADY_DISMISSED", FailedPrecondition):
        update(enterprise, "hr-bj", "mentor_id", id="mentee", mentor_id="other-mentor")
    with refused("FIELD_INVALID", InvalidArgument):
        update(enterprise, "hr-bj", "mentor_id", id="mentee", mentor_id="mentee")


def test_hidden_people_are_told_like_people_that_are_not(enterprise: Enterprise) -> None:
    for who, hidden in (
        ("new-bj-1", "new-bj-2"),
        ("new-bj-1", "new-sh-1"),
        ("manager-bj-1", "new-bj-3"),
        ("hr-bj", "new-sh-1"),
        ("mentor-bj-1", "new-bj-2"),
        ("hr-bj", "no-such-person"),
        ("hr-bj", "dept-bj-1"),
    ):
        with refused("PERSON_UNKNOWN", NotFound) as failure:
            get(enterprise, hidden, who=who)
        assert failure.message == "There is no such person."
        with refused("PERMISSION_MISSING" if who != "hr-bj" else "PERSON_UNKNOWN"):
            dismiss(enterprise, who, hidden)
        assert hidden not in find(enterprise, who)


def test_who_may_see_but_not_do_is_told_so(enterprise: Enterprise) -> None:
    for who, person_id in (("manager-bj-1", "new-bj-1"), ("new-bj-1", "new-bj-1")):
        assert get(enterprise, person_id, who=who).id == person_id
        with refused("PERMISSION_MISSING", PermissionDenied) as failure:
            update(enterprise, who, "name", id=person_id, name="other")
        assert failure.metadata == {"permission": "identity.people.write"}


@pytest.mark.parametrize(
    ("fields", "reason", "kind"),
    [
        ({"parent_id": "no-such-node"}, "NODE_UNKNOWN", NotFound),
        ({"parent_id": "new-bj-1"}, "TREE_INVALID", FailedPrecondition),
        ({"employee_number": "NEW-BJ-1"}, "ALREADY_EXISTS", AlreadyExists),
        ({"login": "new-bj-1"}, "ALREADY_EXISTS", AlreadyExists),
        ({"login": "NEW-BJ-1"}, "ALREADY_EXISTS", AlreadyExists),
        ({"id": "new-bj-1"}, "ALREADY_EXISTS", AlreadyExists),
        ({"id": "dept-bj-1"}, "ALREADY_EXISTS", AlreadyExists),
        ({"id": "crm"}, "ALREADY_EXISTS", AlreadyExists),
        ({"mentor_id": "nobody"}, "PERSON_UNKNOWN", NotFound),
        ({"manager_id": "dept-bj-1"}, "PERSON_UNKNOWN", NotFound),
        ({"name": ""}, "FIELD_INVALID", InvalidArgument),
        ({"name": "a\x00b"}, "FIELD_INVALID", InvalidArgument),
        ({"job_role": "Not A Word"}, "FIELD_INVALID", InvalidArgument),
        ({"login": "ab"}, "FIELD_INVALID", InvalidArgument),
        ({"language": "tlh"}, "FIELD_INVALID", InvalidArgument),
        ({"hire_date": Date(year=2026, month=2, day=30)}, "FIELD_INVALID", InvalidArgument),
        ({"hire_date": Date(year=-7)}, "FIELD_INVALID", InvalidArgument),
        ({"probation_end": Date(year=2026, month=1, day=1)}, "FIELD_INVALID", InvalidArgument),
        (
            {
                "probation_start": Date(year=2026, month=2, day=1),
                "probation_end": Date(year=2026, month=1, day=1),
            },
            "FIELD_INVALID",
            InvalidArgument,
        ),
    ],
)
def test_a_record_that_cannot_be_is_refused(
    enterprise: Enterprise, fields: dict[str, Any], reason: str, kind: type[Any]
) -> None:
    values = {
        "parent_id": "dept-bj-1",
        "name": "n",
        "employee_number": "REFUSED",
        "job_role": "sales",
        **fields,
    }
    request = directory_pb2.CreatePersonRequest(
        request_id=request_id(), person=directory_pb2.Person(**values)
    )
    with refused(reason, kind) as failure:
        enterprise.directory("admin").CreatePerson(request)
    assert all(name.startswith("person.") for name in failure.fields)


def test_passwords_and_requests_repeat_safely(enterprise: Enterprise) -> None:
    person = row("REPEATED", login="repeated").person
    request = directory_pb2.CreatePersonRequest(
        request_id=request_id(), person=person, password="a-password-77"
    )
    directory = enterprise.directory("admin")
    first, again = directory.CreatePerson(request), directory.CreatePerson(request)
    assert first.person == again.person
    assert enterprise.sign_in("repeated", "a-password-77").person.id == first.person.id
    request.password = "another-password-78"
    with refused("REQUEST_ID_REUSED", FailedPrecondition):
        directory.CreatePerson(request)
    request.request_id, request.password = request_id(), "12345678"
    with refused("PASSWORD_WEAK", InvalidArgument):
        directory.CreatePerson(request)


def test_a_change_touches_the_named_fields_only(enterprise: Enterprise) -> None:
    made = enterprise.hire("changeable", probation_start=Date(year=2026, month=1, day=1))
    changed = update(
        enterprise, "hr-bj", "name", "parent_id", id="changeable", name="New name", parent_id="dept-bj-2"
    )
    assert (changed.name, changed.parent_id, changed.login) == ("New name", "dept-bj-2", "changeable")
    assert changed.probation_start == made.probation_start
    with refused("ETAG_MISMATCH", Aborted):
        update(enterprise, "hr-bj", "name", id="changeable", name="x", etag=made.etag)
    with refused("NODE_UNKNOWN", NotFound):
        update(enterprise, "hr-bj", "parent_id", id="changeable", parent_id="dept-sh-1")
    cleared = update(enterprise, "hr-bj", "login", "probation_start", id="changeable", etag=changed.etag)
    assert cleared.login == ""
    assert not cleared.HasField("probation_start")
    with refused("CREDENTIALS_WRONG"):
        enterprise.sign_in("changeable")
    with refused("FIELD_INVALID", InvalidArgument):
        update(enterprise, "hr-bj", "name", id="changeable")
    with refused("FIELD_INVALID", InvalidArgument):
        update(enterprise, "hr-bj", "status", id="changeable")


def test_dismissal_is_final_human_and_ends_everything(enterprise: Enterprise) -> None:
    enterprise.hire("going")
    gone = dismiss(enterprise, "hr-bj", "going")
    assert gone.status == directory_pb2.PERSON_STATUS_DISMISSED
    assert abs(gone.dismissed_at.ToDatetime(UTC) - datetime.now(UTC)) < timedelta(minutes=1)
    assert bindings(enterprise, "going") == set()
    assert get(enterprise, "going", who="hr-bj").id == "going"  # what was recorded remains
    with refused("ALREADY_DISMISSED", FailedPrecondition):
        dismiss(enterprise, "hr-bj", "going")
    with refused("ALREADY_DISMISSED", FailedPrecondition):
        update(enterprise, "hr-bj", "name", id="going", name="x")
    assert "going" not in find(enterprise, under_node_id="dept-bj-1")
    assert "going" in find(enterprise, under_node_id="dept-bj-1", include_dismissed=True)
    with refused("PERMISSION_MISSING", PermissionDenied):
        dismiss(enterprise, "operator", "new-bj-2")  # a program never ends an employment (R13)
    with refused("LAST_ADMINISTRATOR", FailedPrecondition):
        dismiss(enterprise, "hr-hq", "admin")


def test_people_are_found_by_what_is_known_of_them(enterprise: Enterprise) -> None:
    tokyo = datetime.now(ZoneInfo("Asia/Tokyo")).date()
    today = Date(year=tokyo.year, month=tokyo.month, day=tokyo.day)
    enterprise.hire("prober", "dept-sh-1", probation_start=today, probation_end=today)
    past = tokyo - timedelta(days=1)
    yesterday = Date(year=past.year, month=past.month, day=past.day)
    enterprise.hire("proven", "dept-sh-1", probation_start=yesterday, probation_end=yesterday)
    assert find(enterprise, on_probation=True, under_node_id="dept-sh-1") == ["prober"]
    assert find(enterprise, query="name of PROB") == ["prober"]
    assert find(enterprise, query="%") == []
    assert find(enterprise, query="_rober") == []
    assert find(enterprise, job_role="staff") == ["admin", "hr-bj", "hr-hq", "hr-sh", "trainer-hq"]
    assert find(enterprise, mentor_id="mentor-bj-1", query="new-bj") == ["new-bj-1"]
    assert find(enterprise, "new-bj-1") == ["new-bj-1"]
    assert {"manager-bj-2", "new-bj-3"} <= set(find(enterprise, "manager-bj-2"))
    assert "new-bj-1" not in find(enterprise, "manager-bj-2")
    assert find(enterprise, under_node_id="new-sh-1") == ["new-sh-1"]
    with refused("NODE_UNKNOWN", NotFound):
        find(enterprise, "hr-bj", under_node_id="branch-sh")
    directory = enterprise.directory("hr-sh")
    request = directory_pb2.ListPeopleRequest(page_size=2)
    paged: list[str] = []
    while True:
        answer = directory.ListPeople(request)
        paged += [person.id for person in answer.people]
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    assert paged == find(enterprise, "hr-sh")


def test_a_file_of_people_has_a_result_for_every_row(enterprise: Enterprise) -> None:
    rows = [
        row("IMP-1", own_roles=["salesperson"], login="imp-1", password="some-password-1"),
        row("IMP-2", mentor_employee_number="IMP-1", manager_employee_number="MANAGER-BJ-1"),
        row("IMP-3", parent_id="no-such-node"),
        row("IMP-4", mentor_employee_number="NOBODY"),
        row("IMP-5", own_roles=["no_such_role"]),
        row("IMP-6", login="imp-1"),
        row("", name="without number"),
        row("IMP-8", password="some-password-1"),
        row("IMP-9", login="imp-9", password="password1"),
        row("IMP-1", name="Changed in the same file"),
        row("IMP-2"),
        row("IMP-12", id="imp-twelve", parent_roles=["department_manager"]),
    ]
    dry = take_in(enterprise, *rows, dry_run=True)
    with refused("PERSON_UNKNOWN"):
        get(enterprise, "imp-twelve")
    results = take_in(enterprise, *rows)
    assert [(each.outcome, each.field, each.reason) for each in results] == [
        (each.outcome, each.field, each.reason) for each in dry
    ]
    assert [(each.outcome, each.field, each.reason) for each in results] == [
        (CREATED, "", ""),
        (CREATED, "", ""),
        (REFUSED, "parent_id", "NODE_UNKNOWN"),
        (REFUSED, "mentor_employee_number", "PERSON_UNKNOWN"),
        (REFUSED, "own_roles", "ROLE_UNKNOWN"),
        (REFUSED, "login", "ALREADY_EXISTS"),
        (REFUSED, "employee_number", "FIELD_INVALID"),
        (REFUSED, "login", "FIELD_INVALID"),
        (REFUSED, "password", "PASSWORD_WEAK"),
        (UPDATED, "", ""),
        (UNCHANGED, "", ""),
        (CREATED, "", ""),
    ]
    one = results[0].person_id
    assert get(enterprise, one).name == "Changed in the same file"
    assert get(enterprise, results[1].person_id).mentor_id == one
    assert get(enterprise, results[1].person_id).manager_id == "manager-bj-1"
    assert bindings(enterprise, one) == {("salesperson", one), ("mentor", results[1].person_id)}
    assert bindings(enterprise, "imp-twelve") == {("department_manager", "dept-bj-1")}
    assert enterprise.sign_in("imp-1", "some-password-1").person.id == one
    # Told again: nothing changes, and what the file leaves empty is left alone.
    assert [each.outcome for each in take_in(enterprise, row("IMP-2"), rows[11])] == [UNCHANGED, UNCHANGED]
    assert get(enterprise, results[1].person_id).mentor_id == one


def test_branch_hr_takes_in_its_own_branch_only(enterprise: Enterprise) -> None:
    results = take_in(
        enterprise,
        row("HR-1", "dept-bj-1", own_roles=["salesperson"]),
        row("HR-2", "dept-sh-1"),
        row("HR-3", "hq"),
        row("NEW-SH-1", "dept-bj-1"),
        row("HR-5", "dept-bj-1", parent_roles=["department_manager"]),
        row("HR-6", "dept-bj-1", own_roles=["administrator"]),
        row("HR-7", "dept-bj-1", mentor_employee_number="NEW-SH-1"),
        who="hr-bj",
    )
    assert [(each.outcome, each.reason) for each in results] == [
        (CREATED, ""),
        (REFUSED, "NODE_UNKNOWN"),
        (REFUSED, "NODE_UNKNOWN"),
        (REFUSED, "ALREADY_EXISTS"),
        (REFUSED, "GRANT_EXCEEDS_CALLER"),
        (REFUSED, "GRANT_EXCEEDS_CALLER"),
        (REFUSED, "PERSON_UNKNOWN"),
    ]
