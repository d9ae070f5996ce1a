"""Every page in English: a file of its own, so that another process may go through it meanwhile."""

from collections.abc import Mapping

import pytest
from flask import Flask

from access import Directory
from tests.journeys.conftest import Open
from tests.journeys.every_page import everything, go_through
from tests.journeys.looking import Eyes
from tests.platform import Platform

pytestmark = pytest.mark.browser


@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", [*everything()], ids=lambda who: who or "nobody")
def test_every_page_fits_and_can_be_used_by_everybody(
    platform_all: Platform,
    directory_all: Directory,
    open_as: Open,
    gateway: Flask,
    eyes: Eyes,
    answers: list[Mapping[str, list[str]]],
    who: str,
) -> None:
    go_through(platform_all, directory_all, open_as, gateway, eyes, answers, who, "en")
