"""From a fact answered by goals to the changed number fetched by an open page, with thirty people signed in."""

import re
import time
from collections.abc import Iterator
from typing import Final

from benchmarks.figures import Figure, seconds
from benchmarks.system_stage import Crm, platform
from launcher.demo.accounts import PASSWORD
from tests.journeys.browsing import LivePages, Visitor, followed, lines

_SIGNED_IN: Final = 30
_EVENTS: Final = 100
_PROMISED_SECONDS: Final = 2.0
_WATCHED: Final = "zhou.yutong"
_DONE: Final = re.compile(r'data-key="customers_followed[^"]*-done"[^>]*>([^<]*)<')


def measure() -> Iterator[Figure]:
    """A new customer followed up by one of thirty; then until the section told to have changed shows one more."""
    with platform() as running:
        others = [each.login for each in LivePages.newcomers(running) if each.login not in {"", _WATCHED}]
        crm = Crm(running)
        visitor = Visitor(running.web)
        visitor.sign_in(_WATCHED, PASSWORD)
        with LivePages(running, others[: _SIGNED_IN - 1], PASSWORD) as pages:
            connection = visitor.listen()
            told = lines(connection.getresponse())
            waits = sorted(_wait(crm, visitor, told) for _ in range(_EVENTS))
            connection.close()
            signed_in = len(pages)
        fetch = sorted(seconds(lambda: visitor.ask("GET", "/today/targets")) for _ in range(_EVENTS))
    p95, median = waits[_EVENTS * 95 // 100], waits[_EVENTS // 2]
    yield Figure(
        "system",
        "from a fact recorded to the number on an open page, p95, in units of the two seconds promised",
        p95 / _PROMISED_SECONDS,
        f"{p95 * 1e3:.0f} ms, the median {median * 1e3:.0f}, with {signed_in} signed in;"
        f" fetching the section alone takes {fetch[_EVENTS // 2] * 1e3:.0f} ms",
        at_most=1,
        bound_by="two feeds, each read as soon as its sequencer has told it, and the section fetched",
    )


def _wait(crm: Crm, visitor: Visitor, told: Iterator[str]) -> float:
    """Seconds from the answer of RecordFact until the page has the number."""
    expected = _shown(visitor) + 1
    crm.follow_up(_WATCHED.replace(".", "-"))
    answered = time.perf_counter()
    while not (_tells_of_progress(next(told)) and _shown(visitor) == expected):
        pass
    return time.perf_counter() - answered


def _tells_of_progress(line: str) -> bool:
    return line.startswith("data: ") and "progress" in line.split()


def _shown(visitor: Visitor) -> int:
    found = _DONE.search(visitor.ask("GET", "/today/targets"))
    assert found
    return followed(found[1])
