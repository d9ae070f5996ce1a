"""`POST /webhooks/crm`: signed facts from systems that cannot speak gRPC.

Signed as standardwebhooks.com describes: `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`,
a space-separated list of `v1,<base64 of HMAC-SHA256 over "id.timestamp.body">`. The answer is 200 only once
the facts are committed; a 503 means: send it again. Facts are keyed, so a replay within the five minutes a
signature holds is answered with what became of them and changes nothing; after that it is refused.
"""

import base64
import binascii
import hashlib
import hmac
import threading
from collections import OrderedDict
from typing import Any, Final

import orjson
from flask import Blueprint, Response, request
from foothold.goals.v1 import facts_pb2
from google.protobuf.json_format import ParseDict, ParseError

from chassis.errors import Failure
from services.gateway.clients import as_caller, ask
from services.gateway.doors import public
from services.gateway.parts import parts
from services.gateway.problems import problem, status_of

LARGEST_BODY: Final = 1024 * 1024
MOST_FACTS: Final = 5_000
_TOLERANCE_SECONDS: Final = 300
_LONGEST_ID: Final = 256
_PREFIX: Final = "whsec_"
_MOST_KEPT: Final = 2_000
_LARGEST_KEPT: Final = 16 * 1024
_OUTCOMES: Final = {
    facts_pb2.FACT_OUTCOME_RECORDED: "recorded",
    facts_pb2.FACT_OUTCOME_ALREADY_KNOWN: "already_known",
    facts_pb2.FACT_OUTCOME_REFUSED: "refused",
}

blueprint = Blueprint("webhooks", __name__)


def signing_key(secret: str) -> bytes:
    """The HMAC key: `whsec_` and base64, or any text as its bytes."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """What a sender puts into `webhook-signature`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(signing_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


@blueprint.post("/webhooks/crm")
@public
def crm() -> Response:
    """Record the facts of one signed message; a result per fact, in order."""
    made = parts()
    secret = made.settings.webhook_secret.get_secret_value()
    token = made.settings.webhook_token.get_secret_value()
    if not secret or not token:
        return problem(503, "webhook-closed", "The webhook is not set up.")
    # A body sent in chunks says no length beforehand; one that is cut at the limit is refused as well.
    body = (
        request.stream.read(LARGEST_BODY + 1)
        if request.content_length is None
        else request.get_data(cache=False)
    )
    if len(body) > LARGEST_BODY:
        return problem(413, "too-large", "The body is over 1 MiB.", "Send the facts in several messages.")
    refusal = _refusal(secret, body, now=int(made.clock.now().timestamp()))
    if refusal is not None:
        return refusal
    told_before = _answers.find(request.headers["webhook-id"], body)
    if told_before is not None:
        return told_before
    asked = _facts(body)
    if isinstance(asked, Response):
        return asked
    try:
        with as_caller(token):
            answer = ask(made.clients.facts.RecordFacts, asked)
    except Failure as failure:
        # A token of ours that does not work is not the sender's fault: it should send again.
        status = 503 if status_of(failure) in (401, 403, 502) else status_of(failure)
        headers = {"Retry-After": "5"} if status == 503 else None  # noqa: PLR2004
        kind = failure.reason.lower().replace("_", "-")
        return problem(
            status, kind, "Nothing was recorded.", failure.message, fields=failure.fields, headers=headers
        )
    results = [_result(result) for result in answer.results]
    refused = sum(1 for result in answer.results if result.outcome == facts_pb2.FACT_OUTCOME_REFUSED)
    told = orjson.dumps({"results": results, "refused": refused})
    if not refused:
        # A refusal may be for a passing reason, a person not known yet: told again, it deserves another look.
        _answers.keep(request.headers["webhook-id"], body, told)
    return Response(told, 200, content_type="application/json")


class _Answers:
    """The newest answers by message id, so that a message told again gets the very same answer.

    Only a convenience of this process: what makes a replay harmless is that facts are keyed.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()

    def find(self, message_id: str, body: bytes) -> Response | None:
        with self._guard:
            kept = self._kept.get(message_id)
        if kept is None:
            return None
        if not hmac.compare_digest(kept[0], hashlib.sha256(body).digest()):
            return problem(409, "webhook-id-reused", "This webhook-id was used before for another message.")
        return Response(kept[1], 200, content_type="application/json")

    def keep(self, message_id: str, body: bytes, answer: bytes) -> None:
        if len(answer) > _LARGEST_KEPT:
            return
        with self._guard:
            self._kept[message_id] = (hashlib.sha256(body).digest(), answer)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)


_answers: Final = _Answers()


def _refusal(secret: str, body: bytes, *, now: int) -> Response | None:
    message_id = request.headers.get("webhook-id", "")
    timestamp = request.headers.get("webhook-timestamp", "")
    if not message_id or len(message_id) > _LONGEST_ID:
        return problem(400, "webhook-id", "The webhook-id header is missing or too long.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004
        return problem(
            400, "webhook-timestamp", "The webhook-timestamp header must be whole seconds since 1970."
        )
    expected = signature(secret, message_id, timestamp, body)
    given = request.headers.get("webhook-signature", "").split(" ")
    # All are compared, each in constant time, so that nothing can be learnt from how long it took.
    matching = [hmac.compare_digest(each.encode(), expected.encode()) for each in given[:10]]
    if not any(matching):
        return problem(401, "webhook-signature", "The signature does not match.")
    if abs(now - int(timestamp)) > _TOLERANCE_SECONDS:
        return problem(401, "webhook-stale", "The message was signed more than five minutes away from now.")
    return None


def _facts(body: bytes) -> facts_pb2.RecordFactsRequest | Response:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return problem(400, "json", "The body is not JSON.")
    if not isinstance(told, dict) or set(told) != {"facts"} or not isinstance(told["facts"], list):
        return problem(400, "facts", 'The body must be {"facts": [...]}.')
    if not 1 <= len(told["facts"]) <= MOST_FACTS:
        return problem(400, "facts", f"A message holds 1..{MOST_FACTS:,} facts.")
    asked = facts_pb2.RecordFactsRequest()
    for index, fact in enumerate(told["facts"]):
        try:
            if not isinstance(fact, dict):
                # An empty list or text would be read as a fact that says nothing.
                raise TypeError("A fact is an object.")  # noqa: TRY301  told as the others are
            ParseDict(fact, asked.facts.add())
        except (ParseError, TypeError, ValueError, AttributeError, RecursionError) as error:
            why = str(error)[:300]
            return problem(400, "fact", "A fact cannot be read.", why, fields={f"facts[{index}]": why})
    return asked


def _result(result: facts_pb2.FactResult) -> dict[str, Any]:
    told: dict[str, Any] = {"outcome": _OUTCOMES.get(result.outcome, "refused")}
    if result.fact_id:
        told["fact_id"] = result.fact_id
    if result.outcome == facts_pb2.FACT_OUTCOME_REFUSED:
        told.update(field=result.field, reason=result.reason, message=result.message)
    return told
