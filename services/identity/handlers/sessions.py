"""SessionService: signing in and out, passwords, and who is calling."""

from datetime import timedelta
from typing import Final

import grpc
from foothold.identity.v1 import sessions_pb2, sessions_pb2_grpc
from sqlalchemy import Connection

from access import Caller, CallerKind, caller, component
from chassis.errors import PermissionDenied, ResourceExhausted, Unauthenticated
from chassis.feed import publish
from chassis.ids import new_id
from chassis.validation import Fields
from services.identity import wire
from services.identity.domain import throttle
from services.identity.domain.events import SessionEnded
from services.identity.domain.passwords import LONGEST, require_strong
from services.identity.domain.rights import require_may_take_over
from services.identity.domain.sessions import Session, Verdict, judge
from services.identity.handlers.desk import Desk
from services.identity.handlers.refusing import refusals
from services.identity.secrecy import Secrecy
from services.identity.store import AccountStore, FoundAccount, Ledger, NodeStore

_RESET: Final = "identity.passwords.reset"
_WRITES_RIGHTS: Final = "identity.bindings.write"
_LONGEST_ADDRESS: Final = 64
_TELLS_ADDRESSES: Final = "gateway"
_LONGEST_REFRESH_TOKEN: Final = 200
_KINDS: Final = {
    CallerKind.PERSON: sessions_pb2.GetCallerResponse.KIND_PERSON,
    CallerKind.SERVICE_ACCOUNT: sessions_pb2.GetCallerResponse.KIND_SERVICE_ACCOUNT,
    CallerKind.COMPONENT: sessions_pb2.GetCallerResponse.KIND_COMPONENT,
}


