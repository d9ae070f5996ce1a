"""Industries written as TOML documents."""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from json import dumps
from typing import Final

from services.goals.domain.conditions import UNCONDITIONAL, Conditions, Novelty
from services.goals.domain.definitions import Definition
from services.goals.domain.industries import Industry, Kpi, Words
from services.goals.domain.metrics import Direction
from services.goals.domain.values import Unit, Value
from services.goals.wire.facts import decimals_of

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_MOST_PLACES: Final = 6


def write_document(told: Industry) -> str:
    """The document that reads as this industry."""
    return "\n".join(_lines(told)) + "\n"


def _lines(told: Industry) -> Iterator[str]:
    yield f"id = {_text(told.id)}"
    yield f"title = {_words(told.title)}"
    yield f"summary = {_words(told.summary)}"
    yield f"currency = {_text(told.currency)}"
    for metric in told.metrics:
        yield from ("", "[[metrics]]", *_metric(metric, told.currency))
    for kpi in told.kpis:
        yield from ("", "[[kpis]]", *_kpi(kpi, told.currency))
    for stage in told.stages:
        yield from ("", "[[stages]]")
        yield from (f"{name} = {_words(getattr(stage, name))}" for name in ("title", "does", "done"))


def _metric(told: Definition, currency: str) -> Iterator[str]:
    titles = dict(told.titles)
    yield f"name = {_text(told.name)}"
    yield f"title = {_words(Words(titles['zh-CN'], titles['en']))}"
    yield f"description = {_text(told.description)}"
    yield f"unit = {_text(told.unit.name.lower())}"
    yield f"aggregation = {_text(told.aggregation.name.lower())}"
    if told.kinds:
        yield f"kinds = {_texts(kind.name.lower() for kind in told.kinds)}"
    if told.numerator:
        yield f"numerator = {_text(told.numerator)}"
        yield f"denominators = {_texts(told.denominators)}"
    if told.direction is not Direction.AT_LEAST:
        yield f"direction = {_text(told.direction.name.lower())}"
    if told.rolling_days:
        yield f"rolling_days = {told.rolling_days}"
    if told.conditions != UNCONDITIONAL:
        yield f"conditions = {_conditions(told.conditions, currency)}"


def _conditions(told: Conditions, currency: str) -> str:
    parts = [
        f"{name} = {_texts(sorted(texts))}"
        for name, texts in (("channels", told.channels), ("products", told.products))
        if texts
    ]
    parts += [
        f"{name} = {_text(_number(Value(Unit.MONEY, amount), currency))}"
        for name, amount in (("least_amount", told.least_amount), ("most_amount", told.most_amount))
        if amount is not None
    ]
    if told.attributes:
        attributes = ", ".join(f"{_key(name)} = {_texts(sorted(values))}" for name, values in told.attributes)
        parts.append(f"attributes = {{ {attributes} }}")
    if told.customers is not Novelty.ANYBODY:
        parts.append(f"customers = {_text(told.customers.name.lower())}")
    return f"{{ {', '.join(parts)} }}"


def _kpi(told: Kpi, currency: str) -> Iterator[str]:
    yield f"metric = {_text(told.metric)}"
    yield f"why = {_words(told.why)}"
    yield f"period = {_text(told.period_kind.name.lower())}"
    yield f"value = {_text(_number(told.value, currency))}"
    if told.months:
        yield f"months = {_texts(_number(each, currency) for each in told.months)}"
    yield f"basis = {_text('source' if told.source else 'sample')}"
    if told.source:
        yield f"source = {_text(told.source)}"
        yield f"year = {told.year}"


def _number(value: Value, currency: str) -> str:
    """A value as it is read again: rates in percent and money in the main unit where that ends, else as a fraction."""
    number = Fraction(value.numerator, value.denominator)
    least = 0
    if value.unit is Unit.MONEY:
        least = decimals_of(currency)
        number /= 10**least
    scaled = number * 100 if value.unit is Unit.RATE else number
    places = next(
        (each for each in range(least, _MOST_PLACES + 1) if (scaled * 10**each).denominator == 1), None
    )
    if places is None:
        return f"{number.numerator}/{number.denominator}"
    digits = f"{(scaled * 10**places).numerator:0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"{text} %" if value.unit is Unit.RATE else text


def _words(told: Words) -> str:
    return f"{{ zh-CN = {_text(told.chinese)}, en = {_text(told.english)} }}"


def _texts(told: Iterable[str]) -> str:
    return f"[{', '.join(_text(each) for each in told)}]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(told: str) -> str:
    # What JSON escapes TOML reads alike; DEL it leaves as it is, and TOML does not allow that.
    return dumps(told, ensure_ascii=False).replace("\x7f", "\\u007f")
