"""The industry library: what ships is sound and computable, and adopting it sets what it says."""

from datetime import date

import pytest
from foothold.goals.v1 import (
    industries_pb2,
    metric_library_pb2,
    metrics_pb2,
    objectives_pb2,
    progress_pb2,
    targets_pb2,
    values_pb2,
)

from services.goals.domain.industries import measures_the_same
from services.goals.domain.metrics import METRICS
from services.goals.industry_files import shipped
from services.goals.store.recording import enter_ledger, gate_key
from services.goals.wire.industry_documents import read_document
from services.goals.wire.industry_writing import write_document
from tests.goals.adopting import CARS, FIRST, OUTCOME, STANDING, adopt, adoption, choice, get, held, refused
from tests.goals.enterprise import Enterprise, count, day, fact, fresh, rate
from tests.goals.library import CONDITIONS, STATE, define, definition, newest, wait_for


def test_twenty_industries_ship_with_five_kpis_and_a_sales_process_each() -> None:
    assert len(shipped()) >= 20
    for industry in shipped().values():
        assert len(industry.kpis) >= 5, industry.id
        assert len(industry.stages) >= 4, industry.id
        own = [kpi for kpi in industry.kpis if kpi.metric not in METRICS]
        assert len(own) >= 2, f"{industry.id} measures what everybody measures"
        # Nothing is claimed of the outside world without saying where it is from.
        assert all(kpi.source or not kpi.year for kpi in industry.kpis), industry.id


def test_industries_measure_different_things() -> None:
    measured = [frozenset(kpi.metric for kpi in each.kpis) for each in shipped().values()]
    assert len(set(measured)) == len(measured)
    used = {name for names in measured for name in names}
    assert len(used - set(METRICS)) >= 80


def test_a_name_means_the_same_in_every_industry() -> None:
    by_name = {metric.name: metric for each in shipped().values() for metric in each.metrics}
    for each in shipped().values():
        for metric in each.metrics:
            assert measures_the_same(metric, by_name[metric.name]), (each.id, metric.name)
            used = {kpi.metric for kpi in each.kpis}
            parts = {name for other in each.metrics for name in (other.numerator, *other.denominators)}
            assert metric.name in used | parts, f"{each.id} never uses {metric.name}"


@pytest.mark.parametrize("industry_id", sorted(shipped()))
def test_a_document_reads_as_it_was_written(industry_id: str) -> None:
    industry = shipped()[industry_id]
    assert read_document(write_document(industry)) == industry


def test_every_definition_is_computed_by_the_real_service(goals: Enterprise) -> None:
    """Defined where it is no ratio, previewed over a month's facts, and the ratios once their parts serve."""
    hr = goals.as_("hr")
    goals.as_("crm").record(fact("FOLLOW_UP", customer="a", channel="store"))
    told: dict[str, metrics_pb2.MetricDefinition] = {}
    for industry_id in shipped():
        for each in get(hr, industry_id).metrics:
            if each.standing != STANDING.STANDING_BUILT_IN:
                told.setdefault(each.definition.name, each.definition)
    ratios = [each for each in told.values() if each.numerator]
    for number, tried in enumerate([*(each for each in told.values() if not each.numerator), *ratios]):
        if number == len(told) - len(ratios):
            for metric in told.values():
                if not metric.numerator:
                    wait_for(hr, metric.name)
        preview = metric_library_pb2.PreviewMetricRequest(
            definition=tried, to=day(date(2025, 4, 1)), group_by=metrics_pb2.GROUP_BY_BRANCH
        )
        getattr(preview, "from").CopyFrom(day(FIRST))
        hr.library.PreviewMetric(preview)
        hr.library.DefineMetric(
            metric_library_pb2.DefineMetricRequest(
                request_id=fresh("r"), definition=tried, effective_from=day(FIRST), reason="tried"
            )
        )
    assert goals.as_("li").value("showroom_customers") == (1, 1)


def test_the_library_is_searched_in_both_languages(goals: Enterprise) -> None:
    li = goals.as_("li")
    everything = li.industries.ListIndustries(industries_pb2.ListIndustriesRequest())
    assert everything.total_size == len(shipped())
    for query in ("4s 店", "Car DEALER", "试驾"):
        found = li.industries.ListIndustries(industries_pb2.ListIndustriesRequest(query=query))
        assert [each.id for each in found.industries] == [CARS], query
    asked = industries_pb2.ListIndustriesRequest(page_size=10)
    pages = []
    while True:
        page = li.industries.ListIndustries(asked)
        pages += [each.id for each in page.industries]
        if not page.next_page_token:
            break
        asked.page_token = page.next_page_token
    assert pages == [each.id for each in everything.industries]


