"""`foothold check-config`: is the configuration valid, and what does it come to."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from launcher import options
from launcher.exits import Exit, Stop, told

_TARGETS: Final = ("all", "identity", "goals", "training", "incentives", "gateway")
_HIDDEN: Final = "***"


class _Setting(NamedTuple):
    name: str
    value: str
    source: str


@click.command("check-config")
@click.option(
    "--target", type=click.Choice(_TARGETS), default="all", show_default=True, help="Whose settings."
)
@click.option("--format", "written", type=click.Choice(["text", "json"]), default="text", show_default=True)
@options.config
@told
def check_config(target: str, written: str, config: tuple[Path, ...]) -> None:
    """Check files and FOOTHOLD_ variables, and print every effective setting, secrets hidden.

    With --target=all: as on one machine, where the launcher decides addresses, database and keys. With one
    target: as in a cluster, where all of it must be given. Unknown settings are errors.

    Exit codes: 0 valid; 2 not valid, each fault is named.
    """
    from launcher.targets import TARGETS

    chosen = TARGETS if target == "all" else (target,)
    found: dict[str, list[_Setting]] = {}
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        given = _stand_ins(Path(scratch)) if target == "all" else None
        for each in chosen:
            try:
                found[each] = _effective(each, given, config)
            except Stop as stop:
                problems.append(stop.message)
    if problems:
        raise Stop("the configuration is not valid:\n" + "\n".join(dict.fromkeys(problems)), Exit.USAGE)
    if written == "json":
        click.echo(
            json.dumps({name: [each._asdict() for each in told] for name, told in found.items()}, indent=2)
        )
        return
    for name, settings in found.items():
        click.echo(f"[{name}]")
        for setting in settings:
            click.echo(f"  {setting.name} = {setting.value}  ({setting.source})")
    click.echo("The configuration is valid.")


def _effective(target: str, given: Any, files: tuple[Path, ...]) -> list[_Setting]:
    from chassis.settings import SettingsError
    from launcher.config import from_files
    from launcher.targets import environment_for, settings_of

    environment = environment_for(target, given=given, environ=os.environ, files=files)
    try:
        settings = settings_of(target, environment=environment)
    except SettingsError as error:
        raise Stop("\n".join(f"{target}: {problem}" for problem in error.problems), Exit.USAGE) from error
    ours = given.for_target(target) if given else {}
    in_files = from_files(target, files)
    return [
        _Setting(name, _shown(getattr(settings, name)), _source(name, environment, ours, in_files))
        for name in type(settings).model_fields
    ]


def _source(
    name: str, environment: Mapping[str, str], ours: Mapping[str, str], in_files: Mapping[str, str]
) -> str:
    variable = f"FOOTHOLD_{name.upper()}"
    for form in (variable, f"{variable}_FILE"):
        if form in environment:
            if form in ours:
                return "launcher"
            return (
                "file"
                if in_files.get(form) == environment[form] and form not in os.environ
                else "environment"
            )
    return "default"


def _shown(value: Any) -> str:
    from pydantic import SecretStr

    if isinstance(value, SecretStr):
        return _HIDDEN if value.get_secret_value() else "(empty)"
    text = str(value)
    if "-----BEGIN" in text:
        return "(PEM)"
    if "password" in text:
        return _HIDDEN
    return text or "(empty)"


def _stand_ins(scratch: Path) -> Any:
    """What the launcher would decide on one machine, so that only the user's own part is checked."""
    from launcher.folder import DataFolder
    from launcher.targets import SERVICES, TARGETS, Given

    folder = DataFolder(scratch)
    folder.prepare()
    return Given(
        addresses=dict.fromkeys(TARGETS, "127.0.0.1:0"),
        database_urls=dict.fromkeys(SERVICES, "postgresql://embedded/foothold"),
        secrets=folder.secrets,
        values={},
    )
