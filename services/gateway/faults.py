"""What a service finds wrong with a field, in the reader's language. Its English is the last resort."""

import re
from collections.abc import Mapping
from typing import Final

from services.gateway.language import _, later

_PLAIN: Final[Mapping[str, str]] = {
    "must not be empty": later("Fill this in, please."),
    "must be one of the documented values": later("Choose one of the list."),
    "must be empty for that situation": later("Leave this empty: it is about no target."),
    "must be the enterprise or a branch": later("Choose the enterprise or a branch."),
    "is taken": later("Taken already; choose another."),
    "choose another day": later("Choose another day."),
    "must be another course": later("Choose another course."),
    "must be a remedial course": later("Choose a review course."),
    "must not be a remedial course": later("A review course cannot be chosen here."),
    "must be empty for a remedial course": later("A review course has none itself."),
    "must not require this course in turn: that is a circle": later(
        "The two courses would wait for each other."
    ),
    "must be a Saturday that is worked": later("Choose a Saturday that is worked."),
    "a shift pattern needs the day it begins on": later("A day like 2026-11-23, please."),
    "must have at least one day that is worked": later("At least one day must be worked."),
    "must be 1 to 60 characters, 1 for a day worked and 0 for one off": later(
        "1 for a day worked, 0 for one off, at most 60 of them."
    ),
    "no day may come twice": later("A day comes twice."),
    "the public calendar knows that year; enter what differs from it": later(
        "The public calendar knows that year. Enter the days that differ from it."
    ),
    "must not be before probation_start": later("This is before probation begins."),
    "must be an IANA time zone, such as Asia/Shanghai": later("A time zone like Asia/Shanghai, please."),
    "must be 1 to 40 characters of a-z 0-9 _ and begin with a letter": later(
        "a-z, 0-9 and _, at most 40, beginning with a letter, please."
    ),
    "must be 1 to 300 printable characters: the rule in one plain sentence": later(
        "One plain sentence of at most 300 characters, please."
    ),
    "must be a date from 2000-01-01 to 2099-12-31": later("A day from 2000 to 2099, please."),
    "must name at least one kind of fact, each once": later("Tick at least one."),
    "must be a metric in use that is no ratio itself": later("Choose a metric of the list."),
    "must be other metrics": later("Choose metrics of the list."),
    "must be metrics in use that are no ratios themselves": later("Choose metrics of the list."),
    "must be 1 to 5 different metrics": later("Choose one to five different metrics."),
    "must all be counted in the same unit, for they are added up": later(
        "They are added up, so all must be counted in the same unit."
    ),
    "a RATE is one figure over another of the same unit": later(
        "A percentage needs the same unit above and below the line."
    ),
    **dict.fromkeys(
        (
            f"{unit} over something is counted in {unit}, or is a RATE"
            for unit in ("COUNT", "MONEY", "MINUTES")
        ),
        later("Choose the unit of what stands above the line, or percent."),
    ),
    "NEW_CUSTOMERS counts new customers already": later("Those are new customers already."),
    "must not be below least_amount: no amount could meet both": later(
        "This is below the least amount: nothing could meet both."
    ),
    "must be after `from`, at most 366 days": later("After the first day, and at most a year later, please."),
    "must be at or below the parent's node": later("It must lie at or below the place of the goal above."),
    "its days must be within the parent's": later("Its days must lie within those of the goal above."),
    "a part of a goal is lower in the tree or shorter in time": later(
        "A part of a goal belongs to a place below, or to a shorter time."
    ),
    "the goal would be above itself": later("The goal would hang below itself."),
    "must be the first day of such a period": later("Choose the first day of such a period."),
    "must be whole: the denominator is 1": later("Nothing smaller than a cent or a whole piece, please."),
    "a rate is at most 1": later("A rate is at most 100 %."),
    "cannot divide that way": later("This cannot be divided that way; choose another."),
    "the weights are too large together": later("The weights are too large together; use smaller ones."),
    "a metric keeps having a window of its own, or having none: define another one": later(
        "A metric keeps its kind of window. Define another one for this."
    ),
    **dict.fromkeys(
        ("must be a metric without a window of its own", "must be metrics without a window of their own"),
        later("Choose a metric without a window of its own."),
    ),
    "there is no photo to show": later("Choose a photo to show, or take the tick away."),
    "must be after history_from": later("It must lie after the first of the earlier days."),
}
_LENGTH: Final = re.compile(r"(?:must be|Required:) (\d+) to (\d+)(?: printable)? characters\.?")
_LETTERS: Final = re.compile(r"(?:must be|Required:) (?:\d+ to|at most) (\d+)(?: characters)? of (.+?)\.?")
_AT_MOST: Final = re.compile(r"must be at most (\d+) characters")
_LISTED: Final = re.compile(r"must be at most (\d+) (?:texts|different names) of 1 to (\d+) characters")
_VALUES: Final = re.compile(r"each needs 1 to (\d+) values of 1 to (\d+) characters")
_DAYS: Final = re.compile(r"must be from (\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)")
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
    if found := _LISTED.fullmatch(text) or _VALUES.fullmatch(text):
        return _(
            "At most %(most)s, each of at most %(long)s characters, please.", most=found[1], long=found[2]
        )
    if found := _RANGE.fullmatch(text):
        return _("A number from %(least)s to %(most)s, please.", least=found[1], most=found[2])
    found = _DAYS.fullmatch(text)
    return _("A day from %(first)s to %(last)s, please.", first=found[1], last=found[2]) if found else text


def faults(fields: Mapping[str, str]) -> dict[str, str]:
    """The findings of a refusal by field, as sentences."""
    return {name: fault(why) for name, why in fields.items()}
