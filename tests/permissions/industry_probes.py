"""Reaching for the industry library."""

from collections.abc import Mapping
from typing import Final

from foothold.goals.v1 import industries_pb2, values_pb2
from google.type.date_pb2 import Date

from chassis.ids import new_id
from tests.permissions.documents import document
from tests.permissions.probes import Probe, Reach, Request

_INDUSTRIES: Final = "/foothold.goals.v1.IndustriesService/"
_ANY: Final = "car-dealership"
# What is told only to somebody who was let through: that there is no such template to take out.
_NONE: Final = frozenset({"INDUSTRY_UNKNOWN"})


def _adopt(reach: Reach) -> Request:
    """One built-in KPI for a job role nobody else sets anything for."""
    choice = industries_pb2.KpiChoice(metric="deals_won", period_kind=values_pb2.PERIOD_KIND_MONTH)
    return industries_pb2.AdoptIndustryRequest(
        request_id=new_id(),
        industry_id=_ANY,
        node_id=reach.target,
        job_role=f"adopted-{new_id()}"[:40],
        effective_from=Date(year=2030, month=1, day=1),
        reason="we sell cars",
        kpis=[choice],
    )


def _export(reach: Reach) -> Request:
    return industries_pb2.ExportTemplateRequest(
        node_id=reach.target,
        job_role="sales",
        template_id="ours",
        titles={"zh-CN": "本公司", "en": "Ours"},
    )


def _import(_reach: Reach) -> Request:
    return industries_pb2.ImportTemplateRequest(document=document("ours"), validate_only=True)


PROBES: Final[Mapping[str, Probe]] = {
    _INDUSTRIES + "ListIndustries": Probe("nothing", lambda _: industries_pb2.ListIndustriesRequest()),
    _INDUSTRIES + "GetIndustry": Probe(
        "nothing", lambda _: industries_pb2.GetIndustryRequest(industry_id=_ANY)
    ),
    _INDUSTRIES + "AdoptIndustry": Probe("nodes", _adopt),
    _INDUSTRIES + "ExportTemplate": Probe("nodes", _export),
    _INDUSTRIES + "ImportTemplate": Probe("nothing", _import),
    _INDUSTRIES + "RemoveTemplate": Probe(
        "nothing",
        lambda _: industries_pb2.RemoveTemplateRequest(request_id=new_id(), industry_id="none"),
        through=_NONE,
    ),
    _INDUSTRIES + "RestoreTemplate": Probe(
        "nothing",
        lambda _: industries_pb2.RestoreTemplateRequest(request_id=new_id(), industry_id="none"),
        through=_NONE,
    ),
}
