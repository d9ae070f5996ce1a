"""CRM rows into facts. Pure but for the counting in the report: rows in, facts and faults out."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from foothold.goals.v1 import facts_pb2, values_pb2
from google.type.date_pb2 import Date
from google.type.money_pb2 import Money

from launcher.importing.mapping import CrmMapping, FactRule, Leave, When
from launcher.importing.reading import Fault, Row
from launcher.importing.references import Checked, near
from launcher.importing.report import Report
from launcher.importing.templates import columns_of, fill

_NANOS: Final = 1_000_000_000
_MINOR_DIGITS: Final = 2
_LARGEST_MINUTES: Final = 10_080
_LONGEST: Final = 120
_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?%?", re.ASCII)
_RATIO: Final = re.compile(r"(\d{1,9}) ?/ ?(\d{1,9})", re.ASCII)


class Told(NamedTuple):
    """A fact and the row it comes from."""

    line: int
    key: str
    fact: facts_pb2.Fact


class _Refused(Exception):  # noqa: N818  an answer about one fact of one row
    def __init__(self, field: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.field, self.reason, self.message = field, reason, message


class Converter:
    """Turns rows into facts as the mapping says.

    `zones` maps the employee numbers there are to their zones; None when the caller may not read people:
    then the mapping must say the zone, and goals tells which people it does not know.
    """

    def __init__(
        self, mapping: CrmMapping, *, zones: Mapping[str, str] | None, checked: list[Checked], report: Report
    ) -> None:
        self._mapping = mapping
        self._zones = zones
        self._checked = checked
        self._report = report
        self._key = mapping.key or mapping.facts[0].id
        self._empty: Counter[str] = Counter()
        self._none: Counter[str] = Counter()
        self._days: dict[str, date | datetime | None] = {}

    def facts(self, row: Row) -> Iterator[Told]:
        """The facts that the row implies; faults go into the report."""
        for column in self._mapping.columns:
            if not row.cells[column]:
                self._empty[column] += 1
        cells = dict(row.cells)
        for checked in self._checked:
            cells[checked.column] = checked.resolve(row.cells)
        key = fill(self._key, row.cells)
        rules = [rule for rule in self._mapping.facts if _holds(rule.when, row.cells)]
        if not rules:
            self._implies_nothing(row, key)
            return
        for rule in rules:
            try:
                yield Told(row.line, key, self._fact(rule, cells))
            except _Refused as refused:
                self._report.refuse(Fault(row.line, refused.field, refused.reason, refused.message, key))

    def conclude(self) -> None:
        """Put what was counted along the way into the report's notes."""
        for column, count in self._empty.items():
            self._report.notes[f"{column} is empty"] += count
        for note, count in self._none.items():
            self._report.notes[note] += count
        for checked in self._checked:
            checked.conclude()

    def _implies_nothing(self, row: Row, key: str) -> None:
        for rule in self._mapping.no_fact:
            if _holds(rule.when, row.cells):
                self._none[rule.note] += 1
                return
        column, known = next(((name, values) for name, values in self._known_values().items()), ("row", []))
        value = row.cells.get(column, "")
        told = f"the mapping does not say what '{value}' implies{near(value, known)}"
        self._report.refuse(Fault(row.line, column, "VALUE_UNKNOWN", told, key))

    def _known_values(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        conditions = [rule.when for rule in self._mapping.facts]
        for when in (*conditions, *(rule.when for rule in self._mapping.no_fact)):
            for column, values in when.items():
                found.setdefault(column, []).extend(values)
        return found

    def _fact(self, rule: FactRule, cells: Mapping[str, str]) -> facts_pb2.Fact:
        for column in dict.fromkeys([*rule.required, rule.at]):
            if not cells[column]:
                raise _Refused(column, "MISSING", f"{rule.kind} needs {column}, and it is empty")
        number = fill(rule.person, cells)
        fact = facts_pb2.Fact(
            source=self._mapping.source,
            external_id=_short(rule.id, cells),
            version=_whole(rule.version, cells),
            kind=facts_pb2.FactKind.Value(f"FACT_KIND_{rule.kind.upper()}"),
            employee_number=number,
            customer=_short(rule.customer, cells),
            product=_short(rule.product, cells),
            channel=fill(rule.channel, cells).lower(),
            reverses=_short(rule.reverses, cells),
            attributes={name: fill(template, cells) for name, template in rule.attributes.items()},
            voided=rule.voided,
        )
        fact.occurred_at.FromDatetime(self._moment(rule, number, cells))
        if rule.amount:
            fact.amount.CopyFrom(self._money(rule, cells))
        if rule.minutes:
            fact.minutes = _whole(rule.minutes, cells, most=_LARGEST_MINUTES)
        fact.credits.extend(self._credits(rule, number, cells))
        if rule.leave is not None:
            fact.leave.CopyFrom(self._leave(rule.leave, cells))
        return fact

    def _credits(self, rule: FactRule, owner: str, cells: Mapping[str, str]) -> list[facts_pb2.Credit]:
        """Who earned it, as the row says; nothing where that is the owner alone."""
        given = [(each, number) for each in rule.credits if (number := fill(each.person, cells))]
        if not any(number != owner and not each.overlay for each, number in given):
            # Nobody shares the revenue, so that the owner's own share may be left empty.
            given = [(each, number) for each, number in given if number != owner or fill(each.share, cells)]
        told = [
            facts_pb2.Credit(employee_number=number, share=_share(each.share, cells), overlay=each.overlay)
            for each, number in given
        ]
        whole = len(told) == 1 and given[0][1] == owner and not given[0][0].overlay
        return [] if whole and told[0].share.numerator == told[0].share.denominator else told

    def _leave(self, told: Leave, cells: Mapping[str, str]) -> facts_pb2.Leave:
        first = self._day(told.first, cells)
        leave = facts_pb2.Leave(
            first_day=first, last_day=self._day(told.last, cells) if cells.get(told.last) else first
        )
        for column, name in ((told.first_half, "first_half"), (told.last_half, "last_half")):
            text = cells.get(column, "")
            if text in told.morning:
                setattr(leave, name, facts_pb2.DAY_HALF_MORNING)
            elif text in told.afternoon:
                setattr(leave, name, facts_pb2.DAY_HALF_AFTERNOON)
            elif text:
                hint = near(text, [*told.morning, *told.afternoon])
                raise _Refused(
                    column, "VALUE_UNKNOWN", f"'{text}' is neither a morning nor an afternoon{hint}"
                )
        return leave

    def _day(self, column: str, cells: Mapping[str, str]) -> Date:
        text = cells[column]
        found = self._read(text) if text else None
        if found is None:
            written = " or ".join(self._mapping.time.formats)
            raise _Refused(column, "DATE_INVALID", f"'{text}' is not a date written {written}")
        return Date(year=found.year, month=found.month, day=found.day)

    def _moment(self, rule: FactRule, number: str, cells: Mapping[str, str]) -> datetime:
        zone = ZoneInfo(self._zone(rule, number, cells))
        text = cells[rule.at]
        if text not in self._days:
            self._days[text] = self._read(text)
            if len(self._days) > 100_000:  # noqa: PLR2004  memory stays flat whatever the file
                self._days = {text: self._days[text]}
        found = self._days[text]
        if found is None:
            written = " or ".join(self._mapping.time.formats)
            raise _Refused(rule.at, "DATE_INVALID", f"'{text}' is not a date written {written}")
        if isinstance(found, datetime):
            return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
        at = time.fromisoformat(self._mapping.time.at)
        return datetime.combine(found, at, zone).astimezone(UTC)

    def _read(self, text: str) -> date | datetime | None:
        for written in self._mapping.time.formats:
            try:
                found = datetime.strptime(text, written)  # noqa: DTZ007  the zone is added by the caller
            except ValueError:
                continue
            return found if "%H" in written or "%I" in written else found.date()
        return None

    def _zone(self, rule: FactRule, number: str, cells: Mapping[str, str]) -> str:
        told = self._mapping.time
        person = (columns_of(rule.person) or ["person"])[0]
        if not number:
            raise _Refused(person, "MISSING", f"{rule.kind} needs {person}, and it is empty")
        if self._zones is not None and number not in self._zones:
            hint = near(number, list(self._zones))
            raise _Refused(person, "PERSON_UNKNOWN", f"nobody has the employee number '{number}'{hint}")
        if told.zone_column and cells[told.zone_column] in told.zones:
            return told.zones[cells[told.zone_column]]
        found = told.zone or (self._zones or {}).get(number)
        if not found:
            raise _Refused(person, "ZONE_UNKNOWN", "the zone is not known; say time.zone in the mapping")
        return found

    def _money(self, rule: FactRule, cells: Mapping[str, str]) -> Money:
        text = fill(rule.amount, cells)
        column = (columns_of(rule.amount) or ["amount"])[0]
        plain = text.replace(self._mapping.thousands, "") if self._mapping.thousands else text
        try:
            amount = Decimal(plain)
        except InvalidOperation:
            raise _Refused(column, "AMOUNT_INVALID", f"'{text}' is not an amount") from None
        if not amount.is_finite() or amount < 0:
            raise _Refused(column, "AMOUNT_INVALID", f"'{text}' must be a number that is not negative")
        if amount != round(amount, _MINOR_DIGITS):
            raise _Refused(column, "AMOUNT_INVALID", f"'{text}' has more than {_MINOR_DIGITS} decimals")
        units = int(amount)
        return Money(currency_code=self._mapping.currency, units=units, nanos=int((amount - units) * _NANOS))


def _holds(when: When, cells: Mapping[str, str]) -> bool:
    return all(cells[column] in values for column, values in when.items())


def _short(template: str, cells: Mapping[str, str]) -> str:
    text = fill(template, cells)
    if len(text) > _LONGEST:
        column = (columns_of(template) or ["row"])[0]
        raise _Refused(column, "TOO_LONG", f"{column} gives more than {_LONGEST} characters")
    return text


def _share(template: str, cells: Mapping[str, str]) -> values_pb2.Value:
    text = fill(template, cells).strip()
    column = (columns_of(template) or ["share"])[0]
    if not text:
        raise _Refused(column, "MISSING", f"a credit needs {column}, and it is empty")
    percent, ratio = _PERCENT.fullmatch(text), _RATIO.fullmatch(text)
    if percent:
        share = Fraction(percent[1]) / 100
    elif ratio and int(ratio[2]):
        share = Fraction(int(ratio[1]), int(ratio[2]))
    else:
        raise _Refused(column, "SHARE_INVALID", f"'{text}' is not a share written 60, 60 % or 3/5")
    return values_pb2.Value(
        unit=values_pb2.UNIT_RATE, numerator=share.numerator, denominator=share.denominator
    )


def _whole(template: str, cells: Mapping[str, str], *, most: int = 2**31 - 1) -> int:
    text = fill(template, cells)
    column = (columns_of(template) or ["row"])[0]
    if not text.isascii() or not text.isdecimal() or int(text[:20]) > most:
        raise _Refused(column, "NUMBER_INVALID", f"'{text}' is not a whole number from 0 to {most}")
    return int(text)