class SessionService(sessions_pb2_grpc.SessionServiceServicer):
    """Sessions of people."""

    def __init__(self, desk: Desk, secrecy: Secrecy) -> None:
        self._desk = desk
        self._secrecy = secrecy

    def SignIn(
        self, request: sessions_pb2.SignInRequest, context: grpc.ServicerContext
    ) -> sessions_pb2.SignInResponse:
        fields = Fields()
        login = fields.text("login", request.login.strip().lower(), max_length=wire.LONGEST_LOGIN)
        fields.text("password", request.password, max_length=LONGEST)
        address = fields.text(
            "client_address", request.client_address, max_length=_LONGEST_ADDRESS, required=False
        )
        fields.require_valid()
        name_key, address_key = f"name {login}", f"address {_origin(context, address)}"
        found = self._attempt({name_key: throttle.NAME_FREE, address_key: throttle.ADDRESS_FREE}, login)
        if not self._proves(found, request.password) or found is None or not found.works_here:
            raise Unauthenticated("CREDENTIALS_WRONG", "The sign-in name or the password is wrong.")
        now = self._desk.clock.now()
        opened = Session(new_id(), found.person_id, now, now + self._secrecy.session_lifetime)
        refresh = self._secrecy.refresh_token()
        with self._desk.database.begin() as connection:
            store = AccountStore(connection)
            store.succeed(clear=name_key, take_back=address_key)
            store.open_session(opened, refresh)
            if found.password_hash and self._secrecy.passwords.outdated(found.password_hash):
                store.replace_hash(found, self._secrecy.passwords.hash(request.password))
            person = store.person(found.person_id)
        access = self._secrecy.access_token(found.person_id, opened.id)
        return sessions_pb2.SignInResponse(
            tokens=wire.from_tokens(access, (refresh, opened.expires_at)),
            person=wire.from_person(person) if person else None,
        )

    def _attempt(self, free: dict[str, int], login: str) -> FoundAccount | None:
        """Count an attempt before looking at the password; RESOURCE_EXHAUSTED where it has to wait."""
        now = self._desk.clock.now()
        with self._desk.database.begin() as connection:
            store = AccountStore(connection)
            held = store.hold_attempts(list(free))
            pause = max(throttle.wait(held[key], limit, now) for key, limit in free.items())
            if pause <= timedelta(0):
                for key in free:
                    store.set_attempts(key, throttle.attempted(held[key], now))
                return store.by_login(login)
        seconds = int(pause.total_seconds()) + 1
        raise ResourceExhausted(
            "SIGN_IN_THROTTLED",
            "Too many failed sign-ins; wait and try again.",
            metadata={"retry_after_seconds": str(seconds)},
        )

    def _proves(self, found: FoundAccount | None, password: str) -> bool:
        return self._secrecy.passwords.matches(found.password_hash if found else None, password)

    def RefreshSession(
        self, request: sessions_pb2.RefreshSessionRequest, context: grpc.ServicerContext
    ) -> sessions_pb2.RefreshSessionResponse:
        fields = Fields()
        token = fields.text("refresh_token", request.refresh_token, max_length=_LONGEST_REFRESH_TOKEN)
        fields.require_valid()
        now = self._desk.clock.now()
        with self._desk.database.begin() as connection:
            store = AccountStore(connection)
            held = store.hold_token(token)
            account = store.by_person(held.session.person_id) if held else None
            verdict = judge(held, works_here=bool(account and account.works_here), now=now)
            if held and verdict in {Verdict.GOOD, Verdict.AGAIN}:
                refresh = self._secrecy.next_refresh_token(token)
                if verdict is Verdict.GOOD:
                    store.use_token(token, now)
                store.add_token(held.session.id, refresh)
                person = store.person(held.session.person_id)
                access = self._secrecy.access_token(held.session.person_id, held.session.id)
                return sessions_pb2.RefreshSessionResponse(
                    tokens=wire.from_tokens(access, (refresh, held.session.expires_at)),
                    person=wire.from_person(person) if person else None,
                )
        if held and verdict is Verdict.STOLEN:
            with self._desk.database.begin() as connection:
                self._end(connection, held.session.person_id, only=held.session.id)
            self._desk.replica.refresh()
        raise Unauthenticated("REFRESH_TOKEN_INVALID", "The refresh token does not work; sign in again.")

    def _end(
        self, connection: Connection, person_id: str, *, only: str | None = None, but: str | None = None
    ) -> None:
        """End sessions and tell everybody, in this transaction."""
        ledger = Ledger(connection)
        self._tell_ended(connection, ledger, person_id, only=only, but=but)
        ledger.write()
        publish(connection, [wire.to_new_event(event) for event in ledger.told])

    def _tell_ended(
        self,
        connection: Connection,
        ledger: Ledger,
        person_id: str,
        *,
        only: str | None = None,
        but: str | None = None,
    ) -> None:
        now = self._desk.clock.now()
        until = now + self._secrecy.access_lifetime
        for session_id in AccountStore(connection).end_sessions(person_id, now, only=only, but=but):
            ledger.tell(SessionEnded(session_id, person_id, until))

    def SignOut(
        self, request: sessions_pb2.SignOutRequest, context: grpc.ServicerContext
    ) -> sessions_pb2.SignOutResponse:
        who = _person(context)
        with self._desk.database.begin() as connection:
            self._end(connection, who.id, only=None if request.everywhere else who.session_id)
        self._desk.replica.refresh()
        return sessions_pb2.SignOutResponse()

    def GetCaller(
        self, request: sessions_pb2.GetCallerRequest, context: grpc.ServicerContext
    ) -> sessions_pb2.GetCallerResponse:
        who = caller(context)
        answer = sessions_pb2.GetCallerResponse(kind=_KINDS[who.kind], id=who.id)
        for binding in who.directory.bindings_of(who.id):
            role = who.directory.role(binding.role_id)
            if role is not None:
                permissions = sorted(role.permissions)
                answer.grants.add(role_id=role.id, node_id=binding.node_id, permissions=permissions)
        if who.person_id:
            with self._desk.database.read() as connection:
                person = AccountStore(connection).person(who.id)
                above = NodeStore.above_person(connection, who.id)
            if person:
                answer.person.CopyFrom(wire.from_person(person))
            answer.ancestors.extend(
                wire.from_node(node, self._desk.directory.headcount(node.id)) for node in above
            )
        return answer

    def ChangePassword(
        self, request: sessions_pb2.ChangePasswordRequest, context: grpc.ServicerContext
    ) -> sessions_pb2.ChangePasswordResponse:
        who = _person(context)
        fields = Fields()
        fields.text("current_password", request.current_password, max_length=LONGEST)
        fields.require_valid()
        with self._desk.database.read() as connection:
            account = AccountStore(connection).by_person(who.id)
        login = account.login if account else ""
        with refusals():
            require_strong(request.new_password, login=login, field="new_password")
        found = self._attempt({f"name {login}": throttle.NAME_FREE}, login)
        if not self._proves(found, request.current_password):
            raise Unauthenticated("CREDENTIALS_WRONG", "The current password is wrong.")
        hashed = self._secrecy.passwords.hash(request.new_password)
        now = self._desk.clock.now()
        with self._desk.database.begin() as connection:
            store = AccountStore(connection)
            # Directory first, as everywhere: whoever takes locks in another order may wait for ever.
            self._end(connection, who.id, but=who.session_id)
            store.set_password(who.id, hashed, now)
            store.clear_attempts(f"name {login}")
        self._desk.replica.refresh()
        return sessions_pb2.ChangePasswordResponse()

    def ResetPassword(
        self, request: sessions_pb2.ResetPasswordRequest, context: grpc.ServicerContext
    ) -> sessions_pb2.ResetPasswordResponse:
        fields = Fields()
        fields.identifier("person_id", request.person_id)
        fields.require_valid()
        caller(context).scope(_RESET).require_person(request.person_id)
        with self._desk.database.read() as connection:
            account = AccountStore(connection).by_person(request.person_id)
        with refusals():
            login = account.login if account else ""
            require_strong(request.new_password, login=login, field="new_password")
        hashed = self._secrecy.passwords.hash(request.new_password)

        def work(connection: Connection, ledger: Ledger, who: Caller) -> sessions_pb2.ResetPasswordResponse:
            scope = who.scope(_RESET)
            scope.require_person(request.person_id)
            theirs = who.directory.grants(request.person_id)
            require_may_take_over(
                {node for nodes in theirs.values() for node in nodes},
                scope.covers,
                writes_rights=_WRITES_RIGHTS in theirs,
                may_write_rights=who.holds(_WRITES_RIGHTS),
            )
            AccountStore(connection).set_password(request.person_id, hashed, self._desk.clock.now())
            self._tell_ended(connection, ledger, request.person_id)
            return sessions_pb2.ResetPasswordResponse()

        scrubbed = sessions_pb2.ResetPasswordRequest(
            request_id=request.request_id,
            person_id=request.person_id,
            new_password=self._secrecy.fingerprint(request.new_password),
        )
        return self._desk.answer(context, scrubbed, sessions_pb2.ResetPasswordResponse, work)


def _person(context: grpc.ServicerContext) -> Caller:
    who = caller(context)
    if who.kind is not CallerKind.PERSON:
        raise PermissionDenied("PERMISSION_MISSING", "Only people have sessions and passwords.")
    return who


def _origin(context: grpc.ServicerContext, told: str) -> str:
    """Where a sign-in comes from: what the gateway tells of a browser, and of everybody else what we see.

    Without its port, which changes from connection to connection. Believing anybody would let them guess from a
    new address each time, and use up somebody else's attempts.
    """
    believed = told if component(context) == _TELLS_ADDRESSES else ""
    return believed or context.peer().rpartition(":")[0][:_LONGEST_ADDRESS]
