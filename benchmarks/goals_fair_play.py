"""Are fair-play flags right? Held against person-months of which it is known who cheats, and how.

Honest people have busy days, trade fairs, households with one phone, imports with one time stamp, evenings on which
they type in what they did, calls that nobody answers, deals that fall through, customers whose own staff numbers look
like ours. Each way to cheat has a share that leaves no trace the rules can see: recall says so.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from benchmarks.figures import Figure
from services.goals.domain.facts import FactKind, Key
from services.goals.domain.fairness import (
    BUILT_IN_RULES,
    BUYER,
    PHONE,
    SECONDS,
    FairnessKind,
    Seen,
    findings,
)

MONTH: Final = date(2025, 3, 1)
_NEXT: Final = date(2025, 4, 1)
_PEOPLE: Final = 3_000
_STAFF: Final = frozenset(f"E{number}" for number in range(1, 400))
_CHEATS: Final = 0.04
_WORKDAYS: Final = tuple(day for number in range(31) if (day := MONTH + timedelta(days=number)).weekday() < 5)
_NAMES: Final = {
    FairnessKind.DUPLICATE_CUSTOMERS: "duplicate customers",
    FairnessKind.BURST: "bursts",
    FairnessKind.EMPTY_FOLLOW_UPS: "empty follow-ups",
    FairnessKind.SELF_ORDER: "self-orders",
    FairnessKind.MONTH_END_REVERSALS: "month-end reversals",
}


class PersonMonth(NamedTuple):
    """What somebody's facts of the month were, and how they cheated, if they did."""

    facts: list[Seen]
    cheats: frozenset[FairnessKind]


