"""Industries as TOML documents: how they ship with the service, and how a company keeps and moves its own."""

import re
import tomllib
from collections.abc import Mapping
from enum import IntEnum
from fractions import Fraction
from typing import Any, Final, TypeVar

from services.goals.domain.conditions import Conditions, Novelty
from services.goals.domain.definitions import Definition
from services.goals.domain.facts import FactKind
from services.goals.domain.industries import Industry, Kpi, Stage, Words, check_industry
from services.goals.domain.metrics import METRICS, Aggregation, Direction
from services.goals.domain.periods import PeriodKind
from services.goals.domain.values import Unit, Value, exactly
from services.goals.wire.facts import decimals_of

_Choice = TypeVar("_Choice", bound=IntEnum)
_DECIMAL: Final = re.compile(r"(\d{1,15})(?:\.(\d{1,6}))?( ?%)?")
_FRACTION: Final = re.compile(r"(\d{1,15})/([1-9]\d{0,14})")
_SAMPLE: Final = "sample"
_LARGEST_YEAR: Final = 9999


def read_document(text: str) -> Industry | dict[str, str]:
    """The industry a document tells; or what is wrong with it, by place and in English. The place "" is the whole."""
    read = read_form(text)
    return read if isinstance(read, dict) else check_industry(read) or read


def read_form(text: str) -> Industry | dict[str, str]:
    """The same without a look at what its parts say together: for what was sound when it was stored."""
    try:
        told = tomllib.loads(text, parse_float=str)
    except RecursionError:
        return {"": "is nested too deeply"}
    except ValueError as error:
        return {"": f"is no TOML: {error}"}
    wrong: dict[str, str] = {}
    industry = _industry(_Table(told, "", wrong))
    return wrong or industry


