"""An objective as a form: a sentence, its days, and a row for each key result."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from foothold.goals.v1 import metrics_pb2, objectives_pb2, values_pb2

from chassis.errors import Failure
from services.gateway import goal_words, period_forms, standards_forms
from services.gateway.faults import fault
from services.gateway.figures import RATE, exact, from_date
from services.gateway.formats import NARROW
from services.gateway.language import _, later
from services.gateway.problems import message_of

MOST: Final = 10
"""Key results of one objective."""
PERIODS: Final = {
    "day": values_pb2.PERIOD_KIND_DAY,
    "week": values_pb2.PERIOD_KIND_WEEK,
    "month": values_pb2.PERIOD_KIND_MONTH,
    "quarter": values_pb2.PERIOD_KIND_QUARTER,
    "year": values_pb2.PERIOD_KIND_YEAR,
}
_NAMES: Final = {kind: name for name, kind in PERIODS.items()}
_DIRECTION: Final = objectives_pb2.KeyResultDirection
DIRECTIONS: Final[Mapping[str, tuple[objectives_pb2.KeyResultDirection.ValueType, str]]] = {
    "usual": (_DIRECTION.KEY_RESULT_DIRECTION_UNSPECIFIED, later("as the metric says")),
    "least": (_DIRECTION.KEY_RESULT_DIRECTION_AT_LEAST, later("at least")),
    "most": (_DIRECTION.KEY_RESULT_DIRECTION_AT_MOST, later("at most")),
}
_DIRECTION_NAMES: Final = {number: name for name, (number, _word) in DIRECTIONS.items()}
_SHARE: Final = re.compile(r"(\d{1,4})\s*/\s*(\d{1,4})")
_FIELD: Final = re.compile(r"objective\.key_results\[(\d+)\]\.(\w+)")
_FORM_FIELDS: Final = {"first_day": "span", "period_kind": "span"}


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A key result as typed. `goal` and `target` are ids: one that is set gives metric, period and value."""

    weight: str = ""
    metric: str = ""
    value: str = ""
    period: str = "month"
    direction: str = "usual"
    goal: str = ""
    target: str = ""


_COLUMNS: Final = ("weight", "metric", "value", "period", "direction", "goal", "target")


def rows_of(form: Mapping[str, str]) -> list[ResultRow]:
    """The rows as typed, all of them."""
    text = form.get("results", "1")
    rows = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 1  # noqa: PLR2004
    return [
        ResultRow(*(form.get(f"kr-{row}-{name}", "").strip()[:64] for name in _COLUMNS))
        for row in range(min(max(rows, 1), MOST))
    ]


def rows_from(objective: objectives_pb2.Objective) -> list[ResultRow]:
    """The rows of an objective that stands."""
    return [
        ResultRow(
            weight_text(each.weight),
            each.metric,
            goal_words.typed(each.value),
            _NAMES.get(each.period_kind, "month"),
            _DIRECTION_NAMES.get(each.direction, "usual"),
            each.goal_id,
            each.target_id,
        )
        for each in objective.key_results
    ]


def changed(rows: Sequence[ResultRow], action: str) -> list[ResultRow] | None:
    """The rows after a button was pressed that adds or removes one; None where it was another."""
    if action == "add":
        return [*rows, ResultRow()][:MOST]
    place = action.removeprefix("drop-")
    if place == action or not (place.isascii() and place.isdigit()):
        return None
    left = [row for number, row in enumerate(rows) if str(number) != place]
    return left or list(rows)


def weight_text(weight: values_pb2.Value) -> str:
    """A weight as it is typed: in percent, or as the fraction it is where percent would not be exact."""
    share = exact(weight) or Fraction(0)
    text = goal_words.typed(weight)
    return text if Fraction(text or 0) == share * 100 else f"{share.numerator}/{share.denominator}"


