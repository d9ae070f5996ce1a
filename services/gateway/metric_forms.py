"""A metric as a form: typed, read into a definition, and back. What it says in words is in metric_words."""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from foothold.goals.v1 import facts_pb2, metrics_pb2, values_pb2
from werkzeug.datastructures import MultiDict

from chassis.errors import Failure
from services.gateway import words
from services.gateway.faults import fault
from services.gateway.formats import minor_digits, rounded
from services.gateway.language import _
from services.gateway.problems import message_of
from services.gateway.standards_forms import number

Form = MultiDict[str, str]
_DEFINITION: Final = metrics_pb2.MetricDefinition
AGGREGATIONS: Final = {
    "count": _DEFINITION.AGGREGATION_COUNT,
    "customers": _DEFINITION.AGGREGATION_DISTINCT_CUSTOMERS,
    "new_customers": _DEFINITION.AGGREGATION_NEW_CUSTOMERS,
    "repeat_customers": _DEFINITION.AGGREGATION_REPEAT_CUSTOMERS,
    "sum_amount": _DEFINITION.AGGREGATION_SUM_AMOUNT,
    "mean_amount": _DEFINITION.AGGREGATION_MEAN_AMOUNT,
    "sum_minutes": _DEFINITION.AGGREGATION_SUM_MINUTES,
    "mean_minutes": _DEFINITION.AGGREGATION_MEAN_MINUTES,
    "ratio": _DEFINITION.AGGREGATION_RATIO,
}
RATIOS: Final = frozenset(
    {
        _DEFINITION.AGGREGATION_RATIO,
        _DEFINITION.AGGREGATION_MEAN_AMOUNT,
        _DEFINITION.AGGREGATION_MEAN_MINUTES,
    }
)
"""What no other ratio can be made of."""
UNITS: Final = {
    "rate": values_pb2.UNIT_RATE,
    "money": values_pb2.UNIT_MONEY,
    "minutes": values_pb2.UNIT_MINUTES,
    "count": values_pb2.UNIT_COUNT,
}
DIRECTIONS: Final = {"least": _DEFINITION.DIRECTION_AT_LEAST, "most": _DEFINITION.DIRECTION_AT_MOST}
NOVELTIES: Final = {"": 0, "new": _DEFINITION.NOVELTY_NEW, "known": _DEFINITION.NOVELTY_KNOWN}
KINDS: Final = {
    name.removeprefix("FACT_KIND_").lower(): kind
    for name, kind in facts_pb2.FactKind.items()
    if kind in words.FACTS and kind not in (facts_pb2.FACT_KIND_DEAL_REVERSED, facts_pb2.FACT_KIND_LEAVE)
}
"""What can be counted: a deal taken back takes its deal away and is nothing by itself, and leave is no work."""
GROUPS: Final = {
    "person": metrics_pb2.GROUP_BY_PERSON,
    "month": metrics_pb2.GROUP_BY_MONTH,
    "department": metrics_pb2.GROUP_BY_DEPARTMENT,
    "branch": metrics_pb2.GROUP_BY_BRANCH,
}
MOST_PARTS: Final = 5
"""Metrics below the line of a ratio, and attributes with conditions: as many as the contract allows of each."""
LONGEST_NAME: Final = 40
LONGEST_WINDOW: Final = 366
"""Days of a window of a metric's own."""
_LONGEST_TITLE: Final = 40
_LONGEST_DESCRIPTION: Final = 300
_LANGUAGES: Final = {"title_zh": "zh-CN", "title_en": "en"}
_FIELDS: Final = {
    "titles": "title_zh",
    "fact_kinds": "kind",
    "denominators": "denominator-0",
    "channels": "other_channels",
    "attributes": "attribute-0-values",
    "conditions": "aggregation",
    "node_id": "node",
}
_PART: Final = re.compile(r"is a part of (\w+), and (?:parts are no ratios|must stay \w+)")
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9]+")


