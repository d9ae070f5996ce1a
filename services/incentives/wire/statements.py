"""Statements, next amounts and traces."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

from foothold.incentives.v1 import statements_pb2

from services.incentives.domain.evaluation import Line
from services.incentives.domain.inverse import NextAmount
from services.incentives.domain.metrics import METRICS, Figure, Figures, measure
from services.incentives.domain.plans import Plan
from services.incentives.domain.statements import Statement
from services.incentives.domain.tracing import Step
from services.incentives.wire.values import from_figure, from_money, from_period

# About 4 MB.
_KEPT_LINES: Final = 10_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def from_statement(statement: Statement, plan: Plan | None, currency: str) -> statements_pb2.Statement:
    message = statements_pb2.Statement(
        person_id=statement.person_id,
        period=from_period(statement.period),
        plan_id=statement.plan_id,
        total=from_money(statement.total, currency),
        goals_position=statement.goals_position,
    )
    if plan is not None:
        message.plan_name = plan.name
        figures = statement.figures
        for index, amount in enumerate(statement.amounts):
            value = measure(METRICS[plan.rules[index].kind.metric], figures)
            message.lines.append(_line(plan, index, value, amount, currency))
    if statement.as_of is not None:
        since = statement.as_of - _EPOCH
        message.as_of.seconds = since.days * 86_400 + since.seconds
        message.as_of.nanos = since.microseconds * 1_000
    return message


class _Lines:
    """Lines as messages, each made once: people of one plan have few different values of a rule."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int, Figure, int, str], statements_pb2.Line] = {}

    def get(self, plan: Plan, index: int, value: Figure, amount: int, currency: str) -> statements_pb2.Line:
        """The same message for the same line, for copying into others only. A stored plan never changes."""
        key = (plan.id, index, value, amount, currency)
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= _KEPT_LINES:
                self._made = {}
            made = from_line(Line(plan.rules[index], value, amount), currency)
            found = self._made[key] = made
        return found


_line: Final = _Lines().get


def from_line(line: Line, currency: str) -> statements_pb2.Line:
    rule = line.rule
    return statements_pb2.Line(
        rule_id=rule.id,
        label=rule.label,
        amount=from_money(line.amount, currency),
        metric=rule.kind.metric,
        value=from_figure(rule.kind.metric, line.value, currency),
    )


def from_next_amount(answer: NextAmount, currency: str) -> statements_pb2.NextAmount:
    return statements_pb2.NextAmount(
        total=from_money(answer.total, currency),
        gain=from_money(answer.gain, currency),
        changes=[
            statements_pb2.LeverChange(lever=statements_pb2.LeverChange.Lever.ValueType(lever), count=count)
            for lever, count in answer.changes
        ],
        held=answer.held,
        rule_id=answer.rule_id,
    )


def from_steps(steps: Sequence[Step]) -> list[statements_pb2.TraceStep]:
    return [
        statements_pb2.TraceStep(
            operation=statements_pb2.TraceStep.Operation.ValueType(step.operation),
            operands=[_from_fraction(operand) for operand in step.operands],
            result=_from_fraction(step.result),
            subject=step.subject,
        )
        for step in steps
    ]


def from_inputs(metric: str, figures: Figures, currency: str) -> list[statements_pb2.NamedValue]:
    """The base figures a metric is made of."""
    return [
        statements_pb2.NamedValue(
            metric=name, value=from_figure(name, Figure(figures.get(name, 0), 1), currency)
        )
        for name in METRICS[metric].inputs
    ]


def _from_fraction(number: Fraction) -> statements_pb2.Rational:
    return statements_pb2.Rational(numerator=str(number.numerator), denominator=str(number.denominator))