class Writer:
    """Writes down one person's month."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.facts: list[Seen] = []

    def phone(self) -> str:
        return f"13{self.chance.randrange(10**9):09}"

    def at(self, day: date, hour: float) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=round(3600 * hour))

    def follow_up(
        self, at: datetime, *, customer: str = "", phone: str = "", seconds: int | None = None
    ) -> None:
        told = {PHONE: phone or self.phone()}
        if seconds is not None:
            told[SECONDS] = str(seconds)
        self._add(FactKind.FOLLOW_UP, at, customer or f"c{len(self.facts)}", told)

    def deal(self, at: datetime, *, buyer: str = "", taken_back: date | None = None) -> None:
        self._add(FactKind.DEAL_WON, at, f"c{len(self.facts)}", {BUYER: buyer} if buyer else {}, taken_back)

    def _add(
        self,
        kind: FactKind,
        at: datetime,
        customer: str,
        attributes: Mapping[str, str],
        taken_back: date | None = None,
    ) -> None:
        key = Key("crm", f"f{len(self.facts):05}")
        self.facts.append(Seen(key, kind, at, at.date(), customer, attributes, taken_back))


def ordinary(writer: Writer) -> None:
    """Five to twelve calls a workday, a deal now and then; few of those fall through, at any time."""
    chance = writer.chance
    for day in _WORKDAYS:
        for _ in range(chance.randint(5, 12)):
            # One call in twenty is not answered.
            seconds = chance.randint(0, 4) if chance.random() < 0.05 else chance.randint(20, 900)
            writer.follow_up(writer.at(day, chance.uniform(1, 10)), seconds=seconds)
        if chance.random() < 0.35:
            back = day + timedelta(days=chance.randint(1, 14)) if chance.random() < 0.06 else None
            buyer = f"E{chance.randrange(1, 8_000)}" if chance.random() < 0.02 else ""
            writer.deal(writer.at(day, chance.uniform(1, 10)), buyer=buyer, taken_back=back)


def busy_day(writer: Writer) -> None:
    """A trade fair: sixty customers in an afternoon."""
    day = writer.chance.choice(_WORKDAYS)
    for _ in range(60):
        writer.follow_up(writer.at(day, writer.chance.uniform(5, 10)), seconds=writer.chance.randint(30, 300))


def bulk_import(writer: Writer) -> None:
    """Eighty follow-ups with the time of the import."""
    at = writer.at(writer.chance.choice(_WORKDAYS), 12)
    for _ in range(80):
        writer.follow_up(at)


def household(writer: Writer) -> None:
    """Two customers who share a phone."""
    phone = writer.phone()
    for _ in range(2):
        writer.follow_up(
            writer.at(writer.chance.choice(_WORKDAYS), writer.chance.uniform(1, 10)), phone=phone
        )


def typed_in_the_evening(writer: Writer) -> None:
    """Ten to twenty follow-ups of the day, typed in one after the other."""
    at = writer.at(writer.chance.choice(_WORKDAYS), 11)
    for _ in range(writer.chance.randint(10, 20)):
        at += timedelta(seconds=writer.chance.randint(15, 60))
        writer.follow_up(at)


def nobody_answers(writer: Writer) -> None:
    """Three to six calls in a day that are not answered."""
    day = writer.chance.choice(_WORKDAYS)
    for _ in range(writer.chance.randint(3, 6)):
        writer.follow_up(writer.at(day, writer.chance.uniform(1, 10)), seconds=writer.chance.randint(0, 8))


def _split(writer: Writer) -> None:
    """One customer under several names; one in five gives each a number of its own."""
    chance, phone = writer.chance, writer.phone()
    hidden = chance.random() < 0.2
    for number in range(chance.randint(2, 4)):
        written = f"+86 {phone[:3]}-{phone[3:]}" if number % 2 else phone
        writer.follow_up(
            writer.at(chance.choice(_WORKDAYS), chance.uniform(1, 10)), phone="" if hidden else written
        )


def _click_away(writer: Writer) -> None:
    """Dozens of follow-ups within minutes; one in five takes care to be slow."""
    chance = writer.chance
    slow = chance.random() < 0.2
    at = writer.at(chance.choice(_WORKDAYS), chance.uniform(1, 9))
    for _ in range(chance.randint(25, 60)):
        at += timedelta(seconds=chance.randint(25, 60) if slow else chance.randint(3, 12))
        writer.follow_up(at)


def _hang_up(writer: Writer) -> None:
    """Calls that end as they begin; of one in six the CRM does not tell how long they took."""
    chance = writer.chance
    told = chance.random() >= 1 / 6
    day = chance.choice(_WORKDAYS)
    for _ in range(chance.randint(8, 30)):
        writer.follow_up(
            writer.at(day, chance.uniform(1, 10)), seconds=chance.randint(0, 3) if told else None
        )


def _sell_to_colleagues(writer: Writer) -> None:
    """One to three deals with colleagues; in one case of four no number is told."""
    chance = writer.chance
    told = chance.random() >= 0.25
    for _ in range(chance.randint(1, 3)):
        buyer = f"E{chance.randrange(1, 400)}" if told else ""
        writer.deal(writer.at(chance.choice(_WORKDAYS), chance.uniform(1, 10)), buyer=buyer)


def _dress_the_month(writer: Writer) -> None:
    """Deals of the last days taken back in the first of the next month; one in five waits longer."""
    chance = writer.chance
    patient = chance.random() < 0.2
    for _ in range(chance.randint(2, 5)):
        back = _NEXT + timedelta(days=chance.randint(4, 8) if patient else chance.randint(0, 2))
        writer.deal(writer.at(date(2025, 3, chance.randint(29, 31)), chance.uniform(1, 10)), taken_back=back)


HONEST: Final[tuple[tuple[Callable[[Writer], None], float], ...]] = (
    (busy_day, 0.1),
    (bulk_import, 0.1),
    (household, 0.01),
    (typed_in_the_evening, 0.05),
    (nobody_answers, 0.05),
)
"""What honest people do besides, and how often in a month."""
_HOW: Final[Mapping[FairnessKind, Callable[[Writer], None]]] = {
    FairnessKind.DUPLICATE_CUSTOMERS: _split,
    FairnessKind.BURST: _click_away,
    FairnessKind.EMPTY_FOLLOW_UPS: _hang_up,
    FairnessKind.SELF_ORDER: _sell_to_colleagues,
    FairnessKind.MONTH_END_REVERSALS: _dress_the_month,
}


def months(people: int, seed: int) -> Iterator[PersonMonth]:
    """So many people's months, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(people):
        writer = Writer(chance)
        ordinary(writer)
        for habit, often in HONEST:
            if chance.random() < often:
                habit(writer)
        cheats = [kind for kind in FairnessKind if chance.random() < _CHEATS]
        for kind in cheats:
            _HOW[kind](writer)
        yield PersonMonth(writer.facts, frozenset(cheats))


def measure() -> Iterator[Figure]:
    """Precision and recall of each rule that comes with the program, by person and month."""
    flagged: dict[FairnessKind, list[bool]] = {kind: [] for kind in FairnessKind}
    found: dict[FairnessKind, list[bool]] = {kind: [] for kind in FairnessKind}
    honest = 0
    for person in months(_PEOPLE, 7):
        noticed = {
            each.rule.key.kind for each in findings(BUILT_IN_RULES, person.facts, MONTH, _STAFF.__contains__)
        }
        honest += not person.cheats
        for kind in FairnessKind:
            if kind in noticed:
                flagged[kind].append(kind in person.cheats)
            if kind in person.cheats:
                found[kind].append(kind in noticed)
    for kind, name in _NAMES.items():
        right, caught = flagged[kind], found[kind]
        yield Figure(
            "goals fair play",
            f"{name}: share of flagged person-months that did cheat so (precision)",
            sum(right) / len(right),
            f"{sum(right)} of {len(right)} flagged, among {_PEOPLE} person-months, {honest} of them honest",
            at_least=0.7,
        )
        yield Figure(
            "goals fair play",
            f"{name}: share of those who cheated so that is flagged (recall)",
            sum(caught) / len(caught),
            f"{sum(caught)} of {len(caught)}; what leaves no trace in the facts cannot be found",
        )
