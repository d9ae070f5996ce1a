"""`foothold serve`: the platform on this machine, or one target of it in a cluster."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click

from launcher import options
from launcher.exits import Exit, Stop, told

_DEFAULT_PORT: Final = 8080
_TARGETS: Final = ("all", "identity", "goals", "training", "incentives", "gateway")
_GRACE_SECONDS: Final = 10.0
_REFRESH_SECONDS: Final = 0.25


@click.command()
@click.option("--target", type=click.Choice(_TARGETS), default="all", show_default=True, help="What to run.")
@click.option("--split", is_flag=True, help="With --target=all: one process per target, watched by this one.")
@click.option(
    "--demo", is_flag=True, help="With --target=all: fill in the demo enterprise and show its accounts."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="With --target=all: where the web listens."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    envvar="FOOTHOLD_WEB_PORT",
    help=f"With --target=all: the web's port; 0 takes any. Default: {_DEFAULT_PORT}, or the next free one.",
)
@click.option("--no-web", is_flag=True, help="With --target=all: only the gRPC services, no gateway.")
@click.option("--lifeline", is_flag=True, hidden=True, help="End when standard input closes.")
@options.data
@options.config
@told
def serve(target: str, config: tuple[Path, ...], lifeline: bool, **how: Any) -> None:
    """Run the platform until Ctrl-C or SIGTERM.

    \b
    Without --target everything runs on this machine, on an embedded PostgreSQL in the data folder:
      foothold serve --demo            in one process, with a demo enterprise to try
      foothold serve --split           one process per service; what dies is started again
    With --target one service or the gateway runs, configured by FOOTHOLD_ variables and --config, as the
    container image does in a cluster:
      foothold serve --target=goals

    Exit codes: 0 stopped as asked; 1 failed; 2 wrong usage or settings; 3 database not reachable.
    """  # noqa: D301
    with _stopping() as stop:
        if target == "all":
            _serve_all(stop, config=config, **how)
        elif how["split"] or how["demo"] or how["no_web"] or how["port"] is not None:
            raise Stop("--split, --demo, --no-web and --port go with --target=all", Exit.USAGE)
        else:
            _serve_one(target, config, stop, lifeline=lifeline)


@contextlib.contextmanager
def _stopping() -> Iterator[threading.Event]:
    stop = threading.Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            # Asked twice: somebody is in a hurry, and every service survives being ended hard.
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve_one(target: str, config: tuple[Path, ...], stop: threading.Event, *, lifeline: bool) -> None:
    import os

    from chassis import logs, telemetry
    from launcher.members import Member
    from launcher.targets import environment_for

    environment = environment_for(target, given=None, environ=os.environ, files=config)
    logs.configure(target, level=os.environ.get("FOOTHOLD_LOG_LEVEL", "info").upper())
    member = Member(target, environment=environment)
    member.observe(target)
    if lifeline:
        threading.Thread(target=_end_with_parent, args=(stop,), name="lifeline", daemon=True).start()
    port = member.start()
    logs.logger(__name__).info("serving", target=target, port=port)
    stop.wait()
    member.stop(_GRACE_SECONDS)
    telemetry.shutdown()


def _configure_telemetry(name: str, settings: Any) -> None:
    from chassis import telemetry

    # A share of traces, not a figure of the product.
    sampling = float(getattr(settings, "telemetry_sampling", 1))
    telemetry.configure(name, endpoint=settings.telemetry_endpoint or None, sampling=sampling)


def _end_with_parent(stop: threading.Event) -> None:
    import os

    # Not through sys.stdin: a thread that waits inside its buffer makes the interpreter abort at its end.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    stop.set()


def _serve_all(stop: threading.Event, *, data: Path | None, demo: bool, **how: Any) -> None:
    from launcher.folder import DataFolder, default_folder

    folder = DataFolder(data or default_folder())
    running = folder.running()
    if running:
        raise Stop(
            f"a platform runs on {folder.path} already: {running.web or 'without web'} "
            f"(process {running.pid}); stop it or choose another folder with --data"
        )
    web = None if how["no_web"] else _web(how["host"], how["port"])
    with contextlib.ExitStack() as ending:
        platform = _start(ending, folder, split=how["split"], demo=demo, web=web, config=how["config"])
        if demo and not stop.is_set():
            _seed(folder, platform)
        platform.announce()
        _welcome(folder, platform, demo=demo)
        while not stop.wait(_REFRESH_SECONDS):
            platform.refresh()
        click.echo("\nStopping ...")


def _web(host: str, port: int | None) -> tuple[str, int]:
    from launcher import ports

    wanted = _DEFAULT_PORT if port is None else port
    chosen = ports.web(host, wanted, explicit=port is not None)
    if port is None and chosen != wanted:
        click.echo(f"Port {wanted} is in use; taking {chosen}.")
    return host, chosen


def _start(ending: contextlib.ExitStack, folder: Any, **how: Any) -> Any:
    from chassis import logs, telemetry
    from launcher.demo.accounts import demo_values
    from launcher.local import LocalPlatform

    demo: bool = how["demo"]
    folder.prepare()
    log = ending.enter_context(folder.log.open("a", encoding="utf-8"))
    import os

    logs.configure("foothold", level=os.environ.get("FOOTHOLD_LOG_LEVEL", "info").upper(), stream=log)
    ending.callback(telemetry.shutdown)
    platform = LocalPlatform(
        folder,
        split=how["split"],
        web=how["web"],
        demo=demo,
        values=demo_values() if demo else None,
        files=how["config"],
        say=click.echo,
        # One process, one set of instruments: the first target's settings are everybody's.
        on_settings=None if how["split"] else lambda settings: _configure_telemetry("foothold", settings),
    )
    ending.callback(platform.stop)
    platform.start()
    return platform


def _seed(folder: Any, platform: Any) -> None:
    from launcher.demo.seeding import seed_demo
    from launcher.reaching import Reached

    click.echo("Filling in the demo enterprise (the first time takes a minute) ...")
    with Reached(platform.addresses, folder.operator_token()) as reached:
        seed_demo(reached, say=lambda line: click.echo(f"  {line}"))


def _welcome(folder: Any, platform: Any, *, demo: bool) -> None:
    from launcher.demo.accounts import ACCOUNTS, PASSWORD

    told = ", ".join(f"{name} {at}" for name, at in platform.addresses.items())
    click.echo(f"\nFoothold is running{f' at {platform.web_url}' if platform.web_url else ''}\n")
    click.echo(f"gRPC: {told}\n")
    if demo:
        click.echo(f"Demo accounts, all with the password {PASSWORD}")
        for account in ACCOUNTS:
            click.echo(f"  {account.login:<14}{account.name}  {account.role}")
        click.echo("")
    click.echo(f"Data and logs are in {folder.path}. Stop with Ctrl-C.")
