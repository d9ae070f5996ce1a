"""Which plan is a person's."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple, Protocol

from services.incentives.domain.metrics import COURSE
from services.incentives.domain.parameters import Numbers, with_numbers
from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.plans import Plan


class Overriding(Protocol):
    """What nodes have set for parameters of plans."""

    def numbers(self, plan: Plan, path: Sequence[str], day: date, known_by: datetime | None) -> Numbers:
        """What was set for the plan's parameters on `path` (nearest first) below its node, and is not what it says."""

    def nodes(
        self, plan: Plan, path: Sequence[str], day: date, known_by: datetime | None
    ) -> Mapping[str, str]:
        """The node that set each of those numbers, by `Parameter.key`."""

    def days(self, plan: Plan) -> Iterable[date]:
        """The days on which something set for the plan begins or ends to hold, as known now."""

    def known_by(self, instant: datetime) -> "Overriding":
        """The same as it was known then."""


class Variant(NamedTuple):
    """Which plan with which numbers; its id follows from both, so that whoever computes finds the same one."""

    base_id: str
    numbers: Numbers

    @property
    def id(self) -> str:
        told = json.dumps(
            [self.base_id, [[key, *value] for key, value in self.numbers]], separators=(",", ":")
        )
        return f"v-{hashlib.sha256(told.encode()).hexdigest()[:40]}"


