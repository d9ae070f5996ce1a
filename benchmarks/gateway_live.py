"""What 2,000 open pages cost one gateway process: memory for each, and how long until all have been told."""

import asyncio
import multiprocessing
import multiprocessing.connection
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from access.records import Changes, Kind, Node, Person
from access.tokens import TokenIssuer, generate_keys, load_private
from benchmarks.figures import Figure
from services.gateway.service import Gateway, Settings, build
from services.gateway.session import Session

PAGES: Final = 2_000
_ROUNDS: Final = 10
_NOBODY: Final = "127.0.0.1:1"


def _memory() -> int:
    """Bytes of this process in main memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _gateway() -> tuple[Gateway, str]:
    """A gateway that knows one person, and that person's cookie. The services are not needed to hold pages open."""
    private, public = generate_keys()
    addresses = {f"{name}_address": _NOBODY for name in ("identity", "goals", "incentives", "training")}
    settings: dict[str, Any] = {
        "verifying_keys": public,
        "component_token": "none",
        "cookie_secret": "of this benchmark only, nobody else's",
        "live_pages_per_session": "100000",
    }
    gateway = build(Settings.model_validate(settings | addresses))
    nodes = [Node("hq", "", Kind.ENTERPRISE, "HQ")]
    gateway.parts.replica.directory.update(
        Changes(1, nodes=nodes, people=[Person("p1", "hq", "P", "1", "sales")])
    )
    access, until = TokenIssuer(load_private(private)).person(
        "p1", session_id="s", lifetime=timedelta(hours=1)
    )
    session = Session(access, until, "r", datetime.now(UTC) + timedelta(hours=1), "p1", "s")
    return gateway, gateway.parts.sessions.seal(session)


def _serve(pipe: multiprocessing.connection.Connection) -> None:
    """The process under measurement: answers `memory`, and tells all pages on `tell`."""
    gateway, cookie = _gateway()
    port = gateway.start()
    # Its services do not answer here, so the feeds' own word on lateness would be in the way.
    gateway.parts.replica.stop()
    for feed in gateway.feeds:
        feed.stop()
    pipe.send((port, cookie))
    late = False
    while (asked := pipe.recv()) != "stop":
        if asked == "tell":
            # With no grants in this directory nobody may watch a topic; freshness is told to every page.
            late = not late
            gateway.hub.late("goals", is_late=late)
            pipe.send(None)
        else:
            pipe.send((_memory(), _threads(), len(gateway.hub)))
    gateway.stop(1)


async def _open(port: int, cookie: str) -> asyncio.StreamReader:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /live?watch=progress@p1 HTTP/1.1\r\nHost: x\r\nCookie: foothold={cookie}\r\n\r\n"
    writer.write(request.encode())
    await reader.readuntil(b"event: fresh\n")
    _writers.append(writer)
    return reader


_writers: Final[list[asyncio.StreamWriter]] = []


async def _measure(port: int, cookie: str, pipe: multiprocessing.connection.Connection) -> dict[str, float]:
    def ask(what: str) -> tuple[int, int, int]:
        pipe.send(what)
        found: tuple[int, int, int] = pipe.recv()
        return found

    first = [await _open(port, cookie) for _ in range(20)]
    before, threads_before, _ = ask("memory")
    readers = list(first)
    for _ in range((PAGES - len(first)) // 20):
        readers += await asyncio.gather(*(_open(port, cookie) for _ in range(20)))
    await asyncio.sleep(1)
    after, threads, held = ask("memory")
    waits = []
    for turn in range(_ROUNDS):
        word = b"event: late\n" if turn % 2 == 0 else b"event: fresh\n"
        heard = [asyncio.ensure_future(reader.readuntil(word)) for reader in readers]
        began = time.perf_counter()
        pipe.send("tell")
        pipe.recv()
        await asyncio.gather(*heard)
        waits.append(time.perf_counter() - began)
    for writer in _writers:
        writer.close()
    return {
        "held": held,
        "kib": (after - before) / (held - len(first)) / 1024,
        "mib": after / 2**20,
        "threads": threads - threads_before,
        "told": statistics.median(waits),
    }


def measure() -> Iterator[Figure]:
    """Open the pages over real sockets against a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,))
    process.start()
    port, cookie = ours.recv()
    found = asyncio.run(_measure(port, cookie, ours))
    ours.send("stop")
    process.join(20)
    yield Figure(
        "gateway",
        f"open pages held by one process, of {PAGES}",
        found["held"],
        f"{found['mib']:.0f} MiB in all, {found['kib']:.1f} KiB for each page, {found['threads']:.0f} more threads",
        at_least=PAGES,
    )
    yield Figure(
        "gateway",
        f"seconds until all {PAGES} pages have been told",
        found["told"],
        "from the signal to the last browser's socket, client and server on the same cores",
        at_most=1.0,
        bound_by="one event loop writing one small chunk for each page",
    )
