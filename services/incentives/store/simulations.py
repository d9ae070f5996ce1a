"""Simulations as stored: what was asked, how far they are, and what came of each person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, text

from access import Scope
from chassis.errors import NotFound
from services.incentives.domain.metrics import Figure
from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.plans import Plan
from services.incentives.domain.prizes import Leaders
from services.incentives.domain.simulation import (
    Outcome,
    PlanTally,
    Prizes,
    Race,
    RuleTally,
    Simulation,
    State,
    Sums,
    Tally,
)
from services.incentives.domain.statements import Statement
from services.incentives.store import parameters, rules
from services.incentives.store.statements import COLUMNS, as_statement

KEPT_DAYS: Final = 730
_COLUMNS: Final = (
    "id, name, node_id, author_id, first_month, months, plans, created_at, goals_position, state, people, done,"
    " after_person, digest, finished_at, ranks, ranked, ranked_to"
)
_ADD: Final = text("""
INSERT INTO simulation (id, name, node_id, author_id, first_month, months, plans, created_at, goals_position, state,
                        people, done, after_person, digest, tally, ranks)
VALUES (:id, :name, :node_id, :author_id, :first_month, :months, CAST(:plans AS jsonb), :created_at, :goals_position,
        :state, :people, 0, '', '', CAST(:tally AS jsonb), :ranks)
""")
_GET: Final = text(f"SELECT {_COLUMNS} FROM simulation WHERE id = :id")  # noqa: S608  our own names
_LIST: Final = text(f"""
SELECT {_COLUMNS} FROM simulation
WHERE (created_at, id) < (CAST(:at AS timestamptz), :id) ORDER BY created_at DESC, id DESC
""")  # noqa: S608  the column names are ours
_NEXT: Final = text(f"""
SELECT {_COLUMNS}, tally, leaders FROM simulation WHERE state IN (1, 2)
ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
""")  # noqa: S608  the column names are ours
_TALLY: Final = text("SELECT tally FROM simulation WHERE id = :id")
_ON: Final = text("""
UPDATE simulation SET state = :state, done = :done, after_person = :after, digest = :digest,
       tally = CAST(:tally AS jsonb), finished_at = :finished_at
WHERE id = :id
""")
_RANKED: Final = text("""
UPDATE simulation SET state = :state, ranks = :ranks, ranked = :ranked, ranked_to = :ranked_to,
       leaders = CAST(:leaders AS jsonb)
WHERE id = :id
""")
_END: Final = text("""
UPDATE simulation SET state = :state, finished_at = :at WHERE id = :id AND state IN (1, 2)
""")
_KEEP: Final = """
INSERT INTO simulated (simulation_id, person_id, branch_id, paid, first, second)
SELECT %(id)s, person_id, branch_id, paid, first, second
FROM unnest(%(people)b::text[], %(branches)b::text[], %(paid)b::bigint[], %(first)b::bigint[], %(second)b::bigint[])
     AS new (person_id, branch_id, paid, first, second)
"""
_BELOW: Final = text("""
SELECT id FROM directory_node
WHERE ancestors @> ARRAY[CAST(:node_id AS text)] AND kind = 4 AND id > :after ORDER BY id LIMIT :limit
""")
_BRANCHES: Final = text("SELECT id FROM directory_node WHERE kind = 2")
_FROZEN: Final = f"""
SELECT {COLUMNS} FROM frozen JOIN closing ON closing.id = closing_id
WHERE person_id = ANY(%(people)b::text[]) AND frozen.first_day >= %(first)s AND frozen.first_day < %(end)s
  AND closed_at <= %(known_at)s
