"""What rules of fair play notice: the same in any order, and what is answered is never lost."""

from datetime import UTC, date, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from benchmarks import goals_fair_play as fair_play
from services.goals.domain.facts import FactKind, Key
from services.goals.domain.fairness import (
    BUILT_IN,
    BUILT_IN_RULES,
    BUYER,
    PHONE,
    SECONDS,
    FairnessKind,
    FairnessRule,
    Finding,
    Flag,
    FlagState,
    Numbers,
    RuleKey,
    Seen,
    findings,
    months_of,
    reconcile,
    rules_for,
)

MONTH = date(2025, 3, 1)
START = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)
NOON = datetime(2025, 3, 20, 4, 0, tzinfo=UTC)


def seen(number: int, kind: FactKind = FactKind.FOLLOW_UP, **fields: object) -> Seen:
    at = fields.pop("at", START + timedelta(hours=number))
    assert isinstance(at, datetime)
    made = {"customer": f"c{number}", "attributes": {}, "taken_back": None, "day": at.date()} | fields
    return Seen(key=Key("crm", f"f{number:05}"), kind=kind, occurred_at=at, **made)  # type: ignore[arg-type]


def noticed(facts: list[Seen], works_here: set[str] = frozenset()) -> list[Finding]:  # type: ignore[assignment]
    return findings(BUILT_IN_RULES, facts, MONTH, works_here.__contains__)


def kinds(facts: list[Seen], works_here: set[str] = frozenset()) -> list[FairnessKind]:  # type: ignore[assignment]
    return [each.rule.key.kind for each in noticed(facts, works_here)]


def test_one_phone_under_two_customers_is_noticed_however_it_is_written() -> None:
    facts = [
        seen(1, attributes={PHONE: "138 0000 0001"}),
        seen(2, attributes={PHONE: "+86-13800000001"}),
        seen(3, attributes={PHONE: "13800000002"}),
        seen(4, attributes={PHONE: "13800000002"}, customer="c3"),
        seen(5, attributes={PHONE: "-"}),
        seen(6, attributes={PHONE: "110"}),
        seen(7, attributes={PHONE: "110"}),
    ]
    (found,) = noticed(facts)
    assert found.rule.key.kind is FairnessKind.DUPLICATE_CUSTOMERS
    assert [key.external_id for key in found.facts] == ["f00001", "f00002"]
    assert (found.counted, found.first_day, found.last_day) == (2, date(2025, 3, 3), date(2025, 3, 3))


def test_a_burst_is_more_than_so_many_moments_within_so_many_minutes() -> None:
    def spaced(many: int, seconds: int) -> list[Seen]:
        return [seen(n, at=START + timedelta(seconds=seconds * n)) for n in range(many)]

    (found,) = noticed(spaced(16, 10))
    assert (found.rule.key.kind, found.counted) == (FairnessKind.BURST, 16)
    assert kinds(spaced(15, 10)) == []
    assert kinds(spaced(60, 20)) == [], "fifteen in any five minutes, a whole busy hour"
    assert kinds([seen(n, at=START) for n in range(500)]) == [], "an import gives all the same time"


def test_only_follow_ups_that_say_how_long_they_took_can_be_empty() -> None:
    def lasting(many: int, seconds: str) -> list[Seen]:
        return [
            seen(n, at=START + timedelta(minutes=20 * n), attributes={SECONDS: seconds}) for n in range(many)
        ]

    assert kinds(lasting(5, "0")) == [FairnessKind.EMPTY_FOLLOW_UPS]
    assert kinds(lasting(4, "0")) == []
    for honest in ("5", "", "soon", "-1", "9" * 30):
        assert kinds(lasting(9, honest)) == []


def test_an_order_of_a_colleague_is_noticed_one_by_a_customer_is_not() -> None:
    facts = [
        seen(1, FactKind.DEAL_WON, attributes={BUYER: "E7"}),
        seen(2, FactKind.ORDER, attributes={BUYER: " E8 "}),
        seen(3, FactKind.DEAL_WON, attributes={BUYER: "E9"}, taken_back=date(2025, 3, 9)),
        seen(4, FactKind.DEAL_WON, attributes={BUYER: "A-customer's-own"}),
        seen(5, FactKind.DEAL_WON),
    ]
    assert [found.facts[0].external_id for found in noticed(facts, {"E7", "E8", "E9"})] == [
        "f00001",
        "f00002",
    ]


