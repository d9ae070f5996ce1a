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
from services.incentives.wire.boards import from_board
from services.incentives.wire.values import from_period, write_value

# At most 2,000 pages of 100 entries, some 80 MB; longer pages are lists for a program, made when asked for.
_KEPT_PAGES: Final = 2_000
_KEPT_SIZE: Final = 100
_KEPT_TOKENS: Final = 16
# Of more who share the first ranks the rest are not listed to everybody.
_MOST_TOP: Final = 100
# Until the page and the standing are of the same moment; a board never changes that often.
_ATTEMPTS: Final = 3


class _Kept(NamedTuple):
    """A page and the state of the board and of the directory it shows.

    It does not hold the board: one that left memory must be free to go. `more` is, by request, the token of the page
    after the first one, where that shows nothing but what everybody sees.
    """

    board: Board
    standings: "ref[Standings]"
    state: tuple[int, int]
    message: boards_pb2.GetBoardResponse
    entries: Sequence[Entry]
    more: dict[bytes, str]

    def shows(self, board: Board, standings: Standings, state: tuple[int, int]) -> bool:
        """Whether it is this very board's, as it is now."""
        return self.board is board and self.standings() is standings and self.state == state


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
        self._pages: dict[tuple[bool, str, bytes, Period], _Kept] = {}

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
            shown = self._add(response, asked, kept, look.own, directory)
        # Of whom the caller is not told, nothing is told by asking either.
        if asked.sight is None or who == caller or any(each.person_id == who for each in shown):
            if stand.entry is not None:
                self.write(response.standing, asked.board, directory, stand.entry)
            if stand.above is not None:
                self.write(response.above, asked.board, directory, stand.above)
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
        kept: _Kept,
        own: Sequence[Entry],
        directory: Directory,
    ) -> Sequence[Entry]:
        """Add to what everybody sees those further down whom the caller does, and keep the page asked for."""
        top = kept.entries
        below = [each for each in own if not top or _is_after(each.cursor, top[-1].cursor)]
        everything = [*top, *below]
        response.hidden_size = response.ranked_size + response.unranked_size - len(everything)
        cursor = asked.cursor
        rest = everything
        if cursor is not None:
            rest = [each for each in everything if _is_after(each.cursor, cursor)]
        page = rest[: asked.size]
        # The first page begins with what everybody sees, which is made already.
        made = min(len(page), len(top)) if cursor is None else 0
        del response.entries[made:]
        for each in page[made:]:
            self.write(response.entries.add(), asked.board, directory, each)
        if len(rest) > len(page):
            response.next_page_token = self._more(asked, kept, page, common=made == len(page))
        return everything

    def _more(self, asked: Asked, kept: _Kept, page: Sequence[Entry], *, common: bool) -> str:
        """The token of the page after this one; of a `common` one made once for all who ask the same."""
        if not common:
            return encode_token(_token_of(page[-1].cursor), query=asked.request)
        mark = asked.request.SerializeToString(deterministic=True)
        token = kept.more.get(mark)
        if token is None:
            token = encode_token(_token_of(page[-1].cursor), query=asked.request)
            if len(kept.more) < _KEPT_TOKENS:
                kept.more[mark] = token
        return token

    def _page(self, asked: Asked, standings: Standings, version: int, directory: Directory) -> _Kept:
        """What everybody who asks the same sees, made once until the board or the directory changes."""
        request, everything = asked.request, asked.sight is None
        mark = request.SerializeToString(deterministic=True) if everything else request.node_id.encode()
        key = (everything, asked.board.id, mark, asked.period)
        state = (version, directory.version)
        kept = self._pages.get(key)
        if kept is not None and kept.shows(asked.board, standings, state):
            return kept
        cursor, size = asked.cursor, asked.size
        page = standings.page(after=cursor, limit=size) if everything else standings.top(limit=_MOST_TOP)
        message = self._make_page(request, asked.board, asked.period, directory, page)
        made = _Kept(asked.board, ref(standings), (page.version, state[1]), message, page.entries, {})
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
            ranked_size=page.ranked_size,
            unranked_size=page.unranked_size,
        )
        for entry in page.entries:
            self.write(message.entries.add(), board, directory, entry)
        if page.more:
            message.next_page_token = encode_token(_token_of(page.entries[-1].cursor), query=request)
        if page.as_of is not None:
            message.as_of.FromDatetime(page.as_of)
        return message

    def write(self, message: boards_pb2.BoardEntry, board: Board, directory: Directory, entry: Entry) -> None:
        """Tell somebody on the board, by name and branch, in an empty message."""
        person = directory.person(entry.person_id)
        branch = directory.node(directory.branch_of(entry.person_id) or "")
        message.rank = entry.rank
        message.person_id = entry.person_id
        if person is not None:
            message.name = person.name
        if branch is not None:
            message.branch_name = branch.name
        write_value(message.value, board.metric.unit, entry.value, self._currency)


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
