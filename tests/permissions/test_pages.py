"""Every route x role x whom it reaches for, held against pages.csv, which people review and no program writes."""

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.permissions.browsing import Browser
from tests.permissions.enterprise import Enterprise
from tests.permissions.page_tries import TRIES, Try
from tests.permissions.pages import COLUMNS, Readers, routes

_FILE: Final = Path(__file__).with_name("pages.csv")


def _reviewed() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Route -> relation -> column -> word."""
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    with _FILE.open(newline="") as file:
        for row in csv.DictReader(file):
            relations = found.setdefault(row["route"], {})
            assert row["target"] not in relations, f"two rows for {row['route']}, {row['target']}"
            relations[row["target"]] = {column: row[column] for column in COLUMNS}
    return found


_REVIEWED: Final = _reviewed()
_PUBLIC: Final = {
    "GET /healthz",
    "GET /readyz",
    "GET /sign-in",
    "GET /static/<path:filename>",
    "POST /language",
}


@pytest.fixture(scope="module")
def readers(enterprise: Enterprise) -> Readers:
    assert enterprise.platform.gateway is not None
    assert enterprise.platform.gateway.parts.replica.wait(30)
    return Readers(enterprise)


def test_every_route_has_been_reviewed(enterprise: Enterprise) -> None:
    expected = {name: set(TRIES.get(name, Try()).relations()) for name in routes(enterprise)}
    assert {name: set(relations) for name, relations in _REVIEWED.items()} == expected
    assert not set(TRIES) - set(expected), "a try without a route"


def test_without_a_session_nothing_is_open_but_signing_in() -> None:
    words = {word for relations in _REVIEWED.values() for row in relations.values() for word in row.values()}
    assert words == {"ok", "done", "refused", "denied", "closed", "hidden", "out"}
    closed = {
        name
        for name, relations in _REVIEWED.items()
        if {word for row in relations.values() for word in (row["signed out"], row["dismissed"])} == {"out"}
    }
    assert set(_REVIEWED) - closed == _PUBLIC | {"POST /sign-in"}
    assert _REVIEWED["POST /sign-in"]["-"]["dismissed"] == "out"


@pytest.mark.parametrize("name", sorted(_REVIEWED))
def test_each_reader_gets_what_was_reviewed(readers: Readers, name: str) -> None:
    rule = routes(readers.enterprise)[name]
    differing = [
        f"{relation}, {column}: {word}, reviewed as {_REVIEWED[name][relation][column]}"
        for relation, words in readers.observe(name, rule)
        for column, word in words.items()
        if word != _REVIEWED[name][relation][column]
    ]
    assert not differing, "\n".join(differing)


def test_roles_are_given_to_those_one_may_know_and_nobody_else_is_named(enterprise: Enterprise) -> None:
    assert "stranger" in Browser(enterprise, "administrator").text("/access")
    page = Browser(enterprise, "branch-hr").text("/access")
    assert "newcomer" in page
    assert "stranger" not in page


def test_a_dismissal_closes_the_pages_within_five_seconds(enterprise: Enterprise) -> None:
    enterprise.twin("salesperson", "twin-reading")
    enterprise.settle()
    browser = Browser(enterprise, "twin-reading")
    assert browser.get("/today") == "ok"
    enterprise.dismiss("salesperson", "twin-reading")
    until = time.monotonic() + 5
    while browser.get("/today") != "out":
        assert time.monotonic() < until
        time.sleep(0.02)
