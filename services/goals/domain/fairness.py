"""Fair play: what rules notice in a person's facts of a month, and what becomes of flags. No fact is taken away."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple

from services.goals.domain.facts import FactKind, Key
from services.goals.domain.periods import months_after

BUILT_IN: Final = ""
"""The node of the rules that come with the program: above every other."""
PHONE: Final = "customer_phone"
SECONDS: Final = "duration_seconds"
BUYER: Final = "buyer_employee_number"
LOOKED_BACK: Final = timedelta(days=92)
"""Months that ended longer ago are let be: what was paid for them is past holding back."""
_DAY: Final = timedelta(days=1)
_FEWEST_DIGITS: Final = 7
_DIGITS: Final = 11
_LONGEST_SECONDS: Final = 9
_FURTHEST: Final = 10
_NOT_DIGITS: Final = re.compile(r"[^0-9]")


class FairnessKind(IntEnum):
    """What a rule looks for; the numbers of `foothold.goals.v1.FairnessKind`."""

    DUPLICATE_CUSTOMERS = 1
    BURST = 2
    EMPTY_FOLLOW_UPS = 3
    SELF_ORDER = 4
    MONTH_END_REVERSALS = 5


class RuleKey(NamedTuple):
    """A rule's place."""

    node_id: str
    kind: FairnessKind


class Numbers(NamedTuple):
    """What a rule goes by; those that are not of its kind are 0."""

    most: int = 0
    minutes: int = 0
    seconds: int = 0
    days: int = 0
    percent: int = 0


BOUNDS: Final[Mapping[FairnessKind, Mapping[str, tuple[int, int]]]] = {
    FairnessKind.DUPLICATE_CUSTOMERS: {"most": (1, 1_000)},
    FairnessKind.BURST: {"most": (1, 1_000), "minutes": (1, 240)},
    FairnessKind.EMPTY_FOLLOW_UPS: {"most": (1, 1_000), "seconds": (1, 600)},
    FairnessKind.SELF_ORDER: {},
    FairnessKind.MONTH_END_REVERSALS: {"most": (1, 1_000), "days": (1, _FURTHEST), "percent": (1, 100)},
}
"""The numbers each kind has, with the least and the most of each, both included."""


@dataclass(frozen=True, slots=True)
class FairnessRule:
    """A rule at a node; `recorded_at` is None for one that comes with the program."""

    key: RuleKey
    active: bool
    numbers: Numbers
    reason: str = ""
    author_id: str = ""
    recorded_at: datetime | None = None


BUILT_IN_RULES: Final = tuple(
    FairnessRule(RuleKey(BUILT_IN, kind), active=True, numbers=numbers)
    for kind, numbers in (
        (FairnessKind.DUPLICATE_CUSTOMERS, Numbers(most=1)),
        (FairnessKind.BURST, Numbers(most=15, minutes=5)),
        (FairnessKind.EMPTY_FOLLOW_UPS, Numbers(most=4, seconds=5)),
        (FairnessKind.SELF_ORDER, Numbers()),
        (FairnessKind.MONTH_END_REVERSALS, Numbers(most=1, days=3, percent=30)),
    )
)


class Seen(NamedTuple):
    """What rules see of a fact. `taken_back` is the local day of the reversal that stands, if one does."""

    key: Key
    kind: FactKind
    occurred_at: datetime
    day: date
    customer: str
    attributes: Mapping[str, str]
    taken_back: date | None


class Finding(NamedTuple):
    """What a rule noticed. `anchor` tells findings of one kind and person apart, whatever facts come later."""

    rule: FairnessRule
    anchor: str
    facts: tuple[Key, ...]
    first_day: date
    last_day: date
    counted: int
    out_of: int = 0


class FlagState(IntEnum):
    """How far a flag is; the numbers of `foothold.goals.v1.FlagState`."""

    OPEN = 1
    CONFIRMED = 2
    DISMISSED = 3
    CORRECTED = 4


STANDING: Final = frozenset({FlagState.OPEN, FlagState.CONFIRMED})
"""The states whose flags go by what their facts are now."""
ANSWERS: Final = frozenset({FlagState.CONFIRMED, FlagState.DISMISSED})


@dataclass(frozen=True, slots=True)
class Flag:
    """A finding and what was said about it; `turn` counts those of the same anchor."""

    id: str
    person_id: str
    month: date
    turn: int
    found: Finding
    state: FlagState
    raised_at: datetime
    reply: str = ""
    answer: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None

    def answered(self, outcome: FlagState, *, reason: str, by: str, at: datetime) -> "Flag":
        """With an answer, in place of one before."""
        return replace(self, state=outcome, answer=reason, answered_by=by, answered_at=at)


def months_of(days: Iterable[date], today: date) -> set[date]:
    """The months to look at again when facts of these days changed: a reversal is about the one before."""
    found = set()
    for day in days:
        month = day.replace(day=1)
        found.add(month)
        if day.day <= _FURTHEST:
            found.add(months_after(month, -1))
    return {
        month for month in found if month <= today + _DAY and months_after(month, 1) > today - LOOKED_BACK
    }


def rules_for(rules: Mapping[RuleKey, FairnessRule], path: Sequence[str]) -> list[FairnessRule]:
    """The rule of each kind at the nearest node on `path`, then the built-in one; those that are active."""
    nearest = (
        next((rules[RuleKey(node, kind)] for node in (*path, BUILT_IN) if RuleKey(node, kind) in rules), None)
        for kind in FairnessKind
    )
    return [rule for rule in nearest if rule is not None and rule.active]


