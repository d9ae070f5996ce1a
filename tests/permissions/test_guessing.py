"""A newcomer who guesses ids learns nothing: what exists and is hidden answers exactly as what does not exist."""

from typing import Any, Final

import grpc
import pytest
from foothold.goals.v1 import facts_pb2, facts_pb2_grpc, progress_pb2, progress_pb2_grpc, values_pb2
from foothold.incentives.v1 import boards_pb2, boards_pb2_grpc

from chassis.errors import from_rpc_error
from tests.permissions.enterprise import Enterprise
from tests.permissions.observing import PROBES, methods
from tests.permissions.probes import Reach, answer

_METHODS: Final = methods()
_NEWCOMER: Final = "newcomer"
# Dismissing needs somebody to dismiss; the matrix covers it.
_NOT_READS: Final = {
    *("DismissPerson", "EndTarget", "DeleteBinding"),
    *("RestoreTarget", "ApproveTarget", "RefuseTarget"),
}
_GUESSABLE: Final = [
    name
    for name, probe in PROBES.items()
    if probe.reaches != "nothing" and name.rpartition("/")[2] not in _NOT_READS
]


def _told(enterprise: Enterprise, name: str, target: str) -> Any:
    """Everything the answer tells, the guessed id itself aside."""
    token = enterprise.token_of(_NEWCOMER)
    reach = Reach(enterprise, _NEWCOMER, "salesperson", token, target, "guessed")
    try:
        found = answer(_METHODS[name], PROBES[name], reach)
    except grpc.RpcError as error:
        failure = from_rpc_error(error)
        return failure.code, failure.reason, failure.message, failure.fields, failure.metadata
    return str(found).replace(target, "?")


@pytest.mark.parametrize("name", sorted(_GUESSABLE))
def test_what_is_hidden_answers_as_what_does_not_exist(enterprise: Enterprise, name: str) -> None:
    hidden = ("colleague", "stranger") if PROBES[name].reaches == "people" else ("beijing",)
    # Names as long as the real ones, and one that no id can be.
    nothing = _told(enterprise, name, "no-such-id")
    for target in hidden:
        assert _told(enterprise, name, target) == nothing


def test_a_newcomer_sees_of_peers_what_a_board_shows_and_no_more(enterprise: Enterprise) -> None:
    token = enterprise.token_of(_NEWCOMER)
    boards = boards_pb2_grpc.BoardsServiceStub(enterprise.platform.channel("incentives", token))
    request = boards_pb2.GetBoardRequest(board_id="follow-ups-month", node_id="shanghai", page_size=1000)
    entries = boards.GetBoard(request).entries
    assert {"newcomer", "colleague"} <= {entry.person_id for entry in entries}
    shown = {field.name for entry in entries for field, _ in entry.ListFields()}
    assert shown <= {"rank", "person_id", "name", "branch_name", "value"}


@pytest.mark.parametrize(
    ("who", "whose", "customers"),
    [
        ("newcomer", "newcomer", True),
        ("manager", "newcomer", True),
        ("mentor", "newcomer", False),
        ("crm", "newcomer", False),
    ],
)
def test_customers_are_for_their_seller_and_the_department_only(
    enterprise: Enterprise, who: str, whose: str, customers: bool
) -> None:
    stub = facts_pb2_grpc.FactsServiceStub(enterprise.platform.channel("goals", enterprise.token_of(who)))
    facts = stub.ListFacts(facts_pb2.ListFactsRequest(person_id=whose)).facts
    assert facts
    assert all(bool(each.fact.customer) is customers for each in facts)
    history = facts_pb2.GetFactHistoryRequest(fact_id=enterprise.content.fact_of(whose))
    assert all(bool(each.fact.customer) is customers for each in stub.GetFactHistory(history).versions)


@pytest.mark.parametrize(
    ("who", "facts"), [("manager", True), ("branch-hr", False), ("administrator", False)]
)
def test_a_figure_is_explained_without_its_facts_to_those_who_may_not_see_facts(
    enterprise: Enterprise, who: str, facts: bool
) -> None:
    stub = progress_pb2_grpc.ProgressServiceStub(
        enterprise.platform.channel("goals", enterprise.token_of(who))
    )
    request = progress_pb2.ExplainProgressRequest(
        person_id="newcomer", metric="customers_followed", period_kind=values_pb2.PERIOD_KIND_MONTH
    )
    explained = stub.ExplainProgress(request)
    assert explained.value.numerator >= 1
    assert bool(explained.facts) is facts
