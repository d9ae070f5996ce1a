"""The org tree: what may stand where, who sees it, and which zone holds."""

import grpc
import pytest
from foothold.identity.v1 import directory_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from tests.fixtures_identity import Enterprise, enterprise, refused, request_id

__all__ = ["enterprise"]

BRANCH = directory_pb2.NODE_KIND_BRANCH
DEPARTMENT = directory_pb2.NODE_KIND_DEPARTMENT


def create(
    enterprise: Enterprise,
    node_id: str,
    parent_id: str,
    kind: directory_pb2.NodeKind.ValueType = DEPARTMENT,
    *,
    zone: str = "",
    who: str = "admin",
    request: str = "",
    name: str = "",
) -> directory_pb2.Node:
    node = directory_pb2.Node(
        id=node_id, parent_id=parent_id, kind=kind, name=name or f"Name of {node_id}", time_zone=zone
    )
    asked = directory_pb2.CreateNodeRequest(request_id=request or request_id(), node=node)
    return enterprise.directory(who).CreateNode(asked).node


def update(
    enterprise: Enterprise, node: directory_pb2.Node, *paths: str, who: str = "admin"
) -> directory_pb2.Node:
    request = directory_pb2.UpdateNodeRequest(
        request_id=request_id(), node=node, update_mask=FieldMask(paths=paths)
    )
    return enterprise.directory(who).UpdateNode(request).node


def get(enterprise: Enterprise, node_id: str, who: str = "admin") -> directory_pb2.GetNodeResponse:
    return enterprise.directory(who).GetNode(directory_pb2.GetNodeRequest(node_id=node_id))


def names(enterprise: Enterprise, who: str, **request: object) -> list[str]:
    answer = enterprise.directory(who).ListNodes(
        directory_pb2.ListNodesRequest(page_size=1000, **request)  # type: ignore[arg-type]  # by name
    )
    return [node.id for node in answer.nodes]


def test_a_node_stands_where_it_was_put_with_the_zone_it_inherits(enterprise: Enterprise) -> None:
    made = create(enterprise, "dept-sh-x", "branch-sh")
    assert (made.time_zone, made.effective_time_zone) == ("", "Asia/Tokyo")
    found = get(enterprise, "dept-sh-x")
    assert found.node == made
    assert [node.id for node in found.ancestors] == ["hq", "branch-sh"]
    assert get(enterprise, "branch-bj").node.effective_time_zone == "Asia/Shanghai"


def test_a_zone_and_a_move_reach_everything_below(enterprise: Enterprise) -> None:
    create(enterprise, "branch-x", "hq", BRANCH)
    create(enterprise, "dept-x", "branch-x")
    create(enterprise, "team-x", "dept-x")
    enterprise.hire("person-x", "team-x")
    update(enterprise, directory_pb2.Node(id="branch-x", time_zone="Europe/Berlin"), "time_zone")
    assert get(enterprise, "team-x").node.effective_time_zone == "Europe/Berlin"
    moved = update(enterprise, directory_pb2.Node(id="dept-x", parent_id="branch-sh"), "parent_id")
    assert moved.effective_time_zone == "Asia/Tokyo"
    assert moved.headcount == 1
    person = enterprise.directory("hr-sh").GetPerson(directory_pb2.GetPersonRequest(person_id="person-x"))
    assert [node.id for node in person.ancestors] == ["hq", "branch-sh", "dept-x", "team-x"]
    assert person.ancestors[-1].effective_time_zone == "Asia/Tokyo"
    with refused("PERSON_UNKNOWN", NotFound):
        enterprise.directory("hr-bj").GetPerson(directory_pb2.GetPersonRequest(person_id="person-x"))


@pytest.mark.parametrize(
    ("kind", "parent_id"),
    [(BRANCH, "dept-bj-1"), (BRANCH, "new-bj-1"), (DEPARTMENT, "new-bj-1")],
)
def test_a_kind_stands_below_its_own_kinds_only(
    enterprise: Enterprise, kind: directory_pb2.NodeKind.ValueType, parent_id: str
) -> None:
    with refused("TREE_INVALID", FailedPrecondition) as failure:
        create(enterprise, "misplaced", parent_id, kind)
    assert "node.parent_id" in failure.fields


