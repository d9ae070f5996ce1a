"""CoachingService."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import grpc
from foothold.goals.v1 import coaching_pb2, coaching_pb2_grpc
from google.protobuf.message import Message
from sqlalchemy import Connection

from access import Scope, caller
from access.callers import missing
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition
from chassis.feed import NewEvent, publish
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.goals.domain.coaching import (
    CLOSED,
    Matter,
    Rule,
    Task,
    TaskState,
    due_days,
    matters_of,
    rule_for,
)
from services.goals.domain.progress import Member
from services.goals.handlers.cascade import LONGEST_ID, LONGEST_REASON
from services.goals.handlers.coaching_rules import LONGEST_STEP, read_metric, read_situation, require_metric
from services.goals.handlers.metrics import people_at
from services.goals.handlers.progress import people_of
from services.goals.permissions import COACHING_ANSWER, COACHING_READ, COACHING_WRITE
from services.goals.store.coaching import Tasks, require_open
from services.goals.store.coaching_rules import rules_of
from services.goals.store.progress import read_team
from services.goals.store.targets import TargetsCache
from services.goals.store.workplaces import WorkplacesCache
from services.goals.wire.coaching import from_step, from_task
from services.goals.wire.feed import TASK_CHANGED, task_payload

_MOST_PEOPLE: Final = 500
_LONGEST_ANSWER: Final = 1_000
_SERVICE: Final = "/foothold.goals.v1.CoachingService/"
_URGENCY: Final = (int, int, int, str)
_PLACE: Final = (int, int, str)

R = TypeVar("R", bound=Message)


class CoachingHandler(coaching_pb2_grpc.CoachingServiceServicer):
    """Tells what to coach, and opens, passes on, closes and lists tasks."""

    def __init__(
        self,
        database: Database,
        cache: TargetsCache,
        workplaces: WorkplacesCache,
        clock: Clock,
        built_in: Sequence[Rule],
    ) -> None:
        self._database = database
        self._cache = cache
        self._workplaces = workplaces
        self._clock = clock
        self._built_in = built_in

    def SuggestSteps(
        self, request: coaching_pb2.SuggestStepsRequest, context: grpc.ServicerContext
    ) -> coaching_pb2.SuggestStepsResponse:
        scope = caller(context).scope(COACHING_READ)
        fields = Fields()
        fields.count("person_ids", len(request.person_ids), minimum=0, maximum=_MOST_PEOPLE)
        fields.text("node_id", request.node_id, max_length=LONGEST_ID, required=False)
        size = fields.page_size(request.page_size, maximum=_MOST_PEOPLE)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_URGENCY)
        named = list(dict.fromkeys(request.person_ids))
        for person_id in named:
            scope.require_person(person_id)
        people = people_of(scope, named or people_at(scope, request.node_id))
        with self._database.read() as connection:
            members = read_team(
                connection,
                self._cache,
                self._workplaces,
                scope.caller.directory,
                people,
                now=self._clock.now(),
                as_of=None,
                known_at=None,
                newcomers_only=not named,
            )
            if named:
                members.sort(key=lambda member: named.index(member.person_id))
                size = len(members)
            else:
                members = [member for member in members if after is None or member.urgency > after]
            told = self._steps(connection, scope, members[:size])
        token = encode_token(members[size - 1].urgency, query=request) if len(members) > size else ""
        return coaching_pb2.SuggestStepsResponse(people=told, next_page_token=token)

    def OpenTask(
        self, request: coaching_pb2.OpenTaskRequest, context: grpc.ServicerContext
    ) -> coaching_pb2.OpenTaskResponse:
        scope = caller(context).scope(COACHING_WRITE)
        task = self._read(request, scope)

        def store(connection: Connection) -> coaching_pb2.OpenTaskResponse:
            opened = Tasks(connection, scope).open(task)
            return coaching_pb2.OpenTaskResponse(task=self._changed(connection, scope, opened))

        return self._once(scope, "OpenTask", request, coaching_pb2.OpenTaskResponse, store)

    def AnswerTask(
        self, request: coaching_pb2.AnswerTaskRequest, context: grpc.ServicerContext
    ) -> coaching_pb2.AnswerTaskResponse:
        scope = caller(context).scope(COACHING_ANSWER)
        fields = Fields()
        fields.request_id(request.request_id)
        task_id = fields.identifier("task_id", request.task_id)
        answer = fields.text("answer", request.answer, max_length=_LONGEST_ANSWER)
        fields.require_valid()

        def store(connection: Connection) -> coaching_pb2.AnswerTaskResponse:
            tasks = Tasks(connection, scope)
            task = tasks.get(task_id)
            if task.person_id != scope.caller.person_id:
                # Nobody answers for somebody else, whatever node the permission is granted on.
                raise missing(COACHING_ANSWER)
            require_open(task)
            now = self._clock.now()
            told = self._changed(connection, scope, tasks.change(task.with_answer(answer, now), now))
            return coaching_pb2.AnswerTaskResponse(task=told)

        return self._once(scope, "AnswerTask", request, coaching_pb2.AnswerTaskResponse, store)

    def CloseTask(
        self, request: coaching_pb2.CloseTaskRequest, context: grpc.ServicerContext
    ) -> coaching_pb2.CloseTaskResponse:
        scope = caller(context).scope(COACHING_WRITE)
        fields = Fields()
        fields.request_id(request.request_id)
        task_id = fields.identifier("task_id", request.task_id)
        outcome = fields.one_of("outcome", int(request.outcome), CLOSED)
        note = fields.text("note", request.note, max_length=LONGEST_REASON, required=False)
        fields.require_valid()

        def store(connection: Connection) -> coaching_pb2.CloseTaskResponse:
            tasks = Tasks(connection, scope)
            task = tasks.get(task_id)
            require_open(task)
            now = self._clock.now()
            closed = task.close(TaskState(outcome), note=note, by=scope.caller.id, at=now)
            told = self._changed(connection, scope, tasks.change(closed, now))
            return coaching_pb2.CloseTaskResponse(task=told)

        return self._once(scope, "CloseTask", request, coaching_pb2.CloseTaskResponse, store)

    def ListTasks(
        self, request: coaching_pb2.ListTasksRequest, context: grpc.ServicerContext
    ) -> coaching_pb2.ListTasksResponse:
        scope = caller(context).scope(COACHING_READ)
        fields = Fields()
        person_id = fields.text("person_id", request.person_id, max_length=LONGEST_ID, required=False)
        node_id = fields.text("node_id", request.node_id, max_length=LONGEST_ID, required=False)
        states = {fields.one_of("states", int(state), set(TaskState)) for state in request.states}
        size = fields.page_size(request.page_size, maximum=_MOST_PEOPLE)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=_PLACE)
        people = people_at(scope, node_id) if node_id else None
        if person_id:
            scope.require_person(person_id)
            people = frozenset({person_id}) if people is None else people & {person_id}
        now = self._clock.now()
        with self._database.read() as connection:
            found, total, late = Tasks(connection, scope).page(
                people=people,
                states=[TaskState(state) for state in states],
                late=request.late,
                now=now,
                after=after,  # type: ignore[arg-type]  # its shape was checked
                limit=size + 1,
            )
        zone_of = scope.caller.directory.zone_of
        return coaching_pb2.ListTasksResponse(
            tasks=[from_task(task, now, zone_of(task.person_id)) for task, _ in found[:size]],
            next_page_token=encode_token(found[size - 1][1], query=request) if len(found) > size else "",
            total_size=total,
            late_size=late,
        )

    def _steps(
        self, connection: Connection, scope: Scope, members: Sequence[Member]
    ) -> list[coaching_pb2.PersonSteps]:
        directory, now = scope.caller.directory, self._clock.now()
        paths = {member.person_id: directory.ancestors(member.person_id) for member in members}
        nodes = {node_id for path in paths.values() for node_id in path}
        rules = rules_of(connection, sorted(nodes), self._built_in)
        tasks = Tasks(connection, scope).open_of(list(paths))

        def step(person_id: str, matter: Matter) -> coaching_pb2.SuggestedStep:
            task = tasks.get((person_id, matter))
            told = None if task is None else from_task(task, now, directory.zone_of(person_id))
            return from_step(matter, rule_for(rules, paths[person_id], matter), told)

        return [
            coaching_pb2.PersonSteps(
                person_id=member.person_id,
                steps=[step(member.person_id, matter) for matter in matters_of(member)],
            )
            for member in members
        ]

    def _read(self, request: coaching_pb2.OpenTaskRequest, scope: Scope) -> Task:
        told, now = request.task, self._clock.now()
        fields = Fields()
        fields.request_id(request.request_id)
        within = fields.within("task")
        situation = read_situation(within, int(told.situation))
        metric = read_metric(within, situation, told.metric)
        text = within.text("text", told.text, max_length=LONGEST_STEP)
        course_id = within.identifier("course_id", told.course_id, required=False)
        due = within.date("due_day", told.due_day)
        first, last = due_days(now, scope.caller.directory.zone_of(told.person_id))
        if not first <= due <= last:
            within.refuse("due_day", f"must be from {first} to {last}")
        fields.require_valid()
        scope.require_person(told.person_id)
        person = scope.caller.directory.person(told.person_id)
        if person is None or not person.active:
            raise FailedPrecondition("PERSON_LEFT", "They have left; nothing can be asked of them any more.")
        require_metric(self._cache.library, metric)
        return Task(
            new_id(),
            told.person_id,
            Matter(situation, metric),
            text,
            course_id,
            due,
            scope.caller.id,
            now,
        )

    def _changed(self, connection: Connection, scope: Scope, task: Task) -> coaching_pb2.CoachingTask:
        """Tell followers of a task that was stored, and the task as callers read it."""
        publish(connection, [NewEvent(TASK_CHANGED, task.person_id, task_payload(task))])
        return from_task(task, self._clock.now(), scope.caller.directory.zone_of(task.person_id))

    def _once(
        self,
        scope: Scope,
        rpc: str,
        request: Message,
        response: type[R],
        store: Callable[[Connection], R],
    ) -> R:
        with self._database.begin() as connection:
            return answer_once(
                connection,
                caller=scope.caller.id,
                method=_SERVICE + rpc,
                request=request,
                response=response,
                produce=lambda: store(connection),
            )
