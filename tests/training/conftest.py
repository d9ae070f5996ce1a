"""Training as its callers meet it: a real server on a port, a real PostgreSQL, tokens that identity would issue."""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from foothold.identity.v1 import access_pb2, directory_pb2, feed_pb2
from foothold.training.v1 import courses_pb2, courses_pb2_grpc, learning_pb2, learning_pb2_grpc
from foothold.training.v1 import feed_pb2_grpc as training_feed_pb2_grpc
from pydantic import SecretStr
from sqlalchemy import text

from access import Replica, TokenIssuer, load_private
from access.tokens import generate_keys
from chassis.channel import connect
from chassis.clock import FixedClock
from chassis.database import Database
from chassis.errors import Failure, from_rpc_error
from chassis.server import Server
from services.identity.domain.roles import BUILT_IN
from services.training.service import Settings, build
from tests.conftest import ServiceDatabase
from tests.training.examples import NOW, course_message

_PEOPLE = {
    "li": ("shanghai-sales", "sales", "salesperson"),
    "wang": ("shanghai-sales", "sales", "salesperson"),
    "zhao": ("beijing-sales", "sales", "salesperson"),
    "grad": ("shanghai-sales", "graduate", "salesperson"),
    "left": ("shanghai-sales", "sales", "salesperson"),
    "mentor": ("shanghai-sales", "sales", ""),
    "manager": ("shanghai-sales", "manager", ""),
    "trainer": ("hq", "trainer", ""),
    "shanghai-trainer": ("shanghai", "trainer", ""),
    "nobody": ("shanghai-sales", "sales", ""),
    "administrator": ("hq", "it", ""),
}
_BINDINGS = [
    ("mentor", "mentor", "li"),
    ("department_manager", "manager", "shanghai-sales"),
    ("trainer", "trainer", "hq"),
    ("trainer", "shanghai-trainer", "shanghai"),
    ("administrator", "administrator", "hq"),
    ("integrator", "crm", "hq"),
]
_numbers = itertools.count(1)


def number() -> int:
    """Another one each time, for ids."""
    return next(_numbers)


def request_id() -> str:
    return f"r{number()}"


def reason(error: "pytest.ExceptionInfo[grpc.RpcError]") -> str:
    return refusal(error).reason


def refusal(error: "pytest.ExceptionInfo[grpc.RpcError]") -> Failure:
    return from_rpc_error(error.value)


class Client:
    """Training's services for one caller."""

    def __init__(self, channel: grpc.Channel, person_id: str) -> None:
        self.person_id = person_id
        self.courses = courses_pb2_grpc.CoursesServiceStub(channel)
        self.learning = learning_pb2_grpc.LearningServiceStub(channel)
        self.feed = training_feed_pb2_grpc.FeedServiceStub(channel)
        self.channel = channel

    def create(self, course: courses_pb2.Course) -> courses_pb2.Course:
        request = courses_pb2.CreateCourseRequest(request_id=request_id(), course=course)
        return self.courses.CreateCourse(request).course

    def update(self, course: courses_pb2.Course, *paths: str) -> courses_pb2.Course:
        request = courses_pb2.UpdateCourseRequest(request_id=request_id(), course=course)
        request.update_mask.paths.extend(paths)
        return self.courses.UpdateCourse(request).course

    def course(self, course_id: str) -> courses_pb2.Course:
        return self.courses.GetCourse(courses_pb2.GetCourseRequest(course_id=course_id)).course

    def path(self, person_id: str = "") -> learning_pb2.GetLearningResponse:
        request = learning_pb2.GetLearningRequest(person_id=person_id or self.person_id)
        return self.learning.GetLearning(request)

    def progress(self, course_id: str) -> learning_pb2.CourseProgress:
        return next(each for each in self.path().courses if each.course.id == course_id)

    def lesson(self, course_id: str, lesson_id: str = "l1") -> learning_pb2.CourseProgress:
        request = learning_pb2.CompleteLessonRequest(
            request_id=request_id(), course_id=course_id, lesson_id=lesson_id
        )
        return self.learning.CompleteLesson(request).progress

    def hand_in(self, course_id: str, right: int, **more: Any) -> learning_pb2.SubmitAttemptResponse:
        """Hand in with the first `right` questions answered rightly and nothing else."""
        answers = [learning_pb2.Answer(question_id=f"q{n}", option_ids=["a"]) for n in range(1, right + 1)]
        request = learning_pb2.SubmitAttemptRequest(
            request_id=request_id(), course_id=course_id, answers=answers
        )
        return self.learning.SubmitAttempt(request, **more)

    def attempts(self, person_id: str = "", course_id: str = "") -> list[learning_pb2.Attempt]:
        request = learning_pb2.ListAttemptsRequest(person_id=person_id or self.person_id, course_id=course_id)
        return list(self.learning.ListAttempts(request).attempts)