def wrong_of(failure: Failure) -> dict[str, str]:
    """What a refusal says, by the form's fields: definition.conditions.channels is told beside other_channels."""
    found = {}
    for path, why in failure.fields.items():
        name = path.rpartition(".")[2]
        part = _PART.fullmatch(why)
        found[_FIELDS.get(name, name)] = (
            _("“%(metric)s” is made of it, so this must stay as it is.", metric=words.metric(part[1]))
            if part
            else fault(why)
        )
    return found | ({"name": message_of(failure)} if failure.reason == "METRIC_BUILT_IN" else {})


def how_many(form: Form, name: str) -> int:
    """How many rows of a kind the form has; one where it says nothing sensible."""
    text = form.get(name, "")
    return min(int(text), MOST_PARTS) if text in ("1", "2", "3", "4", "5") else 1


def slots(form: Form) -> list[str]:
    """The fields beside which the live preview says what does not fit: all but those that matter on saving only."""
    return [
        *(
            "name",
            "title_zh",
            "title_en",
            "description",
            "aggregation",
            "unit",
            "direction",
            "rolling_days",
            "kind",
        ),
        *("numerator", "other_channels", "customers", "products", "least_amount", "most_amount"),
        *(f"denominator-{index}" for index in range(how_many(form, "denominators"))),
        *(f"attribute-{index}-{part}" for index in range(how_many(form, "attributes")) for part in _PARTS),
        *("from", "to", "node", "by"),
    ]


_PARTS: Final = ("name", "values")


def form_of(told: metrics_pb2.MetricDefinition, currency: str) -> Form:
    """A definition as it would have been typed."""
    asked = told.conditions
    form: Form = MultiDict(
        {
            "name": told.name,
            "title_zh": told.titles["zh-CN"],
            "title_en": told.titles["en"],
            "description": told.description,
            "aggregation": _key(AGGREGATIONS, told.aggregation),
            "unit": _key(UNITS, told.unit),
            "direction": _key(DIRECTIONS, told.direction),
            "window": "rolling" if told.rolling_days else "period",
            "rolling_days": str(told.rolling_days or ""),
            "customers": _key(NOVELTIES, asked.customers),
            "numerator": told.numerator,
            "denominators": str(max(1, len(told.denominators))),
            "attributes": str(max(1, len(asked.attributes))),
            "other_channels": "\n".join(each for each in asked.channels if each not in words.CHANNELS),
            "products": "\n".join(asked.products),
        }
    )
    form.setlist("kind", [_key(KINDS, kind) for kind in told.fact_kinds])
    form.setlist("channel", [each for each in asked.channels if each in words.CHANNELS])
    for index, name in enumerate(told.denominators):
        form[f"denominator-{index}"] = name
    for index, each in enumerate(asked.attributes):
        form[f"attribute-{index}-name"] = each.name
        form[f"attribute-{index}-values"] = "\n".join(each.values)
    for field in ("least_amount", "most_amount"):
        if asked.HasField(field):
            form[field] = _amount(getattr(asked, field), currency)
    return form


def _key(known: Mapping[str, int], value: int) -> str:
    return next((name for name, each in known.items() if each == value), "")


def _amount(minor: int, currency: str) -> str:
    digits = minor_digits(currency)
    text = rounded(Fraction(minor, 10**digits), digits).replace(",", "")
    return text.rstrip("0").rstrip(".") if "." in text else text


def name_of(form: Form) -> str:
    """The name typed, or one made of the English title."""
    typed = form.get("name", "").strip()
    made = _NOT_IN_A_NAME.sub("_", form.get("title_en", "").lower()).strip("_0123456789")
    return typed or made[:LONGEST_NAME].rstrip("_")


