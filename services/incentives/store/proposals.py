"""Plans that are proposed, and who has acknowledged which plan."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from access import Scope
from services.incentives.domain.plans import Plan
from services.incentives.domain.proposals import PlanState, Proposal
from services.incentives.store.catalogue import as_plan, values_of
from services.incentives.tables import acknowledgement, proposal


class ProposalStore:
    """Proposals of the nodes that the scope's permission covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, plan: Plan) -> bool:
        """Store a draft; False where its id is taken."""
        self._scope.require(plan.node_id)
        values = {
            **values_of(plan),
            "state": int(PlanState.DRAFT),
            "decided_by": "",
            "decision_reason": "",
        }
        adding = upsert(proposal).values(values).on_conflict_do_nothing().returning(proposal.c.id)
        return self._connection.execute(adding).first() is not None

    def get(self, plan_id: str, *, locked: bool = False) -> Proposal | None:
        """A proposal, or None; `locked`: nobody else decides about it until the transaction ends."""
        asked = select(proposal).where(proposal.c.id == plan_id)
        row = self._connection.execute(asked.with_for_update() if locked else asked).first()
        if row is None or not self._scope.covers(row.node_id):
            return None
        return Proposal(
            as_plan(row), PlanState(row.state), row.decided_by, row.decided_at, row.decision_reason
        )

    def listed(self, state: PlanState) -> list[Proposal]:
        """Those of a state, by node, role, first day and id."""
        asked = (
            select(proposal)
            .where(proposal.c.state == int(state))
            .order_by(proposal.c.node_id, proposal.c.job_role, proposal.c.effective_from, proposal.c.id)
        )
        return [
            Proposal(as_plan(row), state, row.decided_by, row.decided_at, row.decision_reason)
            for row in self._connection.execute(asked)
            if self._scope.covers(row.node_id)
        ]

    def decide(self, decided: Proposal) -> None:
        """Store what became of a proposal that was read locked."""
        self._connection.execute(
            update(proposal)
            .where(proposal.c.id == decided.plan.id)
            .values(
                state=int(decided.state),
                decided_by=decided.decided_by,
                decided_at=decided.decided_at,
                decision_reason=decided.decision_reason,
            )
        )


class AcknowledgementStore:
    """Who has read which plan, of the people that the scope's permission covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, plan_id: str, person_id: str, digest: str, now: datetime) -> datetime:
        """Say that a person has read a plan; when they first said so."""
        self._scope.require_person(person_id)
        values = {
            "plan_id": plan_id,
            "person_id": person_id,
            "digest": digest,
            "acknowledged_at": now,
        }
        self._connection.execute(upsert(acknowledgement).values(values).on_conflict_do_nothing())
        return self.when([plan_id], [person_id])[plan_id, person_id]

    def when(self, plans: Collection[str], people: Collection[str]) -> dict[tuple[str, str], datetime]:
        """When these people acknowledged these plans, by plan and person."""
        asked = select(acknowledgement).where(
            acknowledgement.c.plan_id.in_(plans), acknowledgement.c.person_id.in_(people)
        )
        return {
            (row.plan_id, row.person_id): row.acknowledged_at
            for row in self._connection.execute(asked)
            if self._scope.covers(row.person_id)
        }