class _Table:
    """A table of the document. What does not fit is noted by its place; a harmless value stands in for it."""

    def __init__(self, told: Mapping[str, Any], place: str, wrong: dict[str, str]) -> None:
        self._told = told
        self._place = place
        self._wrong = wrong
        self._known: set[str] = set()

    def refuse(self, key: str, why: str) -> None:
        self._wrong.setdefault(self._path(key), why)

    def has(self, key: str) -> bool:
        self._known.add(key)
        return key in self._told

    def text(self, key: str, *, required: bool = True) -> str:
        found = self._get(key, str, "a text in quotes", required=required)
        return found if isinstance(found, str) else ""

    def year(self, key: str) -> int:
        found = self._get(key, int, "a whole number", required=False)
        return found if isinstance(found, int) and 0 <= found <= _LARGEST_YEAR else 0

    def days(self, key: str) -> int:
        found = self._get(key, int, "a whole number", required=False)
        return found if isinstance(found, int) else 0

    def words(self, key: str) -> Words:
        table = self.table(key, required=True)
        words = Words(table.text("zh-CN"), table.text("en"))
        table.close()
        return words

    def texts(self, key: str) -> list[str]:
        found = self._get(key, list, "a list of texts", required=False) or []
        if all(isinstance(each, str) for each in found):
            return list(found)
        self.refuse(key, "must be a list of texts")
        return []

    def table(self, key: str, *, required: bool = False) -> "_Table":
        found = self._get(key, dict, "a table", required=required)
        return _Table(found or {}, self._path(key), self._wrong)

    def tables(self, key: str) -> "list[_Table]":
        found = self._get(key, list, f"[[{key}]] tables", required=False) or []
        if not all(isinstance(each, dict) for each in found):
            self.refuse(key, f"must be [[{key}]] tables")
            return []
        return [
            _Table(each, f"{self._path(key)}[{_name_of(each) or number}]", self._wrong)
            for number, each in enumerate(found, start=1)
        ]

    def choice(self, key: str, allowed: type[_Choice], default: _Choice | None = None) -> _Choice:
        """A value of an enum by its name in small letters."""
        by_name = {each.name.lower(): each for each in allowed}
        told = self.text(key, required=default is None)
        if told in by_name:
            return by_name[told]
        if told:
            self.refuse(key, f"must be one of {', '.join(by_name)}")
        return default if default is not None else next(iter(by_name.values()))

    def choices(self, key: str, allowed: type[_Choice]) -> tuple[_Choice, ...]:
        by_name = {each.name.lower(): each for each in allowed}
        told = self.texts(key)
        if not all(each in by_name for each in told):
            self.refuse(key, f"must be of {', '.join(by_name)}")
        return tuple(by_name[each] for each in told if each in by_name)

    def keys(self) -> list[str]:
        self._known.update(self._told)
        return list(self._told)

    def close(self) -> None:
        """Note every key that was not asked for: a slip of the pen would otherwise be lost in silence."""
        for key in self._told:
            if key not in self._known:
                self.refuse(key, "is not known here")

    def _get(self, key: str, kind: type, name: str, *, required: bool) -> Any:
        self._known.add(key)
        found = self._told.get(key)
        # TOML's true and false are Python's, which are whole numbers too.
        if isinstance(found, kind) and not isinstance(found, bool):
            return found
        if found is not None or required:
            self.refuse(key, f"must be {name}" if found is not None else "is missing")
        return None

    def _path(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key


def _name_of(told: Mapping[str, Any]) -> str:
    name = told.get("name")
    return name if isinstance(name, str) and len(name) <= 40 else ""  # noqa: PLR2004  a metric's name


def _industry(told: _Table) -> Industry:
    currency = told.text("currency")
    metrics = tuple(_metric(each, currency) for each in told.tables("metrics"))
    units = {name: metric.unit for name, metric in METRICS.items()} | {
        each.name: each.unit for each in metrics
    }
    industry = Industry(
        told.text("id"),
        told.words("title"),
        told.words("summary"),
        currency,
        metrics,
        tuple(_kpi(each, units, currency) for each in told.tables("kpis")),
        tuple(_stage(each) for each in told.tables("stages")),
    )
    told.close()
    return industry


def _metric(told: _Table, currency: str) -> Definition:
    title = told.words("title")
    conditions = told.table("conditions")
    definition = Definition(
        told.text("name"),
        told.choice("unit", Unit),
        told.choice("aggregation", Aggregation),
        told.text("description").strip(),
        told.choices("kinds", FactKind),
        told.text("numerator", required=False),
        tuple(told.texts("denominators")),
        told.choice("direction", Direction, Direction.AT_LEAST),
        _conditions(conditions, currency),
        (("en", title.english.strip()), ("zh-CN", title.chinese.strip())),
        told.days("rolling_days"),
    )
    told.close()
    return definition


def _conditions(told: _Table, currency: str) -> Conditions:
    attributes = told.table("attributes")
    conditions = Conditions(
        frozenset(told.texts("channels")),
        frozenset(told.texts("products")),
        _minor(told, "least_amount", currency),
        _minor(told, "most_amount", currency),
        tuple((name, frozenset(attributes.texts(name))) for name in sorted(attributes.keys())),
        told.choice("customers", Novelty, Novelty.ANYBODY),
    )
    told.close()
    return conditions


def _minor(told: _Table, key: str, currency: str) -> int | None:
    if not told.has(key):
        return None
    found = _value(told.text(key), Unit.MONEY, currency)
    if found is None or found.denominator != 1:
        told.refuse(key, "must be an amount such as 1500.00")
        return None
    return found.numerator


def _kpi(told: _Table, units: Mapping[str, Unit], currency: str) -> Kpi:
    metric = told.text("metric")
    unit = units.get(metric)
    if metric and unit is None:
        told.refuse("metric", "must be a built-in metric or one of this document")
    basis = told.text("basis")
    if basis not in ("", _SAMPLE, "source"):
        told.refuse("basis", f"must be {_SAMPLE} or source")
    sourced = basis == "source"
    kpi = Kpi(
        metric,
        told.words("why"),
        told.choice("period", PeriodKind),
        _asked(told, "value", told.text("value"), unit, currency),
        tuple(_asked(told, "months", each, unit, currency) for each in told.texts("months")),
        told.text("source", required=sourced),
        told.year("year"),
    )
    if sourced != bool(kpi.source):
        told.refuse("basis", "must be source where there is one, else sample")
    told.close()
    return kpi


def _asked(told: _Table, key: str, text: str, unit: Unit | None, currency: str) -> Value:
    if unit is None:
        return Value(Unit.COUNT, 0)
    found = _value(text, unit, currency)
    if found is None:
        told.refuse(key, "must be a number such as 20, 12.5 % or 2/25")
        return Value(unit, 0)
    return found


def _stage(told: _Table) -> Stage:
    stage = Stage(told.words("title"), told.words("does"), told.words("done"))
    told.close()
    return stage


def _value(text: str, unit: Unit, currency: str) -> Value | None:
    """A number as written, in its unit: money in the currency's main unit."""
    if found := _FRACTION.fullmatch(text):
        number = Fraction(int(found[1]), int(found[2]))
    elif found := _DECIMAL.fullmatch(text):
        places = found[2] or ""
        number = Fraction(int(found[1] + places), 10 ** len(places))
        if found[3]:
            if unit is not Unit.RATE:
                return None
            number /= 100
    else:
        return None
    return exactly(unit, number * 10 ** decimals_of(currency) if unit is Unit.MONEY else number)
