"""What a CRM row implies, and what is said about one that cannot be taken."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from foothold.goals.v1 import facts_pb2

from launcher.exits import Exit, Stop
from launcher.importing.crm import Converter, Told
from launcher.importing.mapping import CrmMapping, load_mapping
from launcher.importing.reading import Row
from launcher.importing.report import Report

_ZONES = {"E1": "Asia/Shanghai", "E2": "America/New_York"}
_RULE: dict[str, Any] = {
    "kind": "deal_won",
    "id": "{id}/won",
    "person": "{who}",
    "at": "day",
    "amount": "{value}",
    "customer": "{customer}",
    "when": {"stage": ["Won"]},
}
_ROW = {"id": "7", "who": "E1", "day": "2025-03-01", "value": "12.50", "customer": "云间", "stage": "Won"}


def _convert(
    changes: Mapping[str, str], zones: Mapping[str, str] | None = None, **mapping: Any
) -> tuple[list[Told], Report]:
    report = Report("facts")
    told = CrmMapping.model_validate({"source": "crm", "facts": [_RULE], **mapping})
    converter = Converter(told, zones=_ZONES if zones is None else zones, checked=[], report=report)
    facts = list(converter.facts(Row(2, {**_ROW, **changes})))
    converter.conclude()
    return facts, report


def test_a_row_becomes_a_fact_at_noon_in_the_branch_s_zone() -> None:
    (told,), report = _convert({})
    fact = told.fact
    assert fact.kind == facts_pb2.FACT_KIND_DEAL_WON
    assert (fact.source, fact.external_id, fact.employee_number) == ("crm", "7/won", "E1")
    assert (fact.amount.units, fact.amount.nanos, fact.amount.currency_code) == (12, 500_000_000, "CNY")
    assert fact.occurred_at.ToDatetime(UTC) == datetime(2025, 3, 1, 4, 0, tzinfo=UTC)
    assert report.faults == []


def test_another_branch_another_noon() -> None:
    (told,), _ = _convert({"who": "E2"})
    assert told.fact.occurred_at.ToDatetime(UTC) == datetime(2025, 3, 1, 17, 0, tzinfo=UTC)


def test_a_date_with_a_time_keeps_it() -> None:
    time = {"formats": ["%d.%m.%Y %H:%M"]}
    (told,), _ = _convert({"day": "01.03.2025 23:30"}, time=time)
    assert told.fact.occurred_at.ToDatetime(UTC) == datetime(2025, 3, 1, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "field", "reason", "says"),
    [
        ({"who": "E3"}, "who", "PERSON_UNKNOWN", "nobody has the employee number 'E3'"),
        ({"who": ""}, "who", "MISSING", "it is empty"),
        ({"day": ""}, "day", "MISSING", "it is empty"),
        ({"day": "2025-02-30"}, "day", "DATE_INVALID", "not a date written %Y-%m-%d"),
        ({"value": "12,50"}, "value", "AMOUNT_INVALID", "is not an amount"),
        ({"value": "-1"}, "value", "AMOUNT_INVALID", "not negative"),
        ({"value": "1.005"}, "value", "AMOUNT_INVALID", "more than 2 decimals"),
        ({"value": "NaN"}, "value", "AMOUNT_INVALID", "not negative"),
        ({"stage": "won"}, "stage", "VALUE_UNKNOWN", "does not say what 'won' implies"),
        ({"customer": "x" * 121}, "customer", "TOO_LONG", "more than 120"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(
    changes: dict[str, str], field: str, reason: str, says: str
) -> None:
    facts, report = _convert(changes)
    assert facts == []
    (fault,) = report.faults
    assert (fault.line, fault.field, fault.reason) == (2, field, reason)
    assert says in fault.message


def test_a_misspelt_person_is_answered_with_the_nearest() -> None:
    _, report = _convert({"who": "Ana Li"}, zones={"Anna Li": "Asia/Shanghai"})
    assert "did you mean 'Anna Li'?" in report.faults[0].message


def test_thousands_are_taken_out_where_the_mapping_says_so() -> None:
    (told,), _ = _convert({"value": "1,234.5"}, thousands=",")
    assert (told.fact.amount.units, told.fact.amount.nanos) == (1234, 500_000_000)


def test_rows_that_imply_nothing_are_counted_under_their_note() -> None:
    _, report = _convert({"stage": "Open"}, no_fact=[{"when": {"stage": ["Open"]}, "note": "still open"}])
    assert report.notes["still open"] == 1
    assert report.faults == []


def test_empty_cells_are_counted() -> None:
    _, report = _convert({"customer": ""})
    assert report.notes["customer is empty"] == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source = 'CRM'\n[[facts]]\nkind='email'\nid='{a}'\nperson='{b}'\nat='c'", "source"),
        ("source = 'crm'\nfacts = []", "facts"),
        ("source = 'crm'\nfact = 1", "fact"),
        ("source = 'crm'\n[[facts]]\nkind='call'\nid='{a}'\nperson='{b}'\nat='c'", "kind"),
        ("source = 'crm'\n[time]\nzone = 'Mars/Olympus'", "time.zone"),
        ("source = ", "TOML"),
    ],
)
def test_a_mapping_that_is_not_valid_names_the_key(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "m.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(Stop, match=says) as stopped:
        load_mapping(CrmMapping, file)
    assert stopped.value.code is Exit.USAGE


_LEAVE: dict[str, Any] = {
    "kind": "leave",
    "id": "{id}",
    "person": "{who}",
    "at": "day",
    "leave": {"first": "from", "last": "to", "first_half": "half"},
}


def test_leave_is_told_with_its_half_days() -> None:
    (told,), report = _convert({"from": "2025-03-20", "to": "2025-03-21", "half": "下午"}, facts=[_LEAVE])
    leave = told.fact.leave
    assert (told.fact.kind, leave.first_day.day, leave.last_day.day) == (facts_pb2.FACT_KIND_LEAVE, 20, 21)
    assert leave.first_half == facts_pb2.DAY_HALF_AFTERNOON
    assert leave.last_half == facts_pb2.DAY_HALF_UNSPECIFIED
    assert report.faults == []
    (one_day,), _ = _convert({"from": "2025-03-20", "to": "", "half": ""}, facts=[_LEAVE])
    assert one_day.fact.leave.last_day == one_day.fact.leave.first_day


@pytest.mark.parametrize(
    ("cells", "field", "reason"),
    [
        ({"from": "20.3.", "to": "", "half": ""}, "from", "DATE_INVALID"),
        ({"from": "", "to": "", "half": ""}, "from", "DATE_INVALID"),
        ({"from": "2025-03-20", "to": "", "half": "noon"}, "half", "VALUE_UNKNOWN"),
    ],
)
def test_leave_that_cannot_be_taken_says_why(cells: dict[str, str], field: str, reason: str) -> None:
    facts, report = _convert(cells, facts=[_LEAVE])
    assert facts == []
    assert [(fault.field, fault.reason) for fault in report.faults] == [(field, reason)]


def test_a_cancelled_leave_is_a_void_of_the_same_fact() -> None:
    cancelled = {
        "kind": "leave",
        "id": "{id}",
        "version": "1",
        "person": "{who}",
        "at": "day",
        "voided": True,
    }
    (told,), _ = _convert({}, facts=[cancelled])
    assert told.fact.voided
    assert (told.fact.external_id, told.fact.version, told.fact.HasField("leave")) == ("7", 1, False)


@pytest.mark.parametrize("rule", [{**_LEAVE, "leave": None}, {**_RULE, "leave": {"first": "from"}}])
def test_a_mapping_of_leave_without_days_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="leave"):
        CrmMapping.model_validate({"source": "oa", "facts": [rule]})


_CREDITS: list[dict[str, Any]] = [
    {"person": "{who}", "share": "{own}"},
    {"person": "{second}", "share": "{part}"},
    {"person": "{presales}", "share": "{on_top}", "overlay": True},
]
_ALONE = {"own": "", "second": "", "part": "", "presales": "", "on_top": ""}


def _shared(**changes: str) -> tuple[list[Told], Report]:
    return _convert({**_ALONE, **changes}, facts=[{**_RULE, "credits": _CREDITS}])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"own": "100"}, []),
        ({"own": "100 %", "part": "40"}, []),
        ({"own": "60", "second": "E2", "part": "40"}, [("E1", 3, 5, False), ("E2", 2, 5, False)]),
        (
            {"own": "33.3%", "second": "E2", "part": "66.7 %"},
            [("E1", 333, 1000, False), ("E2", 667, 1000, False)],
        ),
        ({"own": "1/3", "second": "E2", "part": "2 / 3"}, [("E1", 1, 3, False), ("E2", 2, 3, False)]),
        ({"own": "100", "presales": "E2", "on_top": "50"}, [("E1", 1, 1, False), ("E2", 1, 2, True)]),
        ({"presales": "E2", "on_top": "50"}, [("E2", 1, 2, True)]),
        # What does not sum to 100 % is for goals to refuse.
        ({"own": "60"}, [("E1", 3, 5, False)]),
    ],
)
def test_who_earned_a_deal_is_told_with_it(
    changes: dict[str, str], expected: list[tuple[str, int, int, bool]]
) -> None:
    (told,), report = _shared(**changes)
    assert report.faults == []
    assert [
        (each.employee_number, each.share.numerator, each.share.denominator, each.overlay)
        for each in told.fact.credits
    ] == expected


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"own": "60", "second": "E2"}, "part", "MISSING"),
        ({"second": "E2", "part": "40"}, "own", "MISSING"),
        ({"own": "sixty"}, "own", "SHARE_INVALID"),
        ({"own": "1/0"}, "own", "SHARE_INVALID"),
        ({"own": "-60"}, "own", "SHARE_INVALID"),
        ({"own": "0.0000001"}, "own", "SHARE_INVALID"),
    ],
)
def test_a_share_that_cannot_be_read_refuses_its_deal(
    changes: dict[str, str], field: str, reason: str
) -> None:
    told, report = _shared(**changes)
    assert told == []
    assert [(fault.field, fault.reason) for fault in report.faults] == [(field, reason)]


def test_a_mapping_gives_credits_to_deals_and_orders_only() -> None:
    rule = {"kind": "meeting", "id": "{id}", "person": "{who}", "at": "day", "credits": _CREDITS}
    with pytest.raises(ValueError, match="meeting has no credits"):
        CrmMapping.model_validate({"source": "crm", "facts": [rule]})
