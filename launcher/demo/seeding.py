"""Filling the demo enterprise in through the public contract. Doing it again adds what happened since, nothing else."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import grpc
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc
from foothold.identity.v1 import access_pb2, access_pb2_grpc, directory_pb2, directory_pb2_grpc
from google.type.date_pb2 import Date

from chassis.errors import NotFound, from_rpc_error
from launcher.demo.accounts import PASSWORD
from launcher.demo.boards import honour_the_first, set_boards
from launcher.demo.calendars import set_calendars, tell_leave
from launcher.demo.closing import close_last_month
from launcher.demo.coaching import coach
from launcher.demo.enterprise import DemoPerson, enterprise
from launcher.demo.fair_play import notice_something
from launcher.demo.goal_tree import set_goals
from launcher.demo.learning import learn, teach
from launcher.demo.plans import planned, set_plans
from launcher.demo.standards import set_standards
from launcher.demo.stories import story_of
from launcher.demo.trying import try_the_pilot_everywhere
from launcher.exits import Stop
from launcher.folder import WEBHOOK_ACCOUNT
from launcher.following import wait_for_followers
from launcher.reaching import Reached

_BATCH: Final = 1_000
Say = Callable[[str], None]


def seed_demo(reached: Reached, *, say: Say) -> None:
    """Make the demo enterprise, or bring it up to today. Stop when another enterprise is there already.

    What stands is left as its users have it since, and as the version that made it had it: only history is added.
    """
    begun = time.monotonic()
    zone = ZoneInfo(enterprise().zone)
    anchor = _anchor(reached, zone)
    known_already = planned(reached)
    if known_already:
        say("the demo enterprise is there already; bringing its history up to today")
        wait_for_followers(reached)
    else:
        position = _people(reached, anchor)
        say(f"{len(enterprise().units)} units, {len(enterprise().people)} people")
        wait_for_followers(reached, identity=position)
        set_standards(reached, anchor)
        teach(reached)
        set_boards(reached)
        set_calendars(reached, anchor)
        tell_leave(reached, anchor)
        set_goals(reached, anchor)
        # One plan asks for a course: incentives must have heard of it.
        wait_for_followers(reached)
        set_plans(reached, anchor)
        say("targets, calendars, goals, incentive plans and courses")
    recorded, known, refused = _history(reached, anchor, zone)
    say(
        f"CRM history: {recorded} facts recorded, {known} already known"
        + (f", {refused} refused" * bool(refused))
    )
    attempts = learn(reached)
    say(f"training: {attempts} quiz attempts made")
    if not known_already:
        say(f"{coach(reached, anchor)} coaching tasks")
        say(f"{notice_something(reached, anchor, zone)} matters for a second look, one of them answered")
        wait_for_followers(reached)
        close_last_month(reached, anchor, zone)
        say("last month closed in one branch, with an adjustment since")
        wait_for_followers(reached)
        honour_the_first(reached, anchor)
        try_the_pilot_everywhere(reached, anchor)
        say("a pilot's plan tried on the last three months everywhere")
    wait_for_followers(reached)
    say(f"done in {time.monotonic() - begun:.0f} s")


def _anchor(reached: Reached, zone: ZoneInfo) -> date:
    """The day of the first seeding, which everything is dated from: told by the first person's hire date."""
    first = enterprise().people[0]
    directory = directory_pb2_grpc.DirectoryServiceStub(reached.channel("identity"))
    try:
        found = directory.GetPerson(directory_pb2.GetPersonRequest(person_id=first.id))
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        if not isinstance(failure, NotFound):
            raise failure from error
        _require_empty(directory)
        return datetime.now(zone).date()
    hired = found.person.hire_date
    return date(hired.year, hired.month, hired.day) + timedelta(days=first.hired)


def _require_empty(directory: directory_pb2_grpc.DirectoryServiceStub) -> None:
    nodes = directory.ListNodes(directory_pb2.ListNodesRequest(page_size=1)).nodes
    if nodes and nodes[0].id != enterprise().id:
        raise Stop(
            f"this platform holds another enterprise already ({nodes[0].name}); "
            "seed the demo into a data folder of its own"
        )


