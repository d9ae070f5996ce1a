"""A recompute that is killed goes on where it was: everybody is computed, and told once."""

import signal
import subprocess
import sys
from datetime import date
from typing import Final

import pytest
from sqlalchemy import text

from services.incentives.store.catalogue import enqueue
from tests.incentives.company import TODAY, Company
from tests.incentives.plans import in_yuan, per_unit, plan

_PEOPLE: Final = 30
# What the service does, a few people at a time and slowly, so that it is killed in the middle.
_SLOWLY: Final = """
import sys, time
from datetime import UTC, datetime
from chassis.clock import FixedClock
from chassis.database import Database, schema_of
from services.incentives.calculating import Calculator
from services.incentives.catalogue import Catalogue
from services.incentives.correcting import Corrector
from services.incentives.wire.statements import from_statement
database = Database(sys.argv[1], schema=schema_of("incentives"), pool_size=4)
encode = lambda statement, plan: from_statement(statement, plan, "CNY").SerializeToString()
calculator = Calculator(
    Catalogue(), FixedClock(datetime(2025, 3, 12, 4, tzinfo=UTC)), encode, Corrector(lambda _made: b"")
)
while True:
    with database.begin() as connection:
        calculator.renew(connection, 4)
        print("computed", flush=True)
        time.sleep(0.05)
"""
_SLOWLY_AHEAD: Final = """
import sys, time
from datetime import UTC, datetime
from services.incentives.ahead import Ahead
from chassis.clock import FixedClock
from chassis.database import Database, schema_of
from services.incentives.catalogue import Catalogue
from services.incentives.wire.statements import from_statement
database = Database(sys.argv[1], schema=schema_of("incentives"), pool_size=4)
told = 0
def encode(statement, plan):
    global told
    told += 1
    if told % 10 == 0:
        print("computed", flush=True)
    time.sleep(0.005)
    return from_statement(statement, plan, "CNY").SerializeToString()
ahead = Ahead(database, Catalogue(), FixedClock(datetime(2025, 3, 12, 4, tzinfo=UTC)), encode)
ahead._people = 4
ahead.work_off(lambda: None, lambda: False)
"""


@pytest.mark.parametrize("program", [_SLOWLY, _SLOWLY_AHEAD], ids=["in turn", "ahead"])
def test_killed_in_the_middle_it_goes_on_and_tells_everybody_once(company: Company, program: str) -> None:
    role = f"killed-{program is _SLOWLY}".lower()
    people = [company.newcomer(f"{role}-{number:02}", job_role=role) for number in range(_PEOPLE)]
    company.settle()
    for person_id in people:
        company.figures(person_id, new_customers=2)
    company.settle()
    made = plan(per_unit("new_customers", "50"), job_role=role, id=f"{role}-plan")
    company.as_("hr").create(made)
    company.settle()
    company.server.stop(grace=1)
    with company.database.begin() as connection:
        last = connection.execute(text("SELECT max(id) FROM outbox_batch")).scalar_one()
        # As it was before the plan was agreed.
        connection.execute(
            text(
                "UPDATE statement SET plan_id = '', total = 0, amounts = '{}' WHERE person_id = ANY(:people)"
            ),
            {"people": people},
        )
        enqueue(connection, [("hq", date(2025, 1, 1))])
    command = [sys.executable, "-c", program, company.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    with company.database.read() as connection:
        after = connection.execute(text("SELECT after_person FROM recompute")).scalar_one()
    assert after
    company.server = company.serve()
    hr = company.as_("hr")
    assert {in_yuan(hr.statement(each, TODAY).total) for each in people} == {"100.00"}
    with company.database.read() as connection:
        query = text(
            "SELECT subject FROM outbox_event WHERE batch_id > :last AND kind = 'statement_changed' ORDER BY subject"
        )
        assert list(connection.execute(query, {"last": last}).scalars()) == people