def test_deals_of_the_last_days_taken_back_in_the_first_days_of_the_next_month() -> None:
    def deals(late: int, undone: int, back: date, day: date = date(2025, 3, 30)) -> list[Seen]:
        return [
            seen(n, FactKind.DEAL_WON, day=day, taken_back=back if n < undone else None) for n in range(late)
        ]

    (found,) = noticed(deals(6, 2, date(2025, 4, 3)))
    assert (found.counted, found.out_of, len(found.facts)) == (2, 6, 2)
    assert kinds(deals(6, 2, date(2025, 4, 4))) == [], "not within the first days"
    assert kinds(deals(6, 2, date(2025, 3, 31))) == [], "taken back in the same month pays nothing"
    assert kinds(deals(7, 2, date(2025, 4, 1))) == [], "less than three in ten"
    assert kinds(deals(1, 1, date(2025, 4, 1))) == [], "one deal goes wrong for anybody"
    assert kinds(deals(6, 6, date(2025, 4, 1), date(2025, 3, 28))) == []


def streams() -> st.SearchStrategy[list[Seen]]:
    one = st.builds(
        lambda number, minute, customer, phone, seconds, kind, back: seen(
            number,
            kind,
            at=START + timedelta(days=minute // 400, seconds=20 * minute),
            customer=f"c{customer}",
            attributes={PHONE: f"1380000000{phone}", SECONDS: str(seconds)},
            taken_back=date(2025, 4, 1) if back else None,
        ),
        st.integers(0, 10**4),
        st.integers(0, 10_000),
        st.integers(0, 9),
        st.integers(0, 9),
        st.integers(0, 9),
        st.sampled_from([FactKind.FOLLOW_UP, FactKind.FOLLOW_UP, FactKind.DEAL_WON, FactKind.ORDER]),
        st.booleans(),
    )
    return st.lists(one, max_size=60, unique_by=lambda each: each.key)


@given(streams(), st.randoms(use_true_random=False))
def test_the_same_is_noticed_in_whatever_order_facts_came(facts: list[Seen], chance: Random) -> None:
    shuffled = facts.copy()
    chance.shuffle(shuffled)
    assert noticed(shuffled) == noticed(facts)


@given(streams())
def test_every_finding_names_facts_there_are_and_their_days(facts: list[Seen]) -> None:
    days = {each.key: each.day for each in facts}
    for found in noticed(facts):
        assert found.facts
        assert list(found.facts) == sorted(set(found.facts))
        told = [days[key] for key in found.facts]
        assert (found.first_day, found.last_day) == (min(told), max(told))
    anchors = [(found.rule.key.kind, found.anchor) for found in noticed(facts)]
    assert len(anchors) == len(set(anchors))


def _raised(finding: Finding, turn: int) -> Flag:
    return Flag(
        f"{finding.rule.key.kind}-{finding.anchor}-{turn}", "li", MONTH, turn, finding, FlagState.OPEN, NOON
    )


def _after(told: list[list[Seen]]) -> dict[str, Flag]:
    flags: dict[str, Flag] = {}
    for facts in told:
        for changed in reconcile(noticed(facts), flags.values(), _raised):
            flags[changed.id] = changed
    return flags


@given(streams(), st.integers(0, 60))
def test_what_waits_is_the_same_however_often_one_looks_in_between(facts: list[Seen], cut: int) -> None:
    def waiting(flags: dict[str, Flag]) -> list[Finding]:
        found = [each.found for each in flags.values() if each.state is FlagState.OPEN]
        return sorted(found, key=lambda each: (each.rule.key.kind, each.anchor))

    step_by_step = _after([facts[:cut], facts, facts])
    assert waiting(step_by_step) == waiting(_after([facts]))
    assert not reconcile(noticed(facts), step_by_step.values(), _raised), "looking again changes nothing"


def test_a_dismissed_flag_comes_back_for_other_facts_only_and_keeps_its_answer() -> None:
    first = [seen(n, attributes={PHONE: "13800000001"}) for n in range(2)]
    (flag,) = _after([first]).values()
    dismissed = flag.answered(FlagState.DISMISSED, reason="mother and son", by="hr", at=NOON)
    assert reconcile(noticed(first), [dismissed], _raised) == []
    assert reconcile(noticed(first[:1]), [dismissed], _raised) == [], (
        "nothing is left of it, and it stays dismissed"
    )
    third = [*first, seen(2, attributes={PHONE: "13800000001"})]
    (again,) = reconcile(noticed(third), [dismissed], _raised)
    assert (again.turn, again.state, again.answer) == (2, FlagState.OPEN, "")
    assert reconcile(noticed(third), [dismissed, again], _raised) == []


def test_a_confirmed_flag_stands_until_its_facts_are_corrected() -> None:
    facts = [seen(n, attributes={PHONE: "13800000001"}) for n in range(3)]
    (flag,) = _after([facts]).values()
    confirmed = flag.answered(FlagState.CONFIRMED, reason="one customer", by="hr", at=NOON)
    assert reconcile(noticed(facts), [confirmed], _raised) == []
    (fewer,) = reconcile(noticed(facts[:2]), [confirmed], _raised)
    assert (fewer.state, fewer.found.counted, fewer.answer) == (FlagState.CONFIRMED, 2, "one customer")
    (gone,) = reconcile(noticed(facts[:1]), [confirmed], _raised)
    assert (gone.state, gone.answer) == (FlagState.CORRECTED, "one customer")
    assert reconcile(noticed(facts[:1]), [gone], _raised) == []
    (back,) = reconcile(noticed(facts), [gone], _raised)
    assert (back.turn, back.state) == (2, FlagState.OPEN)


def test_the_nearest_rule_holds_and_one_switched_off_hides_what_is_set_above() -> None:
    burst = FairnessKind.BURST

    def rule(node: str, *, active: bool = True, most: int = 1) -> FairnessRule:
        return FairnessRule(RuleKey(node, burst), active, Numbers(most=most, minutes=5))

    def most(*rules: FairnessRule) -> int | None:
        known = {each.key: each for each in (rule(BUILT_IN, most=9), *rules)}
        found = [each.numbers.most for each in rules_for(known, ["li", "sales", "shanghai", "hq"])]
        return found[0] if found else None

    assert most() == 9
    assert most(rule("hq", most=2)) == 2
    assert most(rule("hq", most=2), rule("sales", most=3)) == 3
    assert most(rule("hq", most=2), rule("sales", active=False)) is None


def test_months_are_looked_at_again_for_three_months_and_reversals_touch_the_one_before() -> None:
    today = date(2025, 3, 20)
    assert months_of([date(2025, 3, 5)], today) == {MONTH, date(2025, 2, 1)}
    assert months_of([date(2025, 3, 15)], today) == {MONTH}
    assert months_of([date(2024, 11, 15)], today) == set()
    assert months_of([date(2025, 4, 1)], date(2025, 3, 31)) == {MONTH, date(2025, 4, 1)}


def test_nothing_that_is_honest_by_construction_is_noticed() -> None:
    """A busy day and an import with one time stamp, whatever they come to; what else people do is measured."""
    for seed in range(20):
        writer = fair_play.Writer(Random(seed))
        fair_play.busy_day(writer)
        fair_play.bulk_import(writer)
        assert noticed(writer.facts) == []


def test_rules_are_right_more_often_than_not_on_labelled_months() -> None:
    right, flagged = 0, 0
    for person in fair_play.months(150, 1):
        found = {
            each.rule.key.kind for each in findings(BUILT_IN_RULES, person.facts, MONTH, lambda _: False)
        }
        flagged += len(found)
        right += len(found & person.cheats)
    assert flagged > 10
    assert 2 * right > flagged
