"""The Maven CRM data, as it is, through the commands a user has: every figure and every kind of dirt in it."""

import csv
import json
import random
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from tests.platform import Platform, foothold, metrics_json, running_platform
from tests.real_input.conftest import CRM, DOLLARS, PEOPLE, Imported, import_file

pytestmark = [pytest.mark.real_input, pytest.mark.timeout(300)]

_WON_BY_MONTH: Final = {
    "2017-03": 531,
    "2017-04": 285,
    "2017-05": 438,
    "2017-06": 531,
    "2017-07": 308,
    "2017-08": 446,
    "2017-09": 503,
    "2017-10": 279,
    "2017-11": 406,
    "2017-12": 511,
}
# Won and lost opportunities tell two facts, an engaging one its follow-up unless it names no account.
_FACTS: Final = 2 * 4_238 + 2 * 2_473 + 1_589 - 1_088


def _values(platform: Platform, metric: str, by: str) -> dict[str, int]:
    return {
        row["key"]: row["numerator"] for row in metrics_json(platform, "--metric", metric, "--by", by)["rows"]
    }


def test_offices_become_branches_and_managers_and_agents_people(imported: Imported) -> None:
    assert imported.people["rows_read"] == 35
    assert imported.people["people_recorded"] == 41
    assert imported.people["rows_refused"] == 0
    assert set(_values(imported.platform, "deals_won", "branch")) == {"central", "east", "west"}


def test_every_row_is_a_fact_or_in_the_report(imported: Imported) -> None:
    assert imported.crm["rows_read"] == 8_800
    assert imported.crm["facts_recorded"] == _FACTS
    assert imported.crm["facts_already_known"] == 0
    assert imported.crm["rows_refused"] == 1_088
    assert {(each["field"], each["reason"]) for each in imported.crm["refused"]} == {("account", "MISSING")}


def test_every_kind_of_dirt_is_told(imported: Imported) -> None:
    told = {note["note"]: note["rows"] for note in imported.crm["notes"]}
    assert told["account is empty"] == 1_425
    assert told["engage_date is empty"] == 500
    assert told["close_date is empty"] == 2_089
    assert told["product: 'GTXPro' is not in products.csv; did you mean 'GTX Pro'?"] == 1_480
    assert told["Prospecting: nobody was followed up yet, so there is no fact to record"] == 500
    misspelt = "accounts.csv: sector 'technolgy' is not one of the allowed values; did you mean 'technology'?"
    assert told[misspelt] == 12
    (silent,) = [
        note for note in told if note.startswith("sales_teams.csv: 5 of 35 sales_agent never appear")
    ]
    for name in ("Mei-Mei Johns", "Elizabeth Anderson", "Natalya Ivanova", "Carol Thompson", "Carl Lin"):
        assert name in silent


def test_refused_rows_are_written_as_csv_with_their_lines(imported: Imported, maven: Path) -> None:
    with (imported.platform.folder.path / "crm-refused.csv").open(encoding="utf-8", newline="") as file:
        refused = list(csv.DictReader(file))
    lines = (maven / "sales_pipeline.csv").read_text("utf-8").splitlines()
    assert len(refused) == 1_088
    for row in refused:
        cells = lines[int(row["line"]) - 1].split(",")
        assert (cells[0], cells[3], cells[4]) == (row["key"], "", "Engaging")


def test_totals(imported: Imported) -> None:
    won = metrics_json(imported.platform, "--metric", "deals_won", "--by", "branch")
    assert won["total"]["numerator"] == 4_238
    revenue = metrics_json(imported.platform, "--metric", "revenue", "--by", "department")
    assert revenue["total"]["value"] == "10005534.00 USD"
    assert sum(row["numerator"] for row in revenue["rows"]) == 1_000_553_400


def test_won_by_close_month(imported: Imported) -> None:
    months = _values(imported.platform, "deals_won", "month")
    assert {month: won for month, won in months.items() if won} == _WON_BY_MONTH


