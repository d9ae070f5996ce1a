"""CoursesService."""

from typing import Final

import grpc
from foothold.training.v1 import courses_pb2, courses_pb2_grpc
from sqlalchemy import Connection

from access import Caller, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import Aborted, AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from chassis.feed import NewEvent
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.training import wire
from services.training.domain.catalogue import link_faults
from services.training.domain.courses import Course, faults
from services.training.permissions import READ_COURSES, WRITE_COURSES
from services.training.store import CourseStore, StoredCourse

_SERVICE: Final = "/foothold.training.v1.CoursesService/"


class CoursesHandler(courses_pb2_grpc.CoursesServiceServicer):
    """What is taught."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def CreateCourse(
        self, request: courses_pb2.CreateCourseRequest, context: grpc.ServicerContext
    ) -> courses_pb2.CreateCourseResponse:
        by = caller(context)
        scope = by.scope(WRITE_COURSES)
        fields = Fields()
        fields.request_id(request.request_id)
        node_id = fields.identifier("course.node_id", request.course.node_id)
        fields.identifier("course.id", request.course.id, required=False)
        fields.require_valid()
        scope.require(node_id)
        with self._database.begin() as connection:

            def create() -> courses_pb2.CreateCourseResponse:
                store = CourseStore(connection, scope)
                course = wire.to_course(request.course, id=request.course.id or new_id())
                store.lock()
                _require_valid(course, store, by)
                if store.exists(course.id):
                    raise AlreadyExists("ALREADY_EXISTS", "there is a course with that id")
                stored = store.add(course, at=self._clock.now())
                _tell(store, stored)
                return courses_pb2.CreateCourseResponse(course=_message(stored, by))

            return answer_once(
                connection,
                caller=by.id,
                method=f"{_SERVICE}CreateCourse",
                request=request,
                response=courses_pb2.CreateCourseResponse,
                produce=create,
            )

    def UpdateCourse(
        self, request: courses_pb2.UpdateCourseRequest, context: grpc.ServicerContext
    ) -> courses_pb2.UpdateCourseResponse:
        by = caller(context)
        by.scope(WRITE_COURSES)
        paths = _require_update(request)
        with self._database.begin() as connection:

            def change() -> courses_pb2.UpdateCourseResponse:
                store = _store(connection, by)
                store.lock()
                stored = _require_known(store.course(request.course.id))
                if not by.may(WRITE_COURSES, stored.course.node_id):
                    raise PermissionDenied(
                        "PERMISSION_MISSING",
                        "You may read this course but not change it.",
                        metadata={"permission": WRITE_COURSES},
                    )
                if request.course.etag and request.course.etag != str(stored.revision):
                    raise Aborted("ETAG_MISMATCH", "the course was changed since you read it; read it again")
                course = wire.changed(stored.course, request.course, paths)
                _require_valid(course, store, by)
                after = store.change(stored, course, at=self._clock.now())
                if after is not stored:
                    _tell(store, after)
                return courses_pb2.UpdateCourseResponse(course=_message(after, by))

            return answer_once(
                connection,
                caller=by.id,
                method=f"{_SERVICE}UpdateCourse",
                request=request,
                response=courses_pb2.UpdateCourseResponse,
                produce=change,
            )

    def GetCourse(
        self, request: courses_pb2.GetCourseRequest, context: grpc.ServicerContext
    ) -> courses_pb2.GetCourseResponse:
        by = caller(context)
        scope = by.scope(READ_COURSES)
        fields = Fields()
        course_id = fields.identifier("course_id", request.course_id)
        fields.require_valid()
        with self._database.read() as connection:
            stored = _require_known(CourseStore(connection, scope).course(course_id))
        return courses_pb2.GetCourseResponse(course=_message(stored, by))

    def ListCourses(
        self, request: courses_pb2.ListCoursesRequest, context: grpc.ServicerContext
    ) -> courses_pb2.ListCoursesResponse:
        by = caller(context)
        scope = by.scope(READ_COURSES)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id, required=False)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(int, str))
        after = (int(cursor[0] or 0), str(cursor[1])) if cursor else None
        with self._database.read() as connection:
            found = CourseStore(connection, scope).outlines(node_id=node_id, after=after, limit=size + 1)
        page, rest = found[:size], found[size:]
        last = page[-1].course if rest else None
        return courses_pb2.ListCoursesResponse(
            courses=[_message(stored, by) for stored in page],
            next_page_token=encode_token((last.order, last.id), query=request) if last else "",
        )


def _store(connection: Connection, by: Caller) -> CourseStore:
    """What the caller may read decides between NOT_FOUND and PERMISSION_DENIED."""
    return CourseStore(connection, by.scope(READ_COURSES if by.holds(READ_COURSES) else WRITE_COURSES))


def _message(stored: StoredCourse, by: Caller) -> courses_pb2.Course:
    return wire.from_course(
        stored.course,
        revision=stored.revision,
        updated_at=stored.updated_at,
        key=by.may(WRITE_COURSES, stored.course.node_id),
    )


def _tell(store: CourseStore, stored: StoredCourse) -> None:
    event = wire.course_changed(stored.course, revision=stored.revision, updated_at=stored.updated_at)
    store.publish([NewEvent("course_changed", stored.course.id, event.SerializeToString())])


def _require_known(stored: StoredCourse | None) -> StoredCourse:
    if stored is None:
        raise NotFound("COURSE_UNKNOWN", "There is no such course.")
    return stored


def _require_update(request: courses_pb2.UpdateCourseRequest) -> list[str]:
    """The distinct paths of a well-formed update's mask."""
    fields = Fields()
    fields.request_id(request.request_id)
    fields.identifier("course.id", request.course.id)
    paths = list(dict.fromkeys(request.update_mask.paths))
    if not paths:
        fields.refuse("update_mask", "must name at least one field")
    for path in paths:
        if path not in wire.CHANGEABLE:
            fields.refuse("update_mask", f"each must be one of {', '.join(sorted(wire.CHANGEABLE))}")
    fields.require_valid()
    return paths


def _require_valid(course: Course, store: CourseStore, by: Caller) -> None:
    wrong = faults(course)
    if not wrong:
        wrong = link_faults(
            course,
            store.catalogue(),
            is_at_or_above=lambda upper, lower: upper in by.directory.ancestors(lower),
        )
    if wrong:
        raise InvalidArgument("COURSE_INVALID", "the course is not valid", fields=wrong)
