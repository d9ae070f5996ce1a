"""Is the process alive, and can it do its work."""

from flask import Blueprint, Response, jsonify

from services.gateway.clients import SERVICES
from services.gateway.doors import public
from services.gateway.parts import parts
from services.gateway.problems import problem

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """200 for as long as the process answers at all."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@public
def ready() -> Response:
    """200 when the directory is known, every service serves and every feed answers; else 503 naming what is missing."""
    made = parts()
    found = [check() for check in (made.replica.check, *made.checks)]
    missing = [why for why in found if why]
    if made.stopping:
        missing.append("the gateway is stopping")
    missing += [f"{name} does not serve" for name in SERVICES if not made.clients.serving(name)]
    if missing:
        return problem(503, "not-ready", "Not ready", missing=missing)
    return jsonify(status="ready")
