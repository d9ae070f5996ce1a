"""Statements, next amounts and traces."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Final

from foothold.incentives.v1 import statements_pb2, values_pb2
from google.protobuf import timestamp_pb2

from services.incentives.domain.evaluation import Line, values
from services.incentives.domain.inverse import AnyLever, Lever, NextAmount
from services.incentives.domain.metrics import DRAWN, MONTH, UNREAD, Figure, Figures, Metric, Unit, named
from services.incentives.domain.periods import Period
from services.incentives.domain.plans import Plan
from services.incentives.domain.prizes import Won
from services.incentives.domain.rules import (
    Accelerator,
    Cap,
    Draw,
    Floor,
    Gate,
    Graduated,
    Group,
    Guarantee,
    MentorBonus,
    Node,
    PerPoint,
    PerUnit,
    Ramp,
    RankingPrize,
    RateOf,
    Rule,
    RuleKind,
    ThresholdBonus,
    Tiers,
)
from services.incentives.domain.statements import Statement
from services.incentives.domain.tracing import Step
from services.incentives.wire.values import from_money, from_period, from_value

# About 2 MB.
_KEPT_LINES: Final = 10_000
_KINDS: Final[dict[type[RuleKind], values_pb2.RuleKind.ValueType]] = {
    PerUnit: values_pb2.RULE_KIND_PER_UNIT,
    ThresholdBonus: values_pb2.RULE_KIND_THRESHOLD_BONUS,
    PerPoint: values_pb2.RULE_KIND_PER_POINT,
    Tiers: values_pb2.RULE_KIND_TIERS,
    RateOf: values_pb2.RULE_KIND_RATE_OF,
    Graduated: values_pb2.RULE_KIND_GRADUATED,
    MentorBonus: values_pb2.RULE_KIND_MENTOR_BONUS,
    RankingPrize: values_pb2.RULE_KIND_RANKING_PRIZE,
    Group: values_pb2.RULE_KIND_GROUP,
    Gate: values_pb2.RULE_KIND_GATE,
    Cap: values_pb2.RULE_KIND_CAP,
    Floor: values_pb2.RULE_KIND_FLOOR,
    Guarantee: values_pb2.RULE_KIND_GUARANTEE,
    Draw: values_pb2.RULE_KIND_DRAW,
    Ramp: values_pb2.RULE_KIND_RAMP,
    Accelerator: values_pb2.RULE_KIND_ACCELERATOR,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def from_statement(statement: Statement, plan: Plan | None, currency: str) -> statements_pb2.Statement:
    return statements_pb2.Statement.FromString(encode_statement(statement, plan, currency))


def encode_statement(statement: Statement, plan: Plan | None, currency: str) -> bytes:
    """A statement as the bytes of its message, which are the bytes of its parts one after the other.

    What many statements share is made once: the instant of a page of figures, the period with the plan, the lines, a
    total.
    """
    own = statements_pb2.Statement(person_id=statement.person_id, goals_position=statement.goals_position)
    parts = [own.SerializeToString()]
    if statement.as_of is not None:
        parts.append(_as_of(statement.as_of))
    if plan is not None:
        parts.append(_head(statement.period, statement.plan_id, plan.name))
        parts.append(_lines(plan, plan.read(statement.figures), statement.amounts, currency))
    else:
        parts.append(_head(statement.period, statement.plan_id, ""))
    parts.append(_total(statement.total, currency))
    return b"".join(parts)


@lru_cache(maxsize=1_024)
def _as_of(instant: datetime) -> bytes:
    since = instant - _EPOCH
    seconds = since.days * 86_400 + since.seconds
    as_of = timestamp_pb2.Timestamp(seconds=seconds, nanos=since.microseconds * 1_000)
    return statements_pb2.Statement(as_of=as_of).SerializeToString()


@lru_cache(maxsize=1_024)
def _head(period: Period, plan_id: str, plan_name: str) -> bytes:
    message = statements_pb2.Statement(period=from_period(period), plan_id=plan_id, plan_name=plan_name)
    return message.SerializeToString()


@lru_cache(maxsize=_KEPT_LINES)
def _total(total: int, currency: str) -> bytes:
    return statements_pb2.Statement(total=from_money(total, currency)).SerializeToString()


@lru_cache(maxsize=_KEPT_LINES)
def _lines(plan: Plan, read: tuple[int, ...], amounts: tuple[int, ...], currency: str) -> bytes:
    figures = dict(zip(plan.reads, read, strict=True))
    lines = zip(values(plan, figures, amounts), amounts, strict=True)
    return b"".join([_line(plan, index, *line, currency) for index, line in enumerate(lines)])


class _Lines:
    """Lines as parts of statements, each made once: people of one plan have few different values of a rule."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int, Figure, int, str], bytes] = {}

    def get(self, plan: Plan, index: int, value: Figure, amount: int, currency: str) -> bytes:
        """The bytes of a statement with this line alone. A stored plan never changes."""
        key = (plan.id, index, value, amount, currency)
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= _KEPT_LINES:
                self._made = {}
            node = plan.nodes[index]
            made = from_line(Line(node.rule, value, amount), node, plan, currency)
            found = self._made[key] = statements_pb2.Statement(lines=[made]).SerializeToString()
        return found


