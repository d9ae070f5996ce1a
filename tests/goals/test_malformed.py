"""Bad input: generated requests of every method, and raw bytes. Never INTERNAL, never a changed row."""

import random
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import (
    allocation_pb2,
    calendars_pb2,
    cascade_pb2,
    coaching_pb2,
    coaching_rules_pb2,
    effort_pb2,
    evidence_pb2,
    facts_pb2,
    fairness_pb2,
    feed_pb2,
    forecast_pb2,
    industries_pb2,
    metric_library_pb2,
    metrics_pb2,
    objectives_pb2,
    progress_pb2,
    targets_pb2,
    values_pb2,
)
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.errors import from_rpc_error
from tests.goals.enterprise import Enterprise, day, fact, rate, yuan

SERVICES = [
    descriptor
    for file in (
        *(facts_pb2, metrics_pb2, metric_library_pb2, targets_pb2, progress_pb2, feed_pb2),
        *(
            cascade_pb2,
            allocation_pb2,
            objectives_pb2,
            effort_pb2,
            evidence_pb2,
            calendars_pb2,
            industries_pb2,
        ),
        *(coaching_pb2, coaching_rules_pb2, fairness_pb2, forecast_pb2),
    )
    for descriptor in file.DESCRIPTOR.services_by_name.values()
]
METHODS = [method for service in SERVICES for method in service.methods]
# Some thirty methods: far more than 2,000 generated requests in all.
EACH = 125
INTEGERS = (0, 1, -1, 2, 3, 50, 1000, 2**31 - 1, -(2**31))
LONG_INTEGERS = (*INTEGERS, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 10**12 + 1, 253402300800)
TEXTS = (
    "",
    "li",
    "hq",
    "sales",
    "close_rate",
    "\0",
    "a\0b",
    "x" * 70_000,
    "' OR 1=1 --",
    "%s",
    "%(x)s",
    "\ud7ff\uffff",
    "\u202e王",
    "\r\n",
    "{}",
    "crm/0/x",
    "CNY",
    "../../etc",
    "💥" * 50,
    " ",
)
WRITES = {"RecordFact", "RecordFacts", "StreamFacts", "SetTarget", "EndTarget"}


def generate(chance: random.Random, message: Message, depth: int = 0) -> None:
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.3:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for _ in range(chance.randrange(30)):
                getattr(message, field.name)[chance.choice(TEXTS[:15])] = chance.choice(TEXTS)
        elif field.is_repeated:
            for _ in range(chance.choice((0, 1, 2, 40))):
                if field.message_type is not None:
                    generate(chance, getattr(message, field.name).add(), depth + 1)
                else:
                    getattr(message, field.name).append(scalar(chance, field))
        elif field.message_type is not None:
            getattr(message, field.name).SetInParent()
            if depth < 6:
                generate(chance, getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, scalar(chance, field))


def scalar(chance: random.Random, field: Any) -> Any:
    kinds = FieldDescriptor
    if field.type == kinds.TYPE_STRING:
        return chance.choice(TEXTS)
    if field.type == kinds.TYPE_BOOL:
        return chance.random() < 0.5
    if field.type == kinds.TYPE_ENUM:
        return chance.choice((0, 1, 2, 3, 4, 99, -1, 2**31 - 1))
    return chance.choice(INTEGERS if field.type == kinds.TYPE_INT32 else LONG_INTEGERS)


def call(goals: Enterprise, method: MethodDescriptor, raw: bytes) -> str:
    """The status and reason of a call with these bytes; OK when it was answered."""
    channel: Any = goals.as_("operator").channel
    path = f"/{method.containing_service.full_name}/{method.name}"
    response = GetMessageClass(method.output_type)
    try:
        if method.client_streaming:
            list(channel.stream_stream(path, None, response.FromString)(iter([raw]), timeout=20))
        else:
            channel.unary_unary(path, None, response.FromString)(raw, timeout=20)
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        return f"{failure.code.name} {failure.reason}"
    return "OK"


@pytest.fixture(scope="module")
def filled(running: Enterprise) -> Enterprise:
    running.clear()
    running.as_("hr").set_target("close_rate", rate(1, 10))
    running.as_("hr").set_target(
        "revenue", values_pb2.Value(unit=values_pb2.UNIT_MONEY, numerator=5, denominator=1, currency="CNY")
    )
    running.as_("crm").record(
        fact("FOLLOW_UP", customer="c"), fact("DEAL_WON", amount=yuan(1)), fact("EMAIL", "wang")
    )
    return running