def findings(
    rules: Iterable[FairnessRule], facts: Sequence[Seen], month: date, works_here: Callable[[str], bool]
) -> list[Finding]:
    """What the rules notice in one person's facts of a month, in whatever order they are.

    `works_here`: whether an employee number is somebody's of the enterprise.
    """
    ordered = sorted(facts, key=lambda each: (each.occurred_at, each.key))
    looks: Mapping[FairnessKind, Callable[[FairnessRule], list[Finding]]] = {
        FairnessKind.DUPLICATE_CUSTOMERS: lambda rule: _duplicates(rule, ordered),
        FairnessKind.BURST: lambda rule: _bursts(rule, ordered),
        FairnessKind.EMPTY_FOLLOW_UPS: lambda rule: _empty(rule, ordered),
        FairnessKind.SELF_ORDER: lambda rule: _self_orders(rule, ordered, works_here),
        FairnessKind.MONTH_END_REVERSALS: lambda rule: _reversals(rule, ordered, month),
    }
    return [found for rule in rules for found in looks[rule.key.kind](rule)]


def _duplicates(rule: FairnessRule, facts: Sequence[Seen]) -> list[Finding]:
    by_phone: dict[str, list[Seen]] = defaultdict(list)
    for each in _follow_ups(facts):
        digits = _NOT_DIGITS.sub("", each.attributes.get(PHONE, ""))[-_DIGITS:]
        if len(digits) >= _FEWEST_DIGITS:
            by_phone[digits].append(each)
    found = []
    for digits, touches in sorted(by_phone.items()):
        customers = len({each.customer for each in touches})
        if customers > rule.numbers.most:
            found.append(_finding(rule, digits, touches, customers))
    return found


def _bursts(rule: FairnessRule, facts: Sequence[Seen]) -> list[Finding]:
    found = []
    within = timedelta(minutes=rule.numbers.minutes)
    for day, touches in _by_day(_follow_ups(facts)):
        instants = sorted({each.occurred_at for each in touches})
        first, largest, inside = 0, 0, set()
        for last, instant in enumerate(instants):
            while instant - instants[first] >= within:
                first += 1
            many = last - first + 1
            if many > rule.numbers.most:
                largest = max(largest, many)
                inside.update(instants[first : last + 1])
        if inside:
            touched = [each for each in touches if each.occurred_at in inside]
            found.append(_finding(rule, day.isoformat(), touched, largest))
    return found


def _empty(rule: FairnessRule, facts: Sequence[Seen]) -> list[Finding]:
    found = []
    for day, touches in _by_day(_follow_ups(facts)):
        short = [
            each
            for each in touches
            if (seconds := _whole(each.attributes.get(SECONDS, ""))) is not None
            and seconds < rule.numbers.seconds
        ]
        if len(short) > rule.numbers.most:
            found.append(_finding(rule, day.isoformat(), short, len(short)))
    return found


def _self_orders(
    rule: FairnessRule, facts: Sequence[Seen], works_here: Callable[[str], bool]
) -> list[Finding]:
    return [
        _finding(rule, "/".join(each.key), [each], 1)
        for each in facts
        if each.kind in {FactKind.DEAL_WON, FactKind.ORDER}
        and each.taken_back is None
        and (number := each.attributes.get(BUYER, "").strip())
        and works_here(number)
    ]


def _reversals(rule: FairnessRule, facts: Sequence[Seen], month: date) -> list[Finding]:
    following = months_after(month, 1)
    within = timedelta(days=rule.numbers.days)
    late = [each for each in facts if each.kind is FactKind.DEAL_WON and each.day >= following - within]
    undone = [
        each
        for each in late
        if each.taken_back is not None and following <= each.taken_back < following + within
    ]
    if len(undone) <= rule.numbers.most or 100 * len(undone) < rule.numbers.percent * len(late):
        return []
    return [_finding(rule, month.isoformat(), undone, len(undone), len(late))]


def _follow_ups(facts: Iterable[Seen]) -> Iterable[Seen]:
    return (each for each in facts if each.kind is FactKind.FOLLOW_UP)


def _by_day(facts: Iterable[Seen]) -> list[tuple[date, list[Seen]]]:
    days: dict[date, list[Seen]] = defaultdict(list)
    for each in facts:
        days[each.day].append(each)
    return sorted(days.items())


def _whole(text: str) -> int | None:
    """A whole number of seconds as told; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_SECONDS else None


def _finding(
    rule: FairnessRule, anchor: str, facts: Sequence[Seen], counted: int, out_of: int = 0
) -> Finding:
    days = [each.day for each in facts]
    keys = tuple(sorted(each.key for each in facts))
    return Finding(rule, anchor, keys, min(days), max(days), counted, out_of)


def reconcile(
    found: Iterable[Finding],
    flags: Iterable[Flag],
    raise_flag: Callable[[Finding, int], Flag],
) -> list[Flag]:
    """The flags that change when this is what rules notice in a person's month, of which these flags are known.

    What was dismissed stays so until facts are noticed that the answer did not know. What was corrected and is
    noticed again is a flag of its own: answers are never lost.
    """
    newest: dict[tuple[FairnessKind, str], Flag] = {}
    for flag in sorted(flags, key=lambda each: each.turn):
        newest[flag.found.rule.key.kind, flag.found.anchor] = flag
    changed = []
    for finding in found:
        known = newest.pop((finding.rule.key.kind, finding.anchor), None)
        if known is None:
            changed.append(raise_flag(finding, 1))
        elif known.state in STANDING:
            if known.found != finding:
                changed.append(replace(known, found=finding))
        elif known.state is FlagState.CORRECTED or not set(finding.facts) <= set(known.found.facts):
            changed.append(raise_flag(finding, known.turn + 1))
    gone = [replace(flag, state=FlagState.CORRECTED) for flag in newest.values() if flag.state in STANDING]
    return changed + gone