_line: Final = _Lines().get


def from_line(line: Line, node: Node, plan: Plan, currency: str) -> statements_pb2.Line:
    rule, kind = line.rule, line.rule.kind
    return statements_pb2.Line(
        rule_id=rule.id,
        label=rule.label,
        amount=from_money(line.amount, currency),
        metric=metric_read(rule).name,
        value=from_value(_unit(rule), line.value, currency),
        kind=_KINDS[type(kind)],
        parent_rule_id=plan.nodes[node.parent].rule.id if node.depth else "",
        depth=node.depth,
    )


def metric_read(rule: Rule) -> Metric:
    """The one metric a rule reads, the month of tenure included; none for what its rules pay and for a credit."""
    kind = rule.kind
    match kind:
        case Gate() | Accelerator():
            return kind.condition.metric
        case Guarantee() | Draw() | Ramp():
            return MONTH
        case Group() | Cap() | Floor():
            return UNREAD
    return kind.metric


def _unit(rule: Rule) -> Unit:
    metric = metric_read(rule)
    if metric.name:
        return metric.unit
    return rule.credit[0][0].unit if rule.credit else Unit.MONEY


def from_next_amount(answer: NextAmount, currency: str) -> statements_pb2.NextAmount:
    return statements_pb2.NextAmount(
        total=from_money(answer.total, currency),
        gain=from_money(answer.gain, currency),
        changes=[_from_change(lever, count) for lever, count in answer.changes],
        held=answer.held,
        rule_id=answer.rule_id,
        course_ids=answer.courses,
    )


def _from_change(lever: AnyLever, count: int) -> statements_pb2.LeverChange:
    kinds = statements_pb2.LeverChange
    if isinstance(lever, Lever):
        return kinds(lever=kinds.Lever.ValueType(lever), count=count)
    return kinds(lever=kinds.LEVER_OWN_METRIC, count=count, metric=lever)


def from_placing(won: Won, ranked: Metric, currency: str) -> statements_pb2.Placing:
    """Where somebody came, and with what."""
    value = from_value(ranked.unit, won.value, currency)
    told = statements_pb2.NamedValue(metric=ranked.name, value=value)
    return statements_pb2.Placing(rank=won.rank, tied=won.tied, value=told)


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


def from_inputs(rule: Rule, figures: Figures, currency: str) -> list[statements_pb2.NamedValue]:
    """The figures a rule reads, of a draw what is owed as well."""
    metric = metric_read(rule)
    bases = metric.bases if metric.name else tuple(each for each, _ in rule.credit)
    if isinstance(rule.kind, Draw):
        bases = (*bases, named({}, f"{DRAWN}{rule.id}"))
    return [
        statements_pb2.NamedValue(
            metric=base.name, value=from_value(base.unit, Figure(figures.get(base.name, 0), 1), currency)
        )
        for base in bases
    ]


def _from_fraction(number: Fraction) -> statements_pb2.Rational:
    return statements_pb2.Rational(numerator=str(number.numerator), denominator=str(number.denominator))
