"""What the tests of the industry library ask for."""

from dataclasses import replace
from datetime import date
from typing import Any

import grpc
import pytest
from foothold.goals.v1 import industries_pb2, standards_pb2, targets_pb2, values_pb2

from chassis.errors import Failure, from_rpc_error
from services.goals.domain.industries import Industry
from tests.goals.enterprise import Client, day, fresh

OUTCOME = industries_pb2.AdoptionResult
STANDING = industries_pb2.IndustryMetric
FIRST = date(2025, 3, 1)
CARS = "car-dealership"


def get(client: Client, industry_id: str) -> industries_pb2.GetIndustryResponse:
    return client.industries.GetIndustry(industries_pb2.GetIndustryRequest(industry_id=industry_id))


def choice(
    metric: str, kind: str = "WEEK", value: values_pb2.Value | None = None
) -> industries_pb2.KpiChoice:
    period_kind = values_pb2.PeriodKind.Value(f"PERIOD_KIND_{kind}")
    return industries_pb2.KpiChoice(metric=metric, period_kind=period_kind, value=value)


def adoption(*kpis: industries_pb2.KpiChoice, **fields: Any) -> industries_pb2.AdoptIndustryRequest:
    asked: dict[str, Any] = {
        "request_id": fresh("r"),
        "industry_id": CARS,
        "node_id": "shanghai",
        "job_role": "sales",
        "effective_from": day(FIRST),
        "reason": "the showroom opens",
        "kpis": kpis,
    }
    return industries_pb2.AdoptIndustryRequest(**(asked | fields))


def adopt(
    client: Client, *kpis: industries_pb2.KpiChoice, **fields: Any
) -> list[industries_pb2.AdoptionResult]:
    return list(client.industries.AdoptIndustry(adoption(*kpis, **fields)).results)


def refused(call: Any, request: Any) -> Failure:
    with pytest.raises(grpc.RpcError) as error:
        call(request)
    return from_rpc_error(error.value)


def import_template(
    client: Client, document: str, *, replaces: int = 0, **fields: Any
) -> industries_pb2.Industry:
    request = industries_pb2.ImportTemplateRequest(
        request_id=fresh("r"), document=document, replaces_version=replaces, **fields
    )
    return client.industries.ImportTemplate(request).industry


def held(client: Client, node: str = "shanghai") -> dict[str, targets_pb2.Target]:
    asked = standards_pb2.ResolveStandardRequest(node_id=node, job_role="sales", on=day(FIRST))
    found = client.standards.ResolveStandard(asked).standards
    return {each.resolved.target.metric: each.resolved.target for each in found}


def renamed(industry: Industry, id: str) -> Industry:
    """The same as a company's own."""
    return replace(industry, id=id)
