"""Figures of others, from the file that comes with the program."""

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Final

from services.goals.domain.evidence import Published

_FILE: Final = Path(__file__).with_name("benchmarks.toml")
_KINDS: Final = {"vendor claim": 1, "published": 2}


def load_published() -> list[Published]:
    """The figures of others that come with the program."""
    rows = tomllib.loads(_FILE.read_text("utf-8"))["benchmark"]
    return [
        Published(
            row["metric"],
            Fraction(row["low"]),
            Fraction(row["high"]),
            _KINDS[row["kind"]],
            row["sources"],
            row["year"],
        )
        for row in rows
    ]
