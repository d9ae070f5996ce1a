"""What a service finds wrong with a field, in the reader's language. Its English is the last resort."""

import re
from collections.abc import Mapping
from typing import Final

from services.gateway.language import _, later

_PLAIN: Final[Mapping[str, str]] = {
    "must not be empty": later("Fill this in, please."),
    "is taken": later("Taken already; choose another."),
    "choose another day": later("Choose another day."),
    "must be another course": later("Choose another course."),
    "must be a remedial course": later("Choose a review course."),
    "must not be a remedial course": later("A review course cannot be chosen here."),
    "must be empty for a remedial course": later("A review course has none itself."),
    "must not require this course in turn: that is a circle": later(
        "The two courses would wait for each other."
    ),
    "must not be before probation_start": later("This is before probation begins."),
    "must be an IANA time zone, such as Asia/Shanghai": later("A time zone like Asia/Shanghai, please."),
}
_LENGTH: Final = re.compile(r"(?:must be|Required:) (\d+) to (\d+)(?: printable)? characters\.?")
_LETTERS: Final = re.compile(r"(?:must be|Required:) (?:\d+ to|at most) (\d+)(?: characters)? of (.+?)\.?")
_AT_MOST: Final = re.compile(r"must be at most (\d+) characters")
_RANGE: Final = re.compile(r"must be (?:from )?(\d+) to (\d+)")


def fault(text: str) -> str:
    """One finding of a service as a sentence."""
    if text in _PLAIN:
        return str(_PLAIN[text])
    if found := _LENGTH.fullmatch(text):
        if found[1] == "1":
            return _("Fill this in, please; at most %(most)s characters.", most=found[2])
        return _("%(least)s to %(most)s characters, please.", least=found[1], most=found[2])
    if found := _LETTERS.fullmatch(text):
        return _("Only %(letters)s, at most %(most)s of them.", letters=found[2], most=found[1])
    if found := _AT_MOST.fullmatch(text):
        return _("At most %(most)s characters, please.", most=found[1])
    if found := _RANGE.fullmatch(text):
        return _("A number from %(least)s to %(most)s, please.", least=found[1], most=found[2])
    return text


def faults(fields: Mapping[str, str]) -> dict[str, str]:
    """The findings of a refusal by field, as sentences."""
    return {name: fault(why) for name, why in fields.items()}
