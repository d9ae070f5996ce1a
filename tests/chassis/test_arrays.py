"""Array literals mean to PostgreSQL what the lists were."""

import psycopg
import pytest

from chassis.arrays import numbers, texts


@pytest.mark.parametrize(
    "items",
    [
        [],
        [""],
        ["", ""],
        ["plain", "NULL", "null", "{}", "a,b", " blank "],
        ['"', '""', "\\", '\\"', 'a"b\\c', '","'],
        ["学员", "line\nbreak", "{1,2}"],
    ],
)
def test_texts_come_back_as_they_were(postgres: str, items: list[str]) -> None:
    with psycopg.connect(postgres) as connection:
        row = connection.execute("SELECT %s::text[]", [texts(items)]).fetchone()
    assert row == (items,)


@pytest.mark.parametrize("items", [[], [0], [-1, 2**63 - 1, -(2**63)]])
def test_numbers_come_back_as_they_were(postgres: str, items: list[int]) -> None:
    with psycopg.connect(postgres) as connection:
        row = connection.execute("SELECT %s::bigint[]", [numbers(items)]).fetchone()
    assert row == (items,)
