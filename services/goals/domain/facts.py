"""What a fact is, what may be told, and when two tellings are the same."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from json import dumps
from typing import Final, NamedTuple


class FactKind(IntEnum):
    """What happened; the numbers of `foothold.goals.v1.FactKind`."""

    FOLLOW_UP = 1
    DEAL_WON = 2
    DEAL_LOST = 3
    DEAL_REVERSED = 4
    ORDER = 5
    EMAIL = 6
    MEETING = 7
    TIME_SPENT = 8
    LEAVE = 9
    DEAL_CREDITED = 10
    DEAL_OVERLAY = 11


REVERSIBLE: Final = frozenset({FactKind.DEAL_WON, FactKind.ORDER})
"""What a DEAL_REVERSED can take back. Anything else it names is left alone."""
PARTS: Final = frozenset({FactKind.DEAL_CREDITED, FactKind.DEAL_OVERLAY})
"""What follows from a deal's credits and is never told by itself."""

LARGEST_AMOUNT: Final = 10**12
"""Minor units in one fact: nine million of the largest still add up in 64 bits."""
LARGEST_VERSION: Final = 2**31 - 1
LARGEST_MINUTES: Final = 10_080
FIRST_INSTANT: Final = 946_684_800 * 1_000_000
"""2000-01-01T00:00Z in microseconds since 1970."""
AHEAD: Final = 86_400 * 1_000_000
"""How far ahead of now an occurrence may lie, in microseconds: clocks differ, and zones too."""
_LONGEST: Final = 120
_LONGEST_ID: Final = _LONGEST + 65
"""Of a part: the deal's, and a person's id."""
_ATTRIBUTES: Final = (20, 40, 200)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SOURCE: Final = re.compile(r"[a-z0-9_.-]{1,40}")
_SOURCE_IN_ID: Final = re.compile(r"[a-z0-9_.-]{1,40}(\+credit)?")
_CHANNEL: Final = re.compile(r"[a-z0-9_-]{0,40}")
_KINDS: Final = frozenset(int(kind) for kind in FactKind if kind not in PARTS)
_NEEDS_CUSTOMER: Final = int(FactKind.FOLLOW_UP)
_NEEDS_AMOUNT: Final = int(FactKind.ORDER)
_NEEDS_MINUTES: Final = int(FactKind.TIME_SPENT)
_REVERSAL: Final = int(FactKind.DEAL_REVERSED)
_LEAVE: Final = int(FactKind.LEAVE)


class Credit(NamedTuple):
    """What of a deal is somebody's: a share of its revenue, or with `overlay` a share on top of it."""

    person_id: str
    share: Fraction
    overlay: bool


Content = tuple[object, ...]
"""Kind, person, occurrence, then everything from the customer on."""


BY_HAND: Final = "foothold"
"""The source of what people tell themselves. Every other source is a system's, told by its service account."""


class Key(NamedTuple):
    """A fact's identity over all its versions."""

    source: str
    external_id: str


class Fact(NamedTuple):
    """One version of a fact. `occurred` is in microseconds since 1970, `day` in days since then, local.

    `amount` is in minor units, None when none was told. `attributes` is a JSON object with sorted names, or empty.
    Leave has half days since 1970-01-01, two a day, up to, not including, `leave_stop`; other facts have None.
    Of a deal with credits `amount` is what of `deal_amount` is this person's; a part names its `deal` by external id.
    """

    source: str
    external_id: str
    version: int
    kind: int
    person_id: str
    occurred: int
    day: int
    customer: str
    product: str
    channel: str
    amount: int | None
    minutes: int
    reverses: str
    attributes: str
    voided: bool
    leave_first: int | None = None
    leave_stop: int | None = None
    credits: tuple[Credit, ...] = ()
    deal_amount: int | None = None
    deal: str = ""

    @property
    def content(self) -> Content:
        """What two tellings of one version must agree in. The local day is not part of it: zones change."""
        return (self.kind, self.person_id, self.occurred, *self[7:])

    @property
    def key(self) -> Key:
        """What it is a version of."""
        return Key(self.source, self.external_id)

    @property
    def id(self) -> str:
        """The ledger's id of this version."""
        return fact_id(self.source, self.external_id, self.version)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was not stored: the field at fault, a documented reason, and what to do in English."""

    field: str
    reason: str
    message: str


def fact_id(source: str, external_id: str, version: int) -> str:
    """The ledger's id of a version: its key, readable, the same in every ledger that was told the fact."""
    return f"{source}/{version}/{external_id}"


def parse_fact_id(text: str) -> tuple[Key, int] | None:
    """The key and version in a fact id; None for anything else."""
    source, slash, rest = text.partition("/")
    version, also, external_id = rest.partition("/")
    if not (slash and also and external_id and _SOURCE_IN_ID.fullmatch(source)):
        return None
    if not (version.isascii() and version.isdigit()) or len(version) > len(str(LARGEST_VERSION)):
        return None
    if int(version) > LARGEST_VERSION or "\0" in external_id or len(external_id) > _LONGEST_ID:
        return None
    return Key(source, external_id), int(version)


