"""An open page of targets hears that probation was extended: what is asked over it ends on another day."""

import asyncio
from datetime import date

from foothold.identity.v1 import directory_pb2, feed_pb2
from google.type.date_pb2 import Date

from access import Directory
from access.wire import changes_of
from chassis.clock import FixedClock
from services.gateway.feeds import DirectoryNews
from services.gateway.live import Hub
from tests.gateway.test_live import _Browser, opened, page, run


def _told(position: int, last: date, name: str = "Lin") -> feed_pb2.Event:
    person = directory_pb2.Person(
        id="p1",
        parent_id="hq",
        name=name,
        employee_number="1",
        job_role="sales",
        status=directory_pb2.PERSON_STATUS_ACTIVE,
        probation_start=Date(year=2026, month=9, day=1),
        probation_end=Date(year=last.year, month=last.month, day=last.day),
    )
    return feed_pb2.Event(position=position, person_changed=person)


def test_an_extension_reaches_the_open_page_and_a_new_name_does_not_touch_its_targets() -> None:
    async def scene(hub: Hub, _clock: FixedClock) -> None:
        directory = Directory()
        news = DirectoryNews(hub, directory)

        def hear(event: feed_pb2.Event) -> None:
            news.take([event], lambda: directory.update(changes_of([event])))

        root = directory_pb2.Node(id="hq", kind=directory_pb2.NODE_KIND_ENTERPRISE, name="hq")
        hear(feed_pb2.Event(position=1, node_changed=root))
        hear(_told(2, date(2026, 11, 30)))
        # The page is told again a while after each change.
        await asyncio.sleep(2.5)
        browser = _Browser()
        await opened(hub, browser, page(("progress", "p1")))
        hear(_told(3, date(2026, 11, 30), "Lin Lin"))
        await asyncio.sleep(0.2)
        assert "progress" not in browser.text
        hear(_told(4, date(2026, 12, 31), "Lin Lin"))
        await asyncio.sleep(0.2)
        assert "event: changed\ndata: progress\n" in browser.text

    run(scene)