def test_a_node_cannot_be_moved_below_itself_nor_the_enterprise_anywhere(enterprise: Enterprise) -> None:
    create(enterprise, "outer", "hq")
    create(enterprise, "inner", "outer")
    for node_id, parent_id in (("outer", "inner"), ("outer", "outer"), ("hq", "branch-bj")):
        with refused("TREE_INVALID", FailedPrecondition):
            update(enterprise, directory_pb2.Node(id=node_id, parent_id=parent_id), "parent_id")
    with refused("TREE_INVALID", FailedPrecondition):
        update(enterprise, directory_pb2.Node(id="new-bj-1", name="x"), "name")


def test_the_tree_has_a_deepest_level(enterprise: Enterprise) -> None:
    parent = "hq"
    for level in range(2, 17):
        create(enterprise, f"level-{level}", parent)
        parent = f"level-{level}"
    with refused("TREE_INVALID", FailedPrecondition):
        create(enterprise, "level-17", parent)
    create(enterprise, "shallow", "hq")
    create(enterprise, "shallower", "shallow")
    with refused("TREE_INVALID", FailedPrecondition):
        update(enterprise, directory_pb2.Node(id="shallow", parent_id="level-15"), "parent_id")


def test_there_is_one_enterprise_and_one_node_of_an_id(enterprise: Enterprise) -> None:
    second = directory_pb2.Node(id="hq2", kind=directory_pb2.NODE_KIND_ENTERPRISE, name="second")
    with refused("ALREADY_EXISTS", AlreadyExists):
        enterprise.directory("operator").CreateNode(
            directory_pb2.CreateNodeRequest(request_id=request_id(), node=second)
        )
    for taken in ("branch-bj", "new-bj-1", "crm"):
        with refused("ALREADY_EXISTS", AlreadyExists):
            create(enterprise, taken, "hq")


def test_a_faster_change_is_not_overwritten(enterprise: Enterprise) -> None:
    made = create(enterprise, "contended", "hq")
    first = update(enterprise, directory_pb2.Node(id="contended", name="first", etag=made.etag), "name")
    with refused("ETAG_MISMATCH", Aborted):
        update(enterprise, directory_pb2.Node(id="contended", name="second", etag=made.etag), "name")
    again = update(enterprise, directory_pb2.Node(id="contended", name="second", etag=first.etag), "name")
    assert get(enterprise, "contended").node.name == "second"
    assert len({made.etag, first.etag, again.etag}) == 3


def test_a_request_told_twice_is_done_once(enterprise: Enterprise) -> None:
    one = request_id()
    first = create(enterprise, "", "branch-bj", request=one, name="once")
    again = create(enterprise, "", "branch-bj", request=one, name="once")
    assert first == again
    with refused("REQUEST_ID_REUSED", FailedPrecondition):
        create(enterprise, "", "branch-bj", request=one, name="twice")
    with refused("FIELD_INVALID", InvalidArgument) as failure:
        create(enterprise, "x", "branch-bj", request="not a request id!")
    assert "request_id" in failure.fields


def test_a_caller_sees_what_is_covered_and_what_stands_above(enterprise: Enterprise) -> None:
    assert names(enterprise, "new-bj-1") == ["hq", "branch-bj", "dept-bj-1"]
    assert set(names(enterprise, "hr-bj")) >= {"hq", "branch-bj", "dept-bj-1", "dept-bj-2"}
    assert "branch-sh" not in names(enterprise, "hr-bj")
    assert {"branch-bj", "branch-sh", "dept-sh-1"} <= set(names(enterprise, "admin"))
    for hidden in ("dept-bj-2", "branch-sh", "new-bj-2", "no-such-node"):
        with refused("NODE_UNKNOWN", NotFound) as failure:
            get(enterprise, hidden, "new-bj-1")
        assert failure.message == "There is no such node."
        with refused("NODE_UNKNOWN", NotFound):
            names(enterprise, "new-bj-1", under_node_id=hidden)


