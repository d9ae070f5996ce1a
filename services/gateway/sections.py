"""A page is made of sections that load, fail and refresh on their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.errors import Failure, Unauthenticated
from services.gateway.problems import message_of

Content = TypeVar("Content")


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
