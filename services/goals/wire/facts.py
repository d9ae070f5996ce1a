"""Facts: rows as they are told, read quickly and refused one by one; facts as they are recorded."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from foothold.goals.v1 import facts_pb2
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from google.type.money_pb2 import Money

from services.goals.domain.facts import (
    AHEAD,
    FIRST_INSTANT,
    Fact,
    Refusal,
    attributes_text,
    check_content,
    check_key,
    check_leave,
    check_occurred,
    fact_id,
    fits,
)
from services.goals.domain.recorded import Outcome, Recorded, Result
from services.goals.wire.credits import Owner, from_credits, with_credits
from services.goals.wire.leave import from_half_days, to_half_days
from services.goals.wire.values import from_instant

_OUTCOMES: Final = {
    Outcome.RECORDED: facts_pb2.FACT_OUTCOME_RECORDED,
    Outcome.ALREADY_KNOWN: facts_pb2.FACT_OUTCOME_ALREADY_KNOWN,
    Outcome.REFUSED: facts_pb2.FACT_OUTCOME_REFUSED,
}
_NANOS: Final = 1_000_000_000
_LARGEST_SECONDS: Final = 10**11
_DECIMALS: Final = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0, "KRW": 0,
    "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0,
    "XPF": 0,
}  # fmt: skip
_USUAL_DECIMALS: Final = 2
_KEPT_SHAPES: Final = 10_000

# Past the NamedTuple's own constructor, which costs twice as much.
_NEW_FACT: Final[Callable[[type[Fact], tuple[object, ...]], Fact]] = tuple.__new__

_Shape = tuple[str, int, str, str, bool, bool, bool]
"""Source, kind, channel, product, and whether customer, amount and minutes are wanting."""
Day = Callable[[int, str], int]
"""(microseconds since 1970, zone) -> the local day, as days since 1970-01-01."""


def decimals_of(currency: str) -> int:
    """How many decimals its minor unit has."""
    return _DECIMALS.get(currency, _USUAL_DECIMALS)


class FactReader:
    """Reads facts as the contract tells them. `currency` is the enterprise's.

    Facts differ in little: what they have in common, their shape, is looked at closely the first time only.
    """

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._minor = 10 ** decimals_of(currency)
        self._nanos = _NANOS // self._minor
        self._right: set[_Shape] = set()

    def read(self, told: facts_pb2.Fact, owner: Owner, day: Day, now: int) -> Fact | Refusal:
        """The fact, or why it is refused. `now` is in microseconds since 1970.

        Whatever is not right at a glance is looked at closely.
        """
        source, external_id, version, kind = told.source, told.external_id, told.version, told.kind
        customer, product, channel, minutes = told.customer, told.product, told.channel, told.minutes
        amount = self._amount(told.amount) if told.HasField("amount") else None
        moment = told.occurred_at
        nanos = moment.nanos
        occurred = moment.seconds * 1_000_000 + nanos // 1000
        shape = (source, kind, channel, product, not customer, amount is None, not minutes)
        plain = not (
            told.reverses or told.voided or told.attributes or told.credits or told.HasField("leave")
        )
        if (
            not plain
            or shape not in self._right
            or isinstance(amount, Refusal)
            or not fits(external_id, version, customer, amount, minutes)
            or not FIRST_INSTANT <= occurred <= now + AHEAD
            or not 0 <= nanos < _NANOS
        ):
            fact = self._look_closely(told, owner, day, now)
            if plain and isinstance(fact, Fact):
                self._keep(shape)
            return fact
        person = told.person_id
        found = owner(person, "" if person else told.employee_number)
        if isinstance(found, Refusal):
            return found
        return _NEW_FACT(
            Fact,
            (
                source, external_id, version, kind, found[0], occurred, day(occurred, found[1]), customer, product,
                channel, amount, minutes, "", "", False, None, None, (), None, "",
            ),
        )  # fmt: skip

    def _keep(self, shape: "_Shape") -> None:
        if len(self._right) >= _KEPT_SHAPES:
            self._right = set()
        self._right.add(shape)

    def _look_closely(self, told: facts_pb2.Fact, owner: Owner, day: Day, now: int) -> Fact | Refusal:
        source, external_id, version = told.source, told.external_id, told.version
        refusal = check_key(source, external_id, version)
        if refusal is not None:
            return refusal
        amount = None
        if told.HasField("amount"):
            minor = self._amount(told.amount)
            if isinstance(minor, Refusal):
                return minor
            amount = minor
        kind, customer, product = int(told.kind), told.customer, told.product
        channel, minutes, reverses, voided = told.channel, told.minutes, told.reverses, told.voided
        attributes = told.attributes
        refusal = check_content(
            kind, customer, product, channel, amount, minutes, reverses, attributes, voided=voided
        )
        refusal = refusal or check_leave(source, kind, told=told.HasField("leave"), voided=voided)
        if refusal is not None:
            return refusal
        leave = to_half_days(told.leave) if told.HasField("leave") else (None, None)
        if isinstance(leave, Refusal):
            return leave
        moment = told.occurred_at
        seconds, nanos = moment.seconds, moment.nanos
        if not (-_LARGEST_SECONDS < seconds < _LARGEST_SECONDS and 0 <= nanos < _NANOS):
            return Refusal("occurred_at", "FIELD_INVALID", "must be an instant")
        occurred = seconds * 1_000_000 + nanos // 1000
        refusal = check_occurred(occurred, now)
        if refusal is not None:
            return refusal
        found = owner(told.person_id, told.employee_number)
        if isinstance(found, Refusal):
            return found
        person_id, zone = found
        fact = Fact(
            source, external_id, version, kind, person_id, occurred, day(occurred, zone), customer, product, channel,
            amount, minutes, reverses, attributes_text(attributes) if attributes else "", voided, *leave,
        )  # fmt: skip
        return with_credits(fact, told.credits, owner) if told.credits else fact

    def _amount(self, money: Money) -> int | Refusal:
        if money.currency_code != self._currency:
            return Refusal(
                "amount", "CURRENCY_MISMATCH", f"must be in the enterprise's currency, {self._currency}"
            )
        units, nanos = money.units, money.nanos
        if not 0 <= nanos < _NANOS or nanos % self._nanos:
            return Refusal("amount", "FIELD_INVALID", "must be whole minor units, not negative")
        return int(units * self._minor + nanos // self._nanos)

    def money(self, amount: int) -> Money:
        """An amount in minor units as money."""
        units, minor = divmod(amount, self._minor)
        return Money(currency_code=self._currency, units=units, nanos=minor * self._nanos)


def from_minor(amount: int, currency: str) -> Money:
    """An amount in minor units, which is not negative, as money."""
    minor = 10 ** decimals_of(currency)
    units, rest = divmod(amount, minor)
    return Money(currency_code=currency, units=units, nanos=rest * (_NANOS // minor))


def from_refusal(refusal: Refusal) -> facts_pb2.FactResult:
    """A refused row's result."""
    return facts_pb2.FactResult(
        outcome=facts_pb2.FACT_OUTCOME_REFUSED,
        field=refusal.field,
        reason=refusal.reason,
        message=refusal.message,
    )


