"""People's methods."""

import concurrent.futures
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import grpc
from foothold.identity.v1 import directory_pb2
from sqlalchemy import Connection

from access import Caller, CallerKind, caller
from access.callers import sees
from chassis.errors import NotFound, PermissionDenied
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.identity import wire
from services.identity.domain.events import BindingRemoved, SessionEnded
from services.identity.domain.intake import Intake, Outcome, Register, Row
from services.identity.domain.passwords import require_strong
from services.identity.domain.people import CHANGEABLE, Person, dismissed
from services.identity.domain.refusals import Refused
from services.identity.domain.rights import ADMINISTRATOR
from services.identity.handlers.desk import Desk, require_etag
from services.identity.handlers.nodes import Nodes
from services.identity.handlers.refusing import refusals
from services.identity.secrecy import Secrecy
from services.identity.store import AccountStore, Ledger, NodeStore, PeopleFilter, PeopleStore, RightsStore

_READ: Final = "identity.people.read"
_WRITE: Final = "identity.people.write"
_DISMISS: Final = "identity.people.dismiss"
_MOST_ROWS: Final = 1_000
_LONGEST_REASON: Final = 500
_NOT_EMPTY: Final = frozenset({"parent_id", "name", "employee_number", "job_role"})


class People:
    """CreatePerson, ImportPeople, UpdatePerson, DismissPerson, GetPerson, ListPeople."""

    def __init__(self, desk: Desk, secrecy: Secrecy, nodes: Nodes) -> None:
        self._desk = desk
        self._secrecy = secrecy
        self._nodes = nodes

    def create(
        self, request: directory_pb2.CreatePersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.CreatePersonResponse:
        fields = Fields()
        row = wire.to_row(fields, request)
        fields.require_valid()
        with refusals():
            if request.password:
                require_strong(request.password, login=row.person.login)
        hashed = self._secrecy.passwords.hash(request.password) if request.password else ""

        def work(connection: Connection, ledger: Ledger, who: Caller) -> directory_pb2.CreatePersonResponse:
            store = PeopleStore(connection, who.scope(_WRITE))
            register = store.register([row])
            intake = self._intake(register, who)
            person_id = intake.hire(row)
            self._keep(store, ledger, intake, {person_id: hashed} if hashed else {})
            person = replace(register.people[person_id], revision=ledger.revision)
            return directory_pb2.CreatePersonResponse(person=wire.from_person(person))

        scrubbed = directory_pb2.CreatePersonRequest()
        scrubbed.CopyFrom(request)
        scrubbed.password = self._secrecy.fingerprint(request.password)
        return self._desk.answer(
            context, scrubbed, directory_pb2.CreatePersonResponse, work, within="person."
        )

    def import_people(
        self, request: directory_pb2.ImportPeopleRequest, context: grpc.ServicerContext
    ) -> directory_pb2.ImportPeopleResponse:
        fields = Fields()
        fields.count("rows", len(request.rows), maximum=_MOST_ROWS)
        fields.require_valid()
        checked = [_checked(message) for message in request.rows]
        rows = [row for row in checked if isinstance(row, Row)]
        scope = caller(context).scope(_WRITE)
        with self._desk.database.read() as connection:
            known = PeopleStore(connection, scope).known_numbers(
                {row.person.employee_number for row in rows if row.with_password}
            )
        hashes = {} if request.dry_run else self._hash_new(request, checked, known)

        def work(connection: Connection, ledger: Ledger, who: Caller) -> directory_pb2.ImportPeopleResponse:
            store = PeopleStore(connection, who.scope(_WRITE))
            register = store.register(rows)
            intake = self._intake(register, who)
            answer = directory_pb2.ImportPeopleResponse()
            by_person: dict[str, str] = {}
            for row in checked:
                try:
                    if isinstance(row, Refused):
                        raise row
                    outcome, person_id = intake.admit(row)
                except Refused as refused:
                    answer.results.append(wire.from_refused(refused))
                else:
                    if outcome is Outcome.CREATED and row.person.employee_number in hashes:
                        by_person[person_id] = hashes[row.person.employee_number]
                    answer.results.append(wire.from_outcome(outcome, person_id))
            if not request.dry_run:
                self._keep(store, ledger, intake, by_person)
            return answer

        scrubbed = directory_pb2.ImportPeopleRequest()
        scrubbed.CopyFrom(request)
        for row in scrubbed.rows:
            row.password = self._secrecy.fingerprint(row.password)
        return self._desk.answer(context, scrubbed, directory_pb2.ImportPeopleResponse, work)

    def _hash_new(
        self,
        request: directory_pb2.ImportPeopleRequest,
        checked: Sequence[Row | Refused],
        known: set[str],
    ) -> dict[str, str]:
        """Hashes by employee number, for those not known yet; slow on purpose, so several at a time."""
        wanted = {
            row.person.employee_number: message.password
            for row, message in zip(checked, request.rows, strict=True)
            if isinstance(row, Row) and row.with_password and row.person.employee_number not in known
        }
        if not wanted:
            return {}
        with concurrent.futures.ThreadPoolExecutor(4, thread_name_prefix="hash") as pool:
            return dict(zip(wanted, pool.map(self._secrecy.passwords.hash, wanted.values()), strict=True))

    def update(
        self, request: directory_pb2.UpdatePersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.UpdatePersonResponse:
        fields = Fields()
        paths = wire.to_mask(fields, request.update_mask.paths, CHANGEABLE)
        below = fields.within("person")
        new = wire.to_person(below, request.person, required=paths & _NOT_EMPTY)
        below.identifier("id", request.person.id)
        fields.require_valid()

        def work(connection: Connection, ledger: Ledger, who: Caller) -> directory_pb2.UpdatePersonResponse:
            scope = who.scope(_WRITE)
            scope.require_person(new.id)
            store = PeopleStore(connection, scope)
            register = store.register([Row(new)], ids=[new.id])
            require_etag(request.person.etag, register.people[new.id].revision)
            intake = self._intake(register, who)
            intake.update(new.id, new, paths)
            self._keep(store, ledger, intake, {})
            person = register.people[new.id]
            if new.id in intake.people:
                person = replace(person, revision=ledger.revision)
            return directory_pb2.UpdatePersonResponse(person=wire.from_person(person))

        return self._desk.answer(context, request, directory_pb2.UpdatePersonResponse, work, within="person.")

    def dismiss(
        self, request: directory_pb2.DismissPersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.DismissPersonResponse:
        fields = Fields()
        fields.identifier("person_id", request.person_id)
        reason = fields.text("reason", request.reason, max_length=_LONGEST_REASON)
        fields.require_valid()

        def work(connection: Connection, ledger: Ledger, who: Caller) -> directory_pb2.DismissPersonResponse:
            scope = who.scope(_DISMISS)
            scope.require_person(request.person_id)
            if who.kind is not CallerKind.PERSON:
                raise PermissionDenied(
                    "PERMISSION_MISSING",
                    "An employment is ended by a person, not by a program.",
                    metadata={"permission": _DISMISS},
                )
            store = PeopleStore(connection, scope)
            person = _found(store.get(request.person_id))
            gone = replace(dismissed(person, self._desk.clock.now()), revision=ledger.revision)
            self._end_access(connection, ledger, gone)
            mentees = [each for each in store.mentored_by(gone.id) if each.active]
            ledger.tell(gone, *(replace(each, mentor_id="") for each in mentees))
            store.record_dismissal(gone, actor_id=who.id, reason=reason)
            return directory_pb2.DismissPersonResponse(person=wire.from_person(gone))

        return self._desk.answer(context, request, directory_pb2.DismissPersonResponse, work)

    def _end_access(self, connection: Connection, ledger: Ledger, person: Person) -> None:
        rights = RightsStore(connection, None)
        bindings = rights.bindings_of(person.id)
        if any(binding.role_id == ADMINISTRATOR for binding in bindings) and rights.administrators() == {
            person.id
        }:
            raise Refused("LAST_ADMINISTRATOR", "nobody else administers the enterprise")
        now = self._desk.clock.now()
        for session_id in AccountStore(connection).end_sessions(person.id, now):
            ledger.tell(SessionEnded(session_id, person.id, now + self._secrecy.access_lifetime))
        ledger.tell(*(BindingRemoved(binding) for binding in bindings))

    def get(
        self, request: directory_pb2.GetPersonRequest, context: grpc.ServicerContext
    ) -> directory_pb2.GetPersonResponse:
        fields = Fields()
        fields.identifier("person_id", request.person_id)
        fields.require_valid()
        scope = caller(context).scope(_READ)
        scope.require_person(request.person_id)
        with self._desk.database.read() as connection:
            person = _found(PeopleStore(connection, scope).get(request.person_id))
            nodes = NodeStore(connection, scope)
            leaf = nodes.get(person.id)
            above = self._nodes.messages(nodes.above(leaf) if leaf else [])
        return directory_pb2.GetPersonResponse(person=wire.from_person(person), ancestors=above)

    def find(
        self, request: directory_pb2.ListPeopleRequest, context: grpc.ServicerContext
    ) -> directory_pb2.ListPeopleResponse:
        fields = Fields()
        wanted = PeopleFilter(
            under=fields.identifier("under_node_id", request.under_node_id, required=False),
            query=fields.text("query", request.query, max_length=wire.LONGEST_NAME, required=False),
            job_role=fields.text("job_role", request.job_role, max_length=40, required=False),
            on_probation=request.on_probation,
            mentor_id=fields.identifier("mentor_id", request.mentor_id, required=False),
            include_dismissed=request.include_dismissed,
        )
        size = fields.page_size(request.page_size)
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(str,))
        scope = caller(context).scope(_READ)
        now = self._desk.clock.now()
        with self._desk.database.read() as connection:
            if wanted.under and NodeStore(connection, scope).get(wanted.under) is None:
                raise NotFound("NODE_UNKNOWN", "There is no such node.")
            store = PeopleStore(connection, scope)
            after = str(cursor[0]) if cursor else None
            people = store.page(wanted, after=after, limit=size + 1, now=now)
            total = store.count(wanted, now=now)
        answer = directory_pb2.ListPeopleResponse(
            people=[wire.from_person(person) for person in people[:size]], total_size=total
        )
        if len(people) > size:
            answer.next_page_token = encode_token((people[size - 1].employee_number,), query=request)
        return answer

    def _intake(self, register: Register, who: Caller) -> Intake:
        return Intake(
            register,
            holds=who.may,
            sees=lambda node_id: sees(who, node_id),
            new_id=new_id,
            actor=who.id,
            now=self._desk.clock.now(),
        )

    def _keep(self, store: PeopleStore, ledger: Ledger, intake: Intake, hashes: Mapping[str, str]) -> None:
        people = intake.people.values()
        ledger.tell(*(BindingRemoved(binding) for binding in intake.removed))
        ledger.tell(*people, *intake.added)
        store.save_accounts(people, hashes, self._desk.clock.now())


def _checked(message: directory_pb2.PersonRow) -> Row | Refused:
    """The row, or why it cannot be read."""
    fields = Fields()
    row = wire.to_row(fields, message)
    if fields.violations:
        name, why = next(iter(fields.violations.items()))
        return Refused("FIELD_INVALID", why, field=name.removeprefix("person."))
    if message.password:
        try:
            require_strong(message.password, login=row.person.login)
        except Refused as refused:
            return refused
    return row


def _found(person: Person | None) -> Person:
    if person is None:
        raise NotFound("PERSON_UNKNOWN", "There is no such person.")
    return person
