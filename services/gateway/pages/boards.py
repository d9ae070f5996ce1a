"""Leaderboards: one's own rank, the best part of a board, and the whole of it for those who answer for its people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, Response, abort, render_template, request
from foothold.incentives.v1 import boards_pb2

from chassis.ids import new_id
from services.gateway import board_words, goal_words
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, to_date
from services.gateway.formats import cell
from services.gateway.language import _
from services.gateway.me import Me, me
from services.gateway.pages.goals import is_date
from services.gateway.pages.honours import ANSWER, honours_at
from services.gateway.parts import clients, today
from services.gateway.sections import section
from services.gateway.spreadsheets import download

blueprint = Blueprint("boards", __name__)
WRITE: Final = "incentives.boards.write"
_SHOWN: Final = 50
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one stands on one board at one node."""

    node: boards_pb2.BoardNode
    answer: boards_pb2.GetBoardResponse


def board(
    board_id: str, node_id: str, *, on: date | None = None, size: int = 1, page: str = ""
) -> boards_pb2.GetBoardResponse:
    """Failure from incentives when the board is not the caller's to see."""
    asked = boards_pb2.GetBoardRequest(
        board_id=board_id, node_id=node_id, on=from_date(on) if on else None, page_size=size, page_token=page
    )
    return ask(clients().boards.GetBoard, asked)


def standings_of(who: Me) -> list[list[Standing]]:
    """Every board at each of the person's own branches and the enterprise, nearest first: one list per board."""
    answer = ask(clients().boards.ListBoards, boards_pb2.ListBoardsRequest())
    mine = who.directory.ancestors(who.id)
    nodes = sorted(
        (node for node in answer.nodes if node.branch and node.node_id in mine),
        key=lambda node: mine.index(node.node_id),
    )
    return [[Standing(node, board(each.id, node.node_id)) for node in nodes] for each in answer.boards]


def may_write() -> bool:
    """Whether the reader makes and ends boards."""
    return me().covers(WRITE, me().directory.root_id)


def _listed() -> boards_pb2.ListBoardsResponse:
    return ask(clients().boards.ListBoards, boards_pb2.ListBoardsRequest(with_ended=may_write()))


def _named(answer: boards_pb2.ListBoardsResponse) -> tuple[str, str]:
    """The board and the node that the address names, or the first board at the reader's own branch."""
    mine = me().directory.ancestors(me().id)
    branches = [node.node_id for node in answer.nodes if node.branch]
    near = next((each for each in mine if each in branches), answer.nodes[0].node_id)
    going = [each for each in answer.boards if not each.ended]
    board_id = request.args.get("board", (going or answer.boards)[0].id)
    node_id = request.args.get("node", near)
    if all(each.id != board_id for each in answer.boards) or all(
        each.node_id != node_id for each in answer.nodes
    ):
        abort(404)
    return board_id, node_id


def _chosen() -> dict[str, Any]:
    answer = _listed()
    if not answer.boards or not answer.nodes:
        return {"boards": [], "nodes": [], "answer": None}
    board_id, node_id = _named(answer)
    on = is_date(request.args.get("on", ""))
    found = board(board_id, node_id, on=on, size=_SHOWN, page=request.args.get("page", "")[:2000])
    first, end = to_date(found.period.first_day) or today(), to_date(found.period.end_day) or today()
    return {
        "boards": answer.boards,
        "nodes": answer.nodes,
        "answer": found,
        "board_id": board_id,
        "node_id": node_id,
        "on": on,
        "earlier": first - timedelta(days=1),
        "later": end if end <= today() else None,
        "first_page": not request.args.get("page"),
    }


@blueprint.get("/boards")
@needs("incentives.boards.read")
def overview() -> str:
    found = section(_chosen)
    node_id = (found.content or {}).get("node_id", "")
    return render_template(
        "boards.html",
        honours=section(lambda: honours_at(node_id) if node_id else []),
        own_honours=me().own(ANSWER),
        watches=f"boards@{node_id}",
        board=found,
        tells=board_words,
        may_write=may_write(),
        new_id=new_id,
    )


@blueprint.get("/boards/table")
@needs("incentives.boards.read")
def table() -> str:
    return render_template("boards_table.html", board=section(_chosen), tells=board_words)


@blueprint.get("/boards.csv")
@needs("incentives.boards.read")
def export() -> Response:
    """What the reader sees of a board as CSV, every page of it: exact figures, rates in percent."""
    board_id, node_id = _named(_listed())
    on = is_date(request.args.get("on", ""))
    head = [
        _("Rank"),
        _("Name"),
        _("Branch"),
        _("Metric"),
        _("Value"),
        _("Counted as"),
        _("From"),
        _("Until"),
    ]
    return download(f"board-{board_id}.csv", head, _rows(board_id, node_id, on))


def _rows(board_id: str, node_id: str, on: date | None) -> Iterator[list[str]]:
    token = ""
    while True:
        answer = board(board_id, node_id, on=on, size=_MOST, page=token)
        first, end = to_date(answer.period.first_day), to_date(answer.period.end_day)
        for each in answer.entries:
            told = each.value
            yield [
                str(each.rank or ""),
                cell(each.name),
                cell(each.branch_name),
                board_words.measured(answer.board),
                goal_words.typed(told),
                f"{told.numerator}/{told.denominator}" if told.denominator > 1 else "",
                first.isoformat() if first else "",
                (end - timedelta(days=1)).isoformat() if end else "",
            ]
        token = answer.next_page_token
        if not token:
            return
