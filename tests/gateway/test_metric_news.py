"""An open page hears of it when another version of a metric serves: figures on it may be others."""

import http.client
from collections.abc import Callable

from flask.testing import FlaskClient
from foothold.goals.v1 import facts_pb2, metric_library_pb2, metric_library_pb2_grpc, metrics_pb2, values_pb2
from google.type.date_pb2 import Date

from chassis.ids import new_id
from services.gateway.service import Gateway
from tests.platform import Platform

_NAME = "meetings_by_video"


def test_an_open_page_hears_that_a_metric_serves(
    gateway: Gateway, platform_all: Platform, as_login: Callable[..., FlaskClient]
) -> None:
    cookie = as_login("zhou.yutong").get_cookie("foothold")
    assert cookie
    people = {person.name: person.id for person in gateway.parts.replica.directory.people()}
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    watch = f"progress@{people['周雨桐']}"
    connection.request("GET", f"/live?watch={watch}", headers={"Cookie": f"foothold={cookie.value}"})
    page = connection.getresponse()
    library = metric_library_pb2_grpc.MetricLibraryServiceStub(platform_all.channel("goals"))
    library.DefineMetric(
        metric_library_pb2.DefineMetricRequest(
            request_id=new_id(),
            definition=metrics_pb2.MetricDefinition(
                name=_NAME,
                unit=values_pb2.UNIT_COUNT,
                aggregation=metrics_pb2.MetricDefinition.AGGREGATION_COUNT,
                fact_kinds=[facts_pb2.FACT_KIND_MEETING],
                conditions=metrics_pb2.MetricDefinition.Conditions(channels=["video"]),
                direction=metrics_pb2.MetricDefinition.DIRECTION_AT_LEAST,
                titles={"zh-CN": "视频会议", "en": "Video meetings"},
                description="Meetings by video.",
            ),
            effective_from=Date(year=2026, month=1, day=1),
            reason="they count now",
        )
    )
    try:
        while (line := page.readline()) != b"data: progress\n":
            assert line, "the page was closed"
    finally:
        page.close()
        connection.close()
        library.RetireMetric(
            metric_library_pb2.RetireMetricRequest(request_id=new_id(), metric=_NAME, reason="a test's")
        )