""".replace("period_kind, first_day", "frozen.period_kind, frozen.first_day")  # noqa: S608  our own names
_MOVED_ON: Final = text("""
SELECT EXISTS (
    SELECT FROM statement_version AS version JOIN directory_node AS node ON node.id = person_id
    WHERE known_from > :at AND first_day >= :first AND first_day < :end
      AND ancestors @> ARRAY[CAST(:node_id AS text)]
)
""")
_FORGET: Final = text("""
DELETE FROM simulation WHERE id IN (
    SELECT id FROM simulation WHERE created_at < now() - make_interval(days => :days) LIMIT 1 FOR UPDATE SKIP LOCKED
)
""")
_ORDERS: Final = {
    0: ("person_id > :person", "person_id"),
    1: ("gain > 0 AND (gain, person_id) < (:gain, :person)", "gain DESC, person_id DESC"),
    2: ("gain < 0 AND (gain, person_id) > (:gain, :person)", "gain, person_id"),
}
_FIRST: Final = {0: (0, ""), 1: (2**63 - 1, ""), 2: (-(2**63), "")}


class SimulationStore:
    """Simulations of nodes that the scope covers."""

    def __init__(self, connection: Connection, scope: Scope) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, added: Simulation, tally: Tally) -> None:
        """Store a new one. NotFound where the scope does not cover its node."""
        self._scope.require(added.node_id)
        self._connection.execute(
            _ADD,
            {
                "id": added.id,
                "name": added.name,
                "node_id": added.node_id,
                "author_id": added.author_id,
                "first_month": added.first_month,
                "months": added.months,
                "plans": orjson.dumps([_encode(plan) for plan in added.plans]).decode(),
                "created_at": added.created_at,
                "goals_position": added.goals_position,
                "state": int(added.state),
                "people": added.people,
                "tally": _dumps(tally),
                "ranks": added.ranks,
            },
        )

    def get(self, simulation_id: str) -> Simulation:
        """NotFound where there is none, or the scope does not cover its node."""
        row = self._connection.execute(_GET, {"id": simulation_id}).first()
        if row is None or not self._scope.covers(row.node_id):
            raise NotFound("SIMULATION_UNKNOWN", "There is no such simulation.")
        return _simulation(row)

    def listed(self, after: tuple[datetime, str], limit: int) -> list[Simulation]:
        """The newest before a place in the list, at most so many."""
        found = []
        for row in self._connection.execute(_LIST, {"at": after[0], "id": after[1]}):
            if self._scope.covers(row.node_id):
                found.append(_simulation(row))
                if len(found) == limit:
                    break
        return found

    def tally(self, simulation: Simulation) -> Tally:
        """Its sums so far."""
        return _tally(self._connection.execute(_TALLY, {"id": simulation.id}).scalar_one())

    def people(
        self, simulation: Simulation, order: int, plan: int, after: tuple[int, str] | None, limit: int
    ) -> list[tuple[Outcome, int]]:
        """People with what the plan would bring them more, beyond a place in the order."""
        where, by = _ORDERS[order]
        column = "second" if plan else "first"
        query = text(f"""
            SELECT person_id, branch_id, paid, first, second, gain
            FROM (SELECT *, {column} - paid AS gain FROM simulated WHERE simulation_id = :id) AS of_plan
            WHERE {where} ORDER BY {by} LIMIT :limit
        """)  # noqa: S608  only names of ours are put in
        gain, person = after or _FIRST[order]
        values = {"id": simulation.id, "gain": gain, "person": person, "limit": limit}
        both = len(simulation.plans) > 1
        return [
            (Outcome(row[0], row[1], row[2], (row[3], row[4]) if both else (row[3],)), row[5])
            for row in self._connection.execute(query, values)
        ]

    def moved_on(self, simulation: Simulation) -> bool:
        """Whether a statement of its months has changed since it was started."""
        values = {
            "at": simulation.created_at,
            "first": simulation.first_month,
            "end": simulation.end,
            "node_id": simulation.node_id,
        }
        return bool(self._connection.execute(_MOVED_ON, values).scalar_one())


def next_open(connection: Connection) -> tuple[Simulation, Tally, Prizes] | None:
    """The oldest that is not ended, held until the transaction ends; None where there is none that nobody holds."""
    row = connection.execute(_NEXT).first()
    if row is None:
        return None
    simulation = _simulation(row)
    return simulation, _tally(row.tally), Prizes(simulation, _leaders(simulation, row.leaders))


def people_below(connection: Connection, node_id: str, after: str, limit: int) -> list[str]:
    """The next people at or below a node, by id."""
    values = {"node_id": node_id, "after": after, "limit": limit}
    return list(connection.execute(_BELOW, values).scalars())


def branches(connection: Connection) -> frozenset[str]:
    """Every branch."""
    return frozenset(connection.execute(_BRANCHES).scalars())


def frozen_by(
    connection: Connection, people: Sequence[str], first: date, end: date, known_at: datetime
) -> list[Statement]:
    """People's statements of periods that begin in [first, end), of those closed by an instant."""
    values = {"people": list(people), "first": first, "end": end, "known_at": known_at}
    return list(map(as_statement, connection.exec_driver_sql(_FROZEN, values)))


