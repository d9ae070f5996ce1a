"""One deployment in containers for all tests here; without a Docker engine they skip and say so."""

from collections.abc import Iterator

import pytest

from tests.containers.deployment import Deployment, build_images, deployed, require_engine


@pytest.fixture(scope="session")
def image() -> str:
    """The name of the image built from this tree."""
    require_engine()
    return build_images()


@pytest.fixture(scope="session")
def deployment(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The platform in containers, one per target, migrated and empty at first."""
    with deployed(tmp_path_factory.mktemp("containers")) as running:
        yield running