def corrupt(chance: random.Random, message: Message) -> None:
    """Replace one field, at some depth, of a valid request."""
    fields: list[Any] = list(message.DESCRIPTOR.fields)
    if not fields:
        return
    field = chance.choice(fields)
    if field.is_repeated or field.message_type is None:
        message.ClearField(field.name)
        if field.is_repeated:
            generate(chance, message)
        else:
            setattr(message, field.name, scalar(chance, field))
    elif message.HasField(field.name) and chance.random() < 0.9:
        corrupt(chance, getattr(message, field.name))
    else:
        getattr(message, field.name).SetInParent()
        generate(chance, getattr(message, field.name))


def valid(method: MethodDescriptor) -> Message:
    """A request of the method that would be answered; what writes fails at the last check only."""
    asked: dict[str, Any] = {"person_id": "li", "metric": "close_rate", "period_kind": 3}
    target = targets_pb2.Target(
        node_id="hq",
        job_role="sales",
        metric="deals_won",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
        value=values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=1, denominator=1),
        effective_from=day(date(2025, 1, 1)),
    )
    stranger = fact("DEAL_WON", "nobody", customer="c", amount=yuan(1))
    requests: dict[str, Message] = {
        "RecordFact": facts_pb2.RecordFactRequest(fact=stranger),
        "RecordFacts": facts_pb2.RecordFactsRequest(facts=[stranger]),
        "StreamFacts": facts_pb2.StreamFactsRequest(facts=[stranger]),
        "ListFacts": facts_pb2.ListFactsRequest(person_id="li", page_size=1),
        "GetFactHistory": facts_pb2.GetFactHistoryRequest(fact_id="crm/0/x"),
        "QueryMetric": metrics_pb2.QueryMetricRequest(
            metric="revenue", group_by=metrics_pb2.GROUP_BY_MONTH, node_id="hq"
        ),
        "SetTarget": targets_pb2.SetTargetRequest(request_id="m", target=target),
        "EndTarget": targets_pb2.EndTargetRequest(
            request_id="m", target_id="nothing", effective_to=day(date(2025, 1, 1)), reason="x"
        ),
        "ResolveTargets": targets_pb2.ResolveTargetsRequest(person_id="li"),
        "GetProgress": progress_pb2.GetProgressRequest(person_id="li"),
        "ForecastTargets": forecast_pb2.ForecastTargetsRequest(person_id="li"),
        "GetProgressCourse": progress_pb2.GetProgressCourseRequest(**asked),
        "ExplainProgress": progress_pb2.ExplainProgressRequest(**asked, page_size=1),
        "ListTeamProgress": progress_pb2.ListTeamProgressRequest(node_id="shanghai", page_size=1),
    }
    requests |= {
        "SetWorkRule": calendars_pb2.SetWorkRuleRequest(
            request_id="m",
            rule=calendars_pb2.WorkRule(
                node_id="nothing",
                effective_from=day(date(2025, 1, 1)),
                calendar=calendars_pb2.WorkCalendar(kind=calendars_pb2.CALENDAR_KIND_SHIFTS, pattern="110"),
                reason="x",
            ),
        ),
        "ResolveWorkRules": calendars_pb2.ResolveWorkRulesRequest(node_id="li"),
        "ListDays": calendars_pb2.ListDaysRequest(
            node_id="li", first_day=day(date(2026, 12, 1)), end_day=day(date(2027, 1, 1))
        ),
        "SetDays": calendars_pb2.SetDaysRequest(
            request_id="m",
            node_id="nothing",
            days=[calendars_pb2.SpecialDay(day=day(date(2025, 1, 1)), name="x")],
            removed_days=[day(date(2025, 1, 2))],
            reason="x",
        ),
    }
    return requests.get(method.name) or GetMessageClass(method.input_type)()


def keep_unwritable(request: Message) -> None:
    """What corrupting has made valid by chance must still not write."""
    if isinstance(request, facts_pb2.RecordFactRequest):
        request.fact.employee_number = "nobody"
    elif isinstance(request, facts_pb2.RecordFactsRequest | facts_pb2.StreamFactsRequest):
        for each in request.facts:
            each.employee_number = "nobody"
    elif isinstance(request, targets_pb2.SetTargetRequest):
        request.target.value.denominator = 0
    elif isinstance(request, targets_pb2.EndTargetRequest):
        request.target_id = request.target_id and "nothing"
    elif isinstance(request, calendars_pb2.SetWorkRuleRequest):
        request.rule.node_id = request.rule.node_id and "nothing"
    elif isinstance(request, calendars_pb2.SetDaysRequest):
        request.node_id = request.node_id and "nothing"


