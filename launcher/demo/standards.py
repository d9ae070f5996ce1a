"""The demo's targets: national ones, and what branches set for themselves."""

from datetime import date, timedelta
from typing import Final, NamedTuple

from foothold.goals.v1 import standards_pb2, standards_pb2_grpc, targets_pb2, targets_pb2_grpc
from foothold.goals.v1 import values_pb2 as goals
from google.type.date_pb2 import Date

from launcher.demo.acting import acting
from launcher.demo.enterprise import enterprise
from launcher.reaching import Reached

_JOB: Final = "sales"
_HEADQUARTERS: Final = "gu.wenjing"
_WAITING: Final = ("hangzhou",)


class _Target(NamedTuple):
    """A monthly target: where, what, why, and what nodes below may do."""

    node: str
    metric: str
    value: goals.Value
    reason: str = ""
    rule: targets_pb2.OverrideRule | None = None


def set_standards(reached: Reached, anchor: date) -> None:
    """Set them from a first of the month before the story begins, each by who would have.

    Branches' own follow-up targets need headquarters' approval: Shanghai's has it, Hangzhou's waits.
    """
    since = first_of_month(anchor - timedelta(days=120))
    with acting(reached, _HEADQUARTERS) as own:
        for target in _national():
            _set(own, target, since)
    for target in _of_branches():
        with acting(reached, _hr_of(target.node)) as own:
            stored = _set(own, target, since)
        if stored.state == targets_pb2.TARGET_STATE_PENDING and target.node not in _WAITING:
            with acting(reached, _HEADQUARTERS) as own:
                standards_pb2_grpc.StandardsServiceStub(own.channel("goals")).ApproveTarget(
                    standards_pb2.ApproveTargetRequest(
                        request_id=f"demo-{target.node}-approve",
                        target_id=stored.id,
                        reason="门店密度属实，同意",
                    )
                )


def _set(own: Reached, told: _Target, since: Date) -> targets_pb2.Target:
    target = targets_pb2.Target(
        node_id=told.node,
        job_role=_JOB,
        metric=told.metric,
        period_kind=goals.PERIOD_KIND_MONTH,
        value=told.value,
        effective_from=since,
        reason=told.reason,
        rule=told.rule,
    )
    request = targets_pb2.SetTargetRequest(request_id=f"demo-{told.node}-{told.metric}", target=target)
    return targets_pb2_grpc.TargetsServiceStub(own.channel("goals")).SetTarget(request).target


def _hr_of(branch: str) -> str:
    return next(each.login for each in enterprise().people if each.bound == ("branch_hr", branch))


def _national() -> list[_Target]:
    root = enterprise().id
    return [
        _Target(
            root,
            "customers_followed",
            _count(20),
            "全国统一标准，各地按实际情况申请调整",
            _bounded(_count(15), _count(40), approval=True),
        ),
        _Target(root, "close_rate", _rate(10), "转正条件", _bounded(_rate(8), None)),
        _Target(root, "revenue", _fen(20_000_00)),
        _Target(
            root,
            "followup_minutes",
            goals.Value(unit=goals.UNIT_MINUTES, numerator=600, denominator=1),
            "每天至少半小时",
            targets_pb2.OverrideRule(latitude=targets_pb2.LATITUDE_LOCKED),
        ),
    ]


def _of_branches() -> list[_Target]:
    return [
        _Target("shanghai", "customers_followed", _count(30), "门店密集，路上时间少，跟进目标高于全国"),
        _Target("guangzhou", "close_rate", _rate(15), "广州以转介绍客户为主，成单率要求高于全国"),
        _Target("hangzhou", "customers_followed", _count(25), "余杭新开三个园区，客户更集中"),
    ]


def _bounded(
    minimum: goals.Value, maximum: goals.Value | None, *, approval: bool = False
) -> targets_pb2.OverrideRule:
    return targets_pb2.OverrideRule(
        latitude=targets_pb2.LATITUDE_BOUNDED, minimum=minimum, maximum=maximum, approval_required=approval
    )


def first_of_month(day: date) -> Date:
    return Date(year=day.year, month=day.month, day=1)


def _count(number: int) -> goals.Value:
    return goals.Value(unit=goals.UNIT_COUNT, numerator=number, denominator=1)


def _rate(percent: int) -> goals.Value:
    return goals.Value(unit=goals.UNIT_RATE, numerator=percent, denominator=100)


def _fen(minor: int) -> goals.Value:
    return goals.Value(unit=goals.UNIT_MONEY, numerator=minor, denominator=1, currency="CNY")
