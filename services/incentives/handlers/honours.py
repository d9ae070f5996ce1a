"""Who is honoured."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final, TypeVar

import grpc
from foothold.incentives.v1 import honours_pb2, honours_pb2_grpc
from google.protobuf.message import Message
from sqlalchemy import Connection

from access import Directory, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import FailedPrecondition, NotFound
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.honours import LEAST_RANKED, Consent, Honour, HonourState
from services.incentives.domain.periods import Period, period_of, today
from services.incentives.domain.pictures import fault_of
from services.incentives.domain.ranking import Board
from services.incentives.handlers.boards import require_node, unknown_board
from services.incentives.handlers.commands import once, require_second
from services.incentives.handlers.honour_views import seen_photo, sees
from services.incentives.leaderboards import Leaderboards
from services.incentives.store import honour_photos, honours
from services.incentives.wire.honours import from_honour

R = TypeVar("R", bound=Message)
_READ: Final = "incentives.boards.read"
_CONFIRM: Final = "incentives.honours.confirm"
_ANSWER: Final = "incentives.honours.answer"
_MOST_TIED: Final = 20


class HonoursHandler(honours_pb2_grpc.HonoursServiceServicer):
    """Proposes whoever was first, and keeps what people decide and say about it."""

    def __init__(
        self,
        database: Database,
        catalogue: Catalogue,
        leaderboards: Leaderboards,
        clock: Clock,
        currency: str,
    ) -> None:
        self._database = database
        self._catalogue = catalogue
        self._leaderboards = leaderboards
        self._clock = clock
        self._currency = currency

    def ListHonours(
        self, request: honours_pb2.ListHonoursRequest, context: grpc.ServicerContext
    ) -> honours_pb2.ListHonoursResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id, required=not request.person_id)
        person_id = fields.identifier("person_id", request.person_id, required=False)
        if node_id and person_id:
            fields.refuse("person_id", "must be empty where a node is asked for")
        size = fields.page_size(request.page_size)
        fields.require_valid()
        after = decode_token(request.page_token, query=request, shape=(int,))
        first = int(after[0] or 0) if after else 0
        if person_id and person_id != scope.caller.person_id:
            scope.require_person(person_id)
        if node_id:
            require_node(scope, node_id)
        with self._database.read() as connection:
            boards = self._catalogue.refresh_boards(connection)
            found = honours.listed(connection, boards, node_id=node_id, person_id=person_id)
        if node_id and scope.caller.may(_CONFIRM, node_id):
            found = [*self._proposed(scope.caller.directory, boards, node_id, found), *found]
        seen = [each for each in found if sees(scope, each)]
        page = seen[first : first + size]
        more = len(seen) > first + size
        return honours_pb2.ListHonoursResponse(
            honours=[self._told(scope, boards[each.board_id], each) for each in page],
            next_page_token=encode_token((first + size,), query=request) if more else "",
        )

    def ConfirmHonour(
        self, request: honours_pb2.ConfirmHonourRequest, context: grpc.ServicerContext
    ) -> honours_pb2.ConfirmHonourResponse:
        scope = caller(context).scope(_CONFIRM)
        fields = Fields()
        fields.request_id(request.request_id)
        person_id = fields.identifier("person_id", request.person_id)
        reason = fields.text("reason", request.reason, max_length=200, required=False)
        board, node_id, period = self._asked(fields, scope, request)
        scope.require_person(person_id)

        def produce(connection: Connection) -> honours_pb2.ConfirmHonourResponse:
            decided = honours.of_period(connection, board.id, node_id, period)
            if any(each.state is HonourState.PASSED for each in decided):
                raise _decided()
            found = self._first(board, node_id, period)
            proposal = next((each for each in found if each.person_id == person_id), None)
            if proposal is None:
                raise FailedPrecondition("NOT_FIRST", "That person was not first on the board.")
            require_second(scope, [person_id], "Nobody honours themselves.")
            made = self._decided_by(scope, proposal, HonourState.CONFIRMED, reason)
            if not honours.decide(connection, made):
                raise _decided()
            return honours_pb2.ConfirmHonourResponse(honour=self._told(scope, board, made))

        return self._once(scope, "ConfirmHonour", request, honours_pb2.ConfirmHonourResponse, produce)

    def PassHonour(
        self, request: honours_pb2.PassHonourRequest, context: grpc.ServicerContext
    ) -> honours_pb2.PassHonourResponse:
        scope = caller(context).scope(_CONFIRM)
        fields = Fields()
        fields.request_id(request.request_id)
        reason = fields.text("reason", request.reason, max_length=200)
        board, node_id, period = self._asked(fields, scope, request)

        def produce(connection: Connection) -> honours_pb2.PassHonourResponse:
            if honours.of_period(connection, board.id, node_id, period):
                raise _decided()
            passed = Honour("", board.id, node_id, period, "", None, None, HonourState.PROPOSED)
            made = self._decided_by(scope, passed, HonourState.PASSED, reason)
            if not honours.decide(connection, made):
                raise _decided()
            return honours_pb2.PassHonourResponse(honour=self._told(scope, board, made))

        return self._once(scope, "PassHonour", request, honours_pb2.PassHonourResponse, produce)

    def AnswerHonour(
        self, request: honours_pb2.AnswerHonourRequest, context: grpc.ServicerContext
    ) -> honours_pb2.AnswerHonourResponse:
        scope = caller(context).scope(_ANSWER)
        fields = Fields()
        fields.request_id(request.request_id)
        honour_id = fields.identifier("honour_id", request.honour_id)
        choices = {*Consent} - {Consent.UNANSWERED}
        consent = fields.one_of("consent", int(request.consent), choices)
        story = fields.text("story", request.story, max_length=500, required=consent == Consent.STORY)
        fault = fault_of(request.photo) if request.photo else ""
        if fault:
            fields.refuse("photo", fault)
        if request.photo and request.remove_photo:
            fields.refuse("remove_photo", "must be false where a photo is sent")
        fields.require_valid()

        def produce(connection: Connection) -> honours_pb2.AnswerHonourResponse:
            found = honours.get(connection, honour_id, lock=True)
            if (
                found is None
                or not scope.covers(found.person_id)
                or found.person_id != scope.caller.person_id
            ):
                raise NotFound("HONOUR_UNKNOWN", "There is no such honour.")
            boards = self._catalogue.refresh_boards(connection)
            (found,) = honours.checked(connection, boards, [found])
            photo = _photo_kept(connection, found, request)
            if request.show_photo and not photo:
                fields.refuse("show_photo", "there is no photo to show")
                fields.require_valid()
            honours.answer(connection, found.id, Consent(consent), story, photo_shown=request.show_photo)
            made = replace(
                found, consent=Consent(consent), story=story, photo=photo, photo_shown=request.show_photo
            )
            return honours_pb2.AnswerHonourResponse(honour=self._told(scope, boards[made.board_id], made))

        return self._once(scope, "AnswerHonour", request, honours_pb2.AnswerHonourResponse, produce)

    def GetHonourPhoto(
        self, request: honours_pb2.GetHonourPhotoRequest, context: grpc.ServicerContext
    ) -> honours_pb2.GetHonourPhotoResponse:
        scope = caller(context).scope(_READ)
        fields = Fields()
        honour_id = fields.identifier("honour_id", request.honour_id)
        etag = fields.text("etag", request.etag, max_length=64, required=False)
        fields.require_valid()
        with self._database.read() as connection:
            found = honours.get(connection, honour_id)
            boards = self._catalogue.refresh_boards(connection)
            checked = [] if found is None else honours.checked(connection, boards, [found])
            seen = "".join(seen_photo(scope, each) for each in checked)
            if not seen:
                raise NotFound("PHOTO_UNKNOWN", "There is no such photo.")
            photo = b"" if seen == etag else honour_photos.get(connection, honour_id)
        return honours_pb2.GetHonourPhotoResponse(photo=photo, etag=seen)

    def _asked(
        self,
        fields: Fields,
        scope: Scope,
        request: honours_pb2.ConfirmHonourRequest | honours_pb2.PassHonourRequest,
    ) -> tuple[Board, str, Period]:
        board_id = fields.identifier("board_id", request.board_id)
        node_id = fields.identifier("node_id", request.node_id)
        day = fields.date("on", request.on)
        fields.require_valid()
        scope.require(node_id)
        require_node(scope, node_id)
        with self._database.read() as connection:
            board = self._catalogue.refresh_boards(connection).get(board_id)
        if board is None or not board.honour:
            raise unknown_board()
        period = period_of(board.period_kind, day)
        if period.end_day > self._today(scope.caller.directory, node_id):
            fields.refuse("on", "must be in a period that is over")
        fields.require_valid()
        return board, node_id, period

    def _proposed(
        self, directory: Directory, boards: Mapping[str, Board], node_id: str, decided: list[Honour]
    ) -> list[Honour]:
        """Who was first in the last period of each board that honours, where nothing is decided about them."""
        now = self._today(directory, node_id)
        found = []
        for board in boards.values():
            if not board.honour or board.ended:
                continue
            running = period_of(board.period_kind, now)
            period = period_of(board.period_kind, running.first_day - timedelta(days=1))
            known = [each for each in decided if (each.board_id, each.period) == (board.id, period)]
            if any(each.state is HonourState.PASSED for each in known):
                continue
            named = {each.person_id for each in known}
            found += [each for each in self._first(board, node_id, period) if each.person_id not in named]
        return found

    def _first(self, board: Board, node_id: str, period: Period) -> list[Honour]:
        page = self._leaderboards.standings(board, node_id, period).page(after=None, limit=_MOST_TIED + 1)
        if page.ranked_size < LEAST_RANKED:
            return []
        first = [each for each in page.entries if each.rank == 1]
        second = next((each.value for each in page.entries if each.rank > 1), None)
        if second is None:
            # Everybody is level: nobody was first.
            return []
        return [
            Honour("", board.id, node_id, period, each.person_id, each.value, second, HonourState.PROPOSED)
            for each in first
        ]

    def _decided_by(self, scope: Scope, honour: Honour, state: HonourState, reason: str) -> Honour:
        return replace(
            honour,
            id=new_id(),
            state=state,
            reason=reason,
            decided_by=scope.caller.id,
            decided_at=self._clock.now(),
        )

    def _told(self, scope: Scope, board: Board, honour: Honour) -> honours_pb2.Honour:
        person = scope.caller.directory.person(honour.person_id)
        return from_honour(
            honour,
            board,
            "" if person is None else person.name,
            self._currency,
            decided=scope.caller.may(_CONFIRM, honour.node_id),
            whole=honour.person_id == scope.caller.person_id,
            photo=seen_photo(scope, honour),
        )

    def _today(self, directory: Directory, node_id: str) -> date:
        return today(self._clock.now(), directory.zone_of(node_id))

    def _once(
        self,
        scope: Scope,
        rpc: str,
        request: Message,
        response: type[R],
        produce: Callable[[Connection], R],
    ) -> R:
        return once(self._database, scope, f"HonoursService/{rpc}", request, response, produce)


def _photo_kept(connection: Connection, honour: Honour, request: honours_pb2.AnswerHonourRequest) -> str:
    """Keep or delete the photo as asked; the etag of what there is then."""
    if request.photo:
        if honour.state is HonourState.WITHDRAWN:
            raise FailedPrecondition("HONOUR_WITHDRAWN", "Corrected figures have withdrawn the honour.")
        return honour_photos.keep(connection, honour.id, request.photo)
    if request.remove_photo:
        honour_photos.remove(connection, [honour.id])
        return ""
    return honour.photo


def _decided() -> FailedPrecondition:
    return FailedPrecondition("HONOUR_DECIDED", "Somebody has decided that already.")
