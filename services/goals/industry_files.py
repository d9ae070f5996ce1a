"""The industries that ship with the service: a TOML document each, in `industries/`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from services.goals.domain.industries import Industry
from services.goals.wire.industry_documents import read_document

FOLDER: Final = Path(__file__).parent / "industries"


@cache
def shipped() -> Mapping[str, Industry]:
    """By id. ValueError with the file and the places where one of them is not sound."""
    found: dict[str, Industry] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        read = read_document(path.read_text("utf-8"))
        if isinstance(read, Industry) and read.id == path.stem:
            found[read.id] = read
        else:
            raise ValueError(f"{path.name} is not sound: {read}")
    return MappingProxyType(found)
