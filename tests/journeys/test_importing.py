"""CSV files into a running platform: what is told about each row, and what a killed process does to it (nothing)."""

import csv
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.platform import foothold, metrics_json, running_platform

pytestmark = pytest.mark.timeout(400)

_PEOPLE: Final = """
[enterprise]
id = "acme"
name = "Acme"
zone = "Asia/Shanghai"
[branch]
id = "{office|slug}"
name = "{office}"
zones = { North = "Asia/Shanghai", West = "Asia/Urumqi" }
[person]
employee_number = "{number}"
name = "{name}"
login = "{login}"
job_role = "sales"
hire_date = "{hired}"
mentor = "{mentor}"
own_roles = ["salesperson"]
"""
_CRM: Final = """
source = "crm"
key = "{id}"
[time]
formats = ["%Y-%m-%d %H:%M", "%Y-%m-%d"]
[[facts]]
kind = "deal_won"
when = { stage = ["won"] }
id = "{id}"
person = "{who}"
at = "day"
customer = "{customer}"
amount = "{value}"
[[facts]]
kind = "follow_up"
when = { stage = ["call"] }
id = "{id}"
person = "{who}"
at = "day"
customer = "{customer}"
"""
_TEAM: Final = """number,name,login,office,hired,mentor
E1,李娜,li.na,North,2024-01-08,
E2,王强,wang.qiang,West,2025-02-01,E1
E3,赵敏,,North,2025-02-01,E1
"""


def _write(folder: Path, **files: str) -> dict[str, Path]:
    written = {}
    for name, text in files.items():
        stem, _, ending = name.rpartition("_")
        written[name] = folder / f"{stem}.{ending}"
        written[name].write_text(text, "utf-8")
    return written


