"""Time that goes by, for what a service keeps for so long and no longer."""

import time

from sqlalchemy import text

from chassis.database import Database
from chassis.housekeeping import Housekeeping
from chassis.server import Server


def numbered(database: Database) -> None:
    """Wait until everything published has its position."""
    until = time.monotonic() + 15
    while True:
        with database.read() as connection:
            waiting = connection.execute(
                text("SELECT EXISTS (SELECT FROM outbox_batch WHERE first_position IS NULL)")
            )
            if not waiting.scalar_one():
                return
        assert time.monotonic() < until, "not everything got a position in time"
        time.sleep(0.005)


def grow_old(database: Database, server: Server) -> None:
    """Forty days go by since everything that was published, and the service's housekeeping does its round."""
    numbered(database)
    with database.begin() as connection:
        connection.execute(text("UPDATE outbox_event SET occurred_at = occurred_at - interval '40 days'"))
    (housekeeping,) = (each for each in server._service.background if isinstance(each, Housekeeping))
    housekeeping.tidy()
