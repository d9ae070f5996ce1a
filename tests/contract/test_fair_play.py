"""What the real goals notices is held back by the real incentives, until the CRM says it right."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.conftest import ServiceDatabase
from tests.contract.test_goals_to_incentives import FOLLOW_UP, Joint, fact, goals_heard, record
from tests.incentives.company import NOW, eventually
from tests.incentives.plans import S07, in_yuan, plan


@pytest.fixture(scope="module")
def joint(database_for: Callable[[str], ServiceDatabase]) -> Iterator[Joint]:
    made = Joint(database_for("incentives"), database_for("goals"))
    made.as_("hr").create(plan(*S07))
    yield made
    made.close()


def test_what_looks_made_up_is_held_back_until_the_crm_corrects_it(joint: Joint) -> None:
    joint.newcomer("fair")
    joint.settle()
    goals_heard(joint, "fair")
    february = NOW - timedelta(days=20)
    told = [
        fact(FOLLOW_UP, "fair", name, february, customer=name, attributes={"customer_phone": "138-0000-0001"})
        for name in ("one", "again")
    ]
    honest = fact(FOLLOW_UP, "fair", "other", february, customer="other")
    record(joint, *told, honest)
    joint.settle()
    joint.as_("hr").close("hq", february.date())
    own = joint.as_("fair")
    held = eventually(lambda: list(own.statement(day=february.date()).frozen.held_flags))
    assert [each.rule for each in held] == ["duplicate_customers"]
    frozen = own.statement(day=february.date()).frozen
    assert not frozen.flag_id, "what rests on the third customer is paid"
    kept = [(each.rule_id, in_yuan(each.amount), each.in_part) for each in frozen.held_lines]
    assert kept == [("unit", "100.00", True)]
    told[1].voided, told[1].version = True, 1
    record(joint, told[1])
    eventually(lambda: not own.statement(day=february.date()).frozen.held_lines)
    assert not own.statement(day=february.date()).frozen.held_flags
    corrected = eventually(lambda: list(own.statement().adjustments))
    assert [in_yuan(each.amount) for each in corrected] == ["-50.00"], "taken back with what it paid, once"
