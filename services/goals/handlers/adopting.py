"""What callers ask to be adopted, checked."""

from typing import Final

from foothold.goals.v1 import industries_pb2

from access import Scope
from chassis.clock import Clock
from chassis.errors import InvalidArgument
from chassis.ids import new_id
from chassis.validation import Fields
from services.goals.domain.industries import MOST_KPIS, Industry, Kpi
from services.goals.domain.targets import Made, Target, TargetChange, check_value
from services.goals.domain.values import Unit, Value
from services.goals.handlers.targets_told import LONGEST_REASON, LONGEST_ROLE
from services.goals.wire.targets import to_value


class Wanted:
    """A request to adopt, its own fields checked; what it says of KPIs is checked against an industry."""

    def __init__(self, request: industries_pb2.AdoptIndustryRequest) -> None:
        self._kpis: Final = request.kpis
        fields = Fields()
        if not request.validate_only:
            fields.request_id(request.request_id)
        self.industry_id = fields.identifier("industry_id", request.industry_id)
        self.node_id = fields.identifier("node_id", request.node_id)
        self._role = fields.text("job_role", request.job_role, max_length=LONGEST_ROLE)
        self._first = fields.date("effective_from", request.effective_from)
        self._reason = fields.text("reason", request.reason, max_length=LONGEST_REASON)
        fields.count("kpis", len(request.kpis), maximum=MOST_KPIS)
        fields.require_valid()

    def targets(self, industry: Industry, scope: Scope, clock: Clock, currency: str) -> list[Target]:
        """The targets to be set. InvalidArgument with the fields of the KPIs that do not fit."""
        by_measure = {kpi.measure: kpi for kpi in industry.kpis}
        fields, targets = Fields(), list[Target]()
        for number, choice in enumerate(self._kpis):
            within = fields.within(f"kpis[{number}]")
            kpi = next(
                (
                    kpi
                    for measure, kpi in by_measure.items()
                    if (measure.metric, int(measure.period_kind)) == (choice.metric, int(choice.period_kind))
                ),
                None,
            )
            if kpi is None:
                within.refuse("metric", "the industry has no such KPI, or it is chosen twice")
                continue
            del by_measure[kpi.measure]
            targets.append(
                Target(
                    new_id(),
                    self.node_id,
                    self._role,
                    kpi.measure,
                    _value(industry, kpi, choice, within, currency),
                    self._first,
                    None,
                    self._reason,
                    scope.caller.id,
                    clock.now(),
                    Made(TargetChange.SET, scope.caller.id, self._reason),
                )
            )
        if fields.violations:
            raise InvalidArgument(
                "VALUE_INVALID", "a chosen KPI does not fit", fields=dict(fields.violations)
            )
        return targets


def _value(
    industry: Industry, kpi: Kpi, choice: industries_pb2.KpiChoice, within: Fields, currency: str
) -> Value:
    foreign = industry.currency != currency
    if foreign and industry.has_amounts(kpi.metric):
        within.refuse("metric", f"its conditions have amounts in {industry.currency}")
    if not choice.HasField("value"):
        if foreign and kpi.value.unit is Unit.MONEY:
            within.refuse("value", f"must be given in {currency}: the industry's is in {industry.currency}")
        return kpi.value
    value = to_value(choice.value)
    wrong: str | None = "its unit must be one of the documented ones"
    if value is not None:
        wrong = check_value(
            industry.metric(kpi.metric),
            value,
            currency=choice.value.currency,
            expected_currency=currency,
        )
    if value is None or wrong:
        within.refuse("value", wrong or "")
        return kpi.value
    return value
