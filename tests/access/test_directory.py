"""The directory in memory answers as a plain walk over the same records would."""

import random
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import Binding, Caller, CallerKind, Directory, Kind, Node, Person, Role, Status
from access.directory import PLATFORM
from access.records import Changes
from chassis.errors import Failure, NotFound, PermissionDenied

READER = Role("reader", "Reader", frozenset({"x.y.read"}))
WRITER = Role("writer", "Writer", frozenset({"x.y.write"}))


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str]:
    """Child -> parent; the root's parent is empty."""
    size = draw(st.integers(1, 25))
    return {f"n{index}": f"n{draw(st.integers(0, index - 1))}" if index else "" for index in range(size)}


def build(parents: dict[str, str], people: set[str]) -> Directory:
    directory = Directory()
    nodes = [
        Node(each, parent, Kind.ENTERPRISE if not parent else Kind.DEPARTMENT, each)
        for each, parent in parents.items()
        if each not in people
    ]
    records = [Person(each, parents[each], each, each, "sales") for each in people]
    directory.update(Changes(1, nodes=nodes, people=records, roles=[READER, WRITER]))
    return directory


def leaves(parents: dict[str, str]) -> set[str]:
    return {each for each, parent in parents.items() if parent} - set(parents.values())


def below(parents: dict[str, str], top: str) -> set[str]:
    """The naive walk."""
    found = set()
    for each in parents:
        current = each
        while current:
            if current == top:
                found.add(each)
            current = parents[current]
    return found


@given(
    parents=trees(),
    moves=st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=12),
    leaving=st.sets(st.integers(2, 13)),
)
def test_covering_is_a_walk_to_the_root_whatever_moved(
    parents: dict[str, str], moves: list[tuple[int, int]], leaving: set[int]
) -> None:
    people = leaves(parents)
    directory = build(parents, people)
    names = list(parents)
    left: set[str] = set()
    for position, (what, where) in enumerate(moves, start=2):
        moved, target = names[what % len(names)], names[where % len(names)]
        if not parents[moved] or target in below(parents, moved) or target in people:
            continue
        parents[moved] = target
        if moved in people:
            if position in leaving:
                left.add(moved)
            status = Status.DISMISSED if moved in left else Status.ACTIVE
            person = Person(moved, target, moved, moved, "sales", status=status)
            directory.update(Changes(position, people=[person]))
        else:
            directory.update(Changes(position, nodes=[Node(moved, target, Kind.DEPARTMENT, moved)]))
    for top in names:
        expected = below(parents, top)
        assert {each for each in names if directory.covers(frozenset({top}), each)} == expected
        assert set(directory.at_or_below(top)) == expected
        assert directory.people_under(top) == expected & people
        assert directory.headcount(top) == len(expected & people - left)
    for each in names:
        assert directory.ancestors(each)[-1] == names[0]
    assert not directory.covers(frozenset(names), "unknown")
    assert directory.covers(frozenset({PLATFORM}), names[-1])


@given(
    parents=trees(),
    bindings=st.lists(st.tuples(st.integers(0, 24), st.booleans(), st.booleans()), max_size=20),
)
def test_a_grant_holds_where_a_binding_says_and_below(
    parents: dict[str, str], bindings: list[tuple[int, bool, bool]]
) -> None:
    directory = build(parents, set())
    names = list(parents)
    granted: dict[str, set[str]] = {"x.y.read": set(), "x.y.write": set()}
    for index, (where, reads, removed) in enumerate(bindings):
        node, role = names[where % len(names)], READER if reads else WRITER
        binding = Binding(f"b{index}", role.id, "somebody", node)
        directory.update(Changes(index + 2, bindings=[binding]))
        if removed:
            directory.update(Changes(index + 2, bindings_removed=[binding.id]))
        else:
            granted[next(iter(role.permissions))].add(node)
    for permission, tops in granted.items():
        expected = {each for top in tops for each in below(parents, top)}
        assert {each for each in names if directory.may("somebody", permission, each)} == expected
    assert not directory.may("somebody else", "x.y.read", names[0])


def small() -> Directory:
    directory = Directory()
    nodes = [
        Node("hq", "", Kind.ENTERPRISE, "HQ", "Asia/Shanghai"),
        Node("b1", "hq", Kind.BRANCH, "B1", "Asia/Tokyo"),
        Node("d1", "b1", Kind.DEPARTMENT, "D1"),
        Node("d2", "hq", Kind.DEPARTMENT, "D2"),
    ]
    people = [Person("p1", "d1", "P1", "E1", "sales"), Person("p2", "d2", "P2", "E2", "sales")]
    bindings = [Binding("x1", "reader", "p1", "d1"), Binding("x2", "writer", "p1", "p1")]
    directory.update(Changes(1, nodes, people, [READER, WRITER], bindings))
    return directory


