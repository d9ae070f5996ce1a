"""`foothold doctor`: find out what is wrong and say what to do."""

import json
from pathlib import Path
from typing import Any

import click

from launcher import options
from launcher.exits import Exit, leave, told


@click.command()
@click.option("--format", "written", type=click.Choice(["text", "json"]), default="text", show_default=True)
@options.reach
@told
def doctor(written: str, **how: Any) -> None:
    """Check the machine, the database, every service, their feeds and the ledger; say what to do about each.

    Exit codes: 0 all is well; 4 something is not, each with its remedy; 2, 5 as `foothold --help` says.
    """
    from launcher.checkup import examine

    data: Path | None = how["data"]
    findings = list(examine(how["addresses"], how["token"], data))
    if written == "json":
        click.echo(json.dumps([finding._asdict() for finding in findings], ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.well else 'FAIL'}  {finding.check}: {finding.told}")
            if not finding.well:
                click.echo(f"      → {finding.remedy}")
    if not all(finding.well for finding in findings):
        leave(Exit.PARTLY)