class School:
    """A running training service and the enterprise it serves."""

    def __init__(self, database: ServiceDatabase) -> None:
        private, public = generate_keys()
        self.clock = FixedClock(NOW)
        self.database: Database = database.database
        self.issuer = TokenIssuer(load_private(private), clock=self.clock)
        self._replica = Replica(self.database)
        self._position = 0
        # Nobody listens there: what identity would tell is told by `tell`, as its follower would.
        settings = Settings(
            database_url=SecretStr(database.url),
            verifying_keys=public,
            component_token=SecretStr(self.issuer.component("training", lifetime=timedelta(days=1))),
            identity_address="127.0.0.1:9",
        )
        self._tell_everything()
        self.server = Server(build(settings, clock=self.clock))
        self._address = f"127.0.0.1:{self.server.start()}"
        self._channels: list[grpc.Channel] = []

    def tell(self, **bodies: Any) -> None:
        """One of identity's events, applied as the follower applies it."""
        self._position += 1
        event = feed_pb2.Event(position=self._position, **bodies)
        with self.database.begin() as connection:
            self._replica.apply(connection, [event])

    def channel(self, token: str | None) -> grpc.Channel:
        channel = connect(self._address, token=(lambda: token) if token else None, timeout=20)
        self._channels.append(channel)
        return channel

    def as_(self, person_id: str) -> Client:
        token, _ = self.issuer.person(person_id, session_id=f"s-{person_id}", lifetime=timedelta(days=9))
        return Client(self.channel(token), person_id)

    def as_service_account(self, account_id: str) -> Client:
        token, _ = self.issuer.service_account(account_id, lifetime=timedelta(days=9))
        return Client(self.channel(token), "")

    def signed_out(self) -> Client:
        return Client(self.channel(None), "li")

    def fingerprint(self) -> str:
        """A digest of every row training keeps, the directory aside."""
        tables = [
            "courses",
            "lessons",
            "quizzes",
            "learners",
            "completions",
            "attempts",
            "passes",
            "requests",
        ]
        # Positions are given a moment after the commit.
        tables.append("(SELECT batch_id, ordinal, kind, subject, payload FROM outbox_event)")
        with self.database.read() as connection:
            return " ".join(
                connection.execute(
                    text(
                        f"SELECT coalesce(md5(string_agg(r::text, '' ORDER BY r::text)), '-') FROM {table} r"
                    )
                ).scalar_one()
                for table in tables
            )

    def close(self) -> None:
        for channel in self._channels:
            channel.close()
        self.server.stop(grace=2)

    def person(self, person_id: str, **changes: Any) -> directory_pb2.Person:
        parent_id, job_role, _ = _PEOPLE[person_id]
        person = directory_pb2.Person(
            id=person_id,
            parent_id=parent_id,
            name=person_id,
            employee_number=person_id,
            job_role=job_role,
            status=directory_pb2.PERSON_STATUS_ACTIVE,
        )
        for name, value in changes.items():
            setattr(person, name, value)
        return person

    def _tell_everything(self) -> None:
        kinds = directory_pb2.NodeKind
        for id, parent_id, kind in (
            ("hq", "", kinds.NODE_KIND_ENTERPRISE),
            ("shanghai", "hq", kinds.NODE_KIND_BRANCH),
            ("beijing", "hq", kinds.NODE_KIND_BRANCH),
            ("shanghai-sales", "shanghai", kinds.NODE_KIND_DEPARTMENT),
            ("beijing-sales", "beijing", kinds.NODE_KIND_DEPARTMENT),
        ):
            self.tell(node_changed=directory_pb2.Node(id=id, parent_id=parent_id, kind=kind, name=id))
        for id, (name, permissions) in BUILT_IN.items():
            role = access_pb2.Role(id=id, name=name, permissions=sorted(permissions), built_in=True)
            self.tell(role_changed=role)
        for person_id in _PEOPLE:
            self.tell(person_changed=self.person(person_id))
        self.tell(service_account_changed=access_pb2.ServiceAccount(id="crm", name="CRM"))
        own = [(role, person, person) for person, (_, _, role) in _PEOPLE.items() if role]
        for number, (role_id, subject, node) in enumerate([*own, *_BINDINGS]):
            binding = access_pb2.Binding(id=f"b{number}", role_id=role_id, subject_id=subject, node_id=node)
            self.tell(binding_added=binding)


@pytest.fixture(scope="module")
def school(database_for: Callable[[str], ServiceDatabase]) -> Iterator[School]:
    made = School(database_for("training"))
    yield made
    made.close()


@pytest.fixture
def li(school: School) -> Client:
    """A newcomer of the Shanghai branch who has not learnt anything yet."""
    person_id = f"newcomer-{number()}"
    person = school.person("li", id=person_id, employee_number=person_id)
    school.tell(person_changed=person)
    binding = access_pb2.Binding(
        id=f"of-{person_id}", role_id="salesperson", subject_id=person_id, node_id=person_id
    )
    school.tell(binding_added=binding)
    client = school.as_(person_id)
    _until_known(client)
    return client


def _until_known(client: Client) -> None:
    for _ in range(100):
        try:
            client.path()
        except grpc.RpcError as error:
            if from_rpc_error(error).reason not in {"NOT_READY", "PERMISSION_MISSING"}:
                raise
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the directory was not refreshed")


@pytest.fixture
def courses(school: School) -> Iterator[tuple[str, str, str]]:
    """A course with a quiz (pass mark 80), its remedial course, and the course it opens; ids."""
    n = number()
    first, again, then = f"price-{n}", f"price-again-{n}", f"closing-{n}"
    trainer = school.as_("trainer")
    trainer.create(course_message(again, remedial=True, quiz=None))
    trainer.create(course_message(first, order=n, remedial_course_id=again))
    trainer.create(course_message(then, order=n, requires_course_id=first, quiz=None))
    yield first, again, then
    # Later tests have paths of their own.
    nobody = courses_pb2.Course(job_roles=["nobody-here"])
    for id in (then, first, again):
        nobody.id = id
        trainer.update(nobody, "job_roles")
