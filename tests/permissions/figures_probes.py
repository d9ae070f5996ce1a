"""Reaching for goals and incentives."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from foothold.goals.v1 import (
    effort_pb2,
    evidence_pb2,
    facts_pb2,
    forecast_pb2,
    metric_library_pb2,
    metrics_pb2,
    progress_pb2,
    standards_pb2,
    targets_pb2,
    values_pb2,
)
from foothold.goals.v1 import feed_pb2 as goals_feed
from foothold.incentives.v1 import (
    boards_pb2,
    honours_pb2,
    plan_life_pb2,
    plans_pb2,
    statements_pb2,
    whatif_pb2,
)
from foothold.incentives.v1 import feed_pb2 as incentives_feed
from foothold.incentives.v1 import values_pb2 as incentives_values
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.permissions.content import fact, metric, plan, target
from tests.permissions.probes import Probe, Reach, Request, row_of, shown_if

_numbers = count(1)
# Who must appear in a list about a node for it not to have been narrowed.
_STANDS_FOR: Final = {
    "shanghai-sales": "colleague",
    "shanghai": "trainer",
    "beijing": "stranger",
    "hq": "director",
}


def _fresh_role() -> str:
    return f"job-{next(_numbers)}"


def _among(people: Callable[[Any], Any]) -> Callable[[Any, Reach], str]:
    return shown_if(lambda answer, reach: _STANDS_FOR[reach.target] in people(answer))


def _get_values(_reach: Reach) -> Request:
    return goals_feed.GetValuesRequest(
        period_kind=values_pb2.PERIOD_KIND_MONTH, on=Date(year=2025, month=3, day=1), person_ids=["newcomer"]
    )


def _get_deals(_reach: Reach) -> Request:
    return goals_feed.GetDealsRequest(
        period_kind=values_pb2.PERIOD_KIND_MONTH, on=Date(year=2025, month=3, day=1), person_id="newcomer"
    )


def _record(reach: Reach) -> Request:
    return facts_pb2.RecordFactRequest(fact=fact(reach.target, new_id()))


def _record_many(reach: Reach) -> Request:
    return facts_pb2.RecordFactsRequest(facts=[fact(reach.target, new_id())])


def _stream(reach: Reach) -> Request:
    return facts_pb2.StreamFactsRequest(facts=[fact(reach.target, new_id())])


def _history(reach: Reach) -> Request:
    return facts_pb2.GetFactHistoryRequest(fact_id=reach.enterprise.content.fact_of(reach.target))


def _set_target(reach: Reach) -> Request:
    return targets_pb2.SetTargetRequest(request_id=new_id(), target=target(reach.target, _fresh_role()))


def _end_target(reach: Reach) -> Request:
    id = reach.enterprise.content.add_target(reach.target, _fresh_role())
    today = datetime.now(UTC).date()
    return targets_pb2.EndTargetRequest(
        request_id=new_id(),
        target_id=id,
        effective_to=Date(year=today.year + 1, month=1, day=1),
        reason="no longer asked",
    )


def _restore_target(reach: Reach) -> Request:
    made = reach.enterprise.content.target_at(reach.target, _fresh_role())
    return standards_pb2.RestoreTargetRequest(
        request_id=new_id(),
        target_id=made.id,
        revision=made.revision,
        effective_from=Date(year=2025, month=2, day=1),
        reason="as it was",
    )


def _approve_target(reach: Reach) -> Request:
    id = reach.enterprise.content.add_proposal(reach.target, _fresh_role())
    return standards_pb2.ApproveTargetRequest(request_id=new_id(), target_id=id)


def _refuse_target(reach: Reach) -> Request:
    id = reach.enterprise.content.add_proposal(reach.target, _fresh_role())
    return standards_pb2.RefuseTargetRequest(request_id=new_id(), target_id=id, reason="not now")


def _target_changes(reach: Reach) -> Request:
    return standards_pb2.ListTargetChangesRequest(
        node_id=reach.target,
        job_role="sales",
        metric="customers_followed",
        period_kind=values_pb2.PERIOD_KIND_MONTH,
    )


def _drifts(answer: Any, reach: Reach) -> bool:
    # Nothing drifts at the top: a branch elsewhere stands for everywhere.
    wanted = "beijing" if reach.target == "hq" else reach.target
    return wanted in {each.target.node_id for each in answer.drifts}


def _create_plan(reach: Reach) -> Request:
    return plans_pb2.CreatePlanRequest(request_id=new_id(), plan=plan(reach.target, _fresh_role()))


def _approve_plan(reach: Reach) -> Request:
    draft = reach.enterprise.content.draft_at(reach.target, _fresh_role())
    return plan_life_pb2.ApprovePlanRequest(request_id=new_id(), plan_id=draft.id)


def _reject_plan(reach: Reach) -> Request:
    draft = reach.enterprise.content.draft_at(reach.target, _fresh_role())
    return plan_life_pb2.RejectPlanRequest(request_id=new_id(), plan_id=draft.id, reason="Not yet")


def _acknowledge_plan(reach: Reach) -> Request:
    found = reach.enterprise.content.plan_of("shanghai-sales")
    return plan_life_pb2.AcknowledgePlanRequest(request_id=new_id(), plan_id=found.id, digest=found.digest)


def _create_board(_reach: Reach) -> Request:
    board = boards_pb2.Board(
        id=f"board-{next(_numbers)}",
        name="A board",
        metric="emails_sent",
        period_kind=incentives_values.PERIOD_KIND_WEEK,
    )
    return boards_pb2.CreateBoardRequest(request_id=new_id(), board=board)


def _preview_board(_reach: Reach) -> Request:
    board = boards_pb2.Board(
        name="A board", metric="emails_sent", period_kind=incentives_values.PERIOD_KIND_WEEK
    )
    return boards_pb2.PreviewBoardRequest(board=board, node_id="hq")


def _board(reach: Reach) -> Request:
    return boards_pb2.GetBoardRequest(board_id="follow-ups-month", node_id=reach.target, page_size=1000)


def _query(reach: Reach) -> Request:
    return metrics_pb2.QueryMetricRequest(
        metric="customers_followed",
        group_by=metrics_pb2.GROUP_BY_PERSON,
        node_id=reach.target,
        page_size=1000,
    )


def _suggest(reach: Reach) -> Request:
    return evidence_pb2.SuggestTargetsRequest(
        metric="customers_followed", job_role="sales", node_id=reach.target
    )


def _compare(reach: Reach) -> Request:
    year = Date(year=2025, month=1, day=1)
    side = evidence_pb2.ComparedSide(
        to=Date(year=2025, month=2, day=1), node_id=reach.target, **{"from": year}
    )
    return evidence_pb2.CompareFiguresRequest(metric="customers_followed", before=side, after=side)


def _define(name: str) -> metric_library_pb2.DefineMetricRequest:
    return metric_library_pb2.DefineMetricRequest(
        request_id=new_id(),
        definition=metric(name),
        effective_from=Date(year=2025, month=1, day=1),
        reason="a metric of our own",
    )


def _preview(_reach: Reach) -> Request:
    return metric_library_pb2.PreviewMetricRequest(
        definition=metric("own"),
        to=Date(year=2025, month=2, day=1),
        group_by=metrics_pb2.GROUP_BY_PERSON,
        **{"from": Date(year=2025, month=1, day=1)},  # a keyword of Python
    )


def _retire(reach: Reach) -> Request:
    name = reach.enterprise.content.add_metric(f"own_{next(_numbers)}")
    return metric_library_pb2.RetireMetricRequest(request_id=new_id(), metric=name, reason="unused")


def _course(reach: Reach) -> Request:
    return progress_pb2.GetProgressCourseRequest(
        person_id=reach.target, metric="customers_followed", period_kind=values_pb2.PERIOD_KIND_MONTH
    )


def _explain(reach: Reach) -> Request:
    return progress_pb2.ExplainProgressRequest(
        person_id=reach.target, metric="customers_followed", period_kind=values_pb2.PERIOD_KIND_MONTH
    )


_FACTS: Final = "/foothold.goals.v1.FactsService/"
_METRICS: Final = "/foothold.goals.v1.MetricsService/"
_LIBRARY: Final = "/foothold.goals.v1.MetricLibraryService/"
_PROGRESS: Final = "/foothold.goals.v1.ProgressService/"
_TARGETS: Final = "/foothold.goals.v1.TargetsService/"
_STANDARDS: Final = "/foothold.goals.v1.StandardsService/"
_EVIDENCE: Final = "/foothold.goals.v1.EvidenceService/"
_PLANS: Final = "/foothold.incentives.v1.PlansService/"
_LIFE: Final = "/foothold.incentives.v1.PlanLifeService/"
_STATEMENTS: Final = "/foothold.incentives.v1.StatementsService/"
_WHAT_IF: Final = "/foothold.incentives.v1.WhatIfService/"
_NO_PLAN: Final = frozenset({"PLAN_UNKNOWN"})
_BOARDS: Final = "/foothold.incentives.v1.BoardsService/"
_HONOURS: Final = "/foothold.incentives.v1.HonoursService/"
# No board there honours anybody: whoever may comes as far as this.
_NO_HONOUR: Final = frozenset({"BOARD_UNKNOWN"})

PROBES: Final[Mapping[str, Probe]] = {
    _FACTS + "RecordFact": Probe("people", _record),
    _FACTS + "RecordFacts": Probe("people", _record_many, meaning=lambda answer, _: row_of(answer.results)),
    _FACTS + "StreamFacts": Probe("people", _stream, meaning=lambda answer, _: row_of(answer.results)),
    _FACTS + "ListFacts": Probe(
        "people",
        lambda r: facts_pb2.ListFactsRequest(person_id=r.target),
        meaning=shown_if(lambda answer, _: bool(answer.facts)),
    ),
    _FACTS + "GetFactHistory": Probe("people", _history),
    _FACTS + "CheckLedger": Probe("nothing", lambda _: facts_pb2.CheckLedgerRequest()),
    _METRICS + "ListMetrics": Probe("nothing", lambda _: metrics_pb2.ListMetricsRequest()),
    _METRICS + "QueryMetric": Probe(
        "nodes", _query, meaning=_among(lambda answer: {row.key for row in answer.rows})
    ),
    _LIBRARY + "DefineMetric": Probe("nothing", lambda _: _define(f"own_{next(_numbers)}")),
    _LIBRARY + "PreviewMetric": Probe("nothing", _preview),
    _LIBRARY + "ListMetricVersions": Probe(
        "nothing", lambda _: metric_library_pb2.ListMetricVersionsRequest()
    ),
    _LIBRARY + "RetireMetric": Probe("nothing", _retire),
    _PROGRESS + "GetProgress": Probe("people", lambda r: progress_pb2.GetProgressRequest(person_id=r.target)),
    _PROGRESS + "GetProgressCourse": Probe("people", _course),
    _PROGRESS + "ListTeamProgress": Probe(
        "nodes",
        lambda r: progress_pb2.ListTeamProgressRequest(node_id=r.target, page_size=500),
        meaning=_among(lambda answer: {person.person_id for person in answer.people}),
    ),
    _PROGRESS + "ExplainProgress": Probe("people", _explain),
    # That others are left out of what is added up, tests/goals/test_evidence.py shows.
    _EVIDENCE + "SuggestTargets": Probe("nodes", _suggest),
    _EVIDENCE + "CompareFigures": Probe("nodes", _compare),
    "/foothold.goals.v1.EffortService/GetEffort": Probe(
        "people", lambda r: effort_pb2.GetEffortRequest(person_id=r.target)
    ),
    _EVIDENCE + "CompareWeeks": Probe(
        "people", lambda r: evidence_pb2.CompareWeeksRequest(person_id=r.target)
    ),
    "/foothold.goals.v1.ForecastService/ForecastTargets": Probe(
        "people", lambda r: forecast_pb2.ForecastTargetsRequest(person_id=r.target)
    ),
    _TARGETS + "SetTarget": Probe("nodes", _set_target),
    _TARGETS + "EndTarget": Probe("nodes", _end_target),
    _TARGETS + "ListTargets": Probe(
        "nodes",
        lambda r: targets_pb2.ListTargetsRequest(node_id=r.target),
        meaning=shown_if(lambda answer, _: bool(answer.targets)),
    ),
    _TARGETS + "ResolveTargets": Probe(
        "people", lambda r: targets_pb2.ResolveTargetsRequest(person_id=r.target)
    ),
    _STANDARDS + "ResolveStandard": Probe(
        "nodes", lambda r: standards_pb2.ResolveStandardRequest(node_id=r.target, job_role="sales")
    ),
    _STANDARDS + "ListDrift": Probe(
        "nodes",
        lambda r: standards_pb2.ListDriftRequest(node_id=r.target, job_role="sales"),
        meaning=shown_if(_drifts),
    ),
    _STANDARDS + "ListTargetChanges": Probe("nodes", _target_changes),
    _STANDARDS + "RestoreTarget": Probe("nodes", _restore_target),
    _STANDARDS + "ApproveTarget": Probe("nodes", _approve_target, through=frozenset({"TARGET_NOT_PENDING"})),
    _STANDARDS + "RefuseTarget": Probe("nodes", _refuse_target, through=frozenset({"TARGET_NOT_PENDING"})),
    "/foothold.goals.v1.FeedService/ListEvents": Probe(
        "nothing", lambda _: goals_feed.ListEventsRequest(page_size=1)
    ),
    "/foothold.goals.v1.FeedService/GetDeals": Probe("nothing", _get_deals),
    "/foothold.goals.v1.FeedService/GetValues": Probe("nothing", _get_values),
    "/foothold.goals.v1.FeedService/GetFollowing": Probe(
        "nothing", lambda _: goals_feed.GetFollowingRequest()
    ),
    _PLANS + "CheckPlan": Probe(
        "nothing", lambda _: plans_pb2.CheckPlanRequest(plan=plan("shanghai-sales", "sales"))
    ),
    _PLANS + "CreatePlan": Probe("nodes", _create_plan),
    _LIFE + "ApprovePlan": Probe("nodes", _approve_plan),
    _LIFE + "RejectPlan": Probe("nodes", _reject_plan),
    _LIFE + "GetPersonPlans": Probe(
        "people", lambda r: plan_life_pb2.GetPersonPlansRequest(person_id=r.target)
    ),
    _LIFE + "AcknowledgePlan": Probe("nothing", _acknowledge_plan),
    _LIFE + "ListAcknowledgements": Probe(
        "nodes",
        lambda r: plan_life_pb2.ListAcknowledgementsRequest(
            plan_id=r.enterprise.content.plan_of(r.target).id
        ),
    ),
    _PLANS + "GetPlan": Probe(
        "nodes", lambda r: plans_pb2.GetPlanRequest(plan_id=r.enterprise.content.plan_of(r.target).id)
    ),
    _PLANS + "ListPlans": Probe(
        "nodes",
        lambda r: plans_pb2.ListPlansRequest(node_id=r.target),
        meaning=shown_if(lambda answer, _: bool(answer.plans)),
    ),
    _STATEMENTS + "GetStatement": Probe(
        "people", lambda r: statements_pb2.GetStatementRequest(person_id=r.target)
    ),
    _STATEMENTS + "ListStatements": Probe(
        "nodes",
        lambda r: statements_pb2.ListStatementsRequest(node_id=r.target, page_size=1000),
        meaning=_among(lambda answer: {each.person_id for each in answer.statements}),
    ),
    _STATEMENTS + "ExplainLine": Probe(
        "people", lambda r: statements_pb2.ExplainLineRequest(person_id=r.target, rule_id="each")
    ),
    _WHAT_IF + "TryChanges": Probe(
        "people", lambda r: whatif_pb2.TryChangesRequest(person_id=r.target), through=_NO_PLAN
    ),
    _WHAT_IF + "ReachTotal": Probe(
        "people",
        lambda r: whatif_pb2.ReachTotalRequest(
            person_id=r.target, total={"currency_code": "CNY", "units": 700}
        ),
        through=_NO_PLAN,
    ),
    _BOARDS + "CreateBoard": Probe("nothing", _create_board),
    _BOARDS + "PreviewBoard": Probe("nothing", _preview_board),
    _BOARDS + "EndBoard": Probe(
        "nothing", lambda _: boards_pb2.EndBoardRequest(request_id=new_id(), board_id="close-rate-week")
    ),
    _BOARDS + "ResumeBoard": Probe(
        "nothing", lambda _: boards_pb2.ResumeBoardRequest(request_id=new_id(), board_id="close-rate-week")
    ),
    _BOARDS + "ListBoards": Probe(
        "nodes",
        lambda _: boards_pb2.ListBoardsRequest(),
        meaning=shown_if(lambda answer, r: r.target in {node.node_id for node in answer.nodes}),
    ),
    _BOARDS + "GetBoard": Probe("nodes", _board),
    _HONOURS + "ListHonours": Probe(
        "nodes",
        lambda r: honours_pb2.ListHonoursRequest(node_id=r.target),
    ),
    _HONOURS + "ConfirmHonour": Probe(
        "nodes",
        lambda r: honours_pb2.ConfirmHonourRequest(
            request_id=new_id(),
            board_id="follow-ups-month",
            node_id=r.target,
            on={"year": 2020, "month": 1, "day": 1},
            person_id="newcomer",
        ),
        through=_NO_HONOUR,
    ),
    _HONOURS + "PassHonour": Probe(
        "nodes",
        lambda r: honours_pb2.PassHonourRequest(
            request_id=new_id(),
            board_id="follow-ups-month",
            node_id=r.target,
            on={"year": 2020, "month": 1, "day": 1},
            reason="Nobody",
        ),
        through=_NO_HONOUR,
    ),
    _HONOURS + "AnswerHonour": Probe(
        "nothing",
        lambda _: honours_pb2.AnswerHonourRequest(
            request_id=new_id(), honour_id="none", consent=honours_pb2.Honour.CONSENT_NAME
        ),
        through=frozenset({"HONOUR_UNKNOWN"}),
    ),
    _HONOURS + "GetHonourPhoto": Probe(
        "nothing",
        lambda _: honours_pb2.GetHonourPhotoRequest(honour_id="none"),
        through=frozenset({"PHOTO_UNKNOWN"}),
    ),
    "/foothold.incentives.v1.FeedService/ListEvents": Probe(
        "nothing", lambda _: incentives_feed.ListEventsRequest(page_size=1)
    ),
    "/foothold.incentives.v1.FeedService/GetFollowing": Probe(
        "nothing", lambda _: incentives_feed.GetFollowingRequest()
    ),
}
