"""Open pages: told what concerns them, little at a time, and closed with their session."""

import asyncio
import http.client
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pytest
from flask.testing import FlaskClient

from access import Directory
from chassis.clock import FixedClock
from services.gateway.live import Hub, Page
from services.gateway.service import Gateway

_NOW: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)


class _Browser:
    """The other end of one open page: what it was sent, and whether it has gone away."""

    def __init__(self) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.gone = asyncio.Event()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    async def receive(self) -> MutableMapping[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()


def page(
    *watches: tuple[str, str], until: datetime = _NOW + timedelta(hours=1), session_id: str = "s1"
) -> Page:
    return Page(frozenset(watches), "p1", session_id, until, lambda _watch: True)


def run(scene: Callable[[Hub, FixedClock], Any], *, limit: int = 10, per_session: int = 10) -> None:
    async def play() -> None:
        clock = FixedClock(_NOW)
        hub = Hub(Directory(), limit=limit, per_session=per_session, clock=clock)
        sweeping = asyncio.ensure_future(hub.sweep())
        await asyncio.sleep(0)
        try:
            await asyncio.wait_for(scene(hub, clock), 20)
        finally:
            sweeping.cancel()

    asyncio.run(play())


async def opened(hub: Hub, browser: _Browser, one: Page, last: str = "") -> "asyncio.Task[None]":
    task = asyncio.ensure_future(hub.serve(one, last, browser.receive, browser.send))
    await asyncio.sleep(0.1)
    return task


def test_a_page_is_told_of_what_it_watches_and_nothing_else() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        mine, other = _Browser(), _Browser()
        await opened(hub, mine, page(("progress", "p1")))
        await opened(hub, other, page(("progress", "p2")))
        hub.tell([("progress", "p1"), ("team", "d1")])
        await asyncio.sleep(0.1)
        assert "event: changed\ndata: progress\n" in mine.text
        assert "changed" not in other.text

    run(scene)


def test_what_many_events_touch_is_told_at_most_once_a_second() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        browser = _Browser()
        await opened(hub, browser, page(("boards", "hq"), ("progress", "p1")))
        for _ in range(30):
            hub.tell([("boards", "hq"), ("progress", "p1")])
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.2)
        told = browser.text.count("boards")
        assert 2 <= told <= 4
        assert browser.text.count("progress") > told

    run(scene)


def test_a_slow_page_holds_a_set_of_topics_and_never_a_queue() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        stuck = asyncio.Event()
        browser = _Browser()

        async def slowly(message: MutableMapping[str, Any]) -> None:
            browser.sent.append(message)
            if message.get("body"):
                await stuck.wait()

        one = page(("progress", "p1"), ("statement", "p1"))
        asyncio.ensure_future(hub.serve(one, "", browser.receive, slowly))  # noqa: RUF006  ends with the loop
        await asyncio.sleep(0.1)
        for _ in range(10_000):
            hub.tell([("progress", "p1"), ("statement", "p1")])
        await asyncio.sleep(0.2)
        assert one.pending == {"progress", "statement"}
        assert len(one.lines) < 3
        stuck.set()

    run(scene)


def test_a_page_closes_when_its_session_is_over() -> None:
    async def scene(hub: Hub, clock: FixedClock) -> None:
        browser = _Browser()
        task = await opened(hub, browser, page(("progress", "p1")))
        clock.set(_NOW + timedelta(hours=2))
        await asyncio.wait_for(task, 3)
        assert "event: ended" in browser.text
        assert len(hub) == 0

    run(scene)


def test_a_page_that_is_closed_by_its_reader_is_forgotten() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        browser = _Browser()
        task = await opened(hub, browser, page(("progress", "p1")))
        browser.gone.set()
        await asyncio.wait_for(task, 3)
        assert len(hub) == 0

    run(scene)


def test_a_page_that_was_away_is_told_to_fetch_everything_again() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        back, new = _Browser(), _Browser()
        await opened(hub, back, page(("progress", "p1"), ("statement", "p1")), last="another-7")
        await opened(hub, new, page(("progress", "p1")))
        assert "data: progress statement" in back.text
        assert "changed" not in new.text

    run(scene)


def test_beyond_the_limit_a_page_is_told_to_come_again() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        await opened(hub, _Browser(), page(("progress", "p1")))
        refused = _Browser()
        await opened(hub, refused, page(("progress", "p1")))
        assert refused.sent[0]["status"] == 503
        assert "retry:" in refused.text

    run(scene, limit=1)


def test_one_session_may_not_hold_all_pages_and_gets_a_place_back_when_it_closes_one() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        kept = [_Browser() for _ in range(2)]
        tasks = [await opened(hub, browser, page(("progress", "p1"))) for browser in kept]
        refused = _Browser()
        await opened(hub, refused, page(("progress", "p1")))
        assert refused.sent[0]["status"] == 429
        assert orjson.loads(refused.text)["type"] == "urn:foothold:problem:too-many-pages"
        other = _Browser()
        await opened(hub, other, page(("progress", "p1"), session_id="s2"))
        assert other.sent[0]["status"] == 200
        kept[0].gone.set()
        await asyncio.wait_for(tasks[0], 3)
        again = _Browser()
        await opened(hub, again, page(("progress", "p1")))
        assert again.sent[0]["status"] == 200

    run(scene, per_session=2)


def test_late_feeds_are_told_once_until_they_are_back() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        browser = _Browser()
        await opened(hub, browser, page(("progress", "p1")))
        hub.late("goals", is_late=True)
        hub.late("incentives", is_late=True)
        hub.late("goals", is_late=False)
        await asyncio.sleep(0.1)
        assert browser.text.count("event: late") == 1
        hub.late("incentives", is_late=False)
        await asyncio.sleep(0.1)
        assert browser.text.count("event: fresh") == 2  # when it opened, and now

    run(scene)


@pytest.mark.parametrize("cookie", ["", "foothold=nonsense", "foothold="])
def test_without_a_session_the_stream_says_do_not_ask_again(gateway: Gateway, cookie: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request("GET", "/live?watch=progress@x", headers={"Cookie": cookie} if cookie else {})
    assert connection.getresponse().status == 204
    connection.close()


def test_nobody_listens_to_what_they_may_not_see(
    gateway: Gateway, as_login: Callable[..., FlaskClient]
) -> None:
    client = as_login("zhou.yutong")
    cookie = client.get_cookie("foothold")
    assert cookie
    people = {person.name: person.id for person in gateway.parts.replica.directory.people()}
    me, other = people["周雨桐"], people["林子涵"]
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    watch = f"progress@{me},progress@{other},statement@{other},nonsense@{me},progress@nobody"
    connection.request("GET", f"/live?watch={watch}", headers={"Cookie": f"foothold={cookie.value}"})
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.readline().startswith(b"retry:")
    watched = {watch for page in tuple(gateway.hub._pages) for watch in page.watches if page.person_id == me}
    assert watched == {("progress", me)}
    answer.close()
    connection.close()