def test_an_industry_is_told_in_full_with_what_there_is_already(goals: Enterprise) -> None:
    define(goals, definition("showroom_customers", "COUNT", "MEETING"))
    told = get(goals.as_("li"), CARS)
    standing = {each.definition.name: each.standing for each in told.metrics}
    assert standing["close_rate"] == STANDING.STANDING_BUILT_IN
    assert standing["lead_callbacks"] == STANDING.STANDING_MISSING
    assert standing["showroom_customers"] == STANDING.STANDING_CONFLICT
    rates = next(each for each in told.kpis if each.metric == "test_drive_rate")
    assert (rates.value, list(rates.months)) == (rate(1, 2), [rate(3, 10), rate(2, 5)])
    assert (rates.source, rates.year) == ("", 0)
    assert told.stages[0].titles["en"] == "Lead and invitation"
    assert refused(
        goals.as_("li").industries.GetIndustry, industries_pb2.GetIndustryRequest(industry_id="x")
    ).reason == ("INDUSTRY_UNKNOWN")


def test_adopting_defines_what_is_missing_and_sets_adapted_targets(goals: Enterprise) -> None:
    administrator, li = goals.as_("administrator"), goals.as_("li")
    request = adoption(
        choice("showroom_customers", value=count(9)),
        choice("test_drive_rate", "MONTH"),
        choice("close_rate", "MONTH"),
    )
    results = list(administrator.industries.AdoptIndustry(request).results)
    assert [each.outcome for each in results] == [OUTCOME.OUTCOME_SET] * 3
    assert [list(each.defined) for each in results] == [
        ["showroom_customers"],
        ["test_drive_customers", "test_drive_rate"],
        [],
    ]
    wait_for(administrator, "test_drive_customers")
    asked = held(administrator)
    assert asked["showroom_customers"].value == count(9)
    assert asked["test_drive_rate"].value == rate(1, 2)
    assert asked["showroom_customers"].reason == "the showroom opens"
    # Twice is once.
    assert list(administrator.industries.AdoptIndustry(request).results) == results
    assert newest(administrator, "showroom_customers").version == 1

    goals.as_("crm").record(
        *(fact("FOLLOW_UP", customer=f"c{n}", channel="store") for n in range(4)),
        fact("MEETING", customer="c0", attributes={"purpose": "test_drive"}),
        fact("MEETING", customer="c1", attributes={"purpose": "lunch"}),
    )
    assert li.target_progress("showroom_customers").remaining == count(5)
    assert li.target_progress("test_drive_rate").done == rate(1, 4)
    assert goals.as_("operator").check().values_differing == 0
    # The other branch is asked for nothing.
    assert goals.as_("zhao").get("zhao").targets == []


def test_a_target_of_a_metric_that_is_being_computed_is_shown_once_it_serves(goals: Enterprise) -> None:
    administrator, manager = goals.as_("administrator"), goals.as_("manager")
    whole = values_pb2.Value(unit=values_pb2.UNIT_RATE, numerator=1, denominator=1)
    with goals.database.begin() as connection:
        # While somebody has the ledger alone, nothing is computed.
        enter_ledger(connection, gate_key(goals.database.schema), alone=True)
        (result,) = adopt(administrator, choice("showroom_customers"))
        assert newest(administrator, "showroom_customers").state == STATE.STATE_COMPUTING
        assert goals.as_("li").get().targets == []
        team = manager.progress.ListTeamProgress(progress_pb2.ListTeamProgressRequest())
        assert all(not person.targets for person in team.people)
        objective = objectives_pb2.SetObjectiveRequest(
            request_id=fresh("r"),
            objective=objectives_pb2.Objective(
                node_id="shanghai-sales",
                title="Fill the showroom",
                period_kind=values_pb2.PERIOD_KIND_MONTH,
                first_day=day(FIRST),
                key_results=[objectives_pb2.KeyResult(weight=whole, target_id=result.target.id)],
            ),
        )
        assert refused(manager.objectives.SetObjective, objective).reason == "METRIC_COMPUTING"
    wait_for(administrator, "showroom_customers")
    assert goals.as_("li").target_progress("showroom_customers").done == count(0)
    team = manager.progress.ListTeamProgress(progress_pb2.ListTeamProgressRequest())
    assert any(person.targets for person in team.people)
    assert manager.objectives.SetObjective(objective).objective.id


