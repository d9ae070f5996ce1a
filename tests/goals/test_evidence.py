"""What earlier newcomers reached, and how figures compare: quartiles with their n, differences with their certainty."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import evidence_pb2, facts_pb2, values_pb2
from foothold.identity.v1 import directory_pb2

from chassis.errors import from_rpc_error
from tests.goals.enterprise import NOW, Client, Enterprise, day, fact, fresh

_MONDAY = datetime(2025, 3, 17, 1, 0, tzinfo=UTC)


def _suggest(
    client: Client, metric: str, node: str = "", **fields: Any
) -> evidence_pb2.SuggestTargetsResponse:
    request = evidence_pb2.SuggestTargetsRequest(metric=metric, job_role="cohort", node_id=node, **fields)
    return client.evidence.SuggestTargets(request)


def _side(first: date, to: date, node: str = "") -> evidence_pb2.ComparedSide:
    return evidence_pb2.ComparedSide(to=day(to), node_id=node, **{"from": day(first)})


def _compare(
    client: Client, metric: str, before: evidence_pb2.ComparedSide, after: evidence_pb2.ComparedSide
) -> evidence_pb2.CompareFiguresResponse:
    return client.evidence.CompareFigures(
        evidence_pb2.CompareFiguresRequest(metric=metric, before=before, after=after)
    )


def _number(value: values_pb2.Value) -> Fraction | None:
    return Fraction(value.numerator, value.denominator) if value.denominator else None


def _followed(person: str, number: int, at: datetime) -> list[facts_pb2.Fact]:
    return [fact("FOLLOW_UP", person, customer=fresh("c"), at=at) for _ in range(number)]


def test_s28_hours_e_mails_and_meetings_of_the_day_and_the_change_over_the_week(goals: Enterprise) -> None:
    crm = goals.as_("crm")
    last_week, monday = _MONDAY - timedelta(days=5), _MONDAY
    crm.record(
        fact("FOLLOW_UP", customer="a", minutes=600, at=last_week),
        fact("FOLLOW_UP", customer="b", minutes=13 * 60, at=monday),
        fact("FOLLOW_UP", customer="c", minutes=120, at=NOW),
        *(fact("EMAIL", at=NOW) for _ in range(5)),
        *(fact("MEETING", at=NOW) for _ in range(2)),
    )
    answer = goals.as_("li").evidence.CompareWeeks(evidence_pb2.CompareWeeksRequest(person_id="li"))
    found = {each.metric: each for each in answer.changes}
    today = [
        found[metric].today.numerator for metric in ("followup_minutes", "emails_sent", "meetings_attended")
    ]
    assert today == [120, 5, 2]
    hours = found["followup_minutes"].week
    assert (hours.before.numerator, hours.after.numerator) == (600, 900)
    assert (hours.difference.numerator, _number(hours.relative)) == (300, Fraction(1, 2))
    assert found["emails_sent"].week.relative.denominator == 0, "nothing before: no percentage"
    assert (answer.week.first_day, answer.week_before.first_day) == (
        day(date(2025, 3, 17)),
        day(date(2025, 3, 10)),
    )


def test_s35_four_points_more_are_half_as_much_again_with_n_and_an_interval(goals: Enterprise) -> None:
    people = [fresh("co") for _ in range(4)]
    goals.add_people(people)
    january, march = datetime(2025, 1, 10, 4, tzinfo=UTC), datetime(2025, 3, 3, 4, tzinfo=UTC)
    for at, won in ((january, 2), (march, 3)):
        for person in people:
            deals = [fact("DEAL_WON", person, customer=fresh("c"), at=at) for _ in range(won)]
            goals.as_("crm").record(*_followed(person, 25, at), *deals)
    before, after = _side(date(2025, 1, 1), date(2025, 2, 1)), _side(date(2025, 3, 1), date(2025, 4, 1))
    answer = _compare(goals.as_("manager"), "close_rate", before, after)
    told = answer.change
    assert [(each.numerator, each.denominator) for each in (told.before, told.after)] == [(8, 100), (12, 100)]
    assert (_number(told.difference), _number(told.relative)) == (Fraction(4, 100), Fraction(1, 2))
    assert (answer.people_before, answer.people_after) == (4, 4)
    # Newcombe's method 10 by an independent computation: (-0.04601, 0.12727), rounded outwards.
    ends = (_number(answer.interval.low), _number(answer.interval.high))
    assert ends == (Fraction(-461, 10_000), Fraction(1273, 10_000))


def test_an_interval_as_it_was_published(goals: Enterprise) -> None:
    """Newcombe 1998, table II (a): 56/70 against 48/80 is 0.0524 to 0.3339."""
    at = {"2025-01": datetime(2025, 1, 10, 4, tzinfo=UTC), "2025-02": datetime(2025, 2, 10, 4, tzinfo=UTC)}
    for month, followed, won in (("2025-01", 80, 48), ("2025-02", 70, 56)):
        deals = [fact("DEAL_WON", customer=fresh("c"), at=at[month]) for _ in range(won)]
        goals.as_("crm").record(*_followed("li", followed, at[month]), *deals)
    before, after = _side(date(2025, 1, 1), date(2025, 2, 1)), _side(date(2025, 2, 1), date(2025, 3, 1))
    found = _compare(goals.as_("hr"), "close_rate", before, after).interval
    assert (_number(found.low), _number(found.high)) == (Fraction(524, 10_000), Fraction(3339, 10_000))


def test_without_data_and_without_a_whole_there_is_no_interval(goals: Enterprise) -> None:
    goals.as_("crm").record(
        *_followed("li", 1, NOW), *(fact("DEAL_WON", customer=fresh("c")) for _ in range(2))
    )
    empty, full = _side(date(2024, 1, 1), date(2024, 2, 1)), _side(date(2025, 3, 1), date(2025, 4, 1))
    hr = goals.as_("hr")
    nothing = _compare(hr, "close_rate", empty, full)
    assert not nothing.HasField("interval")
    assert nothing.change.difference.denominator == nothing.change.relative.denominator == 0
    above = _compare(hr, "close_rate", full, full)
    assert not above.HasField("interval"), "two deals of one customer are no share of a whole"
    assert not _compare(hr, "deals_won", full, full).HasField("interval")


def test_departments_compare_and_nobody_sees_others_in_the_sum(goals: Enterprise) -> None:
    goals.as_("crm").record(*_followed("li", 3, NOW), *_followed("zhao", 5, NOW))
    march = (date(2025, 3, 1), date(2025, 4, 1))
    sides = _side(*march, "shanghai-sales"), _side(*march, "beijing-sales")
    told = _compare(goals.as_("hr"), "customers_followed", *sides).change
    assert (told.before.numerator, told.after.numerator, told.difference.numerator) == (3, 5, 2)
    own = _compare(goals.as_("manager"), "customers_followed", _side(*march), _side(*march))
    assert (own.change.after.numerator, own.people_after) == (3, 1)
    with pytest.raises(grpc.RpcError) as refused:
        _compare(goals.as_("manager"), "customers_followed", *sides)
    assert from_rpc_error(refused.value).reason == "NODE_UNKNOWN"


def _cohort(goals: Enterprise, size: int, *, parent: str = "beijing-sales") -> list[str]:
    """People whose probation began on 31 December, of whom the nth followed n customers in the first month."""
    people = [fresh("newcomer") for _ in range(size)]
    goals.add_people(people, parent, job_role="cohort", probation_start=day(date(2024, 12, 31)))
    for number, person in enumerate(people, 1):
        goals.as_("crm").record(*_followed(person, number, datetime(2025, 1, 15, 4, tzinfo=UTC)))
    return people


def test_quartiles_by_month_of_tenure_with_n_and_the_days_they_are_of(goals: Enterprise) -> None:
    people = _cohort(goals, 8)
    # One who has left counts for the months there were to their end; a month that is not over counts for nobody.
    left = goals.person(people[-1], "beijing-sales", "cohort", probation_start=day(date(2024, 12, 31)))
    left.status = directory_pb2.PERSON_STATUS_DISMISSED
    left.dismissed_at.FromDatetime(datetime(2025, 2, 10, tzinfo=UTC))
    goals.tell({"person_changed": left})
    answer = _suggest(goals.as_("hr"), "customers_followed")
    first, second, third = answer.months[:3]
    assert (first.n, first.sufficient) == (8, True)
    assert [each.numerator for each in (first.p25, first.p50, first.p75)] == [2, 4, 6]
    assert (getattr(first, "from"), first.to) == (day(date(2024, 12, 31)), day(date(2025, 1, 31)))
    assert (second.n, second.sufficient, second.HasField("p50")) == (7, False, False)
    assert getattr(second, "from") == day(date(2025, 1, 31))
    assert second.to == day(date(2025, 2, 28)), "February has no 31st"
    assert (third.n, third.HasField("from")) == (0, False)
    assert (answer.people, answer.least, len(answer.months)) == (8, 8, 6)
    goals.tell(*({"person_changed": goals.person(each, "hq", "left")} for each in people))


def test_who_has_no_first_day_or_no_facts_or_no_data_is_left_out_and_counted(goals: Enterprise) -> None:
    people = _cohort(goals, 8)
    unknown, silent = fresh("unknown"), fresh("silent")
    goals.add_people([unknown], "beijing-sales", job_role="cohort")
    goals.add_people([silent], "beijing-sales", job_role="cohort", hire_date=day(date(2024, 12, 1)))
    answer = _suggest(goals.as_("hr"), "customers_followed", months=1)
    assert (answer.people, answer.without_first_day, answer.without_facts) == (8, 1, 1)
    assert [each.n for each in answer.months] == [8]
    # Nobody lost or won anything: a rate of nothing is no data, and not 0 %.
    assert [each.n for each in _suggest(goals.as_("hr"), "win_rate", months=1).months] == [0]
    assert _suggest(goals.as_("hr"), "close_rate", months=1).months[0].p50.denominator == 1
    everybody = [*people, unknown, silent]
    goals.tell(*({"person_changed": goals.person(each, "hq", "left")} for each in everybody))


def test_figures_of_others_name_their_source_and_what_they_are_worth(goals: Enterprise) -> None:
    (claim,) = _suggest(goals.as_("hr"), "close_rate").benchmarks
    assert (_number(claim.low), _number(claim.high)) == (Fraction(7, 100), Fraction(12, 100))
    assert claim.kind == evidence_pb2.Benchmark.KIND_VENDOR_CLAIM
    assert set(claim.sources) == {"zh-CN", "en"}
    assert claim.year
    assert not _suggest(goals.as_("hr"), "revenue").benchmarks


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (evidence_pb2.SuggestTargetsRequest(metric="close_rate"), "job_role"),
        (evidence_pb2.SuggestTargetsRequest(metric="close_rate", job_role="sales", months=25), "months"),
        (evidence_pb2.CompareFiguresRequest(metric="close_rate"), "before.from"),
        (
            evidence_pb2.CompareFiguresRequest(
                metric="close_rate",
                before=_side(date(2025, 1, 1), date(2025, 1, 1)),
                after=_side(date(2025, 1, 1), date(2025, 2, 1)),
            ),
            "before.to",
        ),
    ],
)
def test_what_cannot_be_answered_names_its_field(goals: Enterprise, request_: object, field: str) -> None:
    stub = goals.as_("hr").evidence
    call = (
        stub.SuggestTargets
        if isinstance(request_, evidence_pb2.SuggestTargetsRequest)
        else stub.CompareFigures
    )
    with pytest.raises(grpc.RpcError) as refused:
        call(request_)  # type: ignore[arg-type]  # each has its own
    assert field in from_rpc_error(refused.value).fields
