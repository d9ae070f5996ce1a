"""A page is made of sections that load, fail and refresh on their own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from chassis.errors import Failure, Unauthenticated
from services.gateway.problems import message_of

Content = TypeVar("Content")
# Threads that wait for services; none of their work waits for another of them.
_AT_ONCE: Final = ThreadPoolExecutor(24, thread_name_prefix="section")


@dataclass(frozen=True, slots=True)
class Section(Generic[Content]):
    """What a section shows; or, where it could not be loaded, why not, in words."""

    content: Content | None
    trouble: str = ""

    @property
    def ok(self) -> bool:
        return self.content is not None


def section(load: Callable[[], Content]) -> Section[Content]:
    """Load a section. A refusal is told in its place; the rest of the page stands. A lost session is not caught."""
    try:
        return Section(load())
    except Unauthenticated:
        raise
    except Failure as failure:
        return Section(None, message_of(failure))


def at_once(loads: Iterable[Callable[[], Content]]) -> list[Content]:
    """What each of them loads, for the same request and reader: a page waits for the slowest, not for the sum."""
    asked = list(loads)
    running = [_AT_ONCE.submit(copy_context().run, load) for load in asked[1:]]
    return [*(load() for load in asked[:1]), *(each.result() for each in running)]
