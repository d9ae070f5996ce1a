"""Recording and listing facts: refusals by row, dry runs, streams, group commits, pages, zones."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import facts_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from chassis.errors import from_rpc_error
from tests.goals.enterprise import NOW, Enterprise, fact, instant, yuan


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"source": "CRM"}, "source", "FIELD_INVALID"),
        ({"external_id": ""}, "external_id", "FIELD_INVALID"),
        ({"external_id": "a\0b"}, "external_id", "FIELD_INVALID"),
        ({"version": -1}, "version", "FIELD_INVALID"),
        ({"version": 2**31}, "version", "FIELD_INVALID"),
        ({"person": "nobody"}, "person_id", "PERSON_UNKNOWN"),
        ({"person": "shanghai"}, "person_id", "PERSON_UNKNOWN"),
        ({"person": ""}, "person_id", "FIELD_INVALID"),
        ({"employee_number": "E-nobody"}, "employee_number", "PERSON_UNKNOWN"),
        ({"at": datetime(1999, 12, 31, tzinfo=UTC)}, "occurred_at", "FIELD_INVALID"),
        ({"at": NOW + timedelta(days=1, seconds=1)}, "occurred_at", "FIELD_INVALID"),
        ({"customer": "", "kind": "FOLLOW_UP"}, "customer", "FIELD_INVALID"),
        ({"customer": "x" * 121}, "customer", "FIELD_INVALID"),
        ({"channel": "WeChat"}, "channel", "FIELD_INVALID"),
        ({"amount": Money(currency_code="USD", units=1)}, "amount", "CURRENCY_MISMATCH"),
        ({"amount": Money(currency_code="CNY", nanos=1_000_000)}, "amount", "FIELD_INVALID"),
        ({"amount": Money(currency_code="CNY", units=-1)}, "amount", "FIELD_INVALID"),
        ({"amount": Money(currency_code="CNY", units=10**10 + 1)}, "amount", "FIELD_INVALID"),
        ({"kind": "ORDER"}, "amount", "FIELD_INVALID"),
        ({"kind": "TIME_SPENT"}, "minutes", "FIELD_INVALID"),
        ({"minutes": 10_081}, "minutes", "FIELD_INVALID"),
        ({"kind": "DEAL_REVERSED"}, "reverses", "FIELD_INVALID"),
        ({"kind": "EMAIL", "reverses": "x"}, "reverses", "FIELD_INVALID"),
        ({"kind": "UNSPECIFIED"}, "kind", "FIELD_INVALID"),
        ({"attributes": {"": "x"}}, "attributes", "FIELD_INVALID"),
        ({"attributes": {str(n): "x" for n in range(21)}}, "attributes", "FIELD_INVALID"),
    ],
)
def test_a_refused_row_says_why_and_does_not_stop_the_others(
    goals: Enterprise, wrong: dict[str, Any], field: str, reason: str
) -> None:
    kind = wrong.pop("kind", "EMAIL")
    number = wrong.pop("employee_number", None)
    bad = fact(kind, **wrong)
    if number:
        bad.employee_number = number
    results = goals.as_("crm").record(fact("EMAIL"), bad, fact("EMAIL"))
    assert [result.outcome for result in results] == [1, 3, 1]
    assert (results[1].field, results[1].reason) == (field, reason)
    assert results[1].message
    with pytest.raises(grpc.RpcError) as refused:
        goals.as_("crm").facts.RecordFact(facts_pb2.RecordFactRequest(fact=bad))
    failure = from_rpc_error(refused.value)
    assert (failure.reason, list(failure.fields)) == (reason, [f"fact.{field}"])
    assert failure.code.name == ("NOT_FOUND" if reason == "PERSON_UNKNOWN" else "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"external_id": ""}, "external_id", "FIELD_INVALID"),
        ({"external_id": "x" * 121}, "external_id", "FIELD_INVALID"),
        ({"external_id": "a\x7fb"}, "external_id", "FIELD_INVALID"),
        ({"version": -1}, "version", "FIELD_INVALID"),
        ({"version": 2**31}, "version", "FIELD_INVALID"),
        ({"customer": "a\nb"}, "customer", "FIELD_INVALID"),
        ({"customer": "x" * 121}, "customer", "FIELD_INVALID"),
        ({"amount": Money(currency_code="USD", units=1)}, "amount", "CURRENCY_MISMATCH"),
        ({"amount": yuan(-1)}, "amount", "FIELD_INVALID"),
        ({"amount": yuan(10**10, 1)}, "amount", "FIELD_INVALID"),
        ({"minutes": -1}, "minutes", "FIELD_INVALID"),
        ({"minutes": 10_081}, "minutes", "FIELD_INVALID"),
        ({"occurred_at": Timestamp(seconds=946_684_799, nanos=999_999_999)}, "occurred_at", "FIELD_INVALID"),
        ({"occurred_at": Timestamp(seconds=2**62)}, "occurred_at", "FIELD_INVALID"),
        ({"occurred_at": Timestamp(seconds=1_700_000_000, nanos=-1)}, "occurred_at", "FIELD_INVALID"),
        ({"reverses": "x"}, "reverses", "FIELD_INVALID"),
        ({"attributes": {"": "x"}}, "attributes", "FIELD_INVALID"),
        ({"person_id": "nobody"}, "person_id", "PERSON_UNKNOWN"),
    ],
)
def test_a_row_is_no_better_for_right_ones_like_it(
    goals: Enterprise, wrong: dict[str, Any], field: str, reason: str
) -> None:
    def order() -> facts_pb2.Fact:
        return fact("ORDER", customer="甲", product="标准版", channel="phone", amount=yuan(5), minutes=1)

    bad = order()
    for name in wrong:
        bad.ClearField(name)  # type: ignore[arg-type]  # each is a field's name
    bad.MergeFrom(facts_pb2.Fact(**wrong))
    results = goals.as_("crm").record(order(), order(), bad, order())
    assert [result.outcome for result in results] == [1, 1, 3, 1]
    assert (results[2].field, results[2].reason) == (field, reason)


def test_a_void_needs_less_than_the_fact_and_teaches_nothing(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    void = fact("ORDER", channel="phone", voided=True)
    assert crm.outcomes(void) == ["RECORDED"]
    assert (
        crm.outcomes(fact("ORDER", channel="phone"), fact("ORDER", channel="phone")) == ["FIELD_INVALID"] * 2
    )
    assert goals.as_("li").value("orders_placed") == (0, 1)


def test_by_employee_number(goals: Enterprise) -> None:
    told = fact("EMAIL", "")
    told.employee_number = "E-li"
    assert goals.as_("crm").outcomes(told) == ["RECORDED"]
    assert goals.as_("li").value("emails_sent") == (1, 1)


def test_a_dry_run_answers_the_same_and_keeps_nothing(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    order = fact("ORDER", external_id="o", amount=yuan(1))
    crm.record(order)
    before = goals.rows()
    correction = fact("ORDER", external_id="o", version=1, amount=yuan(2))
    results = crm.record(order, correction, fact("EMAIL"), fact("EMAIL", source="?"), dry_run=True)
    assert [result.outcome for result in results] == [2, 1, 1, 3]
    assert goals.rows() == before


def test_a_stream_answers_each_batch_once_it_is_committed(goals: Enterprise) -> None:
    def batches() -> Any:
        for _ in range(3):
            yield facts_pb2.StreamFactsRequest(facts=[fact("EMAIL") for _ in range(5)])

    answers = [len(answer.results) for answer in goals.as_("crm").facts.StreamFacts(batches(), timeout=30)]
    assert answers == [5, 5, 5]
    assert goals.as_("li").value("emails_sent") == (15, 1)


@pytest.mark.parametrize("size", [0, 5001])
def test_a_batch_has_one_to_five_thousand_facts(goals: Enterprise, size: int) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        goals.as_("crm").record(*[fact("EMAIL")] * size)
    assert from_rpc_error(refused.value).reason == "FIELD_INVALID"


def test_calls_that_share_a_commit_keep_their_own_answers(goals: Enterprise) -> None:
    crm, li = goals.as_("crm"), goals.as_("li")
    mine = [fact("EMAIL", external_id=f"m{n % 20}") for n in range(60)]
    others = [fact("EMAIL", "zhao", external_id=f"z{n}") for n in range(30)]

    def tell(pair: Any) -> str:
        client, told = pair
        try:
            answer = client.facts.RecordFact(facts_pb2.RecordFactRequest(fact=told))
        except grpc.RpcError as error:
            return from_rpc_error(error).reason
        return facts_pb2.FactOutcome.Name(answer.result.outcome).removeprefix("FACT_OUTCOME_")

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(tell, [(crm, each) for each in mine] + [(li, each) for each in others]))
    assert answers[:60].count("RECORDED") == 20
    assert answers[:60].count("ALREADY_KNOWN") == 40
    assert set(answers[60:]) == {"PERSON_UNKNOWN"}
    assert goals.as_("li").value("emails_sent") == (20, 1)


def test_facts_are_listed_newest_first_in_pages(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(*(fact("EMAIL", external_id=f"e{n}", at=NOW - timedelta(hours=n // 2)) for n in range(7)))
    crm.record(fact("EMAIL", external_id="e3", version=1, voided=True))
    seen: list[str] = []
    token = ""
    while True:
        page = goals.as_("li").facts.ListFacts(
            facts_pb2.ListFactsRequest(person_id="li", page_size=2, page_token=token)
        )
        seen += [each.fact.external_id for each in page.facts]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["e1", "e0", "e2", "e5", "e4", "e6"]
    request = facts_pb2.ListFactsRequest(person_id="li", include_uncounted=True, to=instant(NOW))
    assert len(goals.as_("li").facts.ListFacts(request).facts) == 6
    with pytest.raises(grpc.RpcError) as refused:
        goals.as_("li").facts.ListFacts(facts_pb2.ListFactsRequest(page_token="nonsense"))
    assert from_rpc_error(refused.value).reason == "PAGE_TOKEN_INVALID"


def test_history_tells_every_version_and_what_took_it_back(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    crm.record(fact("ORDER", external_id="o", amount=yuan(1)))
    crm.record(fact("ORDER", external_id="o", version=2, amount=yuan(2), attributes={"note": "corrected"}))
    crm.record(fact("ORDER", external_id="o", version=1, amount=yuan(9)))
    crm.record(fact("DEAL_REVERSED", external_id="r", reverses="o"))
    request = facts_pb2.GetFactHistoryRequest(fact_id="crm/1/o")
    history = goals.as_("li").facts.GetFactHistory(request).versions
    assert [each.fact_id for each in history] == ["crm/0/o", "crm/1/o", "crm/2/o", "crm/0/r"]
    assert [each.reversed_by for each in history] == ["", "", "crm/0/r", ""]
    assert history[2].fact.amount == yuan(2)
    assert dict(history[2].fact.attributes) == {"note": "corrected"}
    for caller, fact_id in (("zhao", "crm/1/o"), ("li", "crm/7/o"), ("li", "nonsense"), ("li", "crm/1/\0")):
        with pytest.raises(grpc.RpcError) as refused:
            goals.as_(caller).facts.GetFactHistory(facts_pb2.GetFactHistoryRequest(fact_id=fact_id))
        assert from_rpc_error(refused.value).reason == "FACT_UNKNOWN"


def test_a_move_to_another_zone_moves_the_days(goals: Enterprise) -> None:
    """23:30 on 28 February in Shanghai is already March in Tokyo."""
    from foothold.identity.v1 import directory_pb2

    goals.tell({"node_changed": goals.node("tokyo", "hq", directory_pb2.NODE_KIND_BRANCH, "Asia/Tokyo")})
    goals.add_people(["mover"])
    moment = datetime(2025, 2, 28, 15, 30, tzinfo=UTC)
    operator = goals.as_("operator")
    goals.as_("crm").record(
        fact("FOLLOW_UP", "mover", customer="c", at=moment), fact("FOLLOW_UP", customer="c", at=moment)
    )
    assert operator.value("new_customers", "mover") == (0, 1)
    goals.add_people(["mover"], parent="tokyo")
    assert operator.value("new_customers", "mover") == (1, 1)
    assert operator.check().values_differing == 0
    goals.tell({"node_changed": goals.node("tokyo", "hq", directory_pb2.NODE_KIND_BRANCH, "Asia/Shanghai")})
    assert operator.value("new_customers", "mover") == (0, 1)
    goals.as_("crm").record(fact("FOLLOW_UP", "mover", customer="d", at=moment))
    assert operator.check().values_differing == 0
    assert goals.as_("li").value("new_customers") == (0, 1)