def attributes_text(attributes: Mapping[str, str]) -> str:
    """Attributes in the one way they are written, so that equal ones are equal texts; empty for none."""
    if not attributes:
        return ""
    return dumps(dict(attributes), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def check_key(source: str, external_id: str, version: int) -> Refusal | None:
    """What is wrong with a key and version."""
    if not _SOURCE.fullmatch(source):
        return _invalid("source", "must be 1 to 40 characters of a-z 0-9 _ . -")
    if not external_id or len(external_id) > _LONGEST or not _plain(external_id):
        return _invalid("external_id", "must be 1 to 120 characters without control characters")
    if not 0 <= version <= LARGEST_VERSION:
        return _invalid("version", "must be 0 to 2147483647")
    return None


def check_content(
    kind: int,
    customer: str,
    product: str,
    channel: str,
    amount: int | None,
    minutes: int,
    reverses: str,
    attributes: Mapping[str, str],
    *,
    voided: bool,
) -> Refusal | None:
    """What is wrong with what a fact says. A void need not repeat what it takes back."""
    if kind not in _KINDS:
        return _invalid("kind", "must be one of the documented kinds")
    # One look at all three, which are right nearly always.
    texts = customer + product + reverses
    if len(texts) > _LONGEST or not texts.isprintable():
        wrong = _check_texts(customer, product, reverses)
        if wrong is not None:
            return wrong
    if channel and not _CHANNEL.fullmatch(channel):
        return _invalid("channel", "must be at most 40 characters of a-z 0-9 _ -")
    if amount is not None and not 0 <= amount <= LARGEST_AMOUNT:
        return _invalid("amount", f"must be 0 to {LARGEST_AMOUNT} minor units")
    if not 0 <= minutes <= LARGEST_MINUTES:
        return _invalid("minutes", "must be 0 to 10080")
    wrong = _check_attributes(attributes) if attributes else None
    if wrong is not None or voided:
        return wrong
    return _check_needs(kind, customer, amount, minutes, reverses)


def fits(external_id: str, version: int, customer: str, amount: int | None, minutes: int) -> bool:
    """Whether what differs from fact to fact is within its bounds, at a glance: False is no refusal yet."""
    texts = external_id + customer
    return (
        len(texts) <= _LONGEST
        and texts.isprintable()
        and external_id != ""
        and 0 <= version <= LARGEST_VERSION
        and 0 <= minutes <= LARGEST_MINUTES
        and (amount is None or 0 <= amount <= LARGEST_AMOUNT)
    )


def _check_texts(customer: str, product: str, reverses: str) -> Refusal | None:
    for name, text in (("customer", customer), ("product", product), ("reverses", reverses)):
        if len(text) > _LONGEST or not _plain(text):
            return _invalid(name, "must be at most 120 characters without control characters")
    return None


def _check_needs(kind: int, customer: str, amount: int | None, minutes: int, reverses: str) -> Refusal | None:
    if kind == _NEEDS_CUSTOMER and not customer:
        return _invalid("customer", "a follow-up needs the customer followed")
    if kind == _NEEDS_AMOUNT and amount is None:
        return _invalid("amount", "an order needs its amount")
    if kind == _NEEDS_MINUTES and not minutes:
        return _invalid("minutes", "time spent needs its minutes")
    if kind == _REVERSAL and not reverses:
        return _invalid("reverses", "a reversal names the external_id of the deal or order taken back")
    if reverses and kind != _REVERSAL:
        return _invalid("reverses", "is for DEAL_REVERSED only")
    return None


def check_leave(source: str, kind: int, *, told: bool, voided: bool) -> Refusal | None:
    """What is wrong with a fact for being leave or not; its days are checked by themselves."""
    if kind != _LEAVE:
        return _invalid("leave", "is for LEAVE only") if told else None
    if source == BY_HAND:
        return _invalid("kind", "leave is told by the system that grants it, under its own source")
    if not told and not voided:
        return _invalid("leave", "leave needs its days")
    return None


def check_occurred(occurred: int, now: int) -> Refusal | None:
    """What is wrong with an occurrence, both in microseconds since 1970."""
    if occurred < FIRST_INSTANT:
        return _invalid("occurred_at", "must not be before 2000-01-01")
    if occurred > now + AHEAD:
        return _invalid("occurred_at", "must not be more than one day ahead")
    return None


def _check_attributes(attributes: Mapping[str, str]) -> Refusal | None:
    most, longest_name, longest_text = _ATTRIBUTES
    if len(attributes) > most:
        return _invalid("attributes", f"must be at most {most} entries")
    for name, text in attributes.items():
        if not name or len(name) > longest_name or not _plain(name):
            return _invalid("attributes", f"names must be 1 to {longest_name} characters")
        if len(text) > longest_text or "\0" in text:
            return _invalid("attributes", f"values must be at most {longest_text} characters without NUL")
    return None


def _plain(text: str) -> bool:
    return text.isprintable() or _CONTROL.search(text) is None


def _invalid(field: str, message: str) -> Refusal:
    return Refusal(field, "FIELD_INVALID", message)
