"""Leaderboards: one's own rank, and the whole board."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from flask import Blueprint, abort, render_template, request
from foothold.incentives.v1 import boards_pb2

from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import exact, from_date
from services.gateway.me import Me, me
from services.gateway.pages.goals import is_date
from services.gateway.parts import clients
from services.gateway.sections import section

blueprint = Blueprint("boards", __name__)
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one stands on one board at one node."""

    node: boards_pb2.BoardNode
    answer: boards_pb2.GetBoardResponse


def gap(answer: boards_pb2.GetBoardResponse) -> Fraction | None:
    """What is missing to the next better entry; None at the top or without a standing."""
    if not answer.HasField("next_better") or not answer.HasField("standing"):
        return None
    mine, better = exact(answer.standing.value), exact(answer.next_better)
    return better - mine if mine is not None and better is not None and better > mine else None


def board(
    board_id: str, node_id: str, *, on: date | None = None, size: int = 1, page: str = ""
) -> boards_pb2.GetBoardResponse:
    """Failure from incentives when the board is not the caller's to see."""
    asked = boards_pb2.GetBoardRequest(
        board_id=board_id, node_id=node_id, on=from_date(on) if on else None, page_size=size, page_token=page
    )
    return ask(clients().boards.GetBoard, asked)


def standings_of(who: Me) -> list[list[Standing]]:
    """Every board at each of the person's own nodes, branch first: one list per board."""
    answer = ask(clients().boards.ListBoards, boards_pb2.ListBoardsRequest())
    mine = who.directory.ancestors(who.id)
    nodes = sorted(
        (node for node in answer.nodes if node.node_id in mine), key=lambda node: mine.index(node.node_id)
    )
    return [[Standing(node, board(each.id, node.node_id)) for node in nodes] for each in answer.boards]


def _chosen() -> dict[str, Any]:
    who = me()
    answer = ask(clients().boards.ListBoards, boards_pb2.ListBoardsRequest())
    if not answer.boards or not answer.nodes:
        return {"boards": [], "nodes": [], "answer": None}
    mine = who.directory.ancestors(who.id)
    near = next(
        (each for each in mine if any(node.node_id == each for node in answer.nodes)), answer.nodes[0].node_id
    )
    board_id = request.args.get("board", answer.boards[0].id)
    node_id = request.args.get("node", near)
    if all(each.id != board_id for each in answer.boards) or all(
        each.node_id != node_id for each in answer.nodes
    ):
        abort(404)
    on = is_date(request.args.get("on", ""))
    found = board(board_id, node_id, on=on, size=_SHOWN, page=request.args.get("page", "")[:2000])
    return {
        "boards": answer.boards,
        "nodes": answer.nodes,
        "answer": found,
        "board_id": board_id,
        "node_id": node_id,
        "on": on,
        "gap": gap(found),
        "first_page": not request.args.get("page"),
    }


@blueprint.get("/boards")
@needs("incentives.boards.read")
def overview() -> str:
    found = section(_chosen)
    node_id = (found.content or {}).get("node_id", "")
    return render_template("boards.html", watches=f"boards@{node_id}", board=found)


@blueprint.get("/boards/table")
@needs("incentives.boards.read")
def table() -> str:
    return render_template("boards_table.html", board=section(_chosen))
