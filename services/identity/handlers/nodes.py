"""The org tree's methods."""

from collections.abc import Sequence
from dataclasses import replace

import grpc
from foothold.identity.v1 import directory_pb2
from sqlalchemy import Connection

from access import Caller, caller
from access.records import DEFAULT_ZONE
from chassis.errors import AlreadyExists, NotFound
from chassis.ids import new_id
from chassis.paging import decode_token, encode_token
from chassis.validation import Fields
from services.identity import wire
from services.identity.domain.org import Node, NodeKind, changed, require_place
from services.identity.handlers.desk import Desk, require_etag
from services.identity.store import Ledger, NodeStore

_READ = "identity.nodes.read"
_WRITE = "identity.nodes.write"
_CHANGEABLE = ("name", "time_zone", "parent_id")


class Nodes:
    """CreateNode, UpdateNode, GetNode, ListNodes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(
        self, request: directory_pb2.CreateNodeRequest, context: grpc.ServicerContext
    ) -> directory_pb2.CreateNodeResponse:
        fields = Fields()
        below = fields.within("node")
        node = wire.to_node(below, request.node)
        below.text("name", request.node.name, max_length=wire.LONGEST_NAME)
        if request.node.kind == directory_pb2.NODE_KIND_UNSPECIFIED or node.kind is NodeKind.PERSON:
            below.refuse("kind", "must be enterprise, branch or department")
        if (node.kind is NodeKind.ENTERPRISE) is not (node.parent_id == ""):
            below.refuse("parent_id", "every node but the enterprise has a parent")
        fields.require_valid()

        def work(connection: Connection, ledger: Ledger, who: Caller) -> directory_pb2.CreateNodeResponse:
            scope = who.scope(_WRITE)
            store = NodeStore(connection, scope)
            new = replace(node, id=node.id or new_id(), revision=ledger.revision)
            if node.kind is NodeKind.ENTERPRISE:
                scope.require_everywhere()
                if store.has_enterprise():
                    raise AlreadyExists("ALREADY_EXISTS", "There is an enterprise already.")
                new = _placed(new, None)
            else:
                scope.require(node.parent_id)
                parent = _found(store.get(node.parent_id))
                require_place(node.kind, parent)
                new = _placed(new, parent)
            if store.taken([new.id]):
                raise AlreadyExists("ALREADY_EXISTS", "The id is taken.", fields={"node.id": "is taken"})
            ledger.tell(new)
            return directory_pb2.CreateNodeResponse(node=wire.from_node(new, 0))

        return self._desk.answer(context, request, directory_pb2.CreateNodeResponse, work, within="node.")

    def update(
        self, request: directory_pb2.UpdateNodeRequest, context: grpc.ServicerContext
    ) -> directory_pb2.UpdateNodeResponse:
        fields = Fields()
        below = fields.within("node")
        new = wire.to_node(below, request.node)
        below.identifier("id", request.node.id)
        paths = wire.to_mask(fields, request.update_mask.paths, _CHANGEABLE)
        if "name" in paths:
            below.text("name", request.node.name, max_length=wire.LONGEST_NAME)
        fields.require_valid()

        def work(connection: Connection, ledger: Ledger, who: Caller) -> directory_pb2.UpdateNodeResponse:
            scope = who.scope(_WRITE)
            scope.require(new.id)
            store = NodeStore(connection, scope)
            node = _found(store.get(new.id))
            require_etag(request.node.etag, node.revision)
            parent = None
            if "parent_id" in paths and new.parent_id and new.parent_id != node.parent_id:
                scope.require(new.parent_id)
                parent = _found(store.get(new.parent_id))
            result = changed(node, new, paths, parent=parent, deepest_below=store.levels(node))
            above = parent or (store.get(node.parent_id) if node.parent_id else None)
            result = replace(_placed(result, above), revision=ledger.revision)
            ledger.tell(result)
            return directory_pb2.UpdateNodeResponse(
                node=wire.from_node(result, self._desk.directory.headcount(result.id))
            )

        return self._desk.answer(context, request, directory_pb2.UpdateNodeResponse, work, within="node.")

    def get(
        self, request: directory_pb2.GetNodeRequest, context: grpc.ServicerContext
    ) -> directory_pb2.GetNodeResponse:
        fields = Fields()
        fields.identifier("node_id", request.node_id)
        fields.require_valid()
        with self._desk.database.read() as connection:
            store = NodeStore(connection, caller(context).scope(_READ))
            node = _found(store.get(request.node_id))
            return directory_pb2.GetNodeResponse(
                node=self._message(node), ancestors=self.messages(store.above(node))
            )

    def find(
        self, request: directory_pb2.ListNodesRequest, context: grpc.ServicerContext
    ) -> directory_pb2.ListNodesResponse:
        fields = Fields()
        under = fields.identifier("under_node_id", request.under_node_id, required=False)
        kinds = wire.to_kinds(fields, request.kinds)
        size = fields.page_size(request.page_size)
        fields.require_valid()
        cursor = decode_token(request.page_token, query=request, shape=(int, str, str))
        scope = caller(context).scope(_READ)
        with self._desk.database.read() as connection:
            store = NodeStore(connection, scope)
            if under:
                _found(store.get(under))
            after = (int(str(cursor[0])), str(cursor[1]), str(cursor[2])) if cursor else None
            nodes = store.page(under=under, kinds=kinds, after=after, limit=size + 1)
        answer = directory_pb2.ListNodesResponse(nodes=self.messages(nodes[:size]))
        if len(nodes) > size:
            last = nodes[size - 1]
            cursor = (len(last.ancestors), last.name, last.id)
            answer.next_page_token = encode_token(cursor, query=request)
        return answer

    def messages(self, nodes: Sequence[Node]) -> list[directory_pb2.Node]:
        """The nodes with their headcounts."""
        return [self._message(node) for node in nodes]

    def _message(self, node: Node) -> directory_pb2.Node:
        return wire.from_node(node, self._desk.directory.headcount(node.id))


def _found(node: Node | None) -> Node:
    if node is None:
        raise NotFound("NODE_UNKNOWN", "There is no such node.")
    return node


def _placed(node: Node, parent: Node | None) -> Node:
    """The node with what it inherits."""
    above = parent.ancestors if parent else ()
    inherited = parent.effective_zone if parent else DEFAULT_ZONE
    return replace(node, ancestors=(*above, node.id), effective_zone=node.zone or inherited)
