"""A whole platform on this machine, on the embedded database of a data folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from chassis.database import migrate, provision, schema_of
from chassis.embedded import EmbeddedPostgres
from launcher.children import Separately
from launcher.folder import DataFolder, Running
from launcher.members import Together
from launcher.ports import inner
from launcher.ready import wait_ready
from launcher.targets import SERVICES, Given, environment_for, refuse_unknown, settings_of

_READY_SECONDS: Final = 90.0
_GRACE_SECONDS: Final = 5.0
_ADMIN: Final = "FOOTHOLD_ADMIN_DATABASE_URL"
Say = Callable[[str], None]


class LocalPlatform:
    """Owns the database and the targets, from `start` to `stop`. Not reentrant; use from one thread."""

    def __init__(
        self,
        folder: DataFolder,
        *,
        split: bool = False,
        web: tuple[str, int] | None = None,
        demo: bool = False,
        values: Mapping[str, str] | None = None,
        files: Sequence[Path] = (),
        environ: Mapping[str, str] | None = None,
        say: Say | None = None,
        on_settings: Callable[[Any], None] | None = None,
    ) -> None:
        self.folder = folder
        self._web = web
        self._demo = demo
        self._values = dict(values or {})
        self._environ = dict(os.environ if environ is None else environ)
        self._on_settings = on_settings
        self._say = say or (lambda _line: None)
        self._files = tuple(files)
        self._log: IO[bytes] | None = None
        self._split = split
        self._targets = (*SERVICES, "gateway") if web else SERVICES
        self._database: EmbeddedPostgres | None = None
        self._shape: Together | Separately | None = None
        self._announced: dict[str, int] | None = None
        self._currency = ""
        self.addresses: dict[str, str] = {}
        self.database_url = ""

    @property
    def web_url(self) -> str:
        """Where a browser goes; empty without a gateway."""
        return f"http://{self._web[0]}:{self._web[1]}" if self._web else ""

    def start(self) -> None:
        """Return once everything serves. Whatever was started ends again when something fails."""
        refuse_unknown(self._environ)
        self.folder.prepare()
        self._currency = self.folder.currency(self._environ.get("FOOTHOLD_CURRENCY"))
        self._values["CURRENCY"] = self._currency
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self._say("Starting the database ...")
        self.database_url, urls = self._prepare_database()
        ports = inner(len(SERVICES))
        self.addresses = {name: f"127.0.0.1:{port}" for name, port in zip(SERVICES, ports, strict=True)}
        addresses = dict(self.addresses)
        if self._web:
            addresses["gateway"] = f"{self._web[0]}:{self._web[1]}"
        given = Given(addresses, urls, self.folder.secrets, self._values)
        self._say("Starting the services ...")
        environments = {
            target: environment_for(target, given=given, environ=self._environ, files=self._files)
            for target in self._targets
        }
        for target, environment in environments.items():
            # Said here and once, not by a child that ends again and again.
            settings_of(target, environment=environment)
        self._shape = self._make_shape()
        for target, environment in environments.items():
            self._shape.start(target, environment)
        wait_ready(
            self.addresses,
            web=self.web_url or None,
            seconds=_READY_SECONDS,
            given_up=self._shape.died,
            log=str(self.folder.log),
        )
        if isinstance(self._shape, Separately):
            self._shape.all_ready()

    def _make_shape(self) -> Together | Separately:
        if not self._split:
            return Together(self._on_settings)
        self._log = self.folder.log.open("ab")
        return Separately(log=self._log)

    def _prepare_database(self) -> tuple[str, dict[str, str]]:
        admin = self._environ.get(_ADMIN)
        if admin:
            passwords = {name: self.folder.database_password(name) for name in SERVICES}
            urls = provision(admin, SERVICES, passwords=passwords)
        else:
            self._database = EmbeddedPostgres(self.folder.path / "database")
            admin = self._database.start()
            urls = provision(admin, SERVICES)
        for name in SERVICES:
            migrate(urls[name], schema=schema_of(name), package=f"services.{name}")
        return admin, urls

    def announce(self) -> None:
        """Write where everything runs into the folder, for the commands that come looking."""
        if self._shape is None:
            return
        self._announced = self._pids()
        self.folder.announce(
            Running(
                pid=os.getpid(),
                shape=self._shape.shape,
                web=self.web_url,
                addresses=self.addresses,
                database=self.database_url,
                demo=self._demo,
                children=self._announced,
                currency=self._currency,
            )
        )

    def refresh(self) -> None:
        """Announce anew when a process that died has been started again."""
        if self._announced is not None and self._announced != self._pids():
            self.announce()

    def _pids(self) -> dict[str, int]:
        pids = self._shape.pids() if self._shape else {}
        if self._database and self._database.pid:
            pids["postgres"] = self._database.pid
        return pids

    def problem(self) -> str | None:
        """A target that cannot be kept alive, if there is one."""
        return self._shape.died() if self._shape else None

    def stop(self) -> None:
        """End the targets, then the database. Harmless when nothing runs."""
        if self._shape:
            self._shape.stop(_GRACE_SECONDS)
            self._shape = None
        if self._announced is not None:
            # Only what it wrote itself: a command that came too early must not hide the platform it ran into.
            self.folder.retract()
            self._announced = None
        if self._database:
            self._database.stop()
            self._database = None
        if self._log:
            self._log.close()
            self._log = None
