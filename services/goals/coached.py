"""The coaching rules that come with the program, from its file."""

import tomllib
from pathlib import Path
from typing import Final

from services.goals.domain.coaching import BUILT_IN, Rule, RuleKey, Situation

_FILE: Final = Path(__file__).with_name("coaching.toml")


def load_built_in() -> list[Rule]:
    """The coaching rules that come with the program."""
    rows = tomllib.loads(_FILE.read_text("utf-8"))["rule"]
    return [
        Rule(
            RuleKey(BUILT_IN, Situation[row["situation"].upper()], row.get("metric", "")),
            row["step"]["zh-CN"],
            row["step"]["en"],
            row["days"],
            row.get("course", ""),
            active=True,
        )
        for row in rows
    ]
