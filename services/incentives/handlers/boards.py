"""Where people stand."""

from datetime import date
from typing import Final, NamedTuple
from weakref import ref

import grpc
from foothold.incentives.v1 import boards_pb2, boards_pb2_grpc

from access import Directory, Kind, Node, Scope, caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.errors import AlreadyExists, InvalidArgument, NotFound, ResourceExhausted
from chassis.idempotency import answer_once
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.incentives.catalogue import Catalogue
from services.incentives.domain.identifiers import JOB_ROLE
from services.incentives.domain.metrics import METRICS
from services.incentives.domain.periods import Period, PeriodKind, period_of, today
from services.incentives.domain.ranking import LARGEST_MINIMUM, MOST_BOARDS, Board
from services.incentives.leaderboards import Leaderboards
from services.incentives.standings import Cursor, Entry, Page, Standings
from services.incentives.store.catalogue import CatalogueStore
from services.incentives.wire.boards import from_board, from_entry, to_board
from services.incentives.wire.values import from_figure, from_period

_READ: Final = "incentives.boards.read"
_WRITE: Final = "incentives.boards.write"
_CREATE: Final = "/foothold.incentives.v1.BoardsService/CreateBoard"
_DEFAULT_PAGE: Final = 10
# At most 2,000 pages of 100 entries, some 80 MB; longer pages are lists for a program, made when asked for.
_KEPT_PAGES: Final = 2_000
_KEPT_SIZE: Final = 100
# Until the page and the standing are of the same moment; a board never changes that often.
_ATTEMPTS: Final = 3


