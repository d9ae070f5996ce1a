"""`foothold seed`: data to try the platform with."""

from pathlib import Path

import click

from launcher import options
from launcher.exits import told


@click.group()
def seed() -> None:
    """Fill the platform with data to try it with."""


@seed.command()
@options.reach
@told
def demo(addresses: tuple[str, ...], token: str | None, data: Path | None) -> None:
    """Make the demo enterprise 立足科技: five branches, 71 people, three months of CRM history up to today.

    The same day gives the same data; running it again adds only what has happened since. It refuses to touch
    a platform that holds another enterprise. Exit codes: 0 done; 1, 2, 3, 5 as `foothold --help` says.
    """
    from launcher.demo.accounts import PASSWORD
    from launcher.demo.seeding import seed_demo
    from launcher.reaching import reached

    with reached(addresses, token, data, say=click.echo) as platform:
        seed_demo(platform, say=click.echo)
    click.echo(f"Every account's password is {PASSWORD}")
