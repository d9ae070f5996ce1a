"""Where people stand."""

from datetime import date
from typing import Final, TypeVar

import grpc
from foothold.incentives.v1 import boards_pb2, boards_pb2_grpc
from sqlalchemy import Connection

from access import Directory, Kind, Node, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import AlreadyExists, InvalidArgument, NotFound, ResourceExhausted
from chassis.ids import new_id
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.identifiers import JOB_ROLE
from services.incentives.domain.metrics import Known
from services.incentives.domain.periods import PeriodKind, period_of, today
from services.incentives.domain.ranking import (
    LARGEST_MINIMUM,
    LONGEST_TENURE,
    MOST_BOARDS,
    MOST_SHOWN,
    Board,
    Measure,
)
from services.incentives.handlers.board_views import Asked, BoardViews, cursor_of
from services.incentives.handlers.commands import once
from services.incentives.leaderboards import Leaderboards
from services.incentives.store.catalogue import CatalogueStore, read_boards
from services.incentives.store.metrics import known_metrics
from services.incentives.wire.boards import from_board, to_board
from services.incentives.wire.values import from_period

_READ: Final = "incentives.boards.read"
_WRITE: Final = "incentives.boards.write"
# Boards rank figures, and whoever may read somebody's sees them wherever they stand.
_FIGURES: Final = "goals.progress.read"
_DEFAULT_PAGE: Final = 10
R = TypeVar("R", boards_pb2.EndBoardResponse, boards_pb2.ResumeBoardResponse)


class BoardsHandler(boards_pb2_grpc.BoardsServiceServicer):
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
        self._views = BoardViews(currency)

    def CreateBoard(
        self, request: boards_pb2.CreateBoardRequest, context: grpc.ServicerContext
    ) -> boards_pb2.CreateBoardResponse:
        scope = caller(context).scope(_WRITE)
        scope.require_everywhere()
        fields = Fields()
        fields.request_id(request.request_id)
        fields.require_valid()
        known = self._known()
        _refuse_invalid(request.board, known)
        board = to_board(request.board, request.board.id or new_id(), known)

        def produce(connection: Connection) -> boards_pb2.CreateBoardResponse:
            store = CatalogueStore(connection, scope)
            if not store.add_board(board):
                raise AlreadyExists(
                    "ALREADY_EXISTS", "A board with that id exists.", fields={"board.id": "is taken"}
                )
            _require_room(store)
            return boards_pb2.CreateBoardResponse(board=from_board(board))

        answer = boards_pb2.CreateBoardResponse
        response = once(self._database, scope, "BoardsService/CreateBoard", request, answer, produce)
        self._leaderboards.wake()
        return response

    def PreviewBoard(
        self, request: boards_pb2.PreviewBoardRequest, context: grpc.ServicerContext
    ) -> boards_pb2.PreviewBoardResponse:
        scope = caller(context).scope(_WRITE)
        scope.require_everywhere()
        fields = Fields()
        node_id = fields.identifier("node_id", request.node_id)
        day = fields.date("on", request.on) if request.HasField("on") else None
        fields.require_valid()
        known = self._known()
        _refuse_invalid(request.board, known)
        require_node(scope, node_id)
        board, directory = to_board(request.board, "", known), scope.caller.directory
        period = period_of(board.period_kind, day or self._today(directory, node_id))
        page = self._leaderboards.preview(board, node_id, period).page(after=None, limit=MOST_SHOWN)
        response = boards_pb2.PreviewBoardResponse(
            period=from_period(period),
            ranked_size=page.ranked_size,
            unranked_size=page.unranked_size,
        )
        for each in page.entries:
            self._views.write(response.entries.add(), board, directory, each)
        return response

    def EndBoard(
        self, request: boards_pb2.EndBoardRequest, context: grpc.ServicerContext
    ) -> boards_pb2.EndBoardResponse:
        return self._end(caller(context).scope(_WRITE), "EndBoard", request, boards_pb2.EndBoardResponse)

    def ResumeBoard(
        self, request: boards_pb2.ResumeBoardRequest, context: grpc.ServicerContext
    ) -> boards_pb2.ResumeBoardResponse:
        return self._end(
            caller(context).scope(_WRITE), "ResumeBoard", request, boards_pb2.ResumeBoardResponse
        )

    def ListBoards(
        self, request: boards_pb2.ListBoardsRequest, context: grpc.ServicerContext
    ) -> boards_pb2.ListBoardsResponse:
        scope = caller(context).scope(_READ)
        with self._database.read() as connection:
            boards = self._catalogue.refresh_boards(connection)
        return boards_pb2.ListBoardsResponse(
            boards=[from_board(each) for each in boards.values() if request.with_ended or not each.ended],
            nodes=[
                boards_pb2.BoardNode(node_id=node.id, name=node.name, branch=node.kind is not Kind.DEPARTMENT)
                for node in _board_nodes(scope)
            ],
        )

    def GetBoard(
        self, request: boards_pb2.GetBoardRequest, context: grpc.ServicerContext
    ) -> boards_pb2.GetBoardResponse:
        scope = caller(context).scope(_READ)
        directory = scope.caller.directory
        fields = Fields()
        board_id = fields.identifier("board_id", request.board_id)
        node_id = fields.identifier("node_id", request.node_id)
        person_id = fields.identifier("person_id", request.person_id, required=False)
        size = fields.page_size(request.page_size, default=_DEFAULT_PAGE)
        day = fields.date("on", request.on) if request.HasField("on") else None
        fields.require_valid()
        require_node(scope, node_id)
        board = self._board(board_id)
        period = period_of(board.period_kind, day or self._today(directory, node_id))
        standings = self._leaderboards.standings(board, node_id, period)
        asked = Asked(request, board, period, cursor_of(request), size, _sight(scope, node_id))
        response = self._views.view(asked, standings, directory, who=person_id, caller=scope.caller.person_id)
        closed_at = self._leaderboards.closed_at(node_id, period)
        if closed_at is not None:
            response.closed_at.FromDatetime(closed_at)
        return response

    def _end(
        self,
        scope: Scope,
        rpc: str,
        request: boards_pb2.EndBoardRequest | boards_pb2.ResumeBoardRequest,
        response: type[R],
    ) -> R:
        scope.require_everywhere()
        fields = Fields()
        fields.request_id(request.request_id)
        board_id = fields.identifier("board_id", request.board_id)
        fields.require_valid()
        ended = rpc == "EndBoard"

        def produce(connection: Connection) -> R:
            store = CatalogueStore(connection, scope)
            if not store.end_board(board_id, ended=ended):
                raise unknown_board()
            if not ended:
                _require_room(store)
            return response(board=from_board(read_boards(connection)[board_id]))

        told = once(self._database, scope, f"BoardsService/{rpc}", request, response, produce)
        self._leaderboards.wake()
        return told

    def _board(self, board_id: str) -> Board:
        """Asked of the database only where it is not in memory: another process may just have added it."""
        board = self._catalogue.boards.get(board_id)
        if board is None:
            with self._database.read() as connection:
                board = self._catalogue.refresh_boards(connection).get(board_id)
        if board is None:
            raise unknown_board()
        return board

    def _known(self) -> Known:
        """What a new board may rank by."""
        with self._database.read() as connection:
            return known_metrics(connection)

    def _today(self, directory: Directory, node_id: str) -> date:
        return today(self._clock.now(), directory.zone_of(node_id))


