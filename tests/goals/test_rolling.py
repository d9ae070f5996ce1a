"""Metrics with a window of their own: the last n days that end today, where the person is, and targets over it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import grpc
import pytest
from foothold.goals.v1 import (
    evidence_pb2,
    industries_pb2,
    metric_library_pb2,
    metrics_pb2,
    objectives_pb2,
    progress_pb2,
    values_pb2,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import Failure, from_rpc_error
from services.goals.domain.periods import PeriodKind, local_day
from services.goals.domain.windows import Days, Probation, rolling
from tests.goals.adopting import get, import_template
from tests.goals.enterprise import NOW, Client, Enterprise, count, day, fact, fresh, instant, leave, rate
from tests.goals.library import define, definition, request
from tests.goals.test_periods import INSTANTS, ZONES

TODAY = date(2025, 3, 20)
ROLLING = values_pb2.PERIOD_KIND_ROLLING
PARTS = {"numerator": "deals_won", "denominators": ["customers_followed"]}


def at(moment: date, hour: int = 12, minute: int = 0) -> datetime:
    """That time of the day in Shanghai."""
    return datetime(moment.year, moment.month, moment.day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def close_rate(goals: Enterprise, days: int = 30) -> None:
    define(goals, definition("close_rate_of_days", "RATIO", unit="RATE", rolling_days=days, **PARTS))


def calls(goals: Enterprise, days: int, name: str = "calls_of_days") -> None:
    told = definition(name, "DISTINCT_CUSTOMERS", "FOLLOW_UP", rolling_days=days)
    told.conditions.channels.append("phone")
    define(goals, told)


def rolling_value(client: Client, metric: str, person: str = "li", **fields: Any) -> tuple[int, int]:
    return client.value(metric, person, "ROLLING", **fields)


def refused(call: Callable[[], object]) -> Failure:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return from_rpc_error(caught.value)


@settings(max_examples=300, deadline=None)
@given(INSTANTS, ZONES, st.integers(1, 366))
def test_an_instant_lies_in_the_windows_of_its_day_and_of_the_days_after_it(
    instant: datetime, zone: str, days: int
) -> None:
    today = local_day(instant, zone)
    for later in (-1, 0, days - 1, days):
        period = rolling(days, today + timedelta(days=later), zone)
        assert period.days == days
        assert (period.start <= instant < period.stop) == (0 <= later < days)
    assert Days(today, zone, Probation(None, None)).period(PeriodKind.ROLLING, days) == rolling(
        days, today, zone
    )


def test_a_rolling_close_rate_of_thirty_days_is_held_against_ten_percent(goals: Enterprise) -> None:
    hr, crm = goals.as_("hr"), goals.as_("crm")
    close_rate(goals)
    hr.set_target("close_rate_of_days", rate(1, 10), kind="ROLLING")
    customers = [fresh("c") for _ in range(20)]
    crm.record(
        *(fact("FOLLOW_UP", at=at(ago(29), 0), customer=each, channel="phone") for each in customers[:10]),
        *(fact("FOLLOW_UP", at=at(TODAY, 9), customer=each, channel="phone") for each in customers),
        # One minute before the window, and in it.
        fact("DEAL_WON", at=at(ago(30), 23, 59), customer=customers[0]),
        fact("FOLLOW_UP", at=at(ago(30), 23, 59), customer=fresh("c"), channel="phone"),
        fact("DEAL_WON", at=at(ago(29), 0), customer=customers[1]),
        fact("DEAL_WON", at=at(TODAY, 10), customer=customers[2]),
    )
    told = hr.target_progress("close_rate_of_days")
    assert (told.done.numerator, told.done.denominator) == (2, 20)
    assert told.status == progress_pb2.PROGRESS_STATUS_AT_THRESHOLD
    assert (told.period.kind, told.period.first_day, told.period.end_day) == (
        ROLLING,
        day(ago(29)),
        day(TODAY + timedelta(days=1)),
    )
    explained = goals.as_("manager").explain("close_rate_of_days", kind="ROLLING")
    assert explained.target == told
    assert explained.total_facts == 32
    assert [(each.numerator, each.denominator) for each in explained.component_values] == [(2, 1), (20, 1)]
    # Tomorrow the oldest day has left the window.
    tomorrow = hr.explain("close_rate_of_days", kind="ROLLING", as_of=instant(at(TODAY + timedelta(days=1))))
    assert (tomorrow.value.numerator, tomorrow.value.denominator) == (1, 20)
    assert hr.forecast("close_rate_of_days").WhichOneof("outcome") == "silent"


def test_a_count_over_a_window_is_met_or_behind_and_has_no_pace(goals: Enterprise) -> None:
    hr, crm = goals.as_("hr"), goals.as_("crm")
    calls(goals, 7)
    hr.set_target("calls_of_days", count(5), kind="ROLLING")
    crm.record(
        *(fact("FOLLOW_UP", at=at(ago(1)), customer=fresh("c"), channel="phone") for _ in range(4)),
        leave(ago(2)),
    )
    told = hr.target_progress("calls_of_days")
    assert (told.asked.numerator, told.done.numerator) == (4, 4)
    assert told.status == progress_pb2.PROGRESS_STATUS_AT_THRESHOLD
    crm.record(leave(ago(2), version=2, external_id=fresh("f")))
    goals.as_("crm").record(fact("FOLLOW_UP", person="wang", at=at(ago(1)), customer="c", channel="phone"))
    behind = hr.target_progress("calls_of_days", "wang")
    assert behind.status == progress_pb2.PROGRESS_STATUS_BEHIND
    assert not behind.HasField("pace")
    assert not behind.HasField("daily_pace")
    assert (behind.workdays, behind.workdays_left) == (0, 0)
    team = hr.progress.ListTeamProgress(progress_pb2.ListTeamProgressRequest(node_id="wang"))
    assert team.people[0].targets[0] == behind


class Told(NamedTuple):
    """A call on a day so many days ago, at an hour, to one of a few customers."""

    days: int
    hour: int
    customer: int
    won: bool


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(Told, st.integers(0, 25), st.integers(0, 23), st.integers(0, 4), st.booleans()), min_size=1
    ),
    st.integers(1, 14),
    st.integers(0, 12),
    st.sampled_from(["shanghai-sales", "odd-zone"]),
)
def test_every_window_equals_a_count_by_hand(
    goals: Enterprise, told: list[Told], days: int, back: int, parent: str
) -> None:
    goals.clear()
    goals.tell({"node_changed": goals.node("odd-zone", "hq", 2, "America/St_Johns")})
    zone = "Asia/Shanghai" if parent == "shanghai-sales" else "America/St_Johns"
    person, hr = fresh("p"), goals.as_("hr")
    goals.add_people([person], parent)
    close_rate(goals, days)
    calls(goals, days)
    facts = [
        fact(
            "DEAL_WON" if each.won else "FOLLOW_UP",
            person,
            at=NOW - timedelta(days=each.days, hours=each.hour),
            customer=f"c{each.customer}",
            channel="phone",
        )
        for each in told
    ]
    goals.as_("crm").record(*facts)
    moment = NOW - timedelta(days=back)
    last = local_day(moment, zone)
    first = last - timedelta(days=days - 1)

    def within(upto: datetime) -> tuple[int, set[str]]:
        inside = [
            (each, told_fact)
            for each, told_fact in zip(told, facts, strict=True)
            if first <= local_day(told_fact.occurred_at.ToDatetime(UTC), zone) <= last
            and told_fact.occurred_at.ToDatetime(UTC) <= upto
        ]
        won = sum(each.won for each, _ in inside)
        return won, {told_fact.customer for each, told_fact in inside if not each.won}

    won, met = within(moment)
    asked = {"as_of": instant(moment)}
    expected = (won, len(met)) if met else (0, 0)
    assert rolling_value(hr, "close_rate_of_days", person, **asked) == expected
    assert rolling_value(hr, "calls_of_days", person, **asked) == (len(met), 1)
    if not back:
        won, met = within(NOW + timedelta(days=1))
        assert rolling_value(hr, "calls_of_days", person) == (len(met), 1)


def test_a_course_shows_the_window_that_ends_on_each_day(goals: Enterprise) -> None:
    hr, crm = goals.as_("hr"), goals.as_("crm")
    calls(goals, 3)
    calls(goals, 366, "calls_of_a_year")
    crm.record(
        *(
            fact("FOLLOW_UP", at=at(ago(days)), customer=fresh("c"), channel="phone")
            for days in (0, 1, 1, 2, 3, 4)
        )
    )

    def course(metric: str) -> progress_pb2.GetProgressCourseResponse:
        return hr.progress.GetProgressCourse(
            progress_pb2.GetProgressCourseRequest(person_id="li", metric=metric, period_kind=ROLLING)
        )

    told = course("calls_of_days")
    assert [each.done.numerator for each in told.points] == [3, 4, 4]
    assert [each.day for each in told.points] == [day(ago(2)), day(ago(1)), day(TODAY)]
    year = course("calls_of_a_year")
    assert len(year.points) <= 63
    assert year.points[-1].done.numerator == 6


def test_a_metric_with_a_window_has_targets_over_it_and_no_others(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    close_rate(goals)
    for call in (
        lambda: hr.set_target("close_rate_of_days", rate(1, 10), kind="MONTH"),
        lambda: hr.set_target("close_rate", rate(1, 10), kind="ROLLING"),
        lambda: hr.explain("close_rate_of_days", kind="MONTH"),
        lambda: hr.explain("close_rate", kind="ROLLING"),
        lambda: hr.objectives.SetObjective(
            objectives_pb2.SetObjectiveRequest(
                request_id=fresh("r"),
                objective=objectives_pb2.Objective(
                    node_id="hq",
                    title="close more",
                    period_kind=values_pb2.PERIOD_KIND_QUARTER,
                    first_day=day(date(2025, 1, 1)),
                    key_results=[
                        objectives_pb2.KeyResult(
                            weight=rate(1, 1),
                            metric="close_rate_of_days",
                            period_kind=values_pb2.PERIOD_KIND_MONTH,
                            value=rate(1, 10),
                        )
                    ],
                    reason="as agreed",
                ),
            )
        ),
    ):
        assert refused(call).reason == "PERIOD_UNSUPPORTED"


def test_a_window_may_get_longer_and_the_past_keeps_the_shorter_one(goals: Enterprise) -> None:
    hr, crm = goals.as_("hr"), goals.as_("crm")
    calls(goals, 7)
    longer = definition("calls_of_days", "DISTINCT_CUSTOMERS", "FOLLOW_UP", rolling_days=14)
    longer.conditions.channels.append("phone")
    define(goals, longer, first=ago(3), replaces=1)
    crm.record(
        *(
            fact("FOLLOW_UP", at=at(ago(days)), customer=fresh("c"), channel="phone")
            for days in (0, 5, 10, 12)
        )
    )
    assert rolling_value(hr, "calls_of_days") == (4, 1)
    assert rolling_value(hr, "calls_of_days", as_of=instant(at(ago(4), 23))) == (2, 1)
    assert [each.metric for each in hr.get().values].count("calls_of_days") == 1


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (definition("r", "COUNT", "ORDER", rolling_days=-1), "definition.rolling_days"),
        (definition("r", "COUNT", "ORDER", rolling_days=367), "definition.rolling_days"),
        (definition("calls_of_days", "COUNT", "FOLLOW_UP"), "definition.rolling_days"),
        (
            definition("r", "RATIO", unit="RATE", numerator="calls_of_days", denominators=["deals_won"]),
            "definition.numerator",
        ),
        (
            definition("r", "RATIO", unit="RATE", numerator="deals_won", denominators=["calls_of_days"]),
            "definition.denominators",
        ),
    ],
)
def test_a_window_that_makes_no_sense_is_refused_by_field(
    goals: Enterprise, told: metrics_pb2.MetricDefinition, field: str
) -> None:
    calls(goals, 7)
    replaces = 1 if told.name == "calls_of_days" else 0
    failure = refused(lambda: goals.as_("hr").library.DefineMetric(request(told, replaces=replaces)))
    assert failure.reason == "FIELD_INVALID"
    assert set(failure.fields) == {field}


def test_queries_and_previews_are_of_the_window_that_ends_before_the_last_day(goals: Enterprise) -> None:
    hr, crm = goals.as_("hr"), goals.as_("crm")
    calls(goals, 10)
    crm.record(
        *(
            fact("FOLLOW_UP", at=at(moment), customer=fresh("c"), channel="phone")
            for moment in (date(2025, 1, 25), date(2025, 2, 5), date(2025, 2, 25), TODAY)
        )
    )

    def query(by: str, **fields: Any) -> tuple[list[tuple[str, int]], int]:
        group_by = metrics_pb2.GroupBy.Value(f"GROUP_BY_{by}")
        answer = hr.metrics.QueryMetric(
            metrics_pb2.QueryMetricRequest(metric="calls_of_days", group_by=group_by, **fields)
        )
        return [(row.key, row.value.numerator) for row in answer.rows], answer.total.numerator

    assert query("PERSON") == ([("li", 1)], 1)
    assert query("BRANCH", to=day(date(2025, 2, 4))) == ([("shanghai", 1)], 1)
    assert query("MONTH") == ([("2025-01", 1), ("2025-02", 1), ("2025-03", 1)], 1)
    assert query("MONTH", to=day(date(2025, 2, 10))) == ([("2025-01", 1), ("2025-02", 1)], 1)
    told = definition("preview_of_days", "DISTINCT_CUSTOMERS", "FOLLOW_UP", rolling_days=20)
    told.conditions.channels.append("phone")
    for by, rows in (("PERSON", [("li", 1)]), ("MONTH", [("2025-01", 1), ("2025-02", 1)])):
        asked = metric_library_pb2.PreviewMetricRequest(
            definition=told,
            to=day(date(2025, 2, 26)),
            group_by=metrics_pb2.GroupBy.Value(f"GROUP_BY_{by}"),
        )
        getattr(asked, "from").CopyFrom(day(date(2025, 1, 1)))
        answer = hr.library.PreviewMetric(asked)
        assert [(row.key, row.value.numerator) for row in answer.rows] == rows
        assert (answer.total.numerator, answer.facts) == (1, 1)


def test_weeks_and_the_feed_do_not_tell_of_windows(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    calls(goals, 10)
    component = goals.as_component("incentives")
    after = component.head()
    goals.as_("crm").record(fact("FOLLOW_UP", customer=fresh("c"), channel="phone"))
    told = component.heard(after, "values_changed", 1)[0].values_changed
    assert not [each for period in told.periods for each in period.values if each.metric == "calls_of_days"]
    weeks = hr.evidence.CompareWeeks(evidence_pb2.CompareWeeksRequest(person_id="li"))
    assert "calls_of_days" not in [each.metric for each in weeks.changes]
    kinds = {each.period.kind for each in hr.get().values if each.metric == "calls_of_days"}
    assert kinds == {ROLLING}


def test_a_window_goes_out_and_comes_in_with_a_template(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    close_rate(goals)
    hr.set_target("close_rate_of_days", rate(1, 10), kind="ROLLING")
    hr.set_target("new_customers", count(60), kind="PROBATION")
    export = industries_pb2.ExportTemplateRequest(
        node_id="hq", job_role="sales", template_id="ours", titles={"zh-CN": "本公司", "en": "Ours"}
    )
    document = hr.industries.ExportTemplate(export).document
    assert "rolling_days = 30" in document
    import_template(hr, document)
    kpis = {each.metric: each.period_kind for each in get(hr, "ours").kpis}
    assert kpis == {
        "close_rate_of_days": ROLLING,
        "new_customers": values_pb2.PERIOD_KIND_PROBATION,
    }
    for spoilt in (
        document.replace("rolling_days = 30", "rolling_days = 367"),
        document.replace("rolling_days = 30\n", ""),
        document.replace('period = "rolling"', 'period = "month"'),
    ):
        assert refused(partial(import_template, hr, spoilt, replaces=1)).reason == "TEMPLATE_INVALID"
