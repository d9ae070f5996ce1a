"""What is wrong with an industry's document, in the reader's language, by the place where it stands."""

import re
from collections.abc import Mapping
from typing import Final

from services.gateway.faults import fault
from services.gateway.language import _, later

_PLAIN: Final[Mapping[str, str]] = {
    "is missing": later("is missing"),
    "is not known here": later("is not known here"),
    "is nested too deeply": later("is nested too deeply"),
    "must be a text in quotes": later("must be a text in quotes"),
    "must be a table": later("must be a table"),
    "must be a list of texts": later("must be a list of texts"),
    "must be a number such as 20, 12.5 % or 2/25": later(
        "must be a number such as 20 or 2/25, rates also in percent"
    ),
    "must be a built-in metric or one of this document": later(
        "must be a built-in metric or one of this document"
    ),
    "is the name of a built-in metric": later("is the name of a built-in metric"),
    "stands here twice": later("stands here twice"),
    "has a target for this kind of period already": later("has a target for this kind of period already"),
    "a source needs a year, and a year a source": later("a source needs a year, and a year a source"),
    "must be source where there is one, else sample": later("must be source where there is one, else sample"),
    "is taken by an industry that ships with Foothold; choose another one": later(
        "is taken by an industry that ships with Foothold; choose another one"
    ),
    "must hold at least one": later("must hold at least one"),
    "a rate is at most 1": later("a rate is at most 1"),
}
_NO_TOML: Final = re.compile(r"is no TOML: .*?(?:\(at line (\d+), column (\d+)\))?", re.DOTALL)
_ONE_OF: Final = re.compile(r"must be (?:one )?of (.+)")
_BYTES: Final = re.compile(r"must be at most (\d+) bytes")


def document_faults(fields: Mapping[str, str]) -> dict[str, str]:
    """The findings by their place in the document; the place "" is the whole of it."""
    return {name.removeprefix("document").lstrip("."): _fault(why) for name, why in fields.items()}


def _fault(text: str) -> str:
    if text in _PLAIN:
        return str(_PLAIN[text])
    if found := _NO_TOML.fullmatch(text):
        if found[1]:
            return _("This is no TOML at line %(line)s, column %(column)s.", line=found[1], column=found[2])
        return _("This is no TOML.")
    if found := _ONE_OF.fullmatch(text):
        return _("must be one of %(choices)s", choices=found[1])
    if found := _BYTES.fullmatch(text):
        return _("At most %(most)s KiB, please.", most=int(found[1]) // 1024)
    return fault(text)
