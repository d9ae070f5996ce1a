"""`foothold migrate`: schemas, roles and tables, in the embedded or in the enterprise's own database."""

import os
from pathlib import Path
from typing import Final

import click

from launcher import options
from launcher.exits import Exit, Stop, told

_ADMIN: Final = "FOOTHOLD_ADMIN_DATABASE_URL"
_SERVICES: Final = ("identity", "goals", "training", "incentives")


@click.command()
@click.option(
    "--target",
    "targets",
    type=click.Choice(_SERVICES),
    multiple=True,
    help="Only this service; may be given more than once. Default: all four.",
)
@options.data
@told
def migrate(targets: tuple[str, ...], data: Path | None) -> None:
    """Create or upgrade the databases; nothing to do is fine, and two at once wait for each other.

    \b
    Which database:
      FOOTHOLD_<SERVICE>_DATABASE_URL  a service's own role, e.g. FOOTHOLD_GOALS_DATABASE_URL; its schema is
                                       migrated. This is what the chart's Job uses.
      FOOTHOLD_ADMIN_DATABASE_URL      besides those, an administrator: schemas and roles are created first, with
                                       the passwords of the service URLs
      neither                          the embedded database in the data folder
    Exit codes: 0 up to date; 1 a migration failed; 2 wrong usage; 3 the database cannot be reached.
    """  # noqa: D301
    from launcher.databases import migrate_embedded, migrate_external, service_urls

    chosen = targets or _SERVICES
    urls = service_urls(os.environ)
    admin = os.environ.get(_ADMIN)
    if admin or urls:
        missing = [name for name in chosen if name not in urls]
        if missing:
            named = ", ".join(f"FOOTHOLD_{name.upper()}_DATABASE_URL" for name in missing)
            raise Stop(f"{named} is not set", Exit.USAGE)
        done = migrate_external(chosen, urls=urls, admin=admin)
    else:
        done = migrate_embedded(chosen, data)
    for name, changed in done.items():
        click.echo(f"{name}: {'upgraded' if changed else 'up to date'}")
