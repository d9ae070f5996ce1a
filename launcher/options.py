"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

data = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="FOOTHOLD_DATA",
    show_envvar=True,
    help="The data folder. Default: $XDG_DATA_HOME/foothold, that is ~/.local/share/foothold.",
)

config = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="FOOTHOLD_CONFIG",
    show_envvar=True,
    multiple=True,
    help="A TOML file with settings; later files and then the environment win. May be given more than once.",
)


def reach(command: Callable[..., Any]) -> Callable[..., Any]:
    """--address, --token and --data: which platform the command acts on."""
    for option in (
        data,
        click.option(
            "--token",
            envvar="FOOTHOLD_TOKEN",
            help="Access token of a person or service account; better in FOOTHOLD_TOKEN than on the command line.",
        ),
        click.option(
            "--address",
            "addresses",
            multiple=True,
            metavar="SERVICE=HOST:PORT",
            help="Where a service listens, e.g. goals=goals.foothold:50051; once per service. Also from "
            "FOOTHOLD_IDENTITY_ADDRESS, FOOTHOLD_GOALS_ADDRESS, FOOTHOLD_TRAINING_ADDRESS, "
            "FOOTHOLD_INCENTIVES_ADDRESS. Default: the platform that runs on the data folder, or one started "
            "for this command.",
        ),
    ):
        command = option(command)
    return command
