"""A board as its reader may see it: the best part for everybody, further down those they answer for."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from weakref import ref

from foothold.incentives.v1 import boards_pb2

from access import Directory
from chassis.paging import decode_token, encode_token
from services.incentives.domain.periods import Period
from services.incentives.domain.ranking import Board
from services.incentives.standings import Cursor, Entry, Page, Stand, Standings
from services.incentives.wire.boards import from_board, from_entry
from services.incentives.wire.values import from_period

# At most 2,000 pages of 100 entries, some 80 MB; longer pages are lists for a program, made when asked for.
_KEPT_PAGES: Final = 2_000
_KEPT_SIZE: Final = 100
# Of more who share the first ranks the rest are not listed to everybody.
_MOST_TOP: Final = 100
# Until the page and the standing are of the same moment; a board never changes that often.
_ATTEMPTS: Final = 3


class _Kept(NamedTuple):
    """A page and the state of the board and of the directory it shows.

    It does not hold the board: one that left memory must be free to go.
    """

    standings: "ref[Standings]"
    state: tuple[int, int]
    message: boards_pb2.GetBoardResponse
    entries: Sequence[Entry]


class _Look(NamedTuple):
    """Where somebody stands, where those in sight do, and what is shown anyway: of one moment if `at_once`."""

    stand: Stand
    own: Sequence[Entry]
    kept: _Kept
    at_once: bool


class Asked(NamedTuple):
    """What is asked for; `sight` are those the caller sees wherever they stand, None for everybody."""

    request: boards_pb2.GetBoardRequest
    board: Board
    period: Period
    cursor: Cursor | None
    size: int
    sight: frozenset[str] | None


class BoardViews:
    """Makes the pages of boards, and keeps those that many people see."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._pages: dict[tuple[bool, Board, bytes, Period], _Kept] = {}

    def view(
        self, asked: Asked, standings: Standings, directory: Directory, *, who: str, caller: str
    ) -> boards_pb2.GetBoardResponse:
        """The page asked for, and where `who` stands; where that is empty, the caller, a person or empty."""
        who = who or caller
        look = self._look(asked, standings, directory, who)
        for _ in range(_ATTEMPTS):
            if look.at_once:
                break
            look = self._look(asked, standings, directory, who)
        stand, kept = look.stand, look.kept
        response = boards_pb2.GetBoardResponse()
        response.CopyFrom(kept.message)
        shown = kept.entries
        if asked.sight is not None:
            shown = self._add(response, asked, kept.entries, look.own, directory)
        # Of whom the caller is not told, nothing is told by asking either.
        if asked.sight is None or who == caller or any(each.person_id == who for each in shown):
            if stand.entry is not None:
                response.standing.CopyFrom(self.entry(asked.board, directory, stand.entry))
            if stand.above is not None:
                response.above.CopyFrom(self.entry(asked.board, directory, stand.above))
                response.next_better.CopyFrom(response.above.value)
        return response

    def _look(self, asked: Asked, standings: Standings, directory: Directory, who: str) -> _Look:
        stand = standings.stand(who)
        version, own = stand.version, [] if stand.entry is None else [stand.entry]
        if asked.sight != frozenset({who}):
            version, own = standings.stands(asked.sight or ())
        kept = self._page(asked, standings, stand.version, directory)
        return _Look(stand, own, kept, at_once=version == stand.version == kept.state[0])

    def _add(
        self,
        response: boards_pb2.GetBoardResponse,
        asked: Asked,
        top: Sequence[Entry],
        own: Sequence[Entry],
        directory: Directory,
    ) -> Sequence[Entry]:
        """Add to what everybody sees those further down whom the caller does, and keep the page asked for."""
        below = [each for each in own if not top or _is_after(each.cursor, top[-1].cursor)]
        everything = [*top, *below]
        response.hidden_size = response.ranked_size + response.unranked_size - len(everything)
        cursor = asked.cursor
        rest = [each for each in everything if cursor is None or _is_after(each.cursor, cursor)]
        page = rest[: asked.size]
        # The first page begins with what everybody sees, which is made already.
        made = min(len(page), len(top)) if cursor is None else 0
        del response.entries[made:]
        response.entries.extend(self.entry(asked.board, directory, each) for each in page[made:])
        if len(rest) > len(page):
            response.next_page_token = encode_token(_token_of(page[-1].cursor), query=asked.request)
        return everything

    def _page(self, asked: Asked, standings: Standings, version: int, directory: Directory) -> _Kept:
        """What everybody who asks the same sees, made once until the board or the directory changes."""
        request, everything = asked.request, asked.sight is None
        mark = request.SerializeToString(deterministic=True) if everything else request.node_id.encode()
        key = (everything, asked.board, mark, asked.period)
        state = (version, directory.version)
        kept = self._pages.get(key)
        if kept is not None and kept.standings() is standings and kept.state == state:
            return kept
        cursor, size = asked.cursor, asked.size
        page = standings.page(after=cursor, limit=size) if everything else standings.top(limit=_MOST_TOP)
        message = self._make_page(request, asked.board, asked.period, directory, page)
        made = _Kept(ref(standings), (page.version, state[1]), message, page.entries)
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
            entries=[self.entry(board, directory, entry) for entry in page.entries],
            ranked_size=page.ranked_size,
            unranked_size=page.unranked_size,
        )
        if page.more:
            message.next_page_token = encode_token(_token_of(page.entries[-1].cursor), query=request)
        if page.as_of is not None:
            message.as_of.FromDatetime(page.as_of)
        return message

    def entry(self, board: Board, directory: Directory, entry: Entry) -> boards_pb2.BoardEntry:
        """Somebody on the board, by name and branch."""
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


def _is_after(cursor: Cursor, other: Cursor) -> bool:
    return (not cursor[0], *cursor[1:]) > (not other[0], *other[1:])


def cursor_of(request: boards_pb2.GetBoardRequest) -> Cursor | None:
    """Where the page before ended; None for the first. INVALID_ARGUMENT PAGE_TOKEN_INVALID."""
    found = decode_token(request.page_token, query=request, shape=(bool, str, str))
    if found is None:
        return None
    ranked, order, person_id = found
    return bool(ranked), int(str(order)), str(person_id)


def _token_of(cursor: Cursor) -> tuple[bool, str, str]:
    """The order has more digits than JSON's whole numbers may have."""
    return cursor[0], str(cursor[1]), cursor[2]
