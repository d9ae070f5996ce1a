"""Metrics of the enterprise's own as sliders of a what-if and in what is missing for more, in both languages."""

import pytest
from foothold.incentives.v1 import statements_pb2, values_pb2, whatif_pb2

from services.gateway import words
from services.gateway.pages import what_if
from services.gateway.service import Gateway


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        (
            "zh-CN",
            ["再增加“live_deals”", "再增加“live_revenue”（CNY）", "再增加“live_minutes”（分钟）"],
        ),
        (
            "en",
            [
                "More of “live_deals”",
                "More of “live_revenue”, in CNY",
                "More of “live_minutes”, in minutes",
            ],
        ),
    ],
)
def test_a_slider_says_what_it_is_counted_in_and_takes_what_is_within_bounds(
    gateway: Gateway, language: str, labels: list[str]
) -> None:
    levers = [
        whatif_pb2.OwnLever(metric="live_deals", unit=values_pb2.UNIT_COUNT, most=1_000),
        whatif_pb2.OwnLever(metric="live_revenue", unit=values_pb2.UNIT_MONEY, most=100_000_000),
        whatif_pb2.OwnLever(metric="live_minutes", unit=values_pb2.UNIT_MINUTES, most=10_000),
    ]
    path = "/bonus/what-if?own-live_deals=1000&own-live_revenue=100000001&own-live_minutes=-1"
    with gateway.flask.test_request_context(path, headers={"Accept-Language": language}):
        sliders = [what_if._own_slider(each) for each in levers]
    assert [each.label for each in sliders] == labels
    assert [each.value for each in sliders] == [1_000, 0, 0]
    assert [bool(each.wrong) for each in sliders] == [False, True, True]


@pytest.mark.parametrize(
    ("language", "said"), [("zh-CN", "“live_deals”再增加 2"), ("en", "add 2 to “live_deals”")]
)
def test_what_is_missing_for_more_names_the_metric(gateway: Gateway, language: str, said: str) -> None:
    change = statements_pb2.LeverChange(
        lever=statements_pb2.LeverChange.LEVER_OWN_METRIC, count=2, metric="live_deals"
    )
    with gateway.flask.test_request_context("/", headers={"Accept-Language": language}):
        assert words.lever(change).replace("\u2009", " ") == said
