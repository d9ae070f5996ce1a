"""Nothing lost, nothing doubled, dense, in order: whatever commits when, and whoever dies."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from chassis.database import Database, provision, schema_of
from chassis.embedded import EmbeddedPostgres
from chassis.errors import ResourceExhausted, Unavailable
from chassis.feed import (
    FeedReader,
    Follower,
    NewEvent,
    Page,
    Sequencer,
    StoredEvent,
    batch_outbox,
    create_cursors,
    create_outbox,
    publish,
    read_events,
)
from tests.conftest import ServiceDatabase


def _event(number: int, subject: str = "oven") -> NewEvent:
    return NewEvent("baked", subject, str(number).encode())


def _publish(database: Database, *numbers: int, subject: str = "oven") -> None:
    with database.begin() as connection:
        publish(connection, [_event(number, subject) for number in numbers])


def _all(database: Database) -> list[StoredEvent]:
    with database.read() as connection:
        return read_events(connection, after=0, limit=1_000_000)


def _fetch(reader: FeedReader, page_size: int = 100) -> Callable[[int, float], Page[StoredEvent]]:
    def fetch(after: int, wait: float) -> Page[StoredEvent]:
        page = reader.page(after=after, wait=wait, page_size=page_size)
        return Page([(event.position, event) for event in page.events], page.head)

    return fetch


def _bake(connection: Connection, events: Sequence[StoredEvent]) -> None:
    for event in events:
        connection.execute(
            text("INSERT INTO loaves VALUES (:position, :kind, :payload)"),
            {"position": event.position, "kind": event.kind, "payload": event.payload},
        )


def _eventually(truth: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < until, "did not become true in time"
        time.sleep(0.01)


def test_events_get_dense_positions_in_the_order_they_were_published(bakery: Database) -> None:
    sequencer = Sequencer(bakery)
    sequencer.start()
    _publish(bakery, *range(10))
    sequencer.wait_beyond(9, 5)
    sequencer.stop()
    events = _all(bakery)
    assert [event.position for event in events] == list(range(1, 11))
    assert [event.payload for event in events] == [str(number).encode() for number in range(10)]
    assert events[0].kind == "baked"
    assert events[0].subject == "oven"
    assert events[0].occurred_at.tzinfo is not None


def test_an_event_whose_transaction_commits_late_is_not_passed_by(bakery: Database) -> None:
    sequencer = Sequencer(bakery)
    sequencer.start()
    with bakery.begin() as early:
        publish(early, [_event(1, "a")])
        _publish(bakery, 2, subject="b")
        sequencer.wait_beyond(0, 5)
        assert sequencer.head == 1
    sequencer.wait_beyond(1, 5)
    sequencer.stop()
    assert [(event.position, event.subject) for event in _all(bakery)] == [(1, "b"), (2, "a")]


def test_what_is_rolled_back_was_never_there_and_leaves_no_gap(bakery: Database) -> None:
    sequencer = Sequencer(bakery)
    sequencer.start()

    def burn() -> None:
        with bakery.begin() as connection:
            publish(connection, [_event(1)])
            raise RuntimeError("burnt")

    with pytest.raises(RuntimeError, match="burnt"):
        burn()
    _publish(bakery, 2)
    sequencer.wait_beyond(0, 5)
    sequencer.stop()
    assert [(event.position, event.payload) for event in _all(bakery)] == [(1, b"2")]


def test_a_commit_is_readable_within_milliseconds(bakery: Database) -> None:
    sequencer = Sequencer(bakery)
    reader = FeedReader(bakery, sequencer)
    sequencer.start()
    took = []
    for number in range(20):
        _publish(bakery, number)
        committed = time.perf_counter()
        page = reader.page(after=number, wait=5)
        took.append(time.perf_counter() - committed)
        assert [event.payload for event in page.events] == [str(number).encode()]
    sequencer.stop()
    assert sorted(took)[10] < 0.03


@pytest.mark.parametrize("replicas", [1, 3])
def test_many_writers_and_sequencers_at_once_leave_one_dense_order(bakery: Database, replicas: int) -> None:
    with bakery.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS subjects (name text PRIMARY KEY, counter int)"))
        connection.execute(text("INSERT INTO subjects SELECT 's' || n, 0 FROM generate_series(0, 4) n"))
    sequencers = [Sequencer(bakery) for _ in range(replicas)]
    for sequencer in sequencers:
        sequencer.start()

    def write(worker: int) -> None:
        for turn in range(60):
            subject = f"s{(worker + turn) % 5}"
            with bakery.begin() as connection:
                counter = connection.execute(
                    text("UPDATE subjects SET counter = counter + 1 WHERE name = :name RETURNING counter"),
                    {"name": subject},
                ).scalar_one()
                publish(connection, [_event(counter, subject)])

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(5)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for sequencer in sequencers:
        sequencer.wait_beyond(299, 10)
        sequencer.stop()
    with bakery.begin() as connection:
        connection.execute(text("DROP TABLE subjects"))
    events = _all(bakery)
    assert [event.position for event in events] == list(range(1, 301))
    for subject in {event.subject for event in events}:
        told = [int(event.payload) for event in events if event.subject == subject]
        assert told == list(range(1, 61))


def test_another_replica_takes_over_when_a_sequencing_process_is_killed(
    bakery: Database, database_for: Callable[[str], ServiceDatabase]
) -> None:
    url = database_for("bakery").url
    program = textwrap.dedent(f"""
        import time
        from chassis.database import Database
        from chassis.feed import NewEvent, Sequencer, publish
        database = Database({url!r}, schema={bakery.schema!r})
        Sequencer(database).start()
        for number in range(1_000_000):
            with database.begin() as connection:
                publish(connection, [NewEvent("baked", "oven", b"%d" % number)])
            if number == 20:
                print("running", flush=True)
    """)
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.05)
            os.kill(process.pid, signal.SIGKILL)
    sequencer = Sequencer(bakery)
    sequencer.start()
    with bakery.read() as connection:
        committed = connection.execute(text("SELECT count(*) FROM outbox_event")).scalar_one()
    sequencer.wait_beyond(committed - 1, 10)
    sequencer.stop()
    assert [event.position for event in _all(bakery)] == list(range(1, committed + 1))


def test_a_follower_applies_everything_once_though_its_effect_fails_now_and_then(bakery: Database) -> None:
    sequencer = Sequencer(bakery)
    reader = FeedReader(bakery, sequencer)
    failures = iter([False, True, False, True, True])
    told = threading.Event()

    def apply(connection: Connection, events: Sequence[StoredEvent]) -> None:
        _bake(connection, events)
        if next(failures, False):
            raise RuntimeError("the oven went cold")

    follower = Follower(
        "bakery", database=bakery, fetch=_fetch(reader, 7), apply=apply, after_commit=told.set
    )
    sequencer.start()
    follower.start()
    for number in range(0, 100, 5):
        _publish(bakery, *range(number, number + 5))
    _eventually(lambda: follower.position == 100)
    assert follower.head == 100
    _eventually(lambda: follower.error is None)
    assert follower.check() is None
    assert told.is_set()
    follower.stop()
    sequencer.stop()
    with bakery.read() as connection:
        loaves = connection.execute(text("SELECT position, payload FROM loaves ORDER BY position")).all()
    assert [tuple(loaf) for loaf in loaves] == [(n + 1, str(n).encode()) for n in range(100)]


def test_replicas_of_a_follower_share_one_cursor(bakery: Database) -> None:
    sequencer = Sequencer(bakery)
    reader = FeedReader(bakery, sequencer)
    sequencer.start()
    followers = [Follower("bakery", database=bakery, fetch=_fetch(reader, 3), apply=_bake) for _ in range(3)]
    with ExitStack() as stack:
        for follower in followers:
            follower.start()
            stack.callback(follower.stop)
        for number in range(60):
            _publish(bakery, number)
        _eventually(lambda: all(follower.position == 60 for follower in followers))
    sequencer.stop()
    with bakery.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM loaves")).scalar_one() == 60


def test_a_follower_goes_on_where_it_stopped_and_refuses_a_gap(bakery: Database) -> None:
    _serve = [(1, b"a"), (2, b"b"), (4, b"d")]
    seen: list[bytes] = []

    def fetch(after: int, _wait: float) -> Page[bytes]:
        return Page([(position, event) for position, event in _serve if position > after][:1], 4)

    def apply(_connection: Connection, events: Sequence[bytes]) -> None:
        seen.extend(events)

    follower = Follower("gappy", database=bakery, fetch=fetch, apply=apply)
    follower.start()
    _eventually(lambda: follower.error == "GapError")
    follower.stop()
    assert seen == [b"a", b"b"]
    _serve.insert(2, (3, b"c"))
    again = Follower("gappy", database=bakery, fetch=fetch, apply=apply)
    again.start()
    _eventually(lambda: again.position == 4)
    again.stop()
    assert seen == [b"a", b"b", b"c", b"d"]


def test_only_so_many_callers_may_wait(bakery: Database) -> None:
    sequencer = Sequencer(bakery)
    reader = FeedReader(bakery, sequencer, waiters=2)
    sequencer.start()
    waiting = [threading.Thread(target=reader.page, kwargs={"after": 0, "wait": 20}) for _ in range(2)]
    for thread in waiting:
        thread.start()
    _eventually(lambda: reader.waiting == 2)
    with pytest.raises(ResourceExhausted) as refused:
        reader.page(after=0, wait=20)
    assert refused.value.reason == "TOO_MANY_WAITERS"
    assert reader.page(after=0).events == []
    sequencer.stop()
    for thread in waiting:
        thread.join(5)
        assert not thread.is_alive()


def _create_tables(database: Database) -> None:
    with database.begin() as connection:
        op = Operations(MigrationContext.configure(connection))
        create_outbox(op)
        batch_outbox(op)
        create_cursors(op)
        connection.execute(
            text("CREATE TABLE loaves (position bigint PRIMARY KEY, kind text, payload bytea)")
        )


def test_nothing_is_lost_or_doubled_while_postgres_is_killed_again_and_again(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    url = provision(server.start(), ["bakery"])["bakery"]
    database = Database(url, schema=schema_of("bakery"))
    _create_tables(database)
    sequencer = Sequencer(database)
    follower = Follower(
        "bakery", database=database, fetch=_fetch(FeedReader(database, sequencer)), apply=_bake
    )
    sequencer.start()
    follower.start()
    acknowledged: list[int] = []
    done = threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            number += 1
            try:
                _publish(database, number)
            except (OperationalError, Unavailable):
                # Whether it was committed is not known; only what was acknowledged is promised.
                time.sleep(0.02)
            else:
                acknowledged.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(4):
        before = len(acknowledged)
        _eventually(lambda before=before: len(acknowledged) > before + 20)  # type: ignore[misc]  # mypy cannot infer a default's type
        killed = server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        _eventually(lambda killed=killed: server.pid != killed)  # type: ignore[misc]  # as above
    done.set()
    writer.join()
    _eventually(lambda: database.check() is None)
    with database.read() as connection:
        committed = connection.execute(text("SELECT count(*) FROM outbox_event")).scalar_one()
    _eventually(lambda: follower.position == committed == sequencer.head)
    events = _all(database)
    follower.stop()
    sequencer.stop()
    with database.read() as connection:
        loaves = connection.execute(text("SELECT position, payload FROM loaves ORDER BY position")).all()
    database.close()
    server.stop()
    numbers = [int(event.payload) for event in events]
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert numbers == sorted(set(numbers))
    assert set(acknowledged) <= set(numbers)
    assert [tuple(loaf) for loaf in loaves] == [(event.position, event.payload) for event in events]


def _told(database: Database) -> list[tuple[int, str, bytes]]:
    return [(event.position, event.subject, event.payload) for event in _all(database)]


@pytest.mark.parametrize("seed", range(3))
def test_pages_of_any_size_hold_every_event_once_whatever_was_published_together(
    bakery: Database, seed: int
) -> None:
    chance = random.Random(seed)
    numbers = iter(range(10_000))
    for _ in range(12):
        with bakery.begin() as connection:
            # Some transactions publish more than once, some nothing.
            for _ in range(chance.randint(0, 3)):
                publish(connection, [_event(next(numbers)) for _ in range(chance.choice((0, 1, 2, 9, 40)))])
    sequencer = Sequencer(bakery)
    sequencer.start()
    everything = next(numbers)
    sequencer.wait_beyond(everything - 1, 10)
    sequencer.stop()
    for size in (1, 2, 7, 39, 40, 41, 1_000):
        found: list[StoredEvent] = []
        with bakery.read() as connection:
            while page := read_events(connection, after=found[-1].position if found else 0, limit=size):
                assert len(page) <= size
                found += page
        assert [event.position for event in found] == list(range(1, everything + 1))
        assert [int(event.payload) for event in found] == list(range(everything))


def test_events_of_the_release_before_keep_their_positions_and_its_writers_are_still_heard(
    database_for: Callable[[str], ServiceDatabase],
) -> None:
    database = database_for("pantry").database
    write = text("INSERT INTO outbox (kind, subject, payload) VALUES ('baked', :subject, :payload)")
    with database.begin() as connection:
        op = Operations(MigrationContext.configure(connection))
        create_outbox(op)
        for number in range(6):
            connection.execute(write, {"subject": "oven", "payload": b"%d" % number})
        # As thinned out: 1 and 3 are gone; the last two have no position yet.
        connection.execute(text("UPDATE outbox SET position = id WHERE id <= 4"))
        connection.execute(text("UPDATE outbox_head SET position = 4, floor = 3"))
        connection.execute(text("DELETE FROM outbox WHERE id IN (1, 3)"))
    with database.begin() as connection:
        batch_outbox(Operations(MigrationContext.configure(connection)))
    before = [(2, "oven", b"1"), (4, "oven", b"3"), (5, "oven", b"4"), (6, "oven", b"5")]
    assert _told(database) == before
    with database.begin() as connection:
        connection.execute(write, {"subject": "old", "payload": b"6"})
    _publish(database, 7, subject="new")
    sequencer = Sequencer(database)
    sequencer.start()
    sequencer.wait_beyond(7, 10)
    sequencer.stop()
    assert _told(database) == [*before, (7, "old", b"6"), (8, "new", b"7")]
    with database.read() as connection:
        rows = connection.execute(
            text(
                "SELECT position, subject, payload FROM outbox WHERE position > 2 ORDER BY position LIMIT 500"
            )
        )
        assert [tuple(row) for row in rows] == _told(database)[1:]
        assert not connection.execute(
            text("SELECT EXISTS (SELECT 1 FROM outbox WHERE position IS NULL)")
        ).scalar_one()
