"""Every reason given for a refusal is in the contract, and every reason in the contract is explained and given."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from foothold.errors.v1.errors_pb2 import ErrorReason

from chassis.errors import Failure

_ROOT: Final = Path(__file__).parents[2]
_PREFIX: Final = "ERROR_REASON_"
_NEVER_SENT: Final = "UNSPECIFIED"
_ROOMS: Final = (
    *("chassis", "access", "standards"),
    *(f"services/{name}" for name in ("identity", "goals", "training", "incentives")),
)
_REASON: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
# Written in capitals in those rooms, and no reasons: a file of PostgreSQL's, a Python name, and what a plan's author is
# warned of, which refuses nothing (PlanFinding.code).
_OTHERS: Final = {"PG_VERSION", "SIGNED_IN", "MORE_PAYS_LESS", "COST_UNBOUNDED", "PLANS_DIFFER"}
# Numbered here or not at all: gRPC's own answer to what is not ours.
_FROM_THE_WIRE: Final = {"chassis/errors.py"}


class _Written(NamedTuple):
    file: str
    line: int
    text: str


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for room in _ROOMS:
        for path in sorted((_ROOT / room).rglob("*.py")):
            yield path.relative_to(_ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def _contract() -> set[str]:
    return {name.removeprefix(_PREFIX) for name in ErrorReason.DESCRIPTOR.values_by_name} - {_NEVER_SENT}


def _failures() -> set[str]:
    return {"Failure", *(each.__name__ for each in Failure.__subclasses__())}


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _raised() -> tuple[list[_Written], list[_Written]]:
    """First arguments of failures: those written out, and those that come from elsewhere."""
    written, computed = [], []
    failures = _failures()
    for file, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) in failures and file not in _FROM_THE_WIRE:
                reason = node.args[0] if node.args else ast.Constant("")
                if isinstance(reason, ast.Constant):
                    written.append(_Written(file, node.lineno, str(reason.value)))
                else:
                    computed.append(_Written(file, node.lineno, ast.unparse(reason)))
    return written, computed


def _texts() -> list[_Written]:
    """Everything written like a reason: what a computed reason can come to, and what a row's result says."""
    return [
        _Written(file, node.lineno, node.value)
        for file, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _REASON.fullmatch(node.value)
    ]


def test_every_failure_gives_a_reason_of_the_contract() -> None:
    written, _ = _raised()
    assert [each for each in written if each.text not in _contract()] == []
    assert len(written) > 60


def test_every_text_written_like_a_reason_is_one() -> None:
    known = _contract() | _OTHERS
    assert [each for each in _texts() if each.text not in known] == []


def test_reasons_that_are_computed_are_few_and_come_from_written_ones() -> None:
    # A name or an attribute: the text itself then stands in the same room, where the test above reads it.
    _, computed = _raised()
    assert [each for each in computed if not re.fullmatch(r"[\w.]+(\[\w+\])?(\.\w+)?", each.text)] == []
    assert len(computed) < 12, computed


def test_every_reason_of_the_contract_is_given_by_somebody() -> None:
    written, _ = _raised()
    given = {each.text for each in (*written, *_texts())}
    assert _contract() - given == set()


def test_every_reason_is_explained_in_the_contract() -> None:
    lines = (_ROOT / "proto/foothold/errors/v1/errors.proto").read_text("utf-8").splitlines()
    values = [
        (index, line.split("=")[0].strip())
        for index, line in enumerate(lines)
        if line.strip().startswith(_PREFIX)
    ]
    assert {name for _, name in values} == set(ErrorReason.DESCRIPTOR.values_by_name)
    assert [name for index, name in values if not lines[index - 1].strip().startswith("// ")] == []