def harmless(method: MethodDescriptor, answer: str) -> bool:
    return answer == "OK" or answer.split(maxsplit=1)[0] in {
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
    }


def spoil(chance: random.Random, request: Message) -> None:
    """What is valid by chance must not be a write: every fact loses its source, every command its id."""
    if isinstance(request, facts_pb2.RecordFactRequest):
        request.fact.source = chance.choice(("", "UPPER", "x" * 41, "a b"))
    elif isinstance(request, facts_pb2.RecordFactsRequest | facts_pb2.StreamFactsRequest):
        for each in request.facts:
            each.source = chance.choice(("", "UPPER", "x" * 41, "a b"))
    elif isinstance(
        request,
        targets_pb2.SetTargetRequest
        | targets_pb2.EndTargetRequest
        | calendars_pb2.SetWorkRuleRequest
        | calendars_pb2.SetDaysRequest,
    ):
        request.request_id = chance.choice(("", "a b", "x" * 65, "ü"))
    elif isinstance(request, feed_pb2.ListEventsRequest):
        request.wait.seconds = chance.choice((0, -1))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_generated_requests_change_nothing_and_are_never_internal(
    filled: Enterprise, method: MethodDescriptor
) -> None:
    chance = random.Random(method.full_name)
    before = filled.rows()
    for number in range(EACH):
        if number % 2 and method.input_type.fields:
            request = valid(method)
            corrupt(chance, request)
            if isinstance(request, feed_pb2.ListEventsRequest):
                request.wait.seconds = 0
            keep_unwritable(request)
        else:
            request = GetMessageClass(method.input_type)()
            generate(chance, request)
            spoil(chance, request)
        answer = call(filled, method, request.SerializeToString())
        assert harmless(method, answer), (answer, request)
    assert filled.rows() == before


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_bytes_that_are_no_message_are_refused(filled: Enterprise, method: MethodDescriptor) -> None:
    chance = random.Random(method.full_name)
    before = filled.rows()
    for _ in range(15):
        answer = call(filled, method, b"\x0a\xff" + chance.randbytes(chance.randrange(1, 60)))
        assert harmless(method, answer), answer
    assert filled.rows() == before


def one_wrong(told: facts_pb2.Fact) -> Iterator[facts_pb2.Fact]:
    """The fact with one field after the other replaced by something no ledger could hold."""
    chance = random.Random(1)
    for _ in range(400):
        bad = facts_pb2.Fact()
        bad.CopyFrom(told)
        change: Callable[[], None] = chance.choice(
            (
                lambda bad=bad: setattr(bad, "external_id", chance.choice(("", "\0", "x" * 121, "a\nb"))),
                lambda bad=bad: setattr(bad, "version", chance.choice((-1, 2**31, 2**63 - 1))),
                lambda bad=bad: setattr(bad, "customer", chance.choice(("\0", "x" * 121, "a\tb"))),
                lambda bad=bad: setattr(bad, "minutes", chance.choice((-1, 10_081, 2**31 - 1))),
                lambda bad=bad: setattr(bad.amount, "units", chance.choice((-1, 10**11, 2**63 - 1))),
                lambda bad=bad: setattr(bad.amount, "nanos", chance.choice((-1, 1, 10**9, 2**31 - 1))),
                lambda bad=bad: setattr(
                    bad.occurred_at, "seconds", chance.choice((-(2**63), 2**63 - 1, 0, 253402300800))
                ),
                lambda bad=bad: setattr(bad.occurred_at, "nanos", chance.choice((-1, 10**9, 2**31 - 1))),
                lambda bad=bad: setattr(bad, "kind", chance.choice((0, 9, 99))),
                lambda bad=bad: setattr(bad, "employee_number", chance.choice(("?", "\0", "x" * 5000))),
                lambda bad=bad: bad.attributes.update({"k": chance.choice(("\0", "x" * 201))}),
            )
        )
        change()
        yield bad


def test_one_wrong_field_refuses_its_row_and_names_it(filled: Enterprise) -> None:
    before = filled.rows()
    good = fact("DEAL_WON", customer="c", amount=yuan(1))
    bad = list(one_wrong(good))
    results = filled.as_("crm").record(*bad)
    assert {result.outcome for result in results} == {facts_pb2.FACT_OUTCOME_REFUSED}
    assert all(result.field and result.reason and result.message for result in results)
    assert filled.rows() == before
