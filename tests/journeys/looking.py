"""What is looked for on every page: does it fit, is anything cut, may everybody use it, with the keyboard alone too."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from playwright.sync_api import Page

AXE: Final = Path(__file__).parents[2] / "tools" / "node" / "node_modules" / "axe-core" / "axe.min.js"
_OURS: Final = Path(__file__).with_suffix(".js").read_text()
_RULES: Final[dict[str, Any]] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# What a dark scheme changes is colours.
_COLOURS: Final[dict[str, Any]] = {
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
    "resultTypes": ["violations"],
}
# A page that is told news is walked again: what was to be reached is no longer there.
_WALKS: Final = 3


class Eyes(NamedTuple):
    """What a page is looked at with: axe, and where pictures are kept, if they are."""

    axe: str
    kept: Path | None

    def keep(self, page: Page, *name: str) -> None:
        if self.kept:
            # To hide the caret leaves style attributes behind; HTMX copies them to what it swaps in, which the policy
            # forbids.
            whole = page.locator("dialog[open]").count() == 0
            page.screenshot(path=self.kept.joinpath(*name), full_page=whole, caret="initial")


def _ready(page: Page) -> None:
    if not page.evaluate("'looking' in window"):
        page.evaluate(_OURS)


def layout(page: Page) -> list[str]:
    """What does not fit, is cut, is broken or too small for a thumb, in words."""
    _ready(page)
    found: list[str] = page.evaluate("looking.layout()")
    return found


def serious(page: Page, axe: str, *, colours: bool = False) -> Iterator[str]:
    """What axe finds serious or critical; `colours`: only what a colour scheme can change."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, rules)", _COLOURS if colours else _RULES
    )
    for violation in found["violations"]:
        if violation["impact"] in ("serious", "critical"):
            for node in violation["nodes"][:3]:
                yield f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"


def keyboard(page: Page) -> list[str]:
    """What cannot be reached with Tab, and where the focus cannot be seen."""
    _ready(page)
    for _ in range(_WALKS):
        for _ in range(page.evaluate("looking.watchTabs()")):
            page.keyboard.press("Tab")
        if not page.evaluate("looking.replaced()"):
            break
    found: list[str] = page.evaluate("looking.tabsSeen()")
    return found
