"""How the platform runs: services, feeds, and the check of the ledger."""

from typing import Any, Final

from flask import render_template
from foothold.goals.v1 import facts_pb2
from foothold.goals.v1 import feed_pb2 as goals_feed
from foothold.incentives.v1 import feed_pb2 as incentives_feed
from foothold.training.v1 import feed_pb2 as training_feed

from services.gateway import words
from services.gateway.clients import SERVICES, ask
from services.gateway.doors import needs
from services.gateway.pages.admin import blueprint
from services.gateway.parts import clients, parts
from services.gateway.problems import from_htmx
from services.gateway.sections import section

__all__ = ["blueprint"]

_CHECK_SECONDS: Final = 60.0


@blueprint.get("/running")
@needs("goals.ledger.check", groups=True)
def running() -> str:
    return render_template("running_list.html" if from_htmx() else "running.html", **_running(), check=None)


def _running() -> dict[str, Any]:
    made = clients()
    asked = (
        ("goals", made.goals_feed.GetFollowing, goals_feed.GetFollowingRequest()),
        ("incentives", made.incentives_feed.GetFollowing, incentives_feed.GetFollowingRequest()),
        ("training", made.training_feed.GetFollowing, training_feed.GetFollowingRequest()),
    )
    following = []
    for name, method, message in asked:
        # A lambda would see the loop's last values; these are bound now.
        following.append((name, section(lambda method=method, message=message: ask(method, message).feeds)))  # type: ignore[misc]
    return {
        "services": [(name, made.serving(name)) for name in SERVICES],
        "following": following,
        "directory": parts().replica.position,
        "troubles": [why for check in (parts().replica.check, *parts().checks) if (why := check())],
        "words": words,
    }


@blueprint.post("/running/check")
@needs("goals.ledger.check", groups=True)
def check() -> str:
    """Recompute every figure from the facts and compare."""
    request_ = facts_pb2.CheckLedgerRequest()
    found = section(lambda: ask(clients().facts.CheckLedger, request_, seconds=_CHECK_SECONDS))
    return render_template("running.html", **_running(), check=found)
