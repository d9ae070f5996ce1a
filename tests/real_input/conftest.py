"""The Maven CRM data on a platform of its own, imported by the commands a user has."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
import pytest

from tests.platform import Platform, running_platform

_HERE: Final = Path(__file__).parent
PEOPLE: Final = _HERE / "maven-people.toml"
CRM: Final = _HERE / "maven-crm.toml"
DOLLARS: Final = {"FOOTHOLD_CURRENCY": "USD"}


_TABLES: Final = """
CREATE TEMP TABLE pipeline (opportunity_id text, sales_agent text, product text, account text, deal_stage text,
                            engage_date date, close_date date, close_value integer);
CREATE TEMP TABLE team (sales_agent text, manager text, regional_office text);
"""


class Imported(NamedTuple):
    platform: Platform
    people: dict[str, Any]
    crm: dict[str, Any]


@pytest.fixture(scope="package")
def maven() -> Path:
    """The folder with the files; they stay where they are."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "maven-crm"
    if not folder.is_dir():
        pytest.skip("../shared/data/maven-crm is absent")
    return folder


@pytest.fixture(scope="package")
def imported(maven: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    with running_platform(tmp_path_factory.mktemp("maven"), web=False, environ=DOLLARS) as platform:
        people = import_file(platform, "people", maven / "sales_teams.csv", PEOPLE)
        crm = import_file(platform, "crm", maven / "sales_pipeline.csv", CRM)
        yield Imported(platform, people, crm)


@pytest.fixture(scope="package")
def files(maven: Path, postgres: str) -> Iterator[psycopg.Connection[Any]]:
    """The files as tables `pipeline` and `team` of a database, for SQL of the tests' own."""
    with psycopg.connect(postgres) as connection:
        connection.execute(_TABLES)
        for table, file in (("pipeline", "sales_pipeline.csv"), ("team", "sales_teams.csv")):
            with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)") as copy:
                copy.write((maven / file).read_bytes())
        yield connection


def import_file(
    platform: Platform, what: str, file: Path, mapping: Path, *, refused: bool = True
) -> dict[str, Any]:
    report = platform.folder.path / f"{what}-refused.csv"
    done = platform.command(
        *("import", what, str(file), "--mapping", str(mapping), "--report", str(report), "--json"),
        check=False,
    )
    assert done.returncode == (4 if refused and what == "crm" else 0), done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
