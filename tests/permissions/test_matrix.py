"""Every method x role x whom it reaches for, held against matrix.csv.

That file is reviewed by people and never written by a program. Its words are explained in probes.py, its
people and nodes in enterprise.py. A method without rows, and a row without a method, fail.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.permissions.observing import COLUMNS, PROBES, Callers, methods, observe

_FILE: Final = Path(__file__).with_name("matrix.csv")
_METHODS: Final = methods()


def _reviewed() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Method -> relation -> column -> word."""
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    with _FILE.open(newline="") as file:
        for row in csv.DictReader(file):
            words = {column: row[column] for column in COLUMNS}
            relations = found.setdefault(f"/foothold.{row['method']}", {})
            assert row["target"] not in relations, f"two rows for {row['method']}, {row['target']}"
            relations[row["target"]] = words
    return found


_REVIEWED: Final = _reviewed()


def test_every_method_has_been_reviewed() -> None:
    assert set(PROBES) == set(_METHODS), "a method without a probe, or a probe without a method"
    expected = {name: set(probe.relations()) for name, probe in PROBES.items()}
    assert {name: set(relations) for name, relations in _REVIEWED.items()} == expected


def test_every_word_is_one_that_was_decided() -> None:
    words = {word for relations in _REVIEWED.values() for row in relations.values() for word in row.values()}
    assert words == {"", "ok", "narrowed", "denied", "hidden", "out"}
    for name, relations in _REVIEWED.items():
        for target, row in relations.items():
            no_self = {"integrator"} if target == "own" else set()
            assert {column for column, word in row.items() if not word} == no_self, (name, target)


def test_without_a_valid_token_nothing_is_open_but_signing_in() -> None:
    opened = {
        name
        for name, relations in _REVIEWED.items()
        for row in relations.values()
        if (row["signed out"], row["dismissed"]) != ("out", "out")
    }
    sessions = "/foothold.identity.v1.SessionService/"
    assert opened == {sessions + "SignIn", sessions + "RefreshSession"}


@pytest.mark.parametrize("name", sorted(_METHODS))
def test_each_caller_gets_what_was_reviewed(callers: Callers, name: str) -> None:
    differing = [
        f"{relation}, {column}: {word}, reviewed as {_REVIEWED[name][relation][column]}"
        for relation, words in observe(callers, name, _METHODS[name])
        for column, word in words.items()
        if word != _REVIEWED[name][relation][column]
    ]
    assert not differing, "\n".join(differing)
