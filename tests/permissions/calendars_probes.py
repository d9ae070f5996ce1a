"""Reaching for work calendars, leave policies, ramps and special days."""

from collections.abc import Mapping
from itertools import count
from typing import Final

from foothold.goals.v1 import calendars_pb2, calendars_pb2_grpc
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.permissions.enterprise import NODES, Enterprise
from tests.permissions.probes import Probe, Reach, Request, shown_if

_numbers = count()


def _later() -> Date:
    """A day that no other probe is about, long after everything else."""
    number = next(_numbers)
    return Date(year=2031 + number // 336 % 60, month=number // 28 % 12 + 1, day=number % 28 + 1)


def _stub(enterprise: Enterprise) -> calendars_pb2_grpc.CalendarsServiceStub:
    """The calendars as an administrator reaches them."""
    channel = enterprise.platform.channel("goals", enterprise.token_of("administrator"))
    return calendars_pb2_grpc.CalendarsServiceStub(channel)


def newest_rule(enterprise: Enterprise, node_id: str) -> int:
    """The revision of the rule set last at a node; 0 where none ever was."""
    asked = calendars_pb2.ListWorkRulesRequest(node_id=node_id, page_size=1)
    known = _stub(enterprise).ListWorkRules(asked).rules
    return known[0].revision if known else 0


def enter_day(enterprise: Enterprise, node_id: str) -> Date:
    """A special day at a node, entered just now."""
    request = _entering(node_id)
    _stub(enterprise).SetDays(request)
    return request.days[0].day


def _set_rule(reach: Reach) -> calendars_pb2.SetWorkRuleRequest:
    """The usual week, from a later day on."""
    rule = calendars_pb2.WorkRule(
        node_id=reach.target,
        effective_from=_later(),
        calendar=calendars_pb2.WorkCalendar(kind=calendars_pb2.CALENDAR_KIND_FIVE_DAY),
        reason="as usual",
    )
    return calendars_pb2.SetWorkRuleRequest(
        request_id=new_id(), rule=rule, replaces=newest_rule(reach.enterprise, reach.target)
    )


def _entering(node_id: str) -> calendars_pb2.SetDaysRequest:
    return calendars_pb2.SetDaysRequest(
        request_id=new_id(),
        node_id=node_id,
        days=[calendars_pb2.SpecialDay(day=_later(), name="Founders' day")],
        reason="as announced",
    )


def _exists_before(request: Request, reach: Reach, set_it: str) -> Request:
    """A listing of a node at which there is something to be listed."""
    if reach.target in NODES.values():
        if set_it == "rule":
            _stub(reach.enterprise).SetWorkRule(_set_rule(reach))
        else:
            enter_day(reach.enterprise, reach.target)
    return request


def _list_rules(reach: Reach) -> Request:
    return _exists_before(calendars_pb2.ListWorkRulesRequest(node_id=reach.target), reach, "rule")


def _list_days(reach: Reach) -> Request:
    return _exists_before(calendars_pb2.ListSpecialDaysRequest(node_id=reach.target), reach, "day")


_CALENDARS: Final = "/foothold.goals.v1.CalendarsService/"

PROBES: Final[Mapping[str, Probe]] = {
    _CALENDARS + "SetWorkRule": Probe("nodes", _set_rule),
    _CALENDARS + "ListWorkRules": Probe(
        "nodes", _list_rules, meaning=shown_if(lambda answer, _: bool(answer.rules))
    ),
    _CALENDARS + "ResolveWorkRules": Probe(
        "nodes", lambda r: calendars_pb2.ResolveWorkRulesRequest(node_id=r.target)
    ),
    _CALENDARS + "ListDays": Probe(
        "nodes",
        lambda r: calendars_pb2.ListDaysRequest(
            node_id=r.target,
            first_day=Date(year=2025, month=1, day=1),
            end_day=Date(year=2025, month=2, day=1),
        ),
    ),
    _CALENDARS + "SetDays": Probe("nodes", lambda r: _entering(r.target)),
    _CALENDARS + "ListSpecialDays": Probe(
        "nodes", _list_days, meaning=shown_if(lambda answer, _: bool(answer.days))
    ),
}
