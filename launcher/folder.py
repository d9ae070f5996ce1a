"""The data folder of a platform on one machine: its database, its secrets, and where it runs just now."""

import base64
import json
import os
import re
import secrets
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from launcher.exits import Exit, Stop

# Loaded where secrets are made: cryptography takes a while, and most commands find a platform that runs.
if TYPE_CHECKING:
    from access.tokens import TokenIssuer

OPERATOR: Final = "operator"
WEBHOOK_ACCOUNT: Final = "crm-webhook"
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_DEFAULT_CURRENCY: Final = "CNY"
_COMPONENT_DAYS: Final = 400
_OPERATOR_TIME: Final = timedelta(hours=12)


def default_folder() -> Path:
    """Where data go when nobody says: FOOTHOLD_DATA, else the XDG data folder."""
    chosen = os.environ.get("FOOTHOLD_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "foothold"


def new_webhook_secret() -> str:
    """What senders sign webhooks with, in the form of the Standard Webhooks specification."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, slots=True)
class Running:
    """A platform that runs on a data folder; `running.json`, readable by its owner only."""

    pid: int
    shape: str
    web: str
    addresses: dict[str, str]
    database: str
    demo: bool = False
    children: dict[str, int] = field(default_factory=dict)
    currency: str = "CNY"


class DataFolder:
    """The folder's files. Made private (0700) when new; secrets are 0600."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._token: tuple[str, datetime] | None = None

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def log(self) -> Path:
        """What the services log while they run on this folder."""
        return self.path / "foothold.log"

    @property
    def _running(self) -> Path:
        return self.path / "running.json"

    def prepare(self) -> None:
        """Make the folder and every secret that is missing. Running it again changes nothing but renewed tokens."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.write_secrets(self.secrets)

    def write_secrets(self, into: Path) -> list[Path]:
        """Make what is missing of a platform's secrets in a folder of their own; all of their paths."""
        from access.tokens import COMPONENTS, TokenIssuer, generate_keys, load_private

        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (into / "signing_key.pem").exists():
            private, public = generate_keys()
            _write(into / "verifying_keys.pem", public)
            _write(into / "signing_key.pem", private)
        if not (into / "cookie_secret").exists():
            _write(into / "cookie_secret", secrets.token_hex(32))
        if not (into / "webhook_secret").exists():
            _write(into / "webhook_secret", new_webhook_secret())
        issuer = TokenIssuer(load_private((into / "signing_key.pem").read_text()))
        lifetime = timedelta(days=_COMPONENT_DAYS)
        for name in COMPONENTS:
            # Renewed at every start, so that a folder left alone for a year still works.
            _write(into / f"component_{name}.token", issuer.component(name, lifetime=lifetime))
        webhook, _ = issuer.service_account(WEBHOOK_ACCOUNT, lifetime=lifetime)
        _write(into / "webhook.token", webhook)
        return sorted(path for path in into.iterdir() if path.is_file())

    def operator_token(self) -> str:
        """A token for whoever owns this folder: who can read its secrets may do everything anyway."""
        now = datetime.now(UTC)
        if self._token is None or self._token[1] - now < _OPERATOR_TIME / 2:
            self._token = self._issuer().service_account(OPERATOR, lifetime=_OPERATOR_TIME)
        return self._token[0]

    def currency(self, wanted: str | None) -> str:
        """The currency this folder's amounts are in, settled at its first start. Stop when another is wanted.

        Amounts are stored as whole minor units: another currency would silently change what they mean.
        """
        if wanted and not _CURRENCY.fullmatch(wanted):
            raise Stop(f"FOOTHOLD_CURRENCY: '{wanted}' is not an ISO 4217 code such as CNY", Exit.USAGE)
        file = self.path / "currency"
        settled = file.read_text().strip() if file.exists() else None
        if settled is None:
            settled = wanted or _DEFAULT_CURRENCY
            _write(file, settled)
        if wanted and wanted != settled:
            raise Stop(
                f"{self.path} holds amounts in {settled}, not {wanted}; use another folder", Exit.USAGE
            )
        return settled

    def database_password(self, service: str) -> str:
        """The password of a service's role in a database that is not the embedded one."""
        file = self.secrets / f"database_{service}.password"
        if not file.exists():
            _write(file, secrets.token_urlsafe(32))
        return file.read_text()

    def _issuer(self) -> "TokenIssuer":
        from access.tokens import TokenIssuer, load_private

        return TokenIssuer(load_private((self.secrets / "signing_key.pem").read_text()))

    def running(self) -> Running | None:
        """The platform that runs on this folder now, if any."""
        try:
            found = Running(**json.loads(self._running.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return found if _alive(found.pid) else None

    def announce(self, running: Running) -> None:
        """Say where the platform runs, for the commands that come looking."""
        _write(self._running, json.dumps(asdict(running), indent=2) + "\n")

    def retract(self) -> None:
        """The platform has ended."""
        self._running.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    # Whole or not at all: a reader never sees half a file, and nobody else ever sees any.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
