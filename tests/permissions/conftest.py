"""One enterprise on one platform for the whole matrix."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import drop_database
from tests.permissions.enterprise import Enterprise
from tests.permissions.observing import Callers
from tests.permissions.platform import Platform


@pytest.fixture(scope="package")
def enterprise(fresh_database: Callable[[], str]) -> Iterator[Enterprise]:
    url = fresh_database()
    platform = Platform(url, web=True)
    try:
        yield Enterprise(platform)
    finally:
        platform.close()
        drop_database(url)


@pytest.fixture(scope="package")
def callers(enterprise: Enterprise) -> Callers:
    return Callers(enterprise)
