"""Schemas, roles and migrations for the commands that need nothing running."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy.engine import make_url

from chassis.database import migrate, pending, provision, schema_of
from chassis.embedded import EmbeddedPostgres
from launcher.exits import Stop
from launcher.folder import DataFolder, default_folder
from launcher.targets import SERVICES


def service_urls(environ: Mapping[str, str]) -> dict[str, str]:
    """The services' own database URLs, from FOOTHOLD_<SERVICE>_DATABASE_URL or the file ..._FILE names."""
    found: dict[str, str] = {}
    for name in SERVICES:
        variable = f"FOOTHOLD_{name.upper()}_DATABASE_URL"
        if variable in environ:
            found[name] = environ[variable]
        elif f"{variable}_FILE" in environ:
            found[name] = Path(environ[f"{variable}_FILE"]).read_text("utf-8").strip()
    return found


def migrate_external(
    services: Sequence[str], *, urls: Mapping[str, str], admin: str | None
) -> dict[str, bool]:
    """Migrate in the enterprise's own database; whether each was behind. With `admin`, schemas and roles first."""
    if admin:
        passwords = {name: make_url(url).password for name, url in urls.items()}
        provision(admin, services, passwords={name: word for name, word in passwords.items() if word})
    return {name: _migrate(urls[name], name) for name in services}


def migrate_embedded(services: Sequence[str], data: Path | None) -> dict[str, bool]:
    """Migrate in a data folder's embedded database. Stop while a platform runs on it."""
    folder = DataFolder(data or default_folder())
    running = folder.running()
    if running:
        raise Stop(f"a platform runs on {folder.path} (process {running.pid}); it migrated at its start")
    folder.prepare()
    database = EmbeddedPostgres(folder.path / "database")
    admin = database.start()
    try:
        urls = provision(admin, services)
        return {name: _migrate(urls[name], name) for name in services}
    finally:
        database.stop()


def _migrate(url: str, service: str) -> bool:
    behind = pending(url, schema=schema_of(service), package=f"services.{service}")
    migrate(url, schema=schema_of(service), package=f"services.{service}")
    return behind