def _import(data: Path, what: str, file: Path, mapping: Path, *more: str) -> tuple[int, dict[str, Any]]:
    report = file.with_suffix(".refused.csv")
    arguments = (
        "import",
        what,
        str(file),
        "--mapping",
        str(mapping),
        "--report",
        str(report),
        "--json",
        *more,
    )
    done = foothold(*arguments, data=data, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("acme")
    with running_platform(folder / "data", split=True, web=False) as platform:
        files = _write(folder, people_toml=_PEOPLE, crm_toml=_CRM, team_csv=_TEAM)
        code, told = _import(platform.folder.path, "people", files["team_csv"], files["people_toml"])
        assert (code, told["people_recorded"]) == (0, 3), told
        yield platform, files


def test_people_are_updated_and_bad_rows_stop_nobody(acme: Any, tmp_path: Path) -> None:
    platform, files = acme
    changed = _TEAM.replace("李娜", "李娜娜") + (
        "E4,新人,xin.ren,South,2025-03-01,E1\n"
        "E5,没有师傅,,North,2025-03-01,E9\n"
        "E6,日期错,,North,2025-13-01,E1\n"
        ",没有工号,,North,2025-03-01,E1\n"
        "E7,重名登录,wang.qiang,North,2025-03-01,E1\n"
        "E8,好的,hao.de,West,2025-03-01,E2\n"
    )
    file = _write(tmp_path, team_csv=changed)["team_csv"]
    code, told = _import(platform.folder.path, "people", file, files["people_toml"])
    assert code == 4
    assert (told["people_recorded"], told["people_updated"], told["people_already_known"]) == (1, 1, 2)
    refused = {each["line"]: (each["field"], each["reason"]) for each in told["refused"]}
    assert refused[5] == ("office", "ZONE_UNKNOWN")
    assert refused[7] == ("hire_date" if refused[7][0] == "hire_date" else "hired", "DATE_INVALID")
    assert refused[8] == ("number", "MISSING")
    assert set(refused) == {5, 6, 7, 8, 9}
    with file.with_suffix(".refused.csv").open(encoding="utf-8", newline="") as written:
        assert [int(row["line"]) for row in csv.DictReader(written)] == [5, 6, 7, 8, 9]


def test_each_bad_row_is_told_and_the_others_are_recorded(acme: Any, tmp_path: Path) -> None:
    platform, files = acme
    ahead = (datetime.now(UTC) + timedelta(days=9)).strftime("%Y-%m-%d")
    rows = (
        "id,who,stage,day,customer,value\n"
        "a1,E1,won,2025-03-03 10:00,云间,100.50\n"
        "a2,E11,won,2025-03-03,云间,1\n"
        "a3,E2,call,2025-03-31 23:30,禾木,\n"
        f"a4,E1,call,{ahead},禾木,\n"
        'a5,E1,won,2025-03-04,"初见\n二店",2\n'
        "a6,E1,lost,2025-03-04,初见,2\n"
        "a7,E1,won,2025-03-04,初见\n"
        "a8,E1,call,2025-03-04,,\n"
    )
    file = _write(tmp_path, deals_csv=rows)["deals_csv"]
    before = platform.ledger()
    dry = _import(platform.folder.path, "crm", file, files["crm_toml"], "--dry-run")
    assert platform.ledger().state_hash == before.state_hash
    code, told = _import(platform.folder.path, "crm", file, files["crm_toml"])
    assert code == dry[0] == 4
    assert told["refused"] == dry[1]["refused"]
    assert (told["rows_read"], told["facts_recorded"]) == (8, 2)
    refused = {each["line"]: (each["key"], each["field"], each["reason"]) for each in told["refused"]}
    assert refused[3] == ("a2", "who", "PERSON_UNKNOWN")
    assert refused[5][0] == "a4"
    assert "occurred_at" in refused[5][1]
    assert refused[6][0] == "a5"
    assert "customer" in refused[6][1]
    assert refused[8] == ("a6", "stage", "VALUE_UNKNOWN")
    assert refused[9] == ("a7", "row", "COLUMN_COUNT")
    assert refused[10][0] == "a8"
    assert "customer" in refused[10][1]
    again = _import(platform.folder.path, "crm", file, files["crm_toml"])[1]
    assert (again["facts_recorded"], again["facts_already_known"]) == (0, 2)
    # Half past eleven on the last of March in Urumqi is the first of April in Shanghai: the person's zone decides.
    spring = ("--from", "2025-03-01", "--to", "2025-05-01")
    months = metrics_json(
        platform, "--metric", "customers_followed", "--by", "month", "--node", "west", *spring
    )
    assert [row["key"] for row in months["rows"] if row["numerator"]] == ["2025-03"]


def test_deals_that_several_people_earned_are_shared_to_the_fen(acme: Any, tmp_path: Path) -> None:
    platform, _ = acme
    shared = (
        'credits = [{ person = "{who}", share = "{own}" }, { person = "{second}", share = "{part}" },'
        ' { person = "{presales}", share = "{on_top}", overlay = true }]\n'
    )
    mapping = _CRM.replace('amount = "{value}"\n', 'amount = "{value}"\n' + shared)
    rows = (
        "id,who,stage,day,customer,value,own,second,part,presales,on_top\n"
        "s1,E1,won,2025-08-03,云间,100.01,60,E2,40 %,E3,1/3\n"
        "s2,E1,won,2025-08-03,云间,100.00,59.99,E2,40,,\n"
        "s3,E1,won,2025-08-03,云间,7.00,,,,,\n"
        "s4,E1,won,2025-08-03,云间,9.00,50,E99,50,,\n"
    )
    files = _write(tmp_path, deals_csv=rows, crm_toml=mapping)
    code, told = _import(platform.folder.path, "crm", files["deals_csv"], files["crm_toml"])
    assert (code, told["facts_recorded"]) == (4, 2)
    refused = {each["line"]: (each["field"], each["reason"], each["message"]) for each in told["refused"]}
    assert refused[3] == (
        "credits",
        "CREDITS_NOT_WHOLE",
        "revenue shares must be 100 % together and are 99.99 %",
    )
    assert refused[5][:2] == ("credits[1].employee_number", "PERSON_UNKNOWN")

    def august(metric: str) -> list[int]:
        days = ("--from", "2025-08-01", "--to", "2025-09-01")
        found = metrics_json(platform, "--metric", metric, "--by", "person", *days)
        return sorted(row["numerator"] for row in found["rows"] if row["numerator"])

    # 60.006 and 40.004: the fen that is left is the first one's, who has the larger remainder.
    assert august("revenue") == [4_000, 6_001 + 700]
    assert august("overlay_revenue") == [3_334]
    assert platform.ledger().values_differing == 0


def test_an_import_outlives_the_services_it_talks_to(acme: Any, tmp_path: Path) -> None:
    platform, files = acme
    rows = ["id,who,stage,day,customer,value"]
    rows += [
        f"k{number},E{1 + number % 3},call,2025-05-{1 + number % 28:02},c{number % 700},"
        for number in range(60_000)
    ]
    file = _write(tmp_path, calls_csv="\n".join(rows) + "\n")["calls_csv"]
    found: list[tuple[int, dict[str, Any]]] = []
    before = platform.ledger().fact_versions
    importing = threading.Thread(
        target=lambda: found.append(_import(platform.folder.path, "crm", file, files["crm_toml"]))
    )
    importing.start()
    killed = 0
    for target in ("goals", "postgres", "goals"):
        time.sleep(1.5)
        if importing.is_alive():
            platform.kill(target)
            killed += 1
            time.sleep(1.0)
            platform.wait_ready()
    importing.join(200)
    assert not importing.is_alive()
    ((code, told),) = found
    assert killed
    assert code == 0, told
    # What was committed just before a kill is known when it is sent again.
    assert told["facts_recorded"] + told["facts_already_known"] == 60_000
    after = platform.ledger()
    assert after.fact_versions == before + 60_000
    assert after.values_differing == 0


def test_the_first_administrator_of_a_new_enterprise_gets_in(acme: Any, tmp_path: Path) -> None:
    platform, _ = acme
    password = tmp_path / "password"
    password.write_text("a long enough phrase\n")
    platform.command("token", "grant", "--login", "li.na", "--role", "administrator")
    platform.command("token", "password", "--login", "li.na", "--password-file", str(password))
    token = platform.command(
        "token", "sign-in", "--login", "li.na", "--password-file", str(password)
    ).stdout.strip()
    told = platform.command(
        "doctor", "--format", "json", check=False, environ={"FOOTHOLD_TOKEN": token}
    ).stdout
    assert {each["check"]: each["well"] for each in json.loads(told)}["ledger"]
    nobody = platform.command(
        "token", "password", "--login", "nobody", "--password-file", str(password), check=False
    )
    assert nobody.returncode == 1
    assert "nobody signs in as nobody" in nobody.stderr
