"""A target for all of probation: from its first through its last day where the person is, moved by an extension."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import (
    coaching_pb2,
    coaching_rules_pb2,
    forecast_pb2,
    objectives_pb2,
    progress_pb2,
    values_pb2,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.errors import Failure, from_rpc_error
from tests.goals.enterprise import NOW, Enterprise, count, day, fact, fresh, instant, leave, rate

FIRST, LAST = date(2025, 2, 10), date(2025, 5, 9)
UNMEASURED = progress_pb2.UnmeasuredTarget
PROBATION = values_pb2.PERIOD_KIND_PROBATION


def at(moment: date, hour: int = 12) -> datetime:
    """That hour of the day in Shanghai."""
    return datetime(moment.year, moment.month, moment.day, hour, tzinfo=UTC) - timedelta(hours=8)


def newcomer(goals: Enterprise, first: date | None = FIRST, last: date | None = LAST, **fields: Any) -> str:
    """Somebody whose probation runs over these days."""
    person = fresh("newcomer")
    on_probation(goals, person, first, last, **fields)
    return person


def on_probation(
    goals: Enterprise, person: str, first: date | None, last: date | None, **fields: Any
) -> None:
    days = {
        name: day(value) for name, value in (("probation_start", first), ("probation_end", last)) if value
    }
    goals.add_people([person], fields.pop("parent", "shanghai-sales"), **days, **fields)


def met(person: str, number: int, moment: datetime) -> list[Any]:
    return [fact("FOLLOW_UP", person, at=moment, customer=fresh("c"), channel="phone") for _ in range(number)]


def refused(call: Callable[[], object]) -> Failure:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return from_rpc_error(caught.value)


def test_sixty_new_customers_in_probation_are_counted_from_its_first_through_its_last_day(
    goals: Enterprise,
) -> None:
    hr, crm, person = goals.as_("hr"), goals.as_("crm"), newcomer(goals)
    hr.set_target("new_customers", count(60), kind="PROBATION")
    before, first = at(FIRST - timedelta(days=1), 23), at(FIRST, 0)
    crm.record(*met(person, 2, before), *met(person, 3, first), *met(person, 5, at(date(2025, 3, 3))))
    told = hr.target_progress("new_customers", person)
    assert (told.period.kind, told.period.first_day, told.period.end_day) == (
        PROBATION,
        day(FIRST),
        day(LAST + timedelta(days=1)),
    )
    assert told.period.start.ToDatetime(UTC) == first
    assert (told.done.numerator, told.asked.numerator, told.remaining.numerator) == (8, 60, 52)
    worked = [each for each in hr.days(FIRST, LAST + timedelta(days=1)).days if each.workday]
    left = [each for each in worked if each.day.month > 3 or (each.day.month == 3 and each.day.day >= 20)]
    assert (told.workdays, told.workdays_left) == (len(worked), len(left))
    assert told.daily_pace.numerator * len(left) == 52 * told.daily_pace.denominator
    assert told.pace.numerator * len(worked) == 60 * (len(worked) - len(left)) * told.pace.denominator
    assert told.status == progress_pb2.PROGRESS_STATUS_BEHIND
    explained = goals.as_("manager").explain("new_customers", person, kind="PROBATION")
    assert (explained.value.numerator, explained.total_facts) == (8, 8)
    assert explained.target == told
    forecast = hr.forecast("new_customers", person)
    assert forecast.WhichOneof("outcome") == "silent"


def test_a_rate_over_probation_is_of_all_its_customers(goals: Enterprise) -> None:
    hr, crm, person = goals.as_("hr"), goals.as_("crm"), newcomer(goals)
    hr.set_target("close_rate", rate(1, 10), kind="PROBATION")
    one = fresh("c")
    crm.record(
        # The same customer in three months is one customer of probation.
        *(
            fact("FOLLOW_UP", person, at=at(date(2025, month, 15)), customer=one, channel="phone")
            for month in (2, 3)
        ),
        *met(person, 9, at(date(2025, 3, 1))),
        fact("DEAL_WON", person, at=at(date(2025, 3, 10)), customer=one),
    )
    told = hr.target_progress("close_rate", person)
    assert (told.done.numerator, told.done.denominator) == (1, 10)
    assert told.status == progress_pb2.PROGRESS_STATUS_AT_THRESHOLD


def test_leave_takes_off_and_a_ramp_does_not(goals: Enterprise) -> None:
    hr, person = goals.as_("hr"), newcomer(goals)
    hr.set_target("new_customers", count(60), kind="PROBATION")
    hr.set_rule(ramp={"shares": [rate(1, 2)]})
    goals.as_("crm").record(leave(date(2025, 3, 6), person=person), leave(date(2025, 5, 12), person=person))
    told = hr.target_progress("new_customers", person)
    assert told.asked.numerator == 59
    assert [each.WhichOneof("cause") for each in told.adjustments] == ["leave"]


def test_an_extension_moves_the_end_and_the_past_shows_what_was_known(goals: Enterprise) -> None:
    hr, person = goals.as_("hr"), newcomer(goals)
    hr.set_target("new_customers", count(60), kind="PROBATION")
    before = goals.clock.now()
    goals.clock.advance(timedelta(hours=1))
    on_probation(goals, person, FIRST, date(2025, 6, 9))
    assert hr.target_progress("new_customers", person).period.end_day == day(date(2025, 6, 10))
    goals.clock.advance(timedelta(hours=1))

    def end(**fields: Any) -> object:
        return hr.get(person, **fields).targets[0].period.end_day

    assert end(known_at=instant(before)) == day(date(2025, 5, 10))
    assert end(as_of=instant(before), known_at=instant(goals.clock.now())) == day(date(2025, 6, 10))
    assert end(as_of=instant(before)) == day(date(2025, 6, 10))
    team = hr.progress.ListTeamProgress(
        progress_pb2.ListTeamProgressRequest(node_id=person, known_at=instant(before), newcomers_only=True)
    )
    assert team.people[0].probation_end == day(LAST)
    assert team.people[0].targets[0].period.end_day == day(date(2025, 5, 10))
    # Shortened again at the same moment: the last word counts.
    on_probation(goals, person, FIRST, date(2025, 5, 20))
    assert end(known_at=instant(goals.clock.now())) == day(date(2025, 5, 21))
    on_probation(goals, person, FIRST, date(2025, 5, 23))
    assert end(known_at=instant(goals.clock.now())) == day(date(2025, 5, 24))
    goals.clock.set(NOW)


@pytest.mark.parametrize(
    ("first", "last", "reason", "error", "metadata"),
    [
        (None, None, UNMEASURED.REASON_PROBATION_UNKNOWN, "PROBATION_UNKNOWN", {"missing": "first_day"}),
        (FIRST, None, UNMEASURED.REASON_END_UNKNOWN, "PROBATION_UNKNOWN", {"missing": "last_day"}),
        (
            date(2025, 3, 21),
            LAST,
            UNMEASURED.REASON_NOT_BEGUN,
            "NOT_ON_PROBATION",
            {"first_day": "2025-03-21", "last_day": "2025-05-09"},
        ),
        (
            FIRST,
            date(2025, 3, 19),
            UNMEASURED.REASON_OVER,
            "NOT_ON_PROBATION",
            {"first_day": "2025-02-10", "last_day": "2025-03-19"},
        ),
    ],
)
def test_without_a_probation_that_day_nothing_is_guessed(
    goals: Enterprise,
    first: date | None,
    last: date | None,
    reason: "UNMEASURED.Reason.ValueType",
    error: str,
    metadata: dict[str, str],
) -> None:
    hr, person = goals.as_("hr"), newcomer(goals, first, last)
    target = hr.set_target("new_customers", count(60), kind="PROBATION")
    told = hr.get(person)
    assert not told.targets
    assert [(each.target.target, each.reason) for each in told.unmeasured] == [(target, reason)]
    assert told.unmeasured[0].HasField("first_day") == (first is not None)
    assert told.unmeasured[0].HasField("last_day") == (last is not None)
    assert not hr.forecasts.ForecastTargets(forecast_pb2.ForecastTargetsRequest(person_id=person)).forecasts
    for call in (
        lambda: hr.explain("new_customers", person, kind="PROBATION"),
        lambda: hr.progress.GetProgressCourse(
            progress_pb2.GetProgressCourseRequest(
                person_id=person, metric="new_customers", period_kind=PROBATION
            )
        ),
    ):
        failure = refused(call)
        assert (failure.reason, failure.metadata) == (error, metadata)


def test_what_was_reached_by_the_end_stays_readable(goals: Enterprise) -> None:
    hr, person = goals.as_("hr"), newcomer(goals, FIRST, date(2025, 3, 14))
    hr.set_target("new_customers", count(2), kind="PROBATION")
    goals.as_("crm").record(
        *met(person, 3, at(date(2025, 3, 14), 23)), *met(person, 1, at(date(2025, 3, 15), 0))
    )
    told = hr.explain(
        "new_customers",
        person,
        kind="PROBATION",
        as_of=instant(at(date(2025, 3, 15), 0) - timedelta(seconds=1)),
    )
    assert (told.value.numerator, told.target.status) == (3, progress_pb2.PROGRESS_STATUS_MET)


def test_a_course_over_a_very_long_probation_has_as_many_points_as_may_be(goals: Enterprise) -> None:
    hr, person = goals.as_("hr"), newcomer(goals, date(2015, 1, 1), date(2026, 12, 31))
    hr.set_target("new_customers", count(60), kind="PROBATION")
    goals.as_("crm").record(*met(person, 1, at(date(2025, 3, 20), 1)))
    course = hr.progress.GetProgressCourse(
        progress_pb2.GetProgressCourseRequest(person_id=person, metric="new_customers", period_kind=PROBATION)
    )
    assert 250 < len(course.points) <= 367
    assert (course.points[0].day, course.points[-1].day) == (day(date(2015, 1, 1)), day(date(2025, 3, 20)))
    assert [each.done.numerator for each in course.points[-2:]] == [0, 1]


def test_a_branch_sets_its_own_and_its_zone_draws_the_line(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    goals.tell({"node_changed": goals.node("far", "hq", 2, "America/Sao_Paulo")})
    person = newcomer(goals, FIRST, LAST, parent="far")
    hr.set_target("new_customers", count(60), kind="PROBATION")
    hr.set_target("new_customers", count(40), kind="PROBATION", node="far")
    told = hr.target_progress("new_customers", person)
    assert (told.asked.numerator, told.period.time_zone) == (40, "America/Sao_Paulo")
    assert told.period.start.ToDatetime(UTC) == datetime(2025, 2, 10, 3, tzinfo=UTC)


def test_a_key_result_of_a_node_is_not_over_probation(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    target = hr.set_target("new_customers", count(60), kind="PROBATION")
    named = objectives_pb2.KeyResult(weight=rate(1, 1), target_id=target.id)
    own = objectives_pb2.KeyResult(
        weight=rate(1, 1), metric="new_customers", period_kind=PROBATION, value=count(60)
    )

    def set_with(result: objectives_pb2.KeyResult) -> object:
        objective = objectives_pb2.Objective(
            node_id="hq",
            title="more customers",
            period_kind=values_pb2.PERIOD_KIND_QUARTER,
            first_day=day(date(2025, 1, 1)),
            key_results=[result],
            reason="as agreed",
        )
        return hr.objectives.SetObjective(
            objectives_pb2.SetObjectiveRequest(request_id=fresh("r"), objective=objective)
        )

    assert refused(lambda: set_with(named)).reason == "PERIOD_UNSUPPORTED"
    assert refused(lambda: set_with(own)).reason == "FIELD_INVALID"


DATES = st.one_of(st.none(), st.dates(date(2025, 3, 1), date(2025, 4, 10)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(DATES, st.integers(-1, 40), st.booleans()), min_size=1, max_size=6))
def test_at_every_known_time_probation_is_what_was_told_last_before(
    goals: Enterprise, told: list[tuple[date | None, int, bool]]
) -> None:
    goals.clear()
    goals.clock.set(NOW)
    hr, person = goals.as_("hr"), fresh("newcomer")
    hr.set_target("new_customers", count(60), kind="PROBATION")
    goals.add_people([person])
    known: dict[datetime, tuple[date | None, date | None]] = {goals.clock.now(): (None, None)}
    for first, days, later in told:
        # Sometimes twice at one moment: the last word is what was known from it on.
        goals.clock.advance(timedelta(minutes=1 if later else 0))
        last = first + timedelta(days=days) if first and days >= 0 else None
        on_probation(goals, person, first, last)
        known[goals.clock.now()] = (first, last)
    goals.clock.advance(timedelta(minutes=1))

    def seen(**fields: Any) -> tuple[date | None, date | None]:
        answer = hr.get(person, as_of=instant(NOW), **fields)
        if answer.unmeasured:
            shown = answer.unmeasured[0]
            return read(shown, "first_day"), read(shown, "last_day")
        period = answer.targets[0].period
        ends = read(period, "end_day")
        assert ends
        return read(period, "first_day"), ends - timedelta(days=1)

    moments = sorted(known)
    for moment in moments:
        assert seen(known_at=instant(moment)) == known[moment]
        assert seen(known_at=instant(moment + timedelta(seconds=59))) == known[moment]
    assert seen() == known[moments[-1]]
    goals.clock.set(NOW)


def read(message: Any, name: str) -> date | None:
    """A day of a message; None where it is unset."""
    told = getattr(message, name)
    return date(told.year, told.month, told.day) if message.HasField(name) else None


def test_who_is_behind_over_probation_is_coached_for_it(goals: Enterprise) -> None:
    hr, person = goals.as_("hr"), newcomer(goals)
    hr.set_target("new_customers", count(60), kind="PROBATION")
    asked = coaching_pb2.SuggestStepsRequest(person_ids=[person])
    steps = goals.as_("manager").coaching.SuggestSteps(asked).people[0].steps
    assert (coaching_rules_pb2.COACHING_SITUATION_BEHIND, "new_customers") in [
        (each.situation, each.metric) for each in steps
    ]