def weight_of(text: str) -> Fraction | None:
    """What was typed: percent, or a fraction such as 1/3. None for what is neither, and for nothing."""
    if found := _SHARE.fullmatch(text):
        part, whole = int(found[1]), int(found[2])
        return Fraction(part, whole) if 0 < part <= whole else None
    number = standards_forms.number(text.removesuffix("%").strip())
    return number / 100 if number and number <= 100 else None  # noqa: PLR2004


def objective_of(
    form: Mapping[str, str],
    rows: Sequence[ResultRow],
    metrics: Sequence[metrics_pb2.MetricDefinition],
    currency: str,
) -> tuple[objectives_pb2.Objective, dict[str, str]]:
    """The objective as typed, and what cannot be read, by field. Whether the weights make 1 is goals' to say."""
    kind, first, wrong = period_forms.period_of(form)
    objective = objectives_pb2.Objective(
        node_id=form.get("node_id", "")[:64],
        title=form.get("title", "").strip()[:200],
        period_kind=kind,
        first_day=from_date(first),
        reason=form.get("reason", "").strip()[:500],
    )
    if not objective.title:
        wrong["title"] = _("Say in a sentence what is to be reached.")
    known = {each.name: each for each in metrics}
    for number, row in enumerate(rows):
        told, missing = _key_result(row, known.get(row.metric), currency)
        objective.key_results.append(told)
        wrong |= {f"kr-{number}-{name}": why for name, why in missing.items()}
    return objective, wrong


def _key_result(
    row: ResultRow, definition: metrics_pb2.MetricDefinition | None, currency: str
) -> tuple[objectives_pb2.KeyResult, dict[str, str]]:
    wrong: dict[str, str] = {}
    weight = weight_of(row.weight)
    if weight is None:
        wrong["weight"] = _("In percent, or as a fraction such as 1/3.")
        weight = Fraction(1)
    told = objectives_pb2.KeyResult(
        weight=values_pb2.Value(
            unit=values_pb2.UNIT_RATE, numerator=weight.numerator, denominator=weight.denominator
        ),
        direction=DIRECTIONS.get(row.direction, DIRECTIONS["usual"])[0],
    )
    if row.goal or row.target:
        told.goal_id, told.target_id = row.goal, row.target
        return told, wrong
    value = standards_forms.value_of(row.value, definition.unit, currency) if definition else None
    if definition is None:
        wrong["metric"] = _("Choose one of the list.")
    if value is None:
        wrong["value"] = _("A number, please; rates in percent.")
        return told, wrong
    told.metric = row.metric
    told.period_kind = PERIODS.get(row.period, values_pb2.PERIOD_KIND_MONTH)
    told.value.CopyFrom(value)
    return told, wrong


def refused(failure: Failure, rows: Sequence[ResultRow]) -> tuple[str, dict[str, str]]:
    """Why an objective was refused, in words, and what is wrong with which field."""
    if failure.reason == "WEIGHTS_NOT_ONE":
        total = Fraction(failure.metadata["sum"])
        text = goal_words.typed(
            values_pb2.Value(unit=RATE, numerator=total.numerator, denominator=total.denominator)  # type: ignore[arg-type]  # UNIT_RATE
        )
        told = {"sum": f"{text}{NARROW}%", "whole": f"100{NARROW}%"}
        return _("The weights sum to %(sum)s. They must sum to %(whole)s exactly.", **told), {}
    wrong: dict[str, str] = {}
    for name, why in failure.fields.items():
        if found := _FIELD.fullmatch(name):
            wrong[f"kr-{found[1]}-{found[2]}"] = fault(why)
        elif failure.reason == "VALUE_INVALID":
            metric = failure.message.partition(":")[0]
            wrong |= {
                f"kr-{number}-value": fault(why) for number, row in enumerate(rows) if row.metric == metric
            }
        else:
            last = name.rpartition(".")[2]
            wrong[_FORM_FIELDS.get(last, last)] = fault(why)
    return message_of(failure), wrong
