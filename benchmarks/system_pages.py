"""What a page costs through the gateway, against a bare gRPC echo."""

from collections.abc import Iterator

from benchmarks.baselines import echo
from benchmarks.figures import Figure, paired
from benchmarks.system_stage import Browser, platform

_ROUNDS = 300
_PAGES = {
    "/today": ("a newcomer's home", "nine calls of three services, each an echo at least, and the markup"),
    "/boards": (
        "the boards",
        "two calls, Flask and granian's bridge to it (1 ms without any call), and the markup",
    ),
    "/today/summary": (
        "one section, as an open page fetches it again",
        "a call that is three echoes long; Flask and granian's bridge to it (1 ms without any call)",
    ),
}


def measure() -> Iterator[Figure]:
    """Each page of a newcomer, one at a time, in turn with an echo."""
    with platform() as running, echo() as say:
        browser = Browser(running, "zhou.yutong")
        for path, (name, bound_by) in _PAGES.items():
            size = browser.get(path)
            page, bare = paired(lambda path=path: browser.get(path), lambda: say(b"x" * 64), _ROUNDS)  # type: ignore[misc]  # a default binds it
            yield Figure(
                "system",
                f"pages a second through the gateway against bare echoes: {name}",
                bare / page,
                f"{page * 1e3:.1f} ms ({size:,} bytes) against {bare * 1e3:.2f} ms",
                at_least=0.2,
                bound_by=bound_by,
            )
        browser.close()