def advance(connection: Connection, simulation: Simulation, tally: Tally, made: Sequence[Outcome]) -> None:
    """Note how far one is, and what came of the people looked at."""
    if made:
        both = len(simulation.plans) > 1
        connection.exec_driver_sql(
            _KEEP,
            {
                "id": simulation.id,
                "people": [each.person_id for each in made],
                "branches": [each.branch_id for each in made],
                "paid": [each.paid for each in made],
                "first": [each.simulated[0] for each in made],
                "second": [each.simulated[1] if both else None for each in made],
            },
        )
    connection.execute(
        _ON,
        {
            "id": simulation.id,
            "state": int(simulation.state),
            "done": simulation.done,
            "after": simulation.after_person,
            "digest": simulation.digest,
            "tally": _dumps(tally),
            "finished_at": simulation.finished_at,
        },
    )


def note_ranked(connection: Connection, simulation: Simulation, prizes: Prizes) -> None:
    """Note how far ranking is, and who leads so far."""
    leaders = [
        [*race[:2], *race.period, each.settled, [[tuple(value), people] for value, people in each.levels]]
        for race, each in sorted(prizes.leaders.items())
    ]
    connection.execute(
        _RANKED,
        {
            "id": simulation.id,
            "state": int(simulation.state),
            "ranks": simulation.ranks,
            "ranked": simulation.ranked,
            "ranked_to": simulation.ranked_to,
            "leaders": orjson.dumps(leaders).decode(),
        },
    )


def end(connection: Connection, simulation_id: str, state: State, at: datetime) -> None:
    """End one that is not ended."""
    connection.execute(_END, {"id": simulation_id, "state": int(state), "at": at})


def forget_old_simulations(connection: Connection) -> int:
    """Remove one older than `KEPT_DAYS`; how many. A work of `chassis.housekeeping`."""
    return connection.execute(_FORGET, {"days": KEPT_DAYS}).rowcount


def _encode(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "node_id": plan.node_id,
        "job_role": plan.job_role,
        "name": plan.name,
        "period_kind": int(plan.period_kind),
        "rules": rules.encode(plan.rules),
        "effective_from": plan.effective_from.isoformat(),
        "reason": plan.reason,
        "author_id": plan.author_id,
        "recorded_at": plan.recorded_at.isoformat(),
        "parameters": parameters.encode(plan.parameters),
    }


def _decode(stored: Mapping[str, Any]) -> Plan:
    return Plan(
        **{
            **stored,
            "period_kind": PeriodKind(stored["period_kind"]),
            "rules": rules.decode(stored["rules"]),
            "effective_from": date.fromisoformat(stored["effective_from"]),
            "recorded_at": datetime.fromisoformat(stored["recorded_at"]),
            # Those of simulations older than parameters have none.
            "parameters": parameters.decode(stored.get("parameters", [])),
        }
    )


def _simulation(row: Row[Any]) -> Simulation:
    return Simulation(
        id=row.id,
        name=row.name,
        node_id=row.node_id,
        author_id=row.author_id,
        first_month=row.first_month,
        months=row.months,
        plans=tuple(map(_decode, row.plans)),
        created_at=row.created_at,
        goals_position=row.goals_position,
        state=State(row.state),
        people=row.people,
        done=row.done,
        after_person=row.after_person,
        digest=row.digest,
        finished_at=row.finished_at,
        ranks=row.ranks,
        ranked=row.ranked,
        ranked_to=row.ranked_to,
    )


def _leaders(simulation: Simulation, stored: Iterable[Sequence[Any]]) -> dict[Race, Leaders]:
    found = {}
    for number, rule_id, kind, day, settled, levels in stored:
        race = Race(number, rule_id, Period(PeriodKind(kind), date.fromisoformat(day)))
        prize = simulation.plans[number].prize_rules[rule_id]
        found[race] = Leaders(prize, [(Figure(*value), people) for value, people in levels], settled=settled)
    return found


def _dumps(tally: Tally) -> str:
    return orjson.dumps(asdict(tally)).decode()


def _tally(stored: Mapping[str, Any]) -> Tally:
    return Tally(
        Sums(**stored["sums"]),
        {month: Sums(**each) for month, each in stored["months"].items()},
        {node_id: Sums(**each) for node_id, each in stored["branches"].items()},
        [
            PlanTally(**{**each, "rules": [RuleTally(**rule) for rule in each["rules"]]})
            for each in stored["plans"]
        ],
    )
