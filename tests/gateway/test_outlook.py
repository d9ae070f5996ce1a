"""Forecasts in words: always an interval with what it rests on, or what is missing."""

from typing import Any

import pytest
from flask import Flask, g
from foothold.goals.v1 import forecast_pb2, values_pb2
from google.type.date_pb2 import Date

from services.gateway.outlook import Outlook, outlook


def count(number: int, denominator: int = 1) -> values_pb2.Value:
    return values_pb2.Value(unit=values_pb2.UNIT_COUNT, numerator=number, denominator=denominator)


def told(chance: tuple[int, int] = (85, 95), scatter: int = 100) -> forecast_pb2.TargetForecast:
    return forecast_pb2.TargetForecast(
        metric="customers_followed",
        period=values_pb2.Period(end_day=Date(year=2025, month=4, day=1)),
        asked=count(30),
        forecast=forecast_pb2.Forecast(
            model=forecast_pb2.FORECAST_MODEL_GAMMA_POISSON,
            low=count(34),
            high=count(41),
            chance_low_percent=chance[0],
            chance_high_percent=chance[1],
            workdays_left=8,
            basis=forecast_pb2.ForecastBasis(
                first_day=Date(year=2024, month=12, day=1),
                own_workdays=18,
                own_per_workday=count(23, 18),
                colleagues=9,
                colleague_workdays=212,
                colleagues_per_workday=count(318, 212),
                dispersion_hundredths=scatter,
            ),
        ),
    )


def silent(reason: Any, **there: int) -> Outlook:
    none = forecast_pb2.NoForecast(reason=reason, own_workdays_needed=10, colleagues_needed=8, **there)
    return outlook(forecast_pb2.TargetForecast(silent=none), "", own=True)


@pytest.fixture
def english() -> Any:
    with Flask("words").test_request_context():
        g.language = "en"
        yield


def test_a_forecast_in_english(english: None) -> None:
    found = outlook(told(), "Shanghai", own=True)
    assert found.line == (
        "By 31 Mar likely 34–41 (8 times in 10); the chance to reach 30 is between 85\u202f% and 95\u202f%."
    )
    assert found.basis == "From 18 workdays of yours and 212 of 9 colleagues."
    assert found.lines[1] == "Since 1 Dec, a workday: you 1.3, colleagues of Shanghai 1.5."
    assert found.lines[3] == "8 workdays left, today included; leave that is known is off."
    assert len(found.lines) <= 10
    others = outlook(told(), "Shanghai", own=False)
    assert others.basis == "From 18 workdays of this person and 212 of 9 colleagues."


def test_a_forecast_in_chinese() -> None:
    found = outlook(told(), "上海分公司", own=True)
    assert found.line.startswith("到\u20093月31日预计") or found.line.startswith("到3月31日预计")
    assert "85" in found.line
    assert "95" in found.line
    assert "9\u202f位同事" in found.basis or "9\u2009位同事" in found.basis


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        ((0, 2), "is at most 2\u202f%"),
        ((98, 100), "is at least 98\u202f%"),
        ((0, 3), "is between 0\u202f% and 3\u202f%"),
    ],
)
def test_nothing_is_called_certain(english: None, chance: tuple[int, int], words: str) -> None:
    assert words in outlook(told(chance), "", own=True).line


def test_work_in_waves_is_said(english: None) -> None:
    assert "2.5 times as much as by chance" in outlook(told(scatter=250), "", own=True).lines[2]


def test_what_a_forecast_is_missing_is_one_line(english: None) -> None:
    missing = silent(forecast_pb2.FORECAST_SILENCE_TOO_FEW_OWN_WORKDAYS, own_workdays=8)
    assert missing == Outlook(
        missing="No forecast yet: it takes 10 workdays with records, so far there are 8."
    )
    few = silent(forecast_pb2.FORECAST_SILENCE_TOO_FEW_COLLEAGUES, colleagues=5)
    assert few.missing.endswith("8 colleagues with 20 workdays or more, so far there are 5.")
    assert silent(forecast_pb2.FORECAST_SILENCE_NO_MODEL) == Outlook(unmodelled=True)
    assert silent(forecast_pb2.FORECAST_SILENCE_NO_WORKDAY_LEFT).missing
    # The card says these itself.
    assert silent(forecast_pb2.FORECAST_SILENCE_TARGET_REACHED) == Outlook()
    assert silent(forecast_pb2.FORECAST_SILENCE_CALENDAR_UNKNOWN) == Outlook()
