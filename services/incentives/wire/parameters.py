"""What nodes set for parameters of plans."""

from collections.abc import Sequence

from foothold.incentives.v1 import parameters_pb2

from services.incentives.domain.metrics import Unit
from services.incentives.domain.plans import Plan
from services.incentives.domain.settings import Setting
from services.incentives.wire.plans import from_parameters
from services.incentives.wire.values import from_date, from_instant, from_value


def from_setting(setting: Setting, currency: str) -> parameters_pb2.ParameterSetting:
    number = setting.number
    return parameters_pb2.ParameterSetting(
        id=setting.id,
        node_id=setting.node_id,
        job_role=setting.job_role,
        rule_id=setting.rule_id,
        field=setting.field,
        value=from_value(Unit(setting.unit), setting.value, currency),
        effective_from=from_date(setting.effective_from),
        effective_to=None if setting.effective_to is None else from_date(setting.effective_to),
        reason=setting.reason,
        plan_node_id=setting.plan_node_id,
        author_id=setting.author_id,
        recorded_at=from_instant(setting.recorded_at),
        state=parameters_pb2.ParameterSetting.State.ValueType(setting.state),
        decided_by=setting.decided_by,
        decided_at=from_instant(setting.decided_at),
        decision_reason=setting.decision_reason,
        out_of_bounds=setting.out_of_bounds,
        plan_value=None if number is None else from_value(number.unit, number.value, currency),
    )


def from_parameters_at(
    plan: Plan, chains: Sequence[Sequence[Setting]], currency: str
) -> list[parameters_pb2.ParameterAtNode]:
    """Every parameter of a plan, each with the chain of what was set for it, nearest first."""
    labels = {node.rule.id: node.rule.label for node in plan.nodes}
    found = []
    for message, parameter, chain in zip(
        from_parameters(plan, currency), plan.parameters, chains, strict=True
    ):
        number = plan.parameter_numbers[parameter.key]
        own = from_value(number.unit, number.value, currency)
        settings = [from_setting(each, currency) for each in chain]
        told = parameters_pb2.ParameterAtNode(
            parameter=message,
            label=labels[parameter.rule_id],
            plan_value=own,
            value=settings[0].value if settings else own,
            chain=settings,
        )
        found.append(told)
    return found