class _Kept(NamedTuple):
    """A page and the state of the board and of the directory it shows.

    It does not hold the board: one that left memory must be free to go.
    """

    standings: "ref[Standings]"
    state: tuple[int, int]
    message: boards_pb2.GetBoardResponse


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
        self._currency = currency
        self._pages: dict[tuple[bytes, Period], _Kept] = {}

    def CreateBoard(
        self, request: boards_pb2.CreateBoardRequest, context: grpc.ServicerContext
    ) -> boards_pb2.CreateBoardResponse:
        scope = caller(context).scope(_WRITE)
        scope.require_everywhere()
        fields = Fields()
        fields.request_id(request.request_id)
        fields.require_valid()
        _refuse_invalid(request.board)
        board = to_board(request.board, request.board.id or new_id())
        with self._database.begin() as connection:

            def produce() -> boards_pb2.CreateBoardResponse:
                store = CatalogueStore(connection, scope)
                if not store.add_board(board):
                    raise AlreadyExists(
                        "ALREADY_EXISTS", "A board with that id exists.", fields={"board.id": "is taken"}
                    )
                if store.count_boards() > MOST_BOARDS:
                    raise ResourceExhausted("LIMIT_REACHED", f"There may be at most {MOST_BOARDS} boards.")
                return boards_pb2.CreateBoardResponse(board=from_board(board))

            response = answer_once(
                connection,
                caller=scope.caller.id,
                method=_CREATE,
                request=request,
                response=boards_pb2.CreateBoardResponse,
                produce=produce,
            )
        self._leaderboards.wake()
        return response

    def ListBoards(
        self, request: boards_pb2.ListBoardsRequest, context: grpc.ServicerContext
    ) -> boards_pb2.ListBoardsResponse:
        scope = caller(context).scope(_READ)
        with self._database.read() as connection:
            boards = self._catalogue.refresh_boards(connection)
        return boards_pb2.ListBoardsResponse(
            boards=map(from_board, boards.values()),
            nodes=[boards_pb2.BoardNode(node_id=node.id, name=node.name) for node in _board_nodes(scope)],
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
        node = directory.node(node_id)
        if node is None or node.kind not in (Kind.ENTERPRISE, Kind.BRANCH) or not scope.is_member(node_id):
            raise NotFound("NODE_UNKNOWN", "There is no such node.")
        board = self._board(board_id)
        period = period_of(board.period_kind, day or self._today(directory, node_id))
        standings = self._leaderboards.standings(board, node_id, period)
        cursor = _cursor(request)
        who = person_id or scope.caller.person_id
        stand = standings.stand(who)
        page = self._page(request, board, period, standings, cursor, size, stand.version, directory)
        for _ in range(_ATTEMPTS):
            if page.state[0] == stand.version:
                break
            stand = standings.stand(who)
            page = self._page(request, board, period, standings, cursor, size, stand.version, directory)
        response = boards_pb2.GetBoardResponse()
        response.CopyFrom(page.message)
        if stand.entry is not None:
            response.standing.CopyFrom(self._entry(board, directory, stand.entry))
        if stand.next_better is not None:
            response.next_better.CopyFrom(from_figure(board.metric, stand.next_better, self._currency))
        return response

    def _page(
        self,
        request: boards_pb2.GetBoardRequest,
        board: Board,
        period: Period,
        standings: Standings,
        cursor: Cursor | None,
        size: int,
        version: int,
        directory: Directory,
    ) -> _Kept:
        """The page everybody who asks the same sees, made once until the board or the directory changes."""
        key = (request.SerializeToString(deterministic=True), period)
        state = (version, directory.version)
        kept = self._pages.get(key)
        if kept is not None and kept.standings() is standings and kept.state == state:
            return kept
        page = standings.page(after=cursor, limit=size)
        message = self._make_page(request, board, period, directory, page)
        made = _Kept(ref(standings), (page.version, state[1]), message)
        if len(page.entries) <= _KEPT_SIZE:
            if len(self._pages) >= _KEPT_PAGES:
                self._pages = {}
            self._pages[key] = made
        return made

    def _make_page(
        self,
        request: boards_pb2.GetBoardRequest,
        board: Board,
        period: Period,
        directory: Directory,
        page: Page,
    ) -> boards_pb2.GetBoardResponse:
        message = boards_pb2.GetBoardResponse(
            board=from_board(board),
            period=from_period(period),
            entries=[self._entry(board, directory, entry) for entry in page.entries],
            ranked_size=page.ranked_size,
            unranked_size=page.unranked_size,
        )
        if page.more:
            message.next_page_token = encode_token(_token_of(page.entries[-1].cursor), query=request)
        if page.as_of is not None:
            message.as_of.FromDatetime(page.as_of)
        return message

    def _board(self, board_id: str) -> Board:
        """Asked of the database only where it is not in memory: another process may just have added it."""
        board = self._catalogue.boards.get(board_id)
        if board is None:
            with self._database.read() as connection:
                board = self._catalogue.refresh_boards(connection).get(board_id)
        if board is None:
            raise NotFound("BOARD_UNKNOWN", "There is no such board.")
        return board

    def _entry(self, board: Board, directory: Directory, entry: Entry) -> boards_pb2.BoardEntry:
        person = directory.person(entry.person_id)
        branch = directory.node(directory.branch_of(entry.person_id) or "")
        return from_entry(
            board,
            rank=entry.rank,
            person_id=entry.person_id,
            name="" if person is None else person.name,
            branch_name="" if branch is None else branch.name,
            value=entry.value,
            currency=self._currency,
        )

    def _today(self, directory: Directory, node_id: str) -> date:
        return today(self._clock.now(), directory.zone_of(node_id))


def _refuse_invalid(message: boards_pb2.Board) -> None:
    """INVALID_ARGUMENT with everything that is wrong with a board; METRIC_UNKNOWN where that is all."""
    fields = Fields(path="board.")
    fields.identifier("id", message.id, required=False)
    fields.text("name", message.name, max_length=60)
    fields.one_of("period_kind", message.period_kind, set(PeriodKind))
    fields.integer("minimum_denominator", message.minimum_denominator, minimum=0, maximum=LARGEST_MINIMUM)
    if message.job_role and not JOB_ROLE.fullmatch(message.job_role):
        fields.refuse("job_role", "must be 1 to 40 characters of a-z 0-9 _ -, or empty")
    fields.require_valid()
    if message.metric not in METRICS:
        raise InvalidArgument(
            "METRIC_UNKNOWN",
            "There is no such metric.",
            fields={"board.metric": f"must be one of {', '.join(METRICS)}"},
        )


def _cursor(request: boards_pb2.GetBoardRequest) -> Cursor | None:
    found = decode_token(request.page_token, query=request, shape=(bool, str, str))
    if found is None:
        return None
    ranked, order, person_id = found
    return bool(ranked), int(str(order)), str(person_id)


def _token_of(cursor: Cursor) -> tuple[bool, str, str]:
    """The order has more digits than JSON's whole numbers may have."""
    return cursor[0], str(cursor[1]), cursor[2]


def _board_nodes(scope: Scope) -> list[Node]:
    """The enterprise and the branches whose boards the scope shows, parents before children, by name."""
    directory = scope.caller.directory
    found: list[Node] = []
    waiting = [directory.root_id]
    while waiting:
        node = directory.node(waiting.pop(0))
        if node is not None and node.kind in (Kind.ENTERPRISE, Kind.BRANCH):
            if scope.is_member(node.id):
                found.append(node)
            below = filter(None, map(directory.node, directory.children(node.id)))
            waiting += [
                each.id for each in sorted(below, key=lambda each: each.name) if each.kind is Kind.BRANCH
            ]
    return found