def test_nodes_come_parents_first_page_by_page(enterprise: Enterprise) -> None:
    directory = enterprise.directory("admin")
    kinds = [directory_pb2.NODE_KIND_BRANCH, DEPARTMENT, directory_pb2.NODE_KIND_PERSON]
    request = directory_pb2.ListNodesRequest(under_node_id="branch-bj", kinds=kinds, page_size=2)
    seen: list[directory_pb2.Node] = []
    while True:
        answer = directory.ListNodes(request)
        assert len(answer.nodes) <= 2
        seen.extend(answer.nodes)
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    whole = directory_pb2.ListNodesRequest(under_node_id="branch-bj", kinds=kinds, page_size=1000)
    assert list(directory.ListNodes(whole).nodes) == seen
    positions = {node.id: index for index, node in enumerate(seen)}
    assert all(positions.get(node.parent_id, -1) < positions[node.id] for node in seen)
    for token in ("nonsense", request.page_token):
        with refused("PAGE_TOKEN_INVALID", InvalidArgument):
            directory.ListNodes(directory_pb2.ListNodesRequest(page_size=2, page_token=token))


def test_only_who_may_write_writes(enterprise: Enterprise) -> None:
    with refused("PERMISSION_MISSING", PermissionDenied) as failure:
        create(enterprise, "not-hrs", "branch-bj", who="hr-bj")
    assert failure.metadata == {"permission": "identity.nodes.write"}
    with refused("NODE_UNKNOWN", NotFound):
        create(enterprise, "orphan", "no-such-node")


@pytest.mark.parametrize(
    "node",
    [
        directory_pb2.Node(parent_id="hq", kind=DEPARTMENT, name=""),
        directory_pb2.Node(parent_id="hq", kind=DEPARTMENT, name=" "),
        directory_pb2.Node(parent_id="hq", kind=DEPARTMENT, name="x" * 101),
        directory_pb2.Node(parent_id="hq", kind=DEPARTMENT, name="a\x00b"),
        directory_pb2.Node(parent_id="hq", kind=DEPARTMENT, name="x", time_zone="Mars/Olympus"),
        directory_pb2.Node(parent_id="hq", kind=DEPARTMENT, name="x", id="Not An Id"),
        directory_pb2.Node(parent_id="hq", kind=directory_pb2.NODE_KIND_PERSON, name="x"),
        directory_pb2.Node(parent_id="hq", name="x"),
        directory_pb2.Node(parent_id="", kind=DEPARTMENT, name="x"),
        directory_pb2.Node(parent_id="hq", kind=directory_pb2.NODE_KIND_ENTERPRISE, name="x"),
    ],
)
def test_a_malformed_node_is_refused_with_its_field(enterprise: Enterprise, node: directory_pb2.Node) -> None:
    with refused("FIELD_INVALID", InvalidArgument) as failure:
        enterprise.directory("admin").CreateNode(
            directory_pb2.CreateNodeRequest(request_id=request_id(), node=node)
        )
    assert all(name.startswith("node.") for name in failure.fields)


def test_a_mask_names_what_changes(enterprise: Enterprise) -> None:
    made = create(enterprise, "masked", "hq", zone="Asia/Shanghai")
    for paths in ([], ["kind"], ["name", "headcount"]):
        with refused("FIELD_INVALID", InvalidArgument):
            update(enterprise, directory_pb2.Node(id="masked", name="x"), *paths)
    with pytest.raises(grpc.RpcError):
        update(enterprise, directory_pb2.Node(id="masked"), "name")
    changed = update(enterprise, directory_pb2.Node(id="masked", name="new", time_zone="Asia/Tokyo"), "name")
    assert (changed.name, changed.time_zone) == ("new", made.time_zone)
    cleared = update(enterprise, directory_pb2.Node(id="masked"), "time_zone")
    assert cleared.time_zone == ""
