"""What it costs to know who is calling and what they may touch, once the caller has been seen before."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import psutil

from access import (
    Access,
    Binding,
    Directory,
    Kind,
    Node,
    Person,
    Role,
    TokenIssuer,
    TokenVerifier,
    caller,
    load_private,
    load_public,
)
from access.records import Changes
from access.tokens import generate_keys
from benchmarks.baselines import echo
from benchmarks.figures import Figure

_PERMISSION: Final = "goals.progress.read"
_METHOD: Final = "/benchmark.Progress/Get"
_CALLS: Final = 20_000
_ECHOES: Final = 3_000
_ROUNDS: Final = 5
_LARGE: Final = 100_000
_SMALL: Final = 100
_PER_DEPARTMENT: Final = 50
_PER_BRANCH: Final = 1_000


class _Call:
    """As much of a call's context as the door looks at."""

    def __init__(self, token: str) -> None:
        self._metadata = (("user-agent", "grpc-python"), ("authorization", f"Bearer {token}"))

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return self._metadata


def _changes(people: int) -> Changes:
    permissions = frozenset({_PERMISSION, *(f"service.thing{number}.read" for number in range(13))})
    changes = Changes(1, nodes=[Node("hq", "", Kind.ENTERPRISE, "HQ", "Asia/Shanghai")])
    changes.roles.append(Role("salesperson", "Salesperson", permissions))
    for branch in range(people // _PER_BRANCH + 1):
        changes.nodes.append(Node(f"b{branch}", "hq", Kind.BRANCH, f"Branch {branch}"))
    for department in range(people // _PER_DEPARTMENT + 1):
        branch = department * _PER_DEPARTMENT // _PER_BRANCH
        changes.nodes.append(
            Node(f"d{department}", f"b{branch}", Kind.DEPARTMENT, f"Department {department}")
        )
    for number in range(people):
        parent = f"d{number // _PER_DEPARTMENT}"
        changes.people.append(Person(f"p{number}", parent, f"Person {number}", f"E{number}", "sales"))
        changes.bindings.append(Binding(f"g{number}", "salesperson", f"p{number}", f"p{number}"))
    return changes


def _door(directory: Directory) -> Callable[[], None]:
    """The whole check of a call: token, session, permission, and whether the person asked for is covered."""
    private, public = generate_keys()
    token, _ = TokenIssuer(load_private(private)).person("p7", session_id="s", lifetime=timedelta(hours=1))
    door = Access({_METHOD: _PERMISSION}, verifier=TokenVerifier(load_public(public)), directory=directory)
    context: Any = _Call(token)

    def check() -> None:
        door._admit(_METHOD, context)  # noqa: SLF001  what runs in the worker's thread, without a server around it
        caller(context).scope(_PERMISSION).require_person("p7")

    check()
    return check


def _cpu(work: Callable[[], object], times: int, process: psutil.Process) -> float:
    """CPU seconds of `process` for one call of `work`."""
    before = process.cpu_times()
    for _ in range(times):
        work()
    after = process.cpu_times()
    return float(after.user + after.system - before.user - before.system) / times


def measure() -> Iterator[Figure]:
    """The door's CPU against a bare echo's, and among many people against among few."""
    began = time.perf_counter()
    large = Directory()
    large.update(_changes(_LARGE))
    loading = time.perf_counter() - began
    small = Directory()
    small.update(_changes(_SMALL))
    among_many, among_few = _door(large), _door(small)
    here = psutil.Process()
    with echo() as say:
        server = here.children()[-1]
        say(b"warm")
        echoes = [_cpu(lambda: say(b"x" * 64), _ECHOES, server) for _ in range(_ROUNDS)]
        pairs = [(_cpu(among_many, _CALLS, here), _cpu(among_few, _CALLS, here)) for _ in range(_ROUNDS)]
    bare, many, few = min(echoes), min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    yield Figure(
        "access",
        "authentication and authorization of a warm caller against a bare echo's server CPU",
        many / bare,
        f"{many * 1e6:.1f} µs against {bare * 1e6:.0f} µs",
        at_most=0.1,
    )
    yield Figure(
        "access",
        "the same check among 100,000 people against among 100",
        many / few,
        f"{many * 1e6:.1f} µs against {few * 1e6:.1f} µs; loading 100,000 people took {loading:.2f} s",
        at_most=1.2,
    )
