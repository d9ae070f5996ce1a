"""Pages of what the gateway lists itself, by number in `?page=`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

Item = TypeVar("Item")
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page, and the numbers of its neighbours (0 for none)."""

    rows: Sequence[Item]
    number: int
    total: int
    size: int

    @property
    def before(self) -> int:
        return self.number - 1

    @property
    def after(self) -> int:
        return self.number + 1 if self.number * self.size < self.total else 0


def page(items: Sequence[Item], size: int) -> Page[Item]:
    """The page that the request asks for; the first when it asks for none or nonsense."""
    asked = request.args.get("page", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1  # noqa: PLR2004
    number = max(1, min(number, -(-len(items) // size) or 1, _MOST))
    return Page(items[(number - 1) * size : number * size], number, len(items), size)
