"""`foothold import`: people and CRM history from CSV files."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from launcher import options
from launcher.exits import Exit, leave, told

if TYPE_CHECKING:
    from launcher.importing.reading import Row, Table
    from launcher.importing.report import Report

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("import")
def imports() -> None:
    """Import people or CRM history from CSV files.

    A mapping file (TOML) says how columns become people and facts; docs/import.md explains it. Nothing is
    dropped silently, one bad row never stops the rest, and importing again changes nothing.
    """


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        options.reach,
        click.option("--json", "as_json", is_flag=True, help="Print the report as JSON."),
        click.option(
            "--report",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Where refused rows are written as CSV. Default, where any are: FILE-refused.csv in this folder.",
        ),
        click.option("--dry-run", is_flag=True, help="Check everything, store nothing."),
        click.option("--mapping", required=True, type=_FILE, help="The mapping file."),
        click.argument("file", type=_FILE),
    ):
        command = option(command)
    return command


@imports.command()
@_options
@told
def crm(file: Path, mapping: Path, **how: Any) -> None:
    """Record the facts that the rows of FILE imply.

    Exit codes: 0 every row was taken; 4 some rows were refused, the report names each; 1, 2, 3, 5 as
    `foothold --help` says.
    """
    from foothold.goals.v1 import facts_pb2_grpc

    from launcher.importing.crm import Converter, Told
    from launcher.importing.directory import zones_of_people
    from launcher.importing.mapping import CrmMapping, load_mapping
    from launcher.importing.reading import Table
    from launcher.importing.references import Checked
    from launcher.importing.report import Report
    from launcher.importing.sending import Sender
    from launcher.reaching import reached

    rules = load_mapping(CrmMapping, mapping)
    table = Table(file, delimiter=rules.file.delimiter, encoding=rules.file.encoding)
    table.require(rules.columns)
    report = Report("facts", dry_run=how["dry_run"])
    checked = [Checked(reference, file.parent, rules.file, report) for reference in rules.references]
    with reached(how["addresses"], how["token"], how["data"], say=_say) as platform:
        converter = Converter(rules, zones=zones_of_people(platform), checked=checked, report=report)

        def facts() -> Iterator[Told]:
            for row in _rows(table, report):
                yield from converter.facts(row)

        stub = facts_pb2_grpc.FactsServiceStub(platform.channel("goals"))
        Sender(stub, report).send(facts())
    converter.conclude()
    _end(report, file, how["report"], as_json=how["as_json"])


@imports.command()
@_options
@told
def people(file: Path, mapping: Path, **how: Any) -> None:
    """Add or update the people of FILE, matched by employee number, and the units they belong to.

    Returns once every service knows them. Exit codes: 0 every row was taken; 4 some rows were refused, the
    report names each; 1, 2, 3, 5 as `foothold --help` says.
    """
    from launcher.following import wait_for_followers
    from launcher.importing.mapping import PeopleMapping, load_mapping
    from launcher.importing.people import PeopleImport
    from launcher.importing.reading import Table
    from launcher.importing.report import Report
    from launcher.reaching import reached

    rules = load_mapping(PeopleMapping, mapping)
    table = Table(file, delimiter=rules.file.delimiter, encoding=rules.file.encoding)
    table.require(rules.columns)
    report = Report("people", dry_run=how["dry_run"])
    with reached(how["addresses"], how["token"], how["data"], say=_say) as platform:
        importing = PeopleImport(platform, rules, report)
        importing.take(_rows(table, report))
        if not report.dry_run:
            wait_for_followers(platform, identity=importing.position)
    _end(report, file, how["report"], as_json=how["as_json"])


def _say(line: str) -> None:
    click.echo(line, err=True)


def _rows(table: "Table", report: "Report") -> "Iterator[Row]":
    """The readable rows; the others go into the report. A bar on the terminal shows how far the reading is."""
    from launcher.importing.reading import Row

    with _bar(table) as progress:
        for row in table.rows(progress):
            report.rows += 1
            if isinstance(row, Row):
                yield row
            else:
                report.refuse(row)
    if table.blank_lines:
        report.notes["blank lines, skipped"] += table.blank_lines


@contextlib.contextmanager
def _bar(table: "Table") -> "Iterator[Callable[[int], None]]":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(table.path.name, total=table.size)
        yield lambda position: progress.update(task, completed=position)
        progress.update(task, completed=table.size)


def _end(report: "Report", file: Path, wanted: Path | None, *, as_json: bool) -> None:
    report.faults.sort(key=lambda fault: fault.line)
    written = wanted or (Path(f"{file.stem}-refused.csv") if report.faults else None)
    if written:
        report.write_csv(written)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        report.tell(click.echo, written)
    if report.faults:
        leave(Exit.PARTLY)
