"""Proposes, decides and lists what nodes set for parameters of plans, for one caller."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, and_, true

from access import Scope
from access.callers import missing
from chassis.errors import NotFound
from services.incentives.domain.metrics import Figure
from services.incentives.domain.plan_book import PlanBook
from services.incentives.domain.plans import Plan
from services.incentives.domain.settings import Proposed, Setting, SettingState
from services.incentives.store.catalogue import enqueue, renew_plans
from services.incentives.store.parameters import Settings, below_of, given_by, name_of, parted
from standards import Change, Made, Standard, Standards, State, out_of_bounds
from standards.store import place

Place = tuple[str, str, str, str, str]


class SettingStore:
    """Settings at nodes in the scope's reach, in a transaction; whoever changes any holds `calculation`.

    `day` is today where the enterprise is.
    """

    def __init__(self, connection: Connection, scope: Scope, book: PlanBook, day: date) -> None:
        self._connection = connection
        self._standards = Standards(connection)
        self._scope = scope
        self._book = book
        self._day = day

    def check(self, proposed: Proposed, at: datetime) -> None:
        """Pass where `propose` would take it."""
        new = _standard("", proposed, at)
        self._standards.check(new, path=self._path(new.node_id), given=self._given(new))

    def propose(self, setting_id: str, proposed: Proposed, at: datetime) -> Setting:
        """Store a proposal; refused where it is not allowed above or meets another one, see `Standards.set`."""
        self._scope.require(proposed.node_id)
        new = _standard(setting_id, proposed, at)
        return self.told(self._standards.set(new, path=self._path(new.node_id), given=self._given(new)))

    def to_decide(self, setting_id: str) -> Setting:
        """One to approve or refuse: NotFound SETTING_UNKNOWN where it cannot be seen; the scope must cover the plan."""
        found = self.told(self._covered(setting_id))
        if not self._scope.covers(found.plan_node_id):
            raise missing(self._scope.permission)
        return found

    def approve(self, setting_id: str, *, reason: str, at: datetime) -> Setting:
        """Put a proposal in force and queue whom it concerns; refused where it does not fit any more."""
        known = self._covered(setting_id)
        path, by = self._path(known.node_id), self._scope.caller.id
        made = self._standards.approve(
            known, path=path, given=self._given(known), by=by, reason=reason, at=at
        )
        self._changed(made)
        return self.told(made)

    def refuse(self, setting_id: str, *, reason: str, at: datetime) -> Setting:
        """Refuse a proposal."""
        known = self._covered(setting_id)
        return self.told(self._standards.refuse(known, by=self._scope.caller.id, reason=reason, at=at))

    def end(self, setting_id: str, *, day: date, reason: str, at: datetime) -> Setting:
        """End one on a day and queue whom it concerns, or withdraw a proposal. NotFound SETTING_UNKNOWN."""
        by = self._scope.caller.id
        ended = self._standards.end(
            self._covered(setting_id), effective_to=day, reason=reason, author_id=by, at=at
        )
        if ended.state is State.IN_FORCE:
            self._changed(ended)
        return self.told(ended)

    def page(
        self,
        *,
        node_id: str,
        job_role: str,
        plan_node_id: str,
        states: Collection[SettingState],
        after: Place | None,
        limit: int,
    ) -> list[tuple[Setting, Place]]:
        """Those at nodes the caller may read or inherits from, each with the place a page after it starts.

        What is not in force yet, or never was, only at nodes the permission covers.
        """
        column = place().node_id
        is_told = set(states) == {SettingState.IN_FORCE}
        narrowed = and_(
            self._scope.member_clause(column) if is_told else self._scope.clause(column),
            column == node_id if node_id else true(),
            place().subject == job_role if job_role else true(),
            place().parameter.startswith(name_of(plan_node_id, ""), autoescape=True)
            if plan_node_id
            else true(),
        )
        wanted = [State(each) for each in states]
        found = self._standards.page(narrowed, states=wanted, after=after, limit=limit)
        return [(self.told(each), _place(each)) for each in found]

    def chains(self, plan: Plan, path: Sequence[str], known_at: datetime | None) -> list[list[Setting]]:
        """For each of a plan's parameters what holds at the end of a path on the day, then what it overrides.

        In the order of `Plan.parameters`, each nearest first.
        """
        settings, below = Settings(self._standards.ever(), known_at), below_of(plan, path)
        return [
            [self.told(each) for each in settings.chain(plan, parameter.key, below, self._day)]
            for parameter in plan.parameters
        ]

    def told(self, standard: Standard) -> Setting:
        """A standard as a setting, beside what the plan in force today says itself."""
        plan_node, key = parted(standard)
        plan = self._book.written([plan_node], standard.subject, self._day)
        number = None if plan is None else plan.parameter_numbers.get(key)
        given = [] if plan is None else given_by(self._book, plan_node, standard.subject, key)
        today = [each for each in given if each.holds_on(self._day)]
        rule_id, _dot, field = key.partition(".")
        made, is_first = standard.made, standard.made.change in (Change.SET, Change.PROPOSED)
        return Setting(
            standard.id,
            standard.node_id,
            standard.subject,
            plan_node,
            rule_id,
            field,
            Figure(*standard.amount),
            standard.unit,
            standard.effective_from,
            standard.effective_to,
            standard.reason,
            standard.author_id,
            standard.recorded_at,
            SettingState(standard.state),
            standard.decision.approver_id,
            standard.decision.at,
            "" if is_first else made.reason,
            number,
            bool(today) and out_of_bounds(standard, today),
        )

    def _changed(self, setting: Standard) -> None:
        renew_plans(self._connection)
        enqueue(self._connection, [(setting.node_id, None)])

    def _path(self, node_id: str) -> Sequence[str]:
        return self._scope.caller.directory.ancestors(node_id)

    def _given(self, setting: Standard) -> list[Standard]:
        plan_node, key = parted(setting)
        return given_by(self._book, plan_node, setting.subject, key)

    def _covered(self, setting_id: str) -> Standard:
        known = self._standards.get(setting_id)
        if known is None or not self._scope.covers(known.node_id):
            raise NotFound("SETTING_UNKNOWN", "There is no such setting.")
        return known


def _standard(setting_id: str, proposed: Proposed, at: datetime) -> Standard:
    return Standard(
        id=setting_id,
        node_id=proposed.node_id,
        subject=proposed.job_role,
        parameter=name_of(proposed.plan_node_id, proposed.key),
        numerator=proposed.value.numerator,
        denominator=proposed.value.denominator,
        unit=int(proposed.number.unit),
        effective_from=proposed.effective_from,
        effective_to=proposed.effective_to,
        reason=proposed.reason,
        author_id=proposed.author_id,
        recorded_at=at,
        made=Made(Change.PROPOSED, proposed.author_id, proposed.reason),
        dated=proposed.effective_to is not None,
    )


def _place(setting: Standard) -> Place:
    return (
        setting.node_id,
        setting.subject,
        setting.parameter,
        setting.effective_from.isoformat(),
        setting.id,
    )
