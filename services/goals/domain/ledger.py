"""What a correction, a void or a reversal changes, decided over all versions of the facts concerned.

A fact counts when its highest version is not void and, for a deal or an order, no live reversal of the
same source names it. That is a statement about the set of versions, so it holds in whatever order they
came (R10). New facts only add, and the store adds them in one statement; everything here is for the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from services.goals.domain.facts import REVERSIBLE, Content, Credit, Fact, FactKind, Key
from services.goals.domain.leave import days_touched
from services.goals.domain.metrics import Counter

K = TypeVar("K")


class Version(NamedTuple):
    """What must be known of a recorded version."""

    key: Key
    version: int
    kind: int
    person_id: str
    day: int
    customer: str
    amount: int
    minutes: int
    reverses: str
    voided: bool
    content: Content
    current: bool
    counts: bool
    product: str
    channel: str
    told_amount: int | None
    attributes: str
    leave_first: int | None
    leave_stop: int | None
    credits: tuple[Credit, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Whose it is, and who is credited beside them."""
        return people_of(self.person_id, self.credits)


class Cell(NamedTuple):
    """An additive figure: one person's facts of one kind on one local day."""

    person_id: str
    day: int
    kind: int


class Touch(NamedTuple):
    """One person's follow-ups of one customer on one local day."""

    person_id: str
    customer: str
    day: int


class Counted(NamedTuple):
    """What a counter by customer keeps of one person, customer and local day."""

    person_id: str
    counter: int
    day: int
    customer: str


class Sums(NamedTuple):
    """How much a cell grows, or shrinks."""

    n: int
    amount: int
    minutes: int


class Parts(NamedTuple):
    """What others than the owner are credited with: of each deal's current version, and of each version told."""

    standing: Mapping[Key, Sequence[Version]]
    new: Mapping[tuple[Key, int], Sequence[Fact]]


@dataclass(slots=True)
class Plan:
    """What to write. Facts in `added` are not known yet; `current` and `counting` hold what those become."""

    added: list[tuple[Fact, bool, bool]] = field(default_factory=list)
    superseded: list[tuple[Key, int]] = field(default_factory=list)
    counting: list[tuple[Key, bool]] = field(default_factory=list)
    cells: dict[Cell, Sums] = field(default_factory=dict)
    touches: dict[Touch, int] = field(default_factory=dict)
    counted: dict[Counted, Sums] = field(default_factory=dict)
    leave: set[tuple[str, int]] = field(default_factory=set)
    """People and days, since 1970-01-01, whose leave may be another."""


def version_of(fact: Fact, *, current: bool, counts: bool) -> Version:
    """A fact as it will be recorded."""
    return Version(
        fact.key,
        fact.version,
        fact.kind,
        fact.person_id,
        fact.day,
        fact.customer,
        fact.amount or 0,
        fact.minutes,
        fact.reverses,
        fact.voided,
        fact.content,
        current,
        counts,
        fact.product,
        fact.channel,
        fact.amount,
        fact.attributes,
        fact.leave_first,
        fact.leave_stop,
        fact.credits,
    )


def people_of(owner: str, given: Iterable[Credit]) -> tuple[str, ...]:
    """The owner, then everybody else who is credited."""
    return (owner, *(each.person_id for each in given if each.person_id != owner))