def _refuse_invalid(message: boards_pb2.Board, known: Known) -> None:
    """INVALID_ARGUMENT with everything that is wrong with a board; METRIC_UNKNOWN where that is all."""
    fields = Fields(path="board.")
    fields.identifier("id", message.id, required=False)
    fields.text("name", message.name, max_length=60)
    fields.one_of("period_kind", message.period_kind, set(PeriodKind))
    fields.integer("minimum_denominator", message.minimum_denominator, minimum=0, maximum=LARGEST_MINIMUM)
    fields.text("honour", message.honour, max_length=30, required=False)
    fields.one_of("measure", message.measure, {0, *Measure})
    first = fields.integer("tenure_from", message.tenure_from, minimum=0, maximum=LONGEST_TENURE)
    fields.integer("tenure_to", message.tenure_to, minimum=0, maximum=LONGEST_TENURE)
    if message.tenure_to and message.tenure_to < first:
        fields.refuse("tenure_to", "must not be before tenure_from")
    if message.job_role and not JOB_ROLE.fullmatch(message.job_role):
        fields.refuse("job_role", "must be 1 to 40 characters of a-z 0-9 _ -, or empty")
    fields.require_valid()
    if message.metric not in known:
        raise InvalidArgument(
            "METRIC_UNKNOWN",
            "There is no such metric.",
            fields={"board.metric": f"must be one of {', '.join(known)}"},
        )


def require_node(scope: Scope, node_id: str) -> None:
    """NotFound NODE_UNKNOWN where there is no unit of that id whose board the scope shows."""
    node = scope.caller.directory.node(node_id)
    if node is None or node.kind is Kind.PERSON or not scope.is_member(node_id):
        raise NotFound("NODE_UNKNOWN", "There is no such node.")


def _require_room(store: CatalogueStore) -> None:
    if store.count_boards() > MOST_BOARDS:
        raise ResourceExhausted("LIMIT_REACHED", f"There may be at most {MOST_BOARDS} boards.")


def unknown_board() -> NotFound:
    """There is no board of that id."""
    return NotFound("BOARD_UNKNOWN", "There is no such board.")


def _sight(scope: Scope, node_id: str) -> frozenset[str] | None:
    """Whose place the caller sees wherever it is: whose figures they may read; None for everybody's at the node."""
    who = scope.caller
    own = frozenset({who.person_id} - {""})
    if not who.holds(_FIGURES):
        return own
    figures = who.scope(_FIGURES)
    if figures.nodes == own:
        return own
    if figures.covers(node_id):
        return None
    return own | (figures.people() or own)


def _board_nodes(scope: Scope) -> list[Node]:
    """The enterprise, branches and departments whose boards the scope shows, parents before children, by name."""
    directory = scope.caller.directory
    found: list[Node] = []
    waiting = [directory.root_id]
    while waiting:
        node = directory.node(waiting.pop(0))
        if node is not None:
            if scope.is_member(node.id):
                found.append(node)
            below = filter(None, map(directory.node, directory.children(node.id)))
            waiting += [
                each.id for each in sorted(below, key=lambda each: each.name) if each.kind is not Kind.PERSON
            ]
    return found
