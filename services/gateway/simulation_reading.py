"""What came of a simulation, as its page shows it: sentences, tables, and a chart for each plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
from foothold.incentives.v1 import plans_pb2, simulation_pb2
from google.type.money_pb2 import Money

from services.gateway import charts, formats
from services.gateway.figures import minor, money, signed, to_date, written
from services.gateway.language import _, language


@dataclass(frozen=True, slots=True)
class Step:
    """A tier or band, and how many statements end in it; `share` in percent, for the bar."""

    text: str
    count: int
    share: int


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What a rule of a plan would do."""

    label: str
    statements: int
    amount: Money
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class PlanView:
    """One plan of a simulation: what it would cost against what was paid, in a sentence, and in detail."""

    number: int
    name: str
    told: simulation_pb2.SimulatedPlan
    cost: Money
    sentence: str
    rules: list[RuleRow]
    chart: charts.Course | None


def names(simulation: simulation_pb2.Simulation) -> list[str]:
    """The plans' names, told apart where they are the same."""
    found = [plan.name for plan in simulation.plans]
    return (
        [f"{name} ({number})" for number, name in enumerate(found, 1)]
        if len(set(found)) < len(found)
        else found
    )


def span(simulation: simulation_pb2.Simulation) -> str:
    """Its months."""
    first = to_date(simulation.first_month)
    return formats.months(first, simulation.months, language()) if first else ""


def difference(after: Money, before: Money) -> str:
    """How much more or less, with its sign."""
    return signed(minor(after) - minor(before), after.currency_code)


def view(simulation: simulation_pb2.Simulation, result: simulation_pb2.SimulationResult) -> list[PlanView]:
    """Every plan."""
    return [
        PlanView(
            number,
            name,
            told,
            cost,
            _sentence(name, cost, result.sums.paid),
            _rules(plan, told),
            _chart(number, name, result),
        )
        for number, (plan, name, told, cost) in enumerate(
            zip(simulation.plans, names(simulation), result.plans, result.sums.simulated, strict=True)
        )
    ]


def _sentence(name: str, cost: Money, paid: Money) -> str:
    gap = minor(cost) - minor(paid)
    if not gap:
        return _("%(plan)s would have cost what was paid: %(amount)s.", plan=name, amount=money(cost))
    more = formats.money(abs(gap), cost.currency_code or "CNY")
    if gap > 0:
        return _(
            "%(plan)s would have cost %(amount)s, %(more)s more.", plan=name, amount=money(cost), more=more
        )
    return _("%(plan)s would have cost %(amount)s, %(more)s less.", plan=name, amount=money(cost), more=more)


def _flat(rules: "list[plans_pb2.Rule]") -> Iterator[plans_pb2.Rule]:
    """The rules in the order of a statement's lines."""
    for rule in rules:
        yield rule
        kind = rule.WhichOneof("kind")
        inside = getattr(getattr(rule, kind), "rules", None) if kind else None
        if inside:
            yield from _flat(list(inside))


def _rules(plan: plans_pb2.Plan, told: simulation_pb2.SimulatedPlan) -> list[RuleRow]:
    return [
        RuleRow(each.label, each.statements, each.amount, _steps(rule, each))
        for rule, each in zip(_flat(list(plan.rules)), told.rules, strict=True)
    ]


def _steps(rule: plans_pb2.Rule, told: simulation_pb2.SimulatedRule) -> list[Step]:
    lows = [tier.low for tier in rule.tiers.tiers] or [band.low for band in rule.graduated.bands]
    whole = max(1, sum(told.tiers))
    return [
        Step(_("from %(low)s", low=written(low)), count, count * 100 // whole)
        for low, count in zip(lows, told.tiers, strict=True)
    ]


def _chart(number: int, name: str, result: simulation_pb2.SimulationResult) -> charts.Course | None:
    """What the plan would cost as bars, what was paid as a line; nothing is drawn of one month."""
    months = [(first, each.sums) for each in result.months if (first := to_date(each.first_day))]
    if len(months) < 2:  # noqa: PLR2004
        return None
    rows = [
        charts.Row(formats.months(first, 1, language()), money(sums.simulated[number]), money(sums.paid))
        for first, sums in months
    ]
    # Bars stand evenly, whatever the length of a month.
    start = datetime(2000, 1, 1, tzinfo=UTC)
    data = {
        "bars": True,
        "x": [int((start + timedelta(days=30 * at)).timestamp()) for at in range(len(months))],
        "done": [minor(sums.simulated[number]) for _first, sums in months],
        "pace": [minor(sums.paid) for _first, sums in months],
        "scale": 100,
        "percent": False,
        "labels": [f"{first.year}-{first.month:02}" for first, _sums in months],
        "words": {"done": name, "pace": _("Paid")},
    }
    title = _("Cost of %(plan)s by month, against what was paid", plan=name)
    return charts.Course("", title, orjson.dumps(data).decode(), rows, (_("Month"), name, _("Paid")))
