"""Work rules in memory, and with them the days of every place. They are few and change seldom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection

from chassis.database import Database
from services.goals.domain.leave import USUAL_POLICY, LeavePolicy, Ramp, RuleOrigin, Rules
from services.goals.domain.work_rules import RuleKind, WorkRule, in_force
from services.goals.domain.workdays import FIVE_DAY, Entered, SpecialDay, WorkCalendar, Workplace
from services.goals.store.public_days import public_year
from services.goals.store.work_rules import read_everything, version_of

_NONE: Final = -1
_MOST_PLACES: Final = 10_000
_NO_RULES: Final[Mapping[str, tuple[WorkRule, ...]]] = {}

Probation = tuple[date | None, date | None]
"""First and last day, each None where it is not known."""


@dataclass(frozen=True, slots=True)
class WorkplacesCopy:
    """Everything set about work as known at one version; `nodes` are those where something is."""

    version: int
    rules: Mapping[RuleKind, Mapping[str, tuple[WorkRule, ...]]]
    special: Mapping[str, Mapping[date, SpecialDay]]
    nodes: frozenset[str]
    _places: dict[tuple[str, ...], Workplace] = field(default_factory=dict, repr=False)
    _holding: dict[tuple[tuple[str, ...], date], Rules] = field(default_factory=dict, repr=False)

    def place(self, path: Sequence[str]) -> Workplace:
        """The days at a node; `path` is nearest first. One for all nodes at which the same is set."""
        return self._place(self._key(path))

    def holding(self, path: Sequence[str], day: date, probation: Probation) -> Rules:
        """What holds for somebody at a place on a day."""
        key = self._key(path)
        known = self._holding.get((key, day))
        if known is None:
            if len(self._holding) >= _MOST_PLACES:
                self._holding.clear()
            known = self._holding[key, day] = self._look(key, day)
        if not known.ramp.shares:
            return known
        return Rules(known.place, known.policy, known.policy_origin, known.ramp, known.ramp_origin, probation)

    def resolve(self, kind: RuleKind, path: Sequence[str], day: date) -> tuple[WorkRule, ...]:
        """The rule of a kind that holds at a node on a day, and those it overrides, nearest first."""
        return in_force(self.rules.get(kind, _NO_RULES), path, day)

    def _key(self, path: Sequence[str]) -> tuple[str, ...]:
        # The enterprise belongs to every place: it is whose calendar is wanting where none is set.
        return tuple(node for node in path if node in self.nodes or node == path[-1])

    def _place(self, key: tuple[str, ...]) -> Workplace:
        known = self._places.get(key)
        if known is None:
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            complete = self.rules.get(RuleKind.COMPLETE_YEAR, _NO_RULES)
            years = {each.effective_from.year for node in key for each in complete.get(node, ())}
            entered = Entered(key, [self.special.get(node, {}) for node in key], years)

            def calendar_on(day: date) -> tuple[WorkCalendar, str]:
                for rule in self.resolve(RuleKind.CALENDAR, key, day):
                    if isinstance(rule.content, WorkCalendar):
                        return rule.content, rule.node_id
                return FIVE_DAY, ""

            known = self._places[key] = Workplace(calendar_on, entered, public_year)
        return known

    def _look(self, key: tuple[str, ...], day: date) -> Rules:
        policy, policy_origin = USUAL_POLICY, RuleOrigin()
        ramp, ramp_origin = Ramp(()), RuleOrigin()
        for rule in self.resolve(RuleKind.LEAVE_POLICY, key, day)[:1]:
            if isinstance(rule.content, LeavePolicy):
                policy, policy_origin = rule.content, RuleOrigin(rule.node_id, rule.effective_from)
        for rule in self.resolve(RuleKind.RAMP, key, day)[:1]:
            if isinstance(rule.content, Ramp):
                ramp, ramp_origin = rule.content, RuleOrigin(rule.node_id, rule.effective_from)
        return Rules(self._place(key), policy, policy_origin, ramp, ramp_origin, (None, None))


class WorkplacesCache:
    """The copy in memory; whoever reads figures reads the rules' version along."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._copy = WorkplacesCopy(_NONE, {}, {}, frozenset())

    def current(self) -> WorkplacesCopy:
        """The copy; read where there is none yet."""
        copy = self._copy
        if copy.version == _NONE:
            with self._database.read() as connection:
                copy = self._copy = _load(connection)
        return copy

    def fresh(self, connection: Connection) -> WorkplacesCopy:
        """The copy as of the connection's snapshot."""
        copy = self._copy
        if copy.version != version_of(connection):
            copy = self._copy = _load(connection)
        return copy

    def known(self, connection: Connection, known_at: datetime | None) -> WorkplacesCopy:
        """The copy as of the connection's snapshot; for a time, one of what was known then, read for this call."""
        return self.fresh(connection) if known_at is None else _load(connection, known_at)


def _load(connection: Connection, known_at: datetime | None = None) -> WorkplacesCopy:
    version, known, days = read_everything(connection, known_at)
    rules: dict[RuleKind, dict[str, list[WorkRule]]] = {}
    for each in known:
        rules.setdefault(each.kind, {}).setdefault(each.node_id, []).append(each)
    special: dict[str, dict[date, SpecialDay]] = {}
    for day in days:
        special.setdefault(day.node_id, {})[day.day] = day
    return WorkplacesCopy(
        version,
        {kind: {node: tuple(found) for node, found in by_node.items()} for kind, by_node in rules.items()},
        special,
        frozenset({each.node_id for each in known} | special.keys()),
    )