def definition_of(
    form: Form, name: str, currency: str
) -> tuple[metrics_pb2.MetricDefinition, dict[str, str]]:
    """The definition as typed, and what cannot be read or is missing, by field. Whether it is sound goals says."""
    wrong: dict[str, str] = {}
    aggregation = AGGREGATIONS.get(form.get("aggregation", ""))
    if aggregation is None:
        wrong["aggregation"] = _("Choose one of the list.")
        aggregation = _DEFINITION.AGGREGATION_COUNT
    told = _DEFINITION(
        name=name[:100],
        aggregation=aggregation,
        unit=unit_of(aggregation) or UNITS.get(form.get("unit", ""), values_pb2.UNIT_RATE),
        direction=DIRECTIONS.get(form.get("direction", ""), _DEFINITION.DIRECTION_AT_LEAST),
        description=form.get("description", "").strip()[:1000],
        titles={tag: form.get(field, "").strip()[:200] for field, tag in _LANGUAGES.items()},
    )
    if form.get("window") == "rolling":
        told.rolling_days, why = _days(form.get("rolling_days", "").strip())
        wrong |= why
    for field, tag in _LANGUAGES.items():
        if not 0 < len(told.titles[tag]) <= _LONGEST_TITLE or not told.titles[tag].isprintable():
            wrong[field] = _("Fill this in, please; at most %(most)s characters.", most=_LONGEST_TITLE)
    if not 0 < len(told.description) <= _LONGEST_DESCRIPTION:
        wrong["description"] = _(
            "Fill this in, please; at most %(most)s characters.", most=_LONGEST_DESCRIPTION
        )
    if not name and "title_en" not in wrong:
        wrong["name"] = _("a-z, 0-9 and _, at most 40, beginning with a letter, please.")
    if aggregation == _DEFINITION.AGGREGATION_RATIO:
        told.numerator = form.get("numerator", "")[:100]
        told.denominators.extend(
            typed[:100]
            for index in range(how_many(form, "denominators"))
            if (typed := form.get(f"denominator-{index}", ""))
        )
        return told, wrong
    told.fact_kinds.extend(KINDS[each] for each in dict.fromkeys(form.getlist("kind")) if each in KINDS)
    return told, wrong | _conditions(form, told.conditions, currency)


def _days(text: str) -> tuple[int, dict[str, str]]:
    """How many of the last days, and what is wrong with what was typed."""
    days = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(LONGEST_WINDOW)) else 0
    if 1 <= days <= LONGEST_WINDOW:
        return days, {}
    return 0, {
        "rolling_days": _("A number from %(least)s to %(most)s, please.", least=1, most=LONGEST_WINDOW)
    }


def _conditions(form: Form, asked: metrics_pb2.MetricDefinition.Conditions, currency: str) -> dict[str, str]:
    wrong: dict[str, str] = {}
    chosen = (each for each in form.getlist("channel") if each in words.CHANNELS)
    asked.channels.extend(dict.fromkeys([*chosen, *_lines(form.get("other_channels", ""))]))
    asked.products.extend(dict.fromkeys(_lines(form.get("products", ""))))
    asked.customers = NOVELTIES.get(form.get("customers", ""), 0)  # type: ignore[assignment]  # a novelty
    for field in ("least_amount", "most_amount"):
        text = form.get(field, "").strip()
        minor = _minor(text, currency)
        if minor is not None:
            setattr(asked, field, minor)
        elif text:
            wrong[field] = _("An amount like 1200 or 1200.50, please.")
    for index in range(how_many(form, "attributes")):
        name = form.get(f"attribute-{index}-name", "").strip()
        values = list(dict.fromkeys(_lines(form.get(f"attribute-{index}-values", ""))))
        if name and values:
            asked.attributes.add(name=name, values=values)
        elif name:
            wrong[f"attribute-{index}-values"] = _("A line for each value that counts, please.")
        elif values:
            wrong[f"attribute-{index}-name"] = _("The attribute's name, please.")
    return wrong


def _minor(text: str, currency: str) -> int | None:
    typed = number(text)
    if typed is None:
        return None
    typed *= 10 ** minor_digits(currency)
    return typed.numerator if typed.denominator == 1 else None


def _lines(text: str) -> Iterable[str]:
    return (line.strip() for line in text.splitlines() if line.strip())


def unit_of(aggregation: int) -> values_pb2.Unit.ValueType | None:
    """What such a metric is counted in; None for ratios, whose author says."""
    if aggregation == _DEFINITION.AGGREGATION_RATIO:
        return None
    if aggregation in (_DEFINITION.AGGREGATION_SUM_AMOUNT, _DEFINITION.AGGREGATION_MEAN_AMOUNT):
        return values_pb2.UNIT_MONEY
    if aggregation in (_DEFINITION.AGGREGATION_SUM_MINUTES, _DEFINITION.AGGREGATION_MEAN_MINUTES):
        return values_pb2.UNIT_MINUTES
    return values_pb2.UNIT_COUNT
