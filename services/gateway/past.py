"""Looking back: a page as it stood at a past moment, as it was shown then or with what is known now."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from flask import Flask, g, request, url_for
from foothold.goals.v1 import cascade_pb2, objectives_pb2, progress_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from services.gateway.language import _
from services.gateway.me import me
from services.gateway.parts import parts, today

_PAGES: Final = frozenset(
    {
        "goals.overview",
        "team.overview",
        "team.export",
        "team.person",
        "why.progress",
        "why.line",
        "bonus.statement",
        "tree.overview",
        "tree.below",
        "tree.one",
        "tree.export",
        "objectives.overview",
        "objectives.one",
    }
)
# The rest of these is of what was just taken back.
_OURS: Final = frozenset({"at", "known", "page", "back", "until"})
_EARLIEST: Final = 2000
_Request = (
    progress_pb2.GetProgressRequest
    | progress_pb2.GetProgressCourseRequest
    | progress_pb2.ListTeamProgressRequest
    | progress_pb2.ExplainProgressRequest
    | cascade_pb2.GetGoalRequest
    | cascade_pb2.ListGoalsRequest
    | objectives_pb2.GetObjectiveRequest
    | objectives_pb2.ListObjectivesRequest
)


@dataclass(frozen=True, slots=True)
class Past:
    """The moment a page is asked for; `at` None is now. `then`: as it was known at that moment, not as it is now.

    `typed` is what stood in the form, `trouble` what is wrong with it.
    """

    at: datetime | None = None
    then: bool = True
    typed: str = ""
    trouble: str = ""

    @property
    def told(self) -> Timestamp:
        """The moment, for templates."""
        message = Timestamp()
        message.FromDatetime(self.at or parts().clock.now())
        return message

    @property
    def day(self) -> date:
        """The day it is, where the reader works."""
        return today() if self.at is None else self.at.astimezone(ZoneInfo(me().zone)).date()

    @property
    def args(self) -> dict[str, str]:
        """What leads from here to another page of the same moment."""
        return {} if self.at is None else {"at": self.typed, "known": "then" if self.then else "now"}

    @property
    def others(self) -> dict[str, str]:
        """What else the address says."""
        return {key: value for key, value in request.args.items() if key not in _OURS}

    @property
    def present(self) -> str:
        """The address of the same page now."""
        return url_for(request.endpoint or "", **{**(request.view_args or {}), **self.others})

    @property
    def known(self) -> Timestamp | None:
        """When what is told was known; None for what is known now."""
        return self.told if self.at is not None and self.then else None

    def ask(self, asked: _Request) -> None:
        """Ask for this moment."""
        if self.at is None:
            return
        asked.as_of.CopyFrom(self.told)
        if self.known is not None:
            asked.known_at.CopyFrom(self.known)


def past() -> Past:
    """The moment this page is asked for; now on pages that do not look back."""
    if request.endpoint not in _PAGES:
        return Past()
    known: Past | None = g.get("past")
    if known is None:
        known = g.past = _read(request.args.get("at", "")[:30], then=request.args.get("known") != "now")
    return known


def _read(typed: str, *, then: bool) -> Past:
    if not typed:
        return Past(then=then)
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None or at.year < _EARLIEST:
        return Past(None, then, typed, _("A day and time like 2026-03-01 18:00, please."))
    at = at.replace(tzinfo=ZoneInfo(me().zone)).astimezone(UTC)
    if at > parts().clock.now():
        return Past(None, then, typed, _("That moment is still to come. Choose one that is past."))
    return Past(at, then, typed)


def install(app: Flask) -> None:
    """Make `past()` known to the templates."""
    app.jinja_env.globals.update(past=past)
