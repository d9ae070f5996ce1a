"""A plan as stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from services.incentives.domain.metrics import (
    DRAWN,
    METRICS,
    TENURE,
    Figures,
    Known,
    Metric,
    is_course,
    is_standing,
)
from services.incentives.domain.parameters import Number, Numbers, Parameter, numbers_of
from services.incentives.domain.periods import PeriodKind
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
    """A tree of rules in force from `effective_from` until the next one for the same node and role begins.

    `parameters` are the numbers that nodes below may set. Where some did, there is a variant for those it pays: the
    same plan with other `numbers` and an id of its own, `base` being the plan itself.
    """

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
    parameters: tuple[Parameter, ...] = ()
    base: "Plan | None" = None
    numbers: Numbers = ()

    @property
    def written_id(self) -> str:
        """The id of the plan as it was written and approved, of a variant and of itself alike."""
        return self.id if self.base is None else self.base.id

    def __hash__(self) -> int:
        # Plans are in the keys of what was worked out before; equal ones have the same id.
        return hash(self.id)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every rule in its place, in the order of the statement's lines."""
        return nodes_of(self.rules)

    @cached_property
    def parameter_numbers(self) -> Mapping[str, Number]:
        """What the plan says for each of its parameters, by `Parameter.key`."""
        of_rule = {node.rule.id: numbers_of(node.rule) for node in self.nodes} if self.parameters else {}
        return {each.key: of_rule[each.rule_id][each.field] for each in self.parameters}

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
    def own_bases(self) -> tuple[Metric, ...]:
        """The enterprise's own base figures that rules read, of a ratio its parts, in order and each once."""
        bases = {base.name: base for metric in self.metrics.values() for base in metric.bases}
        return tuple(
            base for name, base in bases.items() if name and name not in METRICS and not is_standing(name)
        )

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
