"""What one has earned this period, line by line, and the nearest next amounts."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, render_template, request
from foothold.goals.v1 import fairness_pb2
from foothold.incentives.v1 import statements_pb2

from chassis.ids import new_id
from services.gateway import fairness_words, payout_words, statement_lines
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date, to_date
from services.gateway.me import me
from services.gateway.pages import boards
from services.gateway.pages.fairness import own_flags
from services.gateway.pages.goals import is_date
from services.gateway.pages.plan_life import own_plans
from services.gateway.parts import clients
from services.gateway.past import past
from services.gateway.sections import section

blueprint = Blueprint("bonus", __name__)


@dataclass(frozen=True, slots=True)
class Earned:
    """A statement with its next amounts; `nearest` is the one to name first.

    Looking back, `now` is the same statement with what is known now, where that is another.
    """

    statement: statements_pb2.Statement
    next_amounts: list[statements_pb2.NextAmount]
    now: statements_pb2.Statement | None = None

    @property
    def nearest(self) -> statements_pb2.NextAmount | None:
        return self.next_amounts[0] if self.next_amounts else None


def statement_of(person_id: str, on: date | None = None) -> Earned:
    """Failure from incentives when the person is not the caller's to see."""
    back = past()
    asked = statements_pb2.GetStatementRequest(person_id=person_id, on=from_date(on) if on else None)
    if back.at is None:
        answer = ask(clients().statements.GetStatement, asked)
        return Earned(answer.statement, list(answer.next_amounts))
    # The period that ran then, unless another is asked for.
    asked.on.CopyFrom(from_date(on or back.day))
    asked.known_at.CopyFrom(back.told)
    answer = ask(clients().statements.GetStatement, asked)
    if not back.then:
        return Earned(answer.now, [])
    return Earned(answer.statement, [], answer.now if answer.now.due != answer.statement.due else None)


def _page(on: date | None) -> dict[str, Any]:
    who = me()
    found = section(lambda: statement_of(who.id, on))
    earlier = later = None
    if found.content is not None:
        first = to_date(found.content.statement.period.first_day)
        earlier = first - timedelta(days=1) if first else None
        later = to_date(found.content.statement.period.end_day) if on else None
    return {
        "back": past(),
        "summary": found,
        "earlier": earlier,
        "later": later,
        "on": on,
        "person_id": who.id,
        "told": statement_lines,
        "states": payout_words,
        "fair": fairness_words,
    }


@blueprint.get("/bonus")
@needs("incentives.statements.read", own=True)
def statement() -> str:
    on = is_date(request.args.get("on", ""))
    who = me()
    topics = [f"statement@{who.id}", *(f"boards@{node}" for node in who.directory.ancestors(who.id)[1:])]
    watches = "" if past().at else ",".join(topics)
    return render_template(
        "bonus.html",
        watches=watches,
        standings=section(lambda: boards.standings_of(who)),
        mine=section(own_plans),
        flags=section(_flags),
        new_id=new_id,
        **_page(on),
    )


def _flags() -> list[fairness_pb2.Flag]:
    """What waits for a second look; nothing for whoever may not see their own."""
    return own_flags(waiting=True) if me().own("goals.fairness.read") else []


@blueprint.get("/bonus/lines")
@needs("incentives.statements.read", own=True)
def lines() -> str:
    return render_template("bonus_lines.html", **_page(is_date(request.args.get("on", ""))))


@blueprint.get("/bonus/standings")
@needs("incentives.boards.read")
def standings() -> str:
    return render_template("today_standings.html", standings=section(lambda: boards.standings_of(me())))