def test_darcel_schlecht(imported: Imported) -> None:
    found = {}
    for metric in ("deals_won", "deals_lost", "revenue", "win_rate"):
        rows = metrics_json(
            imported.platform, "--metric", metric, "--by", "person", "--node", "team-melvin-marxen"
        )
        (found[metric],) = [row for row in rows["rows"] if row["label"] == "Darcel Schlecht"]
    assert found["deals_won"]["numerator"] == 349
    assert found["deals_won"]["numerator"] + found["deals_lost"]["numerator"] == 553
    assert found["revenue"]["value"] == "1153214.00 USD"
    assert (found["win_rate"]["numerator"], found["win_rate"]["denominator"]) == (349, 553)


def test_every_agent_equals_a_sum_over_the_file(imported: Imported, maven: Path) -> None:
    won: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    cents: Counter[str] = Counter()
    customers: dict[str, set[str]] = {}
    with (maven / "sales_pipeline.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            agent = row["sales_agent"].lower().replace(" ", "-")
            won[agent] += row["deal_stage"] == "Won"
            lost[agent] += row["deal_stage"] == "Lost"
            cents[agent] += 100 * int(row["close_value"] or 0)
            if row["engage_date"] and row["account"]:
                customers.setdefault(agent, set()).add(row["account"])
    platform = imported.platform
    assert _values(platform, "deals_won", "person") == dict(won)
    assert _values(platform, "deals_lost", "person") == dict(lost)
    assert _values(platform, "revenue", "person") == dict(cents)
    followed = {agent: len(names) for agent, names in customers.items()}
    assert _values(platform, "customers_followed", "person") == followed


def test_the_ledger_equals_its_recompute(imported: Imported) -> None:
    ledger = imported.platform.ledger()
    assert ledger.fact_versions == ledger.facts_counting == _FACTS
    assert ledger.values_checked > 0
    assert ledger.values_differing == 0


def test_importing_again_records_nothing(imported: Imported, maven: Path) -> None:
    before = imported.platform.ledger().state_hash
    again = import_file(imported.platform, "crm", maven / "sales_pipeline.csv", CRM)
    assert (again["facts_recorded"], again["facts_already_known"]) == (0, _FACTS)
    people = import_file(imported.platform, "people", maven / "sales_teams.csv", PEOPLE)
    assert (people["people_recorded"], people["people_updated"], people["people_already_known"]) == (0, 0, 41)
    assert imported.platform.ledger().state_hash == before


def test_three_shuffled_parts_leave_the_same_state(imported: Imported, maven: Path, tmp_path: Path) -> None:
    lines = (maven / "sales_pipeline.csv").read_text("utf-8").splitlines()
    header, rows = lines[0], lines[1:]
    chance = random.Random(20_261_123)
    chance.shuffle(rows)
    for name in ("products.csv", "accounts.csv", "sales_teams.csv"):
        shutil.copy(maven / name, tmp_path / name)
    with running_platform(tmp_path / "platform", web=False, environ=DOLLARS) as platform:
        import_file(platform, "people", maven / "sales_teams.csv", PEOPLE)
        recorded = 0
        for part in range(3):
            file = tmp_path / f"part-{part}.csv"
            file.write_text("\n".join([header, *rows[part::3]]) + "\n", "utf-8")
            recorded += import_file(platform, "crm", file, CRM)["facts_recorded"]
        assert recorded == _FACTS
        assert platform.ledger().state_hash == imported.platform.ledger().state_hash


def test_a_dry_run_stores_nothing(maven: Path, tmp_path: Path) -> None:
    command = ["import", "people", str(maven / "sales_teams.csv"), "--mapping", str(PEOPLE), "--json"]
    command += ["--report", str(tmp_path / "refused.csv")]
    dry = json.loads(foothold(*command, "--dry-run", data=tmp_path / "data", environ=DOLLARS).stdout)
    assert (dry["dry_run"], dry["people_recorded"], dry["rows_refused"]) == (True, 41, 0)
    stored = json.loads(foothold(*command, data=tmp_path / "data", environ=DOLLARS).stdout)
    assert stored["people_recorded"] == 41
    known = json.loads(foothold(*command, "--dry-run", data=tmp_path / "data", environ=DOLLARS).stdout)
    assert (known["people_recorded"], known["people_already_known"]) == (0, 41)