def test_where_a_person_belongs() -> None:
    directory = small()
    assert (directory.branch_of("p1"), directory.department_of("p1")) == ("b1", "d1")
    assert (directory.branch_of("p2"), directory.department_of("p2")) == (None, "d2")
    assert (directory.zone_of("p1"), directory.zone_of("p2")) == ("Asia/Tokyo", "Asia/Shanghai")
    assert directory.ancestors("p1") == ("p1", "d1", "b1", "hq")


def test_an_employee_number_finds_its_present_holder() -> None:
    directory = small()
    directory.update(Changes(2, people=[Person("p1", "d1", "P1", "E9", "sales")]))
    assert directory.person_by_employee_number("E1") is None
    found = directory.person_by_employee_number("E9")
    assert found is not None
    assert found.id == "p1"


def test_people_under_includes_those_who_left_and_active_under_does_not() -> None:
    directory = small()
    directory.update(Changes(2, people=[Person("p1", "d1", "P1", "E1", "sales", status=Status.DISMISSED)]))
    assert directory.people_under("b1") == {"p1"}
    assert directory.active_under("b1") == frozenset()


def test_a_changed_role_changes_what_its_holders_may() -> None:
    directory = small()
    assert not directory.may("p1", "x.z.read", "d1")
    directory.update(Changes(2, roles=[Role("reader", "Reader", frozenset({"x.z.read"}))]))
    assert directory.may("p1", "x.z.read", "p1")
    assert not directory.may("p1", "x.y.read", "p1")


@pytest.mark.parametrize(
    ("permission", "node_id", "refusal"),
    [
        ("x.y.read", "d1", None),
        ("x.y.read", "p1", None),
        ("x.y.read", "b1", NotFound("NODE_UNKNOWN", "")),
        ("x.y.read", "p2", NotFound("NODE_UNKNOWN", "")),
        ("x.y.read", "unknown", NotFound("NODE_UNKNOWN", "")),
        ("x.y.write", "p1", None),
        ("x.y.write", "d1", PermissionDenied("PERMISSION_MISSING", "")),
        ("x.y.write", "d2", NotFound("NODE_UNKNOWN", "")),
    ],
)
def test_hidden_is_not_found_and_visible_is_denied(
    permission: str, node_id: str, refusal: Failure | None
) -> None:
    scope = Caller("p1", CallerKind.PERSON, small(), "s").scope(permission)
    if refusal is None:
        scope.require(node_id)
        return
    with pytest.raises(type(refusal)) as raised:
        scope.require(node_id)
    assert raised.value.reason == refusal.reason


def test_a_permission_held_nowhere_is_denied_with_its_name() -> None:
    with pytest.raises(PermissionDenied) as raised:
        Caller("p2", CallerKind.PERSON, small(), "s").scope("x.y.read")
    assert raised.value.metadata == {"permission": "x.y.read"}


def test_a_component_holds_feeds_only() -> None:
    component = Caller("goals", CallerKind.COMPONENT, small())
    component.scope("identity.feed.read").require_everywhere()
    for permission in ("x.y.read", "x.feed.write"):
        with pytest.raises(PermissionDenied):
            component.scope(permission)
    assert not component.may("identity.feed.read", "hq")


def test_readers_see_one_of_the_two_states_while_a_writer_moves_people() -> None:
    """A grant goes from node to node: it is never held on two, and nobody under the enterprise goes missing."""
    directory = small()
    stop = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not stop.is_set():
            on = {node for node in ("d1", "d2") if node in directory.granted_at("p1", "x.y.read")}
            grants = directory.grants("p1").get("x.y.read", frozenset())
            if len(grants) > 1:
                wrong.append(f"held on {sorted(on)}")
            if not directory.people_under("hq") >= {"p1", "p2"}:
                wrong.append("somebody went missing")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    last = "x1"
    until = time.monotonic() + 1.0
    number = 0
    while time.monotonic() < until:
        number += 1
        target = random.choice(["d1", "d2"])
        directory.update(
            Changes(
                number + 1,
                people=[Person("p2", target, "P2", "E2", "sales")],
                bindings=[Binding(f"y{number}", "reader", "p1", target)],
                bindings_removed=[last],
            )
        )
        last = f"y{number}"
    stop.set()
    for reader in readers:
        reader.join()
    assert number > 100
    assert not wrong, wrong[:3]
