"""Boards in memory against ranks worked out naively."""

from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from services.incentives.domain.metrics import METRICS, Figure
from services.incentives.domain.periods import PeriodKind
from services.incentives.domain.ranking import Board, Measure, exact_order, place
from services.incentives.standings import Cursor, Entry, Standings
from tests.incentives import naive

_BOARD = Board("b", "成交率", METRICS["close_rate"], PeriodKind.WEEK)
_PEOPLE = [f"p{number:02}" for number in range(12)]
_CHANGES = st.lists(
    st.tuples(st.sampled_from(_PEOPLE), st.integers(0, 4), st.integers(0, 12)), min_size=1, max_size=60
)


@settings(max_examples=300, deadline=None)
@given(_CHANGES, st.integers(1, 5))
def test_ranks_pages_and_gaps_equal_the_naive_ones(changes: list[tuple[str, int, int]], size: int) -> None:
    standings, values = Standings(), dict[str, Figure]()
    for who, won, followed in changes:
        values[who] = Figure(won, followed)
        figures = {"deals_won": won, "customers_followed": followed}
        standings.put(who, place(_BOARD, figures), datetime(2025, 1, 1, tzinfo=UTC))
    ranked = {who: Fraction(*value) for who, value in values.items() if value.denominator >= 5}
    unranked = {who: Fraction(*value) for who, value in values.items() if 0 < value.denominator < 5}
    expected = [(each.rank, each.person_id) for each in naive.ranks(ranked)]
    expected += [(0, each.person_id) for each in naive.ranks(unranked)]

    seen: list[Entry] = []
    after: Cursor | None = None
    while True:
        view = standings.page(after=after, limit=size)
        seen += view.entries
        if not view.more:
            break
        after = view.entries[-1].cursor
    assert [(entry.rank, entry.person_id) for entry in seen] == expected
    assert [entry.value for entry in seen] == [values[who] for _, who in expected]

    for rank, who in expected:
        stand = standings.stand(who)
        assert stand.entry is not None
        assert (stand.entry.rank, stand.entry.value) == (rank, values[who])
        better = sorted(value for value in ranked.values() if value > ranked[who]) if rank else []
        assert (None if stand.above is None else Fraction(*stand.above.value)) == (
            better[0] if better else None
        )
    assert (view.ranked_size, view.unranked_size) == (len(ranked), len(unranked))


@given(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(1, 2**63 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(1, 2**63 - 1),
)
def test_the_order_of_ratios_is_exact(a: int, b: int, c: int, d: int) -> None:
    left, right = exact_order(Figure(a, b)), exact_order(Figure(c, d))
    assert (left < right) == (Fraction(a, b) < Fraction(c, d))
    assert (left == right) == (Fraction(a, b) == Fraction(c, d))


def test_neighbouring_ratios_keep_apart() -> None:
    largest = 2**63 - 1
    assert exact_order(Figure(largest - 1, largest)) > exact_order(Figure(largest - 2, largest - 1))


def test_a_count_of_nothing_is_off_the_board_like_one_that_never_was() -> None:
    board = Board("b", "跟进", METRICS["customers_followed"], PeriodKind.MONTH)
    assert place(board, {}) is None
    assert place(board, {"customers_followed": 1}) is not None
    assert place(_BOARD, {"customers_followed": 5}) is not None


@given(
    st.dictionaries(
        st.sampled_from(_PEOPLE),
        st.tuples(*(st.integers(0, bound) for bound in (4, 12, 4, 12))),
        min_size=1,
    ),
    st.sampled_from(["close_rate", "customers_followed"]),
)
def test_changes_are_ranked_as_naive_differences_are(
    told: dict[str, tuple[int, int, int, int]], metric: str
) -> None:
    board = Board("b", "进步", METRICS[metric], PeriodKind.WEEK, measure=Measure.CHANGE)
    ranked, unranked = dict[str, Fraction](), dict[str, Fraction]()
    standings = Standings()
    for who, (won, followed, won_before, followed_before) in told.items():
        figures = {"deals_won": won, "customers_followed": followed}
        before = {"deals_won": won_before, "customers_followed": followed_before}
        standings.put(who, place(board, figures, before), None)
        if metric == "customers_followed":
            if followed or followed_before:
                ranked[who] = Fraction(followed - followed_before)
        elif followed and followed_before:
            enough = min(followed, followed_before) >= 5
            change = Fraction(won, followed) - Fraction(won_before, followed_before)
            (ranked if enough else unranked)[who] = change
    expected = [(each.rank, each.person_id) for each in naive.ranks(ranked)]
    shown = [each for each in expected if each[0] <= min(10, (len(ranked) + 1) // 2)]
    assert [(each.rank, each.person_id) for each in standings.top(limit=100).entries] == shown
    expected += [(0, each.person_id) for each in naive.ranks(unranked)]
    entries = standings.page(after=None, limit=100).entries
    assert [(each.rank, each.person_id) for each in entries] == expected
    values = ranked | unranked
    assert [Fraction(*each.value) for each in entries] == [values[who] for _, who in expected]
