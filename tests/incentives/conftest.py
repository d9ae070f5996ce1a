"""Incentives as its callers meet it: a real server on a port, a real PostgreSQL, and real feeds to follow."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import ServiceDatabase
from tests.incentives.company import Company


@pytest.fixture(scope="module")
def company(database_for: Callable[[str], ServiceDatabase]) -> Iterator[Company]:
    """One running service for a test module; each test brings people and job roles of its own."""
    made = Company(database_for("incentives"))
    yield made
    made.close()