def test_looking_first_changes_nothing_and_says_what_would_come(goals: Enterprise) -> None:
    administrator = goals.as_("administrator")
    administrator.set_target("close_rate", rate(1, 20), node="hq")
    before = goals.rows()
    request = adoption(choice("lead_callbacks"), choice("close_rate", "MONTH"), validate_only=True)
    request.request_id = ""
    results = administrator.industries.AdoptIndustry(request).results
    assert [each.outcome for each in results] == [OUTCOME.OUTCOME_SET] * 2
    assert list(results[0].defined) == ["lead_callbacks"]
    assert results[1].before.value == rate(1, 20)
    assert goals.rows() == before


def test_a_metric_of_that_name_is_never_overwritten(goals: Enterprise) -> None:
    define(goals, definition("showroom_customers", "COUNT", "MEETING"))
    administrator = goals.as_("administrator")
    results = adopt(
        administrator,
        choice("showroom_customers"),
        choice("test_drive_rate", "MONTH"),
        choice("deals_won", "MONTH"),
    )
    assert [each.reason for each in results] == ["METRIC_CONFLICT", "METRIC_CONFLICT", ""]
    assert results[1].metadata["metric"] == "showroom_customers"
    assert set(held(administrator)) == {"deals_won"}
    assert newest(administrator, "showroom_customers").version == 1
    listed = administrator.library.ListMetricVersions(
        metric_library_pb2.ListMetricVersionsRequest(page_size=100)
    )
    assert "test_drive_customers" not in {each.definition.name for each in listed.versions}


def test_a_metric_that_measures_the_same_is_used_as_it_is(goals: Enterprise) -> None:
    mine = definition(
        "showroom_customers", "DISTINCT_CUSTOMERS", "FOLLOW_UP", conditions=CONDITIONS(channels=["store"])
    )
    define(goals, mine)
    (result,) = adopt(goals.as_("administrator"), choice("showroom_customers"))
    assert (result.outcome, list(result.defined)) == (OUTCOME.OUTCOME_SET, [])
    again = adopt(goals.as_("administrator"), choice("showroom_customers"))
    assert again[0].outcome == OUTCOME.OUTCOME_UNCHANGED
    assert again[0].target.id == result.target.id


def test_a_locked_target_is_refused_and_the_others_are_set(goals: Enterprise) -> None:
    administrator = goals.as_("administrator")
    lock = targets_pb2.OverrideRule(latitude=targets_pb2.LATITUDE_LOCKED)
    administrator.set_target("close_rate", rate(1, 10), node="hq", rule=lock)
    results = adopt(administrator, choice("close_rate", "MONTH"), choice("deals_won", "MONTH"))
    assert [each.reason for each in results] == ["OVERRIDE_LOCKED", ""]
    assert results[0].metadata["node_id"] == "hq"
    assert set(held(administrator)) == {"close_rate", "deals_won"}


def test_what_a_node_lets_those_below_do_stays(goals: Enterprise) -> None:
    administrator = goals.as_("administrator")
    bounds = targets_pb2.OverrideRule(
        latitude=targets_pb2.LATITUDE_BOUNDED, minimum=count(2), maximum=count(6)
    )
    administrator.set_target("deals_won", count(3), node="shanghai", rule=bounds)
    adopt(administrator, choice("deals_won", "MONTH", count(5)))
    assert held(administrator)["deals_won"].rule == bounds
    (result,) = adopt(administrator, choice("deals_won", "MONTH", count(9)))
    assert (result.outcome, result.reason) == (OUTCOME.OUTCOME_REFUSED, "VALUE_INVALID")


def test_a_choice_that_does_not_fit_is_named(goals: Enterprise) -> None:
    industries = goals.as_("administrator").industries
    for kpis, field in (
        ([choice("test_drive_rate", "MONTH", count(3))], "kpis[0].value"),
        ([choice("deals_won", "MONTH"), choice("deals_won", "MONTH")], "kpis[1].metric"),
        ([choice("deals_won", "WEEK")], "kpis[0].metric"),
        ([choice("nothing")], "kpis[0].metric"),
        ([], "kpis"),
    ):
        assert field in refused(industries.AdoptIndustry, adoption(*kpis)).fields
    assert refused(
        industries.AdoptIndustry, adoption(choice("deals_won", "MONTH"), reason="")
    ).fields.keys() == ({"reason"})


def test_only_who_may_define_metrics_adopts(goals: Enterprise) -> None:
    before = goals.rows()
    for person in ("li", "mentor", "manager", "branch-hr"):
        failure = refused(goals.as_(person).industries.AdoptIndustry, adoption(choice("deals_won", "MONTH")))
        assert failure.reason == "PERMISSION_MISSING", person
    nowhere = adoption(choice("deals_won", "MONTH"), node_id="nowhere")
    assert refused(goals.as_("hr").industries.AdoptIndustry, nowhere).reason == "NODE_UNKNOWN"
    assert goals.rows() == before