def plan(
    new: Sequence[Fact],
    heads: Mapping[Key, Version],
    reversals: Mapping[Key, frozenset[Key]],
    parts: Parts,
    counters: Sequence[Counter] = (),
) -> Plan:
    """What recording `new` changes, in the figures of `counters` too.

    `new` are versions not recorded yet. `heads` has the current version of every key in `new` and of every
    key that one of them, or the current version it follows, names in `reverses`. `reversals` has, for each
    of those keys, the keys of the live reversals that name it. `parts` are those of all these deals.
    """
    made = Plan()
    after = dict(heads)
    shared = dict(parts.standing)
    for fact in new:
        head = after.get(fact.key)
        if head is None or fact.version > head.version:
            after[fact.key] = version_of(fact, current=True, counts=False)
            told = parts.new.get((fact.key, fact.version), ())
            shared[fact.key] = [version_of(each, current=True, counts=False) for each in told]
    named = {key: set(by) for key, by in reversals.items()}
    for key, head in after.items():
        _move_reversal(named, heads.get(key), head)
    for fact in new:
        current = after[fact.key].version == fact.version
        counts = current and _counts(after[fact.key], named)
        # A part is what its deal is: it stands, counts and goes with that version.
        whole = (fact, *parts.new.get((fact.key, fact.version), ()))
        made.added += [(each, current, counts) for each in whole]
    for key, head in after.items():
        before = (*filter(None, [heads.get(key)]), *parts.standing.get(key, ()))
        _settle(made, before, (head, *shared.get(key, ())), counters, counts=_counts(head, named))
    made.counted = {counted: sums for counted, sums in made.counted.items() if any(sums)}
    made.cells = {cell: sums for cell, sums in made.cells.items() if any(sums)}
    made.touches = {touch: count for touch, count in made.touches.items() if count}
    return made


def _settle(
    made: Plan,
    before: Sequence[Version],
    after: Sequence[Version],
    counters: Sequence[Counter],
    *,
    counts: bool,
) -> None:
    """What becomes of one key's former and present highest version, each followed by its parts."""
    if before:
        if before[0].version != after[0].version:
            made.superseded += [(each.key, each.version) for each in before]
        elif before[0].counts != counts:
            made.counting += [(each.key, counts) for each in after]
        if before[0].counts:
            for each in before:
                _contribute(made, each, -1, counters)
    if counts:
        for each in after:
            _contribute(made, each, 1, counters)


def _live_reversal(version: Version | None) -> Key | None:
    """What a version takes back."""
    if version is None or version.voided or version.kind != FactKind.DEAL_REVERSED or not version.reverses:
        return None
    return Key(version.key.source, version.reverses)


def _move_reversal(named: dict[Key, set[Key]], before: Version | None, after: Version) -> None:
    was, now = _live_reversal(before), _live_reversal(after)
    if was is not None and was != now:
        named.setdefault(was, set()).discard(after.key)
    if now is not None:
        named.setdefault(now, set()).add(after.key)


def _counts(head: Version, named: Mapping[Key, Iterable[Key]]) -> bool:
    return not head.voided and not (head.kind in REVERSIBLE and named.get(head.key))


def _contribute(made: Plan, version: Version, sign: int, counters: Sequence[Counter]) -> None:
    if version.kind == FactKind.LEAVE:
        # It is in no figure: whoever needs it reads the facts themselves, which are few.
        if version.leave_first is not None and version.leave_stop is not None:
            days = days_touched(version.leave_first, version.leave_stop)
            made.leave.update((version.person_id, day) for day in days)
        return
    _add(made.cells, Cell(version.person_id, version.day, version.kind), version, sign)
    for counter in counters:
        if not counter.admits(
            version.kind, version.channel, version.product, version.told_amount, version.attributes
        ):
            continue
        if not counter.by_customer:
            _add(made.cells, Cell(version.person_id, version.day, counter.id), version, sign)
        elif version.customer:
            counted = Counted(version.person_id, counter.id, version.day, version.customer)
            _add(made.counted, counted, version, sign)
    if version.kind == FactKind.FOLLOW_UP and version.customer:
        touch = Touch(version.person_id, version.customer, version.day)
        made.touches[touch] = made.touches.get(touch, 0) + sign


def _add(kept: dict[K, Sums], key: K, version: Version, sign: int) -> None:
    n, amount, minutes = kept.get(key, (0, 0, 0))
    kept[key] = Sums(n + sign, amount + sign * version.amount, minutes + sign * version.minutes)
