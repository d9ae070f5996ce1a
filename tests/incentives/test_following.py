"""Following goals: told twice, late, in other pages or after a restart, the statement is the same (R10)."""

import itertools
import random
import threading
from datetime import date, timedelta

import grpc
import pytest
from foothold.goals.v1 import feed_pb2 as goals_pb2
from foothold.goals.v1 import targets_pb2
from foothold.incentives.v1 import feed_pb2
from sqlalchemy import Connection, text

from services.incentives.domain.periods import Period, PeriodKind
from services.incentives.domain.statements import Told
from services.incentives.following import told_by
from tests.incentives.company import NOW, TODAY, Company, eventually
from tests.incentives.peers import day_of, month_of, values_changed, week_of
from tests.incentives.plans import S07, in_yuan, plan

_LAST_MONTH = date(2025, 2, 10)


@pytest.fixture(scope="module", autouse=True)
def agreed(company: Company) -> None:
    company.as_("hr").create(plan(*S07))


# Sequences count what is rolled back as well.
_FAILS_TWICE = (
    "CREATE SEQUENCE misfortune",
    """
    CREATE FUNCTION misfortune() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('misfortune') <= 2 THEN RAISE EXCEPTION 'the power went out after the write'; END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER misfortune AFTER INSERT OR UPDATE ON statement FOR EACH ROW
    WHEN (NEW.person_id = 'unlucky') EXECUTE FUNCTION misfortune()
    """,
)


def events_after(company: Company, position: int) -> list[feed_pb2.Event]:
    asked = feed_pb2.ListEventsRequest(after_position=position, page_size=1_000)
    return list(company.as_component("gateway").feed.ListEvents(asked).events)


def head(company: Company) -> int:
    def settled() -> int:
        with company.database.read() as connection:
            waiting = connection.execute(
                text("SELECT count(*) FROM outbox_batch WHERE first_position IS NULL")
            ).scalar_one()
            at = connection.execute(text("SELECT position FROM outbox_head")).scalar_one()
        return 0 if waiting else int(at) + 1

    return eventually(settled) - 1


def test_a_change_is_on_the_feed_as_the_whole_new_statement(company: Company) -> None:
    before = head(company)
    company.figures("li", None, customers_followed=25, new_customers=10, deals_won=3)
    (event,) = eventually(lambda: events_after(company, before))
    assert event.WhichOneof("body") == "statement_changed"
    asked = company.as_("li").statement()
    # How far it is and what is adjusted is asked for.
    for field in ("state", "due"):
        asked.ClearField(field)
    assert event.statement_changed == asked
    assert in_yuan(event.statement_changed.total) == "600.00"


def test_the_same_figures_again_change_nothing_and_tell_nobody(company: Company) -> None:
    company.figures("wang", None, customers_followed=4, new_customers=4)
    company.settle()
    before, statement = head(company), company.as_("wang").statement()
    company.figures("wang", None, customers_followed=4, new_customers=4)
    company.settle()
    again = company.as_("wang").statement()
    assert head(company) == before
    assert again.goals_position == statement.goals_position + 1
    again.goals_position = statement.goals_position
    assert again == statement


def test_figures_taken_back_leave_a_statement_of_nothing(company: Company) -> None:
    company.newcomer("taken-back")
    company.figures("taken-back", None, customers_followed=9, new_customers=9, deals_won=3)
    company.settle()
    someone = company.as_("taken-back")
    assert in_yuan(someone.statement().total) == "1600.00"
    company.figures("taken-back", None, customers_followed=0, new_customers=0, deals_won=0)
    company.settle()
    statement = someone.statement()
    assert in_yuan(statement.total) == "0.00"
    assert statement.lines[1].value.denominator == 0


def test_days_and_quarters_and_targets_are_nothing_to_incentives(company: Company) -> None:
    company.newcomer("daily")
    event = values_changed("daily", NOW, (day_of(TODAY), {"new_customers": 3}))
    company.peers.goals.tell(event, goals_pb2.Event(target_changed=targets_pb2.Target(id="t")))
    company.settle()
    assert not company.as_("daily").statement().HasField("as_of")


def test_somebody_identity_has_not_told_of_yet_is_paid_as_soon_as_it_has(company: Company) -> None:
    company.figures("early", None, customers_followed=3, new_customers=3)
    company.settle()
    assert [row[1] for key, row in company.stored().items() if key[0] == "early"] == ["", ""]
    company.newcomer("early")
    company.settle()
    assert in_yuan(company.as_("early").statement().total) == "150.00"


def test_permuted_repeated_and_repaged_events_leave_the_same_rows(company: Company) -> None:
    """Goals tells figures as they are when read: in whatever order events come, all tell the last state."""
    chance = random.Random(7)
    names = [f"r10-{number}" for number in range(8)]
    final = {
        (name, day): {
            "customers_followed": chance.randrange(30),
            "new_customers": chance.randrange(20),
            "deals_won": chance.randrange(6),
        }
        for name, day in itertools.product(names, (TODAY, _LAST_MONTH))
    }
    for name in names:
        company.newcomer(name)
    company.settle()
    states = []
    for _ in range(4):
        told = [*final.items(), *chance.sample(list(final.items()), 6)]
        chance.shuffle(told)
        company.peers.goals.page_size = chance.choice([1, 2, 5, 100])
        for (name, day), figures in told:
            company.figures(name, day, **figures)
        company.settle()
        rows = {key: row for key, row in company.stored().items() if key[0] in names}
        states.append(rows)
        for name in names:
            # Nothing of it may be left over for the next round.
            company.figures(name, TODAY)
            company.figures(name, _LAST_MONTH)
        company.settle()
    company.peers.goals.page_size = 1_000
    assert states[0] == states[1] == states[2] == states[3]
    assert sum(row[2] for row in states[0].values()) > 0


