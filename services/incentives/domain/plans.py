"""Plans as stored, and which one is a person's."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from services.incentives.domain.metrics import COURSE, DRAWN, TENURE, Figures, Known, Metric, is_course
from services.incentives.domain.periods import Period, PeriodKind, period_of
from services.incentives.domain.rules import (
    Draw,
    Guarantee,
    Leaf,
    MentorBonus,
    Node,
    Ramp,
    RankingPrize,
    Rule,
    Wrapper,
    metrics_of,
    nodes_of,
)


@dataclass(frozen=True)
class Plan:
    """A tree of rules in force from `effective_from` until the next one for the same node and role begins."""

    id: str
    node_id: str
    job_role: str
    name: str
    period_kind: PeriodKind
    rules: tuple[Rule, ...]
    effective_from: date
    reason: str
    author_id: str
    recorded_at: datetime
    approved_by: str = ""

    def __hash__(self) -> int:
        # Plans are in the keys of what was worked out before; equal ones have the same id.
        return hash(self.id)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every rule in its place, in the order of the statement's lines."""
        return nodes_of(self.rules)

    @cached_property
    def leaves(self) -> tuple[tuple[Leaf, Metric], ...]:
        """The rules with what they read, of a plan whose rules only add up; empty for any other."""
        found = []
        for rule in self.rules:
            if rule.credit or isinstance(rule.kind, Wrapper):
                return ()
            found.append((rule.kind, rule.kind.metric))
        return tuple(found)

    @cached_property
    def courses(self) -> tuple[str, ...]:
        """The courses that conditions ask for, as figures are named, in order and each once."""
        return tuple(name for name in self.metrics if is_course(name))

    @cached_property
    def metrics(self) -> Known:
        """Every metric that a rule reads, in order."""
        return {metric.name: metric for node in self.nodes for metric in metrics_of(node.rule)}

    @cached_property
    def figures(self) -> Known:
        """Every base figure that it reads, in order."""
        return {base.name: base for metric in self.metrics.values() for base in metric.bases}

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """All that its payment hangs on: base figures, the month of tenure, what draws are owed."""
        tenure = (TENURE,) if self.reads_tenure else ()
        return (*self.figures, *tenure, *(f"{DRAWN}{rule_id}" for rule_id in self.draws))

    def read(self, figures: Figures) -> tuple[int, ...]:
        """Of these figures what its payment hangs on, in the order of `reads`."""
        return tuple([figures.get(name, 0) for name in self.reads])

    @cached_property
    def known(self) -> Known:
        """Both: what a name in a statement of it means (`metrics.named`)."""
        return {**self.figures, **self.metrics}

    @cached_property
    def reads_tenure(self) -> bool:
        """Whether it pays by month of tenure."""
        return any(isinstance(node.rule.kind, Guarantee | Draw | Ramp) for node in self.nodes)

    @cached_property
    def mentor_rules(self) -> tuple[MentorBonus, ...]:
        """The rules that pay for people mentored."""
        return tuple(node.rule.kind for node in self.nodes if isinstance(node.rule.kind, MentorBonus))

    @cached_property
    def prize_rules(self) -> Mapping[str, RankingPrize]:
        """The rules that pay for a rank, by id."""
        return {
            node.rule.id: node.rule.kind for node in self.nodes if isinstance(node.rule.kind, RankingPrize)
        }

    @cached_property
    def draws(self) -> Mapping[str, int]:
        """The rules that advance, by id, with the place of each one's line."""
        return {node.rule.id: at for at, node in enumerate(self.nodes) if isinstance(node.rule.kind, Draw)}


class PlanBook:
    """Every plan there is, ready to be asked which one is somebody's.

    Plans are immutable and only added, so where a plan ends is not stored: it is where the next one for
    the same node and role begins. What was known earlier is the book of the plans recorded by then.
    """

    def __init__(self, plans: Iterable[Plan], version: int = 0) -> None:
        self.version = version
        self._by_id: dict[str, Plan] = {}
        series: dict[tuple[str, str], list[Plan]] = {}
        for plan in sorted(plans, key=lambda each: each.effective_from):
            self._by_id[plan.id] = plan
            series.setdefault((plan.node_id, plan.job_role), []).append(plan)
        self._series = {
            key: (tuple(plan.effective_from for plan in held), tuple(held)) for key, held in series.items()
        }

    def get(self, plan_id: str) -> Plan | None:
        return self._by_id.get(plan_id)

    def known_by(self, instant: datetime) -> "PlanBook":
        """The book as it was then."""
        return PlanBook(plan for plan in self._by_id.values() if plan.recorded_at <= instant)

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
        """The nearest plan for the role along `path` (the person's leaf first) that holds on the day.

        `known_by`: of the plans recorded by then.
        """
        for node_id in path:
            held = self._series.get((node_id, job_role))
            if held is not None:
                for plan in reversed(held[1][: bisect_right(held[0], day)]):
                    if known_by is None or plan.recorded_at <= known_by:
                        return plan
        return None

    def nodes_in_force(
        self, path: Sequence[str], job_role: str, day: date, *, known_by: datetime | None = None
    ) -> list[str]:
        """Where along `path` a plan for the role holds on the day: the one that pays, then those it overrides."""
        return [
            node_id
            for node_id in path
            if self.in_force([node_id], job_role, day, known_by=known_by) is not None
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