class PlanBook:
    """Every plan there is, ready to be asked which one is somebody's.

    Plans are immutable and only added, so where a plan ends is not stored: it is where the next one for
    the same node and role begins. What was known earlier is the book of the plans recorded by then.
    `variants` are those that statements were computed with.
    """

    def __init__(
        self,
        plans: Iterable[Plan],
        version: int = 0,
        overriding: Overriding | None = None,
        variants: Iterable[Variant] = (),
    ) -> None:
        self.version = version
        self._overriding = overriding
        self._by_id: dict[str, Plan] = {}
        series: dict[tuple[str, str], list[Plan]] = {}
        for plan in sorted(plans, key=lambda each: each.effective_from):
            self._by_id[plan.id] = plan
            series.setdefault((plan.node_id, plan.job_role), []).append(plan)
        self._series = {
            key: (tuple(plan.effective_from for plan in held), tuple(held)) for key, held in series.items()
        }
        self._kept = {each.id: each for each in variants}
        self._variants: dict[str, Plan] = {}
        self._varied: dict[tuple[str, Numbers], Plan] = {}

    def get(self, plan_id: str) -> Plan | None:
        """A plan, or a variant."""
        found = self._by_id.get(plan_id) or self._variants.get(plan_id)
        kept = self._kept.get(plan_id) if found is None else None
        base = None if kept is None else self._by_id.get(kept.base_id)
        return found if kept is None or base is None else self._variant(base, kept.numbers)

    def known_by(self, instant: datetime) -> "PlanBook":
        """The book as it was then."""
        return PlanBook(
            (plan for plan in self._by_id.values() if plan.recorded_at <= instant),
            overriding=self._overriding and self._overriding.known_by(instant),
            variants=self._kept.values(),
        )

    def setting_nodes(
        self, plan: Plan, path: Sequence[str], day: date, known_by: datetime | None = None
    ) -> Mapping[str, str]:
        """Which node on a path set each number of a variant, by `Parameter.key`, as far as that is known."""
        if plan.base is None or self._overriding is None:
            return {}
        return self._overriding.nodes(plan.base, path, day, known_by)

    @property
    def unkept(self) -> list[Variant]:
        """Variants that came up and are not stored yet."""
        # A copy in one step: others may be asking the same book.
        found = [Variant(plan.written_id, plan.numbers) for plan in tuple(self._variants.values())]
        return [each for each in found if each.id not in self._kept]

    def varied(self, plan: Plan, path: Sequence[str], day: date, known_by: datetime | None = None) -> Plan:
        """The plan as it pays somebody at the end of `path` in a period that begins on the day."""
        if not plan.parameters or self._overriding is None:
            return plan
        numbers = self._overriding.numbers(plan, path, day, known_by)
        return self._variant(plan, numbers) if numbers else plan

    def _variant(self, plan: Plan, numbers: Numbers) -> Plan:
        found = self._varied.get((plan.id, numbers))
        if found is None:
            variant = Variant(plan.id, numbers)
            rules = with_numbers(plan.rules, dict(numbers))
            found = replace(plan, id=variant.id, rules=rules, base=plan, numbers=numbers)
            # A draft that is only tried has no id, and neither has a variant of it.
            if plan.id in self._by_id:
                self._variants[variant.id] = self._varied[plan.id, numbers] = found
        return found

    @cached_property
    def courses(self) -> frozenset[str]:
        """The ids of the courses that some plan asks for."""
        return frozenset(name.removeprefix(COURSE) for plan in self._by_id.values() for name in plan.courses)

    @cached_property
    def draws(self) -> bool:
        """Whether some plan advances."""
        return any(plan.draws for plan in self._by_id.values())

    @cached_property
    def gives_prizes(self) -> bool:
        """Whether some plan pays for a rank."""
        return any(plan.prize_rules for plan in self._by_id.values())

    @cached_property
    def pays_mentors(self) -> bool:
        """Whether some plan pays for people mentored."""
        return any(plan.mentor_rules for plan in self._by_id.values())

    @cached_property
    def is_self_contained(self) -> bool:
        """Whether every plan pays by a person's own figures of the period, and by their tenure, alone."""
        return not (self.courses or self.draws or self.gives_prizes or self.pays_mentors)

    @cached_property
    def kinds(self) -> frozenset[PeriodKind]:
        """The periods that some plan pays for."""
        return frozenset(plan.period_kind for plan in self._by_id.values())

    @cached_property
    def listed(self) -> tuple[Plan, ...]:
        """By node, role, effective day."""
        return tuple(
            sorted(self._by_id.values(), key=lambda plan: (plan.node_id, plan.job_role, plan.effective_from))
        )

    def effective_to(self, plan: Plan) -> date | None:
        """The day the plan no longer holds; None while nothing follows it."""
        days, _ = self._series[plan.node_id, plan.job_role]
        after = bisect_right(days, plan.effective_from)
        return days[after] if after < len(days) else None

    def in_force(
        self, path: Sequence[str], job_role: str, day: date, *, known_by: datetime | None = None
    ) -> Plan | None:
        """The nearest plan for the role along `path` (the person's leaf first) that holds on the day, as it pays there.

        `known_by`: of the plans recorded, and the numbers set, by then.
        """
        plan = self.written(path, job_role, day, known_by=known_by)
        return None if plan is None else self.varied(plan, path, day, known_by)

    def written(
        self, path: Sequence[str], job_role: str, day: date, *, known_by: datetime | None = None
    ) -> Plan | None:
        """The same plan as it was written, whatever was set below its node."""
        for node_id in path:
            held = self._series.get((node_id, job_role))
            if held is not None:
                for plan in reversed(held[1][: bisect_right(held[0], day)]):
                    if known_by is None or plan.recorded_at <= known_by:
                        return plan
        return None

    def days(self, job_role: str) -> list[date]:
        """Every day on which a plan for the role, or a number set below one, begins or ends to hold."""
        found = {plan.effective_from for plan in self._by_id.values() if plan.job_role == job_role}
        for plan in self._by_id.values():
            if plan.job_role == job_role and plan.parameters and self._overriding is not None:
                found.update(self._overriding.days(plan))
        return sorted(found)

    def nodes_in_force(
        self, path: Sequence[str], job_role: str, day: date, *, known_by: datetime | None = None
    ) -> list[str]:
        """Where along `path` a plan for the role holds on the day: the one that pays, then those it overrides."""
        return [
            node_id
            for node_id in path
            if self.written([node_id], job_role, day, known_by=known_by) is not None
        ]

    def plan_for(
        self, path: Sequence[str], job_role: str, period: Period, *, known_by: datetime | None = None
    ) -> Plan | None:
        """The plan that pays for this very period: in force on its first day, and paying per such periods."""
        plan = self.in_force(path, job_role, period.first_day, known_by=known_by)
        return plan if plan is not None and plan.period_kind is period.kind else None

    def paying_on(self, path: Sequence[str], job_role: str, day: date) -> tuple[Plan, Period] | None:
        """The plan and period that pay for a day; the newer where a change of period kind lets two overlap."""
        found = []
        for kind in (PeriodKind.MONTH, PeriodKind.WEEK):
            period = period_of(kind, day)
            plan = self.plan_for(path, job_role, period)
            if plan is not None:
                found.append((plan, period))
        return max(found, key=lambda each: each[0].effective_from, default=None)