def test_a_page_of_five_hundred_costs_a_handful_of_statements(company: Company) -> None:
    told = list(
        told_by(
            [
                values_changed(
                    f"many-{n}", NOW, (week_of(TODAY), {"deals_won": n + 1}), (month_of(TODAY), {})
                )
                for n in range(500)
            ]
        )
    )
    assert len(told) == 1_000
    statements: list[str] = []

    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        statements.append(statement)

    from sqlalchemy import event

    from chassis.clock import FixedClock
    from services.incentives.calculating import Calculator
    from services.incentives.catalogue import Catalogue
    from services.incentives.correcting import Corrector

    calculator = Calculator(Catalogue(), FixedClock(NOW), lambda *_: b"", Corrector(lambda _: b""))
    engine = company.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            calculator.take(connection, told)
            transaction.rollback()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert len(statements) <= 8, statements


def test_restarted_between_pages_nothing_is_lost_or_doubled(company: Company) -> None:
    """The process stops and starts again and again while pages come in; then all is as if it never had."""
    names = [f"restart-{number}" for number in range(6)]
    for name in names:
        company.newcomer(name)
    company.settle()
    before = head(company)
    company.peers.goals.page_size = 3
    chance = random.Random(11)
    stop = threading.Event()

    def keep_telling() -> None:
        for number in range(1, 121):
            name = chance.choice(names)
            company.figures(name, None, customers_followed=number, new_customers=number)
            stop.wait(0.004)
        for name in names:
            company.figures(name, None, customers_followed=200, new_customers=7)

    teller = threading.Thread(target=keep_telling)
    teller.start()
    for _ in range(3):
        stop.wait(0.15)
        company.restart()
    teller.join()
    company.settle()
    company.peers.goals.page_size = 1_000
    for name in names:
        statement = company.as_(name).statement()
        assert in_yuan(statement.total) == "350.00"
    told = [each.statement_changed for each in events_after(company, before)]
    for name in names:
        positions = [each.goals_position for each in told if each.person_id == name]
        assert positions == sorted(set(positions))


def test_an_effect_that_fails_leaves_nothing_and_is_tried_again(company: Company) -> None:
    company.newcomer("unlucky")
    company.settle()
    with company.database.begin() as connection:
        for statement in _FAILS_TWICE:
            connection.exec_driver_sql(statement)
    company.figures("unlucky", None, customers_followed=2, new_customers=2)
    company.settle()
    assert in_yuan(company.as_("unlucky").statement().total) == "100.00"
    with company.database.begin() as connection:
        assert connection.exec_driver_sql("SELECT last_value > 2 FROM misfortune").scalar_one()
        connection.exec_driver_sql("DROP TRIGGER misfortune ON statement")


def test_two_processes_follow_one_feed_once(company: Company) -> None:
    company.newcomer("twice")
    other = company.serve()
    try:
        before = head(company)
        for number in range(1, 31):
            company.figures("twice", None, customers_followed=number, new_customers=number)
        company.settle()
        company.settle(other)
        told = [
            each.statement_changed.goals_position
            for each in events_after(company, before)
            if each.statement_changed.person_id == "twice"
        ]
        assert told == sorted(set(told))
        assert in_yuan(company.as_("twice").statement().total) == "1500.00"
    finally:
        other.stop(grace=1)
        company.restart()


def test_following_says_how_far_it_is(company: Company) -> None:
    company.settle()
    followed = company.followed()
    assert set(followed) == {"identity", "goals", "training"}
    assert followed["goals"].position == followed["goals"].head_position == company.peers.goals.head


def test_goals_down_is_told_by_the_position_and_statements_keep_serving(company: Company) -> None:
    company.settle()
    company.peers.goals.open = False
    try:
        assert company.as_("li").statement().person_id == "li"
    finally:
        company.peers.goals.open = True
    company.figures("li", None, customers_followed=1, new_customers=1)
    company.settle()
    assert in_yuan(company.as_("li").statement().total) == "50.00"


def test_what_goals_tells_last_of_several_in_a_page_stands(company: Company) -> None:
    period = Period(PeriodKind.MONTH, TODAY.replace(day=1))
    events = [values_changed("x", NOW, (month_of(TODAY), {"deals_won": n})) for n in (3, 9, 4)]
    told = list(told_by(events))
    assert [each.figures["deals_won"] for each in told] == [3, 9, 4]
    assert told[0] == Told("x", period, {"deals_won": 3}, 0, NOW)


def test_positions_beyond_the_head_are_refused(company: Company) -> None:
    with pytest.raises(grpc.RpcError, match="never given"):
        events_after(company, 10**9)


def test_as_of_is_when_the_figures_changed(company: Company) -> None:
    company.newcomer("as-of")
    later = NOW + timedelta(minutes=5)
    company.peers.goals.tell(values_changed("as-of", later, (month_of(TODAY), {"new_customers": 1})))
    company.settle()
    company.peers.goals.tell(
        values_changed("as-of", later + timedelta(minutes=5), (month_of(TODAY), {"new_customers": 1}))
    )
    company.settle()
    assert company.as_("as-of").statement().as_of.ToDatetime() == later.replace(tzinfo=None)


def rows_of(connection: Connection, person_id: str) -> int:
    asked = {"person_id": person_id}
    return int(
        connection.execute(
            text("SELECT count(*) FROM statement WHERE person_id = :person_id"), asked
        ).scalar_one()
    )


def test_somebody_without_figures_has_no_row(company: Company) -> None:
    company.newcomer("idle")
    company.figures("idle", None, customers_followed=0)
    company.settle()
    with company.database.read() as connection:
        assert rows_of(connection, "idle") == 0
    assert in_yuan(company.as_("idle").statement().total) == "0.00"
