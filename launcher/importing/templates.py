"""Templates of mapping files: text with {column} in it, optionally {column|slug}."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

_HOLE: Final = re.compile(r"\{([^{}|]+)(?:\|(slug|lower|upper))?\}")
_SHORT: Final = 12


def columns_of(template: str) -> list[str]:
    """The columns a template names."""
    return [hole.group(1) for hole in _HOLE.finditer(template)]


def fill(template: str, cells: Mapping[str, str]) -> str:
    """The template with its columns' cells put in."""

    def put(hole: "re.Match[str]") -> str:
        cell = cells[hole.group(1)]
        match hole.group(2):
            case "slug":
                return slug(cell)
            case "lower":
                return cell.lower()
            case "upper":
                return cell.upper()
            case _:
                return cell

    return _HOLE.sub(put, template)


@cache
def slug(text: str) -> str:
    """Lower-case letters, digits and hyphens, as ids need; other scripts become a short hash."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50]
    if found and len(plain) >= len(text.strip()) // 2:
        return found
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT]
