"""A measured figure, its goal, and how a run is told."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One claim: a ratio taken inside one run.

    `at_least` and `at_most` are the goal of performance.md (one of them, or neither for a figure that is
    only reported); `detail` names both sides of the ratio with their absolute values, for the curious.
    """

    room: str
    claim: str
    ratio: float
    detail: str
    at_least: float | None = None
    at_most: float | None = None
    bound_by: str = ""

    @property
    def goal(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return f"≤ {self.at_most:g}" if self.at_most is not None else "—"

    @property
    def verdict(self) -> str:
        if self.at_least is None and self.at_most is None:
            return "—"
        reached = (self.at_least is None or self.ratio >= self.at_least) and (
            self.at_most is None or self.ratio <= self.at_most
        )
        return "met" if reached else "missed"


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def paired(ours: Callable[[], object], baseline: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of both, measured in turn (A B A B ...) so that a drifting machine hits both alike."""
    for work in (ours, baseline):
        work()
    pairs = [(seconds(ours), seconds(baseline)) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = ["| claim | ratio | goal | | both sides, and what bounds it |", "| --- | --- | --- | --- | --- |"]
    rows += [
        f"| {figure.claim} | {figure.ratio:.2f} | {figure.goal} | {figure.verdict} |"
        f" {figure.detail}{'; ' + figure.bound_by if figure.bound_by else ''} |"
        for figure in figures
    ]
    return "\n".join(rows)