def add_results(
    results: RepeatedCompositeFieldContainer[facts_pb2.FactResult],
    rows: Iterable[Fact | Refusal],
    stored: Iterator[Result],
) -> None:
    """Tell what became of each row: refused when it was read, or what was said of it when it was stored."""
    add = results.add
    for row in rows:
        if isinstance(row, Refusal):
            results.append(from_refusal(row))
            continue
        outcome, refusal = next(stored)
        if refusal is not None:
            results.append(from_refusal(refusal))
            continue
        # Field by field: by keywords it would cost half as much again.
        result = add()
        result.outcome = _OUTCOMES[outcome]
        result.fact_id = fact_id(row[0], row[1], row[2])


def from_result(result: Result, fact: Fact) -> facts_pb2.FactResult:
    """What became of a fact."""
    if result.refusal is not None:
        return from_refusal(result.refusal)
    return facts_pb2.FactResult(outcome=_OUTCOMES[result.outcome], fact_id=fact.id)


def from_recorded(recorded: Recorded, reader: FactReader, *, customers: bool) -> facts_pb2.RecordedFact:
    """A version in the ledger; without `customers`, what may tell who the customer is stays out."""
    part = None
    if recorded.deal_amount is not None:
        part = facts_pb2.DealPart(
            deal_id=recorded.deal_id,
            deal_amount=reader.money(recorded.deal_amount),
            credits=from_credits(recorded.credits),
        )
    fact = facts_pb2.Fact(
        source=recorded.source,
        external_id=recorded.external_id,
        version=recorded.version,
        kind=recorded.kind,  # type: ignore[arg-type]  # the enums have the same numbers
        person_id=recorded.person_id,
        occurred_at=from_instant(recorded.occurred_at),
        customer=recorded.customer if customers else "",
        product=recorded.product,
        channel=recorded.channel,
        amount=None if recorded.amount is None else reader.money(recorded.amount),
        minutes=recorded.minutes,
        reverses=recorded.reverses,
        attributes=(recorded.attributes or {}) if customers else {},
        voided=recorded.voided,
        leave=from_half_days(recorded.leave_first, recorded.leave_stop),
    )
    return facts_pb2.RecordedFact(
        fact_id=recorded.id,
        fact=fact,
        recorded_at=from_instant(recorded.recorded_at),
        counts=recorded.counts,
        reversed_by=recorded.reversed_by,
        part=part,
    )