def _people(reached: Reached, anchor: date) -> int:
    """Units, people, bindings and the webhook's account; the feed position they are visible at."""
    channel = reached.channel("identity")
    directory = directory_pb2_grpc.DirectoryServiceStub(channel)
    access = access_pb2_grpc.AccessServiceStub(channel)
    for unit in enterprise().units:
        node = directory_pb2.Node(
            id=unit.id,
            parent_id=unit.parent_id,
            kind=directory_pb2.NodeKind.Value(f"NODE_KIND_{unit.kind}"),
            name=unit.name,
            time_zone=unit.zone,
        )
        directory.CreateNode(directory_pb2.CreateNodeRequest(request_id=f"demo-{unit.id}", node=node))
    rows = [_row(person, anchor) for person in enterprise().people]
    answer = directory.ImportPeople(
        directory_pb2.ImportPeopleRequest(request_id="demo-people", rows=rows), timeout=120
    )
    refused = [
        each.message for each in answer.results if each.outcome == directory_pb2.PersonResult.OUTCOME_REFUSED
    ]
    if refused:
        raise Stop(f"{len(refused)} people of the demo were refused: {refused[0]}")
    position: int = answer.feed_position
    access.CreateServiceAccount(
        access_pb2.CreateServiceAccountRequest(
            request_id="demo-webhook",
            service_account=access_pb2.ServiceAccount(id=WEBHOOK_ACCOUNT, name="CRM webhook"),
        )
    )
    bound = [(person.id, *person.bound) for person in enterprise().people if person.bound]
    for subject, role, node_id in (*bound, (WEBHOOK_ACCOUNT, "integrator", enterprise().id)):
        binding = access_pb2.Binding(role_id=role, subject_id=subject, node_id=node_id)
        made = access.CreateBinding(
            access_pb2.CreateBindingRequest(request_id=f"demo-{role}-{subject}"[:64], binding=binding)
        )
        position = max(position, made.feed_position)
    return position


def _row(person: DemoPerson, anchor: date) -> directory_pb2.PersonRow:
    hired = anchor - timedelta(days=person.hired)
    told = directory_pb2.Person(
        id=person.id,
        parent_id=person.unit,
        name=person.name,
        employee_number=person.number,
        login=person.login,
        job_role=person.job,
        hire_date=to_date(hired),
        language="zh-CN",
    )
    if person.probation_days:
        told.probation_start.CopyFrom(to_date(hired))
        told.probation_end.CopyFrom(to_date(hired + timedelta(days=person.probation_days)))
    return directory_pb2.PersonRow(
        person=told,
        mentor_employee_number=person.mentor,
        manager_employee_number=person.manager,
        own_roles=person.own_roles,
        parent_roles=person.parent_roles,
        password=PASSWORD,
    )


def _history(reached: Reached, anchor: date, zone: ZoneInfo) -> tuple[int, int, int]:
    """How many facts were new to the ledger, how many it knew, and how many it refused.

    It refuses what another version of the demo told differently, or somebody has corrected since.
    """
    now = datetime.now(UTC)
    facts = [
        fact
        for person in enterprise().newcomers
        for fact in story_of(person, anchor=anchor, until=now, zone=zone)
    ]

    def batches() -> Iterator[facts_pb2.StreamFactsRequest]:
        for start in range(0, len(facts), _BATCH):
            yield facts_pb2.StreamFactsRequest(facts=facts[start : start + _BATCH])

    outcomes: dict[int, int] = {}
    for answer in facts_pb2_grpc.FactsServiceStub(reached.channel("goals")).StreamFacts(batches()):
        for result in answer.results:
            outcomes[result.outcome] = outcomes.get(result.outcome, 0) + 1
    return (
        outcomes.get(facts_pb2.FACT_OUTCOME_RECORDED, 0),
        outcomes.get(facts_pb2.FACT_OUTCOME_ALREADY_KNOWN, 0),
        outcomes.get(facts_pb2.FACT_OUTCOME_REFUSED, 0),
    )


def to_date(day: date) -> Date:
    return Date(year=day.year, month=day.month, day=day.day)
