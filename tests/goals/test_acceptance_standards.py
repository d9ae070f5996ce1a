"""S19-S22: one national standard, branches with their own, and what February still was."""

from datetime import UTC, date, datetime, timedelta

from foothold.goals.v1 import targets_pb2

from tests.goals.enterprise import NOW, Enterprise, count, day, instant, rate

JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 10), date(2025, 3, 1)


def held(
    goals: Enterprise, person: str, on: date, known_at: datetime | None = None
) -> dict[str, targets_pb2.ResolvedTarget]:
    request = targets_pb2.ResolveTargetsRequest(
        person_id=person, on=day(on), known_at=None if known_at is None else instant(known_at)
    )
    answer = goals.as_("hr").targets.ResolveTargets(request)
    return {each.target.metric: each for each in answer.targets}


def told(resolved: targets_pb2.ResolvedTarget) -> tuple[int, int, str]:
    value = resolved.target.value
    return value.numerator, value.denominator, resolved.target.node_id


def test_s19_a_branch_overrides_the_count_and_inherits_the_rate(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("close_rate", rate(12, 100), first=JANUARY)
    hr.set_target("customers_followed", count(25), first=JANUARY)
    hr.set_target("customers_followed", count(30), node="beijing", first=JANUARY, reason="short ways")
    found = held(goals, "zhao", FEBRUARY)
    assert told(found["close_rate"]) == (12, 100, "hq")
    assert list(found["close_rate"].overridden) == []
    assert told(found["customers_followed"]) == (30, 1, "beijing")
    (national,) = found["customers_followed"].overridden
    assert (national.node_id, national.value.numerator, national.author_id) == ("hq", 25, "hr")
    own = found["customers_followed"].target
    assert (own.reason, own.author_id, own.effective_from.month) == ("short ways", "hr", 1)


def test_s20_shanghai_overrides_thirty_and_inherits_twelve_percent(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("close_rate", rate(12, 100))
    hr.set_target("customers_followed", count(25))
    goals.as_("branch-hr").set_target("customers_followed", count(30), node="shanghai")
    found = held(goals, "li", FEBRUARY)
    assert told(found["customers_followed"]) == (30, 1, "shanghai")
    assert told(found["close_rate"]) == (12, 100, "hq")


def test_s21_guangzhou_overrides_fifteen_percent_and_inherits_twenty_five(goals: Enterprise) -> None:
    # Beijing stands for Guangzhou here: any branch but Shanghai.
    hr = goals.as_("hr")
    hr.set_target("close_rate", rate(12, 100))
    hr.set_target("customers_followed", count(25))
    hr.set_target("close_rate", rate(15, 100), node="beijing")
    found = held(goals, "zhao", FEBRUARY)
    assert told(found["close_rate"]) == (15, 100, "beijing")
    assert told(found["customers_followed"]) == (25, 1, "hq")
    assert told(held(goals, "li", FEBRUARY)["close_rate"]) == (12, 100, "hq")


def test_s22_the_national_rate_rises_in_march_and_february_replays_at_its_own(goals: Enterprise) -> None:
    hr = goals.as_("hr")
    hr.set_target("close_rate", rate(12, 100), first=JANUARY)
    hr.set_target("close_rate", rate(15, 100), node="beijing", first=JANUARY)
    goals.clock.advance(timedelta(hours=1))
    before = goals.clock.now()
    goals.clock.advance(timedelta(hours=1))
    hr.set_target("close_rate", rate(13, 100), first=MARCH)
    assert told(held(goals, "li", MARCH)["close_rate"]) == (13, 100, "hq")
    assert told(held(goals, "zhao", MARCH)["close_rate"]) == (15, 100, "beijing")
    assert told(held(goals, "li", FEBRUARY)["close_rate"]) == (12, 100, "hq")
    # What was known before anybody spoke of March, whatever was entered since.
    goals.clock.advance(timedelta(hours=1))
    hr.set_target("close_rate", rate(14, 100), first=date(2025, 2, 1))
    assert told(held(goals, "li", FEBRUARY)["close_rate"]) == (14, 100, "hq")
    assert told(held(goals, "li", FEBRUARY, before)["close_rate"]) == (12, 100, "hq")
    assert told(held(goals, "li", MARCH, before)["close_rate"]) == (12, 100, "hq")
    assert held(goals, "li", MARCH, datetime(2025, 1, 1, tzinfo=UTC)) == {}
    goals.clock.set(NOW)
