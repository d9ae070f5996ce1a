"""Who gets what word from which method: the matrix as it is, to be held against the one that was reviewed."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Final

from google.protobuf.descriptor import MethodDescriptor

from tests.permissions import (
    calendars_probes,
    cascade_probes,
    closing_probes,
    coaching_probes,
    fairness_probes,
    figures_probes,
    identity_probes,
    industry_probes,
    parameter_probes,
    simulation_probes,
    training_probes,
)
from tests.permissions.enterprise import CALLERS, Enterprise
from tests.permissions.probes import Probe, Reach, send

PROBES: Final[Mapping[str, Probe]] = {
    **identity_probes.PROBES,
    **figures_probes.PROBES,
    **calendars_probes.PROBES,
    **closing_probes.PROBES,
    **simulation_probes.PROBES,
    **parameter_probes.PROBES,
    **cascade_probes.PROBES,
    **industry_probes.PROBES,
    **coaching_probes.PROBES,
    **fairness_probes.PROBES,
    **training_probes.PROBES,
}
COLUMNS: Final = (*CALLERS, "signed out", "dismissed")
_SERVICES: Final = ("identity", "goals", "incentives", "training")


def methods() -> Mapping[str, MethodDescriptor]:
    """Every method of every contract by its full name."""
    found = {}
    for name in _SERVICES:
        contract = importlib.import_module(f"foothold.{name}.v1")
        # Found in the package, not listed: a new file of RPCs must not go unnoticed.
        for module in pkgutil.iter_modules(contract.__path__):
            if not module.name.endswith("_pb2"):
                continue
            file = importlib.import_module(f"{contract.__name__}.{module.name}").DESCRIPTOR
            for service in file.services_by_name.values():
                for method in service.methods:
                    found[f"/{service.full_name}/{method.name}"] = method
    return found


class Callers:
    """Everybody who tries: one in each role, nobody, and one who has left each role."""

    def __init__(self, enterprise: Enterprise) -> None:
        self._enterprise = enterprise
        self._tokens = {role: enterprise.token(role) for role in CALLERS}
        for role in CALLERS:
            enterprise.twin(role, _left(role))
        self._former = {role: enterprise.token_of(_left(role)) for role in CALLERS}
        for role in CALLERS:
            enterprise.dismiss(role, _left(role))
        enterprise.settle()

    def reaches(self, relation: str, target: str) -> Iterator[tuple[str, Reach]]:
        """Column -> the reach of somebody of that column for a target; several for `dismissed`."""
        for role, caller_id in CALLERS.items():
            own = relation == "own"
            if not (own and role == "integrator"):
                yield role, self._reach(role, caller_id, self._tokens[role], target, relation)
        yield "signed out", self._reach("", "", None, target or "seller", relation)
        for role, token in self._former.items():
            yield "dismissed", self._reach(role, _left(role), token, target, relation)

    def _reach(self, role: str, caller_id: str, token: str | None, target: str, relation: str) -> Reach:
        return Reach(self._enterprise, caller_id, role, token, target or caller_id, relation)


def _left(role: str) -> str:
    return f"ex-{role.replace('_', '-')}"


def observe(callers: Callers, name: str, method: MethodDescriptor) -> Iterator[tuple[str, Mapping[str, str]]]:
    """For each relation what each column gets; several words joined where those who left got different ones."""
    probe = PROBES[name]
    for relation, target in probe.relations().items():
        words: dict[str, set[str]] = {column: set() for column in COLUMNS}
        for column, reach in callers.reaches(relation, target):
            words[column].add(send(method, probe, reach))
        yield relation, {column: " ".join(sorted(found)) for column, found in words.items()}
