"""A feed's old past is thinned out: whoever reads it, from wherever, whoever dies, ends in the same state."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from chassis.database import Database
from chassis.errors import OutOfRange
from chassis.feed import Compaction, FeedReader, Follower, NewEvent, Page, Sequencer, StoredEvent, publish
from chassis.housekeeping import Housekeeping
from tests.conftest import ServiceDatabase

_KEPT = timedelta(days=30)


def states_of(event: StoredEvent) -> Sequence[str] | None:
    """`shelves`: which shelves are full of what; `opened`: for good; `steam`: soon gone."""
    if event.kind == "shelves":
        return [shelf.partition("=")[0] for shelf in event.payload.decode().split(",")]
    return None if event.kind == "opened" else ()


def tidy(database: Database, batch: int = 2_000) -> None:
    Housekeeping(database, [Compaction(states_of, kept=_KEPT, batch=batch)]).tidy()


def tell(database: Database, *events: NewEvent) -> None:
    sequencer = Sequencer(database)
    with database.read() as connection:
        head = connection.execute(text("SELECT position FROM outbox_head")).scalar_one()
    sequencer.start()
    chance, left = random.Random(len(events)), list(events)
    while left:
        together = chance.choice((1, 1, 3, 20))
        with database.begin() as connection:
            publish(connection, left[:together])
        del left[:together]
    sequencer.wait_beyond(head + len(events) - 1, 10)
    sequencer.stop()


def age(database: Database, days: int, upto: int = 10**9) -> None:
    """As if so much time had passed."""
    with database.begin() as connection:
        connection.execute(
            text(
                "UPDATE outbox_event SET occurred_at = occurred_at - :by FROM outbox_batch"
                " WHERE id = batch_id AND first_position + ordinal <= :upto"
            ),
            {"by": timedelta(days=days), "upto": upto},
        )


def read(database: Database, after: int, size: int, *, compacted: bool = True) -> Page[StoredEvent]:
    page = FeedReader(database, Sequencer(database)).page(after=after, page_size=size, compacted=compacted)
    return Page([(event.position, event) for event in page.events], page.head, page.floor)


def state_of(events: Sequence[StoredEvent], state: dict[str, str] | None = None) -> dict[str, str]:
    state = {} if state is None else state
    for event in events:
        for shelf in event.payload.decode().split(",") if event.kind == "shelves" else ():
            state[f"{event.subject}/{shelf.partition('=')[0]}"] = shelf.partition("=")[2]
    return state


def opened(events: Sequence[StoredEvent]) -> list[int]:
    return [event.position for event in events if event.kind == "opened"]


def everything(database: Database, size: int = 100) -> list[StoredEvent]:
    found: list[StoredEvent] = []
    while page := read(database, found[-1].position if found else 0, size).events:
        found += [event for _, event in page]
    return found


def stream(chance: random.Random, length: int) -> list[NewEvent]:
    events = []
    for number in range(length):
        kind = chance.choice(["shelves"] * 6 + ["opened", "steam"])
        shelves = chance.sample("abcd", chance.randint(1, 3))
        payload = ",".join(f"{shelf}={number}" for shelf in shelves) if kind == "shelves" else str(number)
        events.append(NewEvent(kind, chance.choice(["north", "south"]), payload.encode()))
    return events


@pytest.mark.parametrize("seed", range(4))
def test_in_whatever_pieces_a_fresh_reader_ends_in_the_state_of_the_whole_feed(
    bakery: Database, seed: int
) -> None:
    chance = random.Random(seed)
    told: list[StoredEvent] = []
    left: list[StoredEvent] = []
    for _ in range(4):
        tell(bakery, *stream(chance, chance.randint(5, 40)))
        told += [event for event in everything(bakery) if event.position > (told[-1].position if told else 0)]
        age(bakery, 40, upto=told[-1].position - chance.randint(0, 10))
        tidy(bakery, batch=chance.randint(1, 30))
        left = everything(bakery, chance.randint(1, 50))
        assert state_of(left) == state_of(told)
        assert opened(left) == opened(told)
        # Whoever stopped somewhere in between ends there as well.
        stopped = chance.randint(0, len(told))
        rest = [event for event in left if event.position > (told[stopped - 1].position if stopped else 0)]
        assert state_of(rest, state_of(told[:stopped])) == state_of(told)
    floor = read(bakery, 0, 1).floor
    young = [event.position for event in left if event.position > floor]
    assert young == list(range(floor + 1, told[-1].position + 1))
    old = [event for event in left if event.position <= floor and event.kind == "shelves"]
    # Two subjects with four shelves: never more than one event each, however many there were.
    assert len(old) <= 8


def test_what_is_young_stays_whole_and_so_does_the_newest_event(bakery: Database) -> None:
    steam = [NewEvent("steam", "oven", b"") for _ in range(6)]
    tell(bakery, *steam)
    tidy(bakery)
    assert [event.position for event in everything(bakery)] == [1, 2, 3, 4, 5, 6]
    age(bakery, 31)
    tidy(bakery)
    assert [event.position for event in everything(bakery)] == [6]
    tell(bakery, *steam[:1])
    assert [event.position for event in everything(bakery)] == [6, 7]


def test_a_reader_that_wants_every_event_is_told_where_they_begin(bakery: Database) -> None:
    tell(bakery, *(NewEvent("shelves", "north", b"a=%d" % number) for number in range(9)))
    age(bakery, 31, upto=6)
    tidy(bakery)
    assert [event.position for event in everything(bakery)] == [6, 7, 8, 9]
    with pytest.raises(OutOfRange) as expired:
        read(bakery, 5, 100, compacted=False)
    assert expired.value.reason == "FEED_POSITION_EXPIRED"
    assert expired.value.metadata == {"floor": "6", "head": "9"}
    assert [position for position, _ in read(bakery, 6, 100, compacted=False).events] == [7, 8, 9]
    with pytest.raises(OutOfRange) as unknown:
        read(bakery, 10, 100)
    assert unknown.value.reason == "FEED_POSITION_UNKNOWN"


def _bake(connection: Connection, events: Sequence[StoredEvent]) -> None:
    for event in events:
        connection.execute(
            text("INSERT INTO loaves VALUES (:position, :kind, :payload)"),
            {"position": event.position, "kind": event.kind, "payload": event.payload},
        )


def test_a_follower_steps_over_what_was_thinned_out_and_over_nothing_else(bakery: Database) -> None:
    tell(bakery, *(NewEvent("shelves", "north", b"a=%d" % number) for number in range(20)))
    age(bakery, 31, upto=12)
    tidy(bakery)
    hidden = {15}

    def fetch(after: int, _wait: float) -> Page[StoredEvent]:
        page = read(bakery, after, 5)
        return Page([each for each in page.events if each[0] not in hidden], page.head, page.floor)

    def eventually(truth: Callable[[], bool]) -> None:
        until = time.monotonic() + 15
        while not truth():
            assert time.monotonic() < until
            time.sleep(0.01)

    follower = Follower("bakery", database=bakery, fetch=fetch, apply=_bake)
    follower.start()
    eventually(lambda: follower.error == "GapError")
    assert follower.position == 0
    hidden.clear()
    eventually(lambda: follower.position == 20)
    follower.stop()
    with bakery.read() as connection:
        loaves = connection.execute(text("SELECT position FROM loaves ORDER BY position")).scalars().all()
    assert loaves == list(range(12, 21))


def test_killed_in_the_middle_again_and_again_it_loses_no_state(
    bakery: Database, database_for: Callable[[str], ServiceDatabase]
) -> None:
    chance = random.Random(5)
    tell(bakery, *stream(chance, 300))
    expected = state_of(everything(bakery))
    for_good = opened(everything(bakery))
    age(bakery, 40)
    program = textwrap.dedent(f"""
        import time
        from chassis.database import Database
        from chassis.feed import Compaction
        from tests.chassis.test_compaction import _KEPT, states_of
        database = Database({database_for("bakery").url!r}, schema={bakery.schema!r})
        compaction = Compaction(states_of, kept=_KEPT, batch=7)
        print("running", flush=True)
        while True:
            with database.begin() as connection:
                compaction(connection)
                time.sleep(0.01)
            time.sleep(0.01)
    """)
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.12)
            os.kill(process.pid, signal.SIGKILL)
        assert state_of(everything(bakery)) == expected
    tidy(bakery)
    left = everything(bakery)
    assert state_of(left) == expected
    assert opened(left) == for_good
    assert len(left) <= len(for_good) + 8 + 1


def test_several_at_once_do_each_piece_once(bakery: Database) -> None:
    tell(bakery, *(NewEvent("shelves", "north", b"a=%d" % number) for number in range(10)))
    age(bakery, 40)
    compaction = Compaction(states_of, kept=_KEPT, batch=4)
    with bakery.begin() as first:
        assert compaction(first) == 4
        with bakery.begin() as second:
            assert compaction(second) == 0
    with bakery.begin() as connection:
        assert compaction(connection) == 4
