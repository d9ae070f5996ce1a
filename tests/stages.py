"""The order of a whole run: quick and precise first, so a mistake shows in seconds; chance within a stage.

Loaded by pytest itself (`-p tests.stages`), after pytest-randomly has shuffled.
"""

from pathlib import Path

import pytest

# By folder under tests/. A folder that is not named here comes between the named units and the journeys.
_FIRST = ("chassis", "access", "standards", "identity", "goals", "incentives", "training")
_LAST = ("contract", "gateway", "launcher", "journeys", "real_input", "faults", "charts", "containers")
# Before the others of their folder, so that no process is left alone with the longest at the end.
_LONGEST = ("test_every_page.py", "test_every_page_in_english.py")
_ROOT = Path(__file__).resolve().parent


def _stage(item: pytest.Item) -> int:
    try:
        folder = item.path.relative_to(_ROOT).parts[0]
    except ValueError:
        return 0
    if folder in _FIRST:
        return _FIRST.index(folder)
    return len(_FIRST) + 1 + (_LAST.index(folder) if folder in _LAST else -1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pictures", action="store_true", help="keep a picture of every page in tests/journeys/screenshots"
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_stage(item), item.path.name not in _LONGEST))
