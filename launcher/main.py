"""The `foothold` command. Each command's code is loaded only when it is asked for: `--help` is instant."""

import importlib
from typing import Final

import click

# name -> (module, attribute, one line for the list)
_COMMANDS: Final = {
    "serve": ("launcher.commands.serve", "serve", "Run the platform, or one target of it."),
    "migrate": ("launcher.commands.migrate", "migrate", "Create or upgrade the databases."),
    "seed": ("launcher.commands.seed", "seed", "Fill the platform with a demo enterprise."),
    "import": ("launcher.commands.imports", "imports", "Import people or CRM history from CSV files."),
    "metrics": ("launcher.commands.metrics", "metrics", "Print any metric, exactly."),
    "token": ("launcher.commands.token", "token", "Make keys and tokens; sign in."),
    "check-config": ("launcher.commands.check_config", "check_config", "Check the configuration."),
    "doctor": ("launcher.commands.doctor", "doctor", "Find out what is wrong and what to do."),
}

_EXIT_CODES: Final = """\b
Exit codes, the same for every command:
  0  done
  1  failed; the message says why
  2  wrong usage: an unknown option, a missing file, a mapping or setting that is not valid
  3  the platform or the database cannot be reached
  4  done in part: some rows were refused, or some checks failed; the report names each
  5  not permitted: the token is missing, expired, or does not allow this
130  interrupted
"""


class _Lazy(click.Group):
    """A group that knows its commands by name and imports one when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in _COMMANDS.items()])


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=_EXIT_CODES,
)
@click.version_option(package_name="foothold", prog_name="foothold")
def main() -> None:
    """Foothold: helps a sales newcomer get from probation to a confirmed job.

    Commands act on a running platform (--address and --token, or the one running on the data folder) or,
    where none runs, on the embedded one in the data folder (--data, FOOTHOLD_DATA), which they start for
    as long as they need it.
    """


if __name__ == "__main__":
    main(prog_name="foothold")
