"""A running goals for each test module; the ledger is emptied before each test that asks for `goals`."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import ServiceDatabase
from tests.goals.enterprise import Enterprise


@pytest.fixture(scope="module")
def running(database_for: Callable[[str], ServiceDatabase]) -> Iterator[Enterprise]:
    made = Enterprise(database_for("goals"))
    yield made
    made.close()


@pytest.fixture
def goals(running: Enterprise) -> Enterprise:
    running.clear()
    return running
