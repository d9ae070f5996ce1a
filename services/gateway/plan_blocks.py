"""The rules of a plan as blocks of a form: a list in the order of the page, each as far in as others hold it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

from services.gateway.language import later

PAYS: Final = (
    ("per_unit", later("So much per unit")),
    ("threshold_bonus", later("A sum once a threshold is reached")),
    ("per_point", later("So much per percentage point above a threshold")),
    ("per_point_pro_rata", later("The same, part points in proportion")),
    ("tiers", later("A sum for the tier reached")),
    ("rate_of", later("A share of an amount")),
    ("graduated", later("Each part at its own rate")),
    ("ranking_prize", later("Prizes for the best ranks")),
    ("mentor_bonus", later("So much for each person mentored who reaches something")),
)
WRAPS: Final = (
    ("group", later("Add up")),
    ("gate", later("Only if a condition holds")),
    ("cap", later("At most so much")),
    ("floor", later("At least so much")),
    ("guarantee", later("At least so much in the first months")),
    ("draw", later("An advance in the first months, paid back later")),
    ("ramp", later("A share month by month at first")),
    ("accelerator", later("More if a condition holds")),
)
OWN: Final = (
    ("threshold", later("Threshold, from and to")),
    ("share", later("Share in percent, from and to")),
    ("amount", later("Amount, from and to")),
    ("months", later("How many months, from and to")),
    ("factor", later("How many times as much, from and to")),
)
"""The numbers of a block that branches may be let set."""
WRAPPERS: Final = frozenset(kind for kind, _words in WRAPS)
MOST: Final = 50
DEEPEST: Final = 4
"""How far in a block may be: five rules inside one another."""
_LONGEST: Final = 2_000
_LONGEST_UNDO: Final = 100_000


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule as typed. `tiers` holds a tier or band a line: from where on, and what it pays.

    `shares` holds one a month, `prizes` one a rank, each `own_…` from where to where branches may set that number.
    """

    label: str = ""
    kind: str = "per_unit"
    metric: str = "new_customers"
    threshold: str = ""
    amount: str = ""
    tiers: str = ""
    share: str = ""
    factor: str = ""
    months: str = ""
    shares: str = ""
    prizes: str = ""
    since: str = ""
    until: str = ""
    own_threshold: str = ""
    own_share: str = ""
    own_amount: str = ""
    own_months: str = ""
    own_factor: str = ""
    bound: str = "at_least"
    depth: int = 0

    @property
    def is_local(self) -> bool:
        """Whether branches may set some number."""
        return any(getattr(self, f"own_{name}") for name, _words in OWN)

    @property
    def wraps(self) -> bool:
        """Whether other blocks can be inside."""
        return self.kind in WRAPPERS


_NAMES: Final = tuple(each.name for each in fields(RuleRow) if each.name != "depth")


def rows_of(form: Mapping[str, str]) -> list[RuleRow]:
    """The rules as typed, at least one."""
    rules = min(_whole(form.get("rules", "1"), 1), MOST)
    rows = []
    for index in range(rules):
        typed = {
            name: form[f"rule-{index}-{name}"].strip()[:_LONGEST]
            for name in _NAMES
            if f"rule-{index}-{name}" in form
        }
        rows.append(RuleRow(**typed, depth=_whole(form.get(f"rule-{index}-depth", "0"), 0)))
    return settled(rows or [RuleRow()])


def settled(rows: Sequence[RuleRow]) -> list[RuleRow]:
    """Each as far in as it can be: one further than what is above only where that can hold it."""
    found: list[RuleRow] = []
    for row in rows:
        above = found[-1] if found else None
        most = 0 if above is None else min(DEEPEST, above.depth + above.wraps)
        found.append(replace(row, depth=min(row.depth, most)))
    return found


def end_of(rows: Sequence[RuleRow], index: int) -> int:
    """The index after the last block inside one."""
    end = index + 1
    while end < len(rows) and rows[end].depth > rows[index].depth:
        end += 1
    return end


def act(rows: list[RuleRow], action: str, undo: str) -> tuple[list[RuleRow], str]:
    """The blocks after a button was pressed, and what undoing it needs. What cannot be done changes nothing."""
    verb, _dash, at = action.partition("-")
    if verb == "undo":
        return _undone(rows, undo), ""
    if verb == "add":
        inside = rows[_whole(at, 0)] if at and _whole(at, MOST) < len(rows) else None
        place = end_of(rows, _whole(at, 0)) if inside is not None else len(rows)
        added = RuleRow(depth=inside.depth + 1 if inside is not None else 0)
        return (settled([*rows[:place], added, *rows[place:]]) if len(rows) < MOST else rows), undo
    index = _whole(at, MOST)
    if index >= len(rows):
        return rows, undo
    if verb == "remove":
        end = end_of(rows, index)
        kept = json.dumps({"at": index, "rows": [asdict(row) for row in rows[index:end]]}, ensure_ascii=False)
        return settled([*rows[:index], *rows[end:]]) or [RuleRow()], kept
    return settled(_moved(rows, verb, index)), undo


def _moved(rows: list[RuleRow], verb: str, index: int) -> list[RuleRow]:
    end, depth = end_of(rows, index), rows[index].depth
    mine = rows[index:end]
    before = _sibling_before(rows, index)
    if verb == "up" and before is not None:
        return [*rows[:before], *mine, *rows[before:index], *rows[end:]]
    if verb == "down" and end < len(rows) and rows[end].depth == depth:
        after = end_of(rows, end)
        return [*rows[:index], *rows[end:after], *mine, *rows[after:]]
    if verb == "in" and before is not None and rows[before].wraps:
        return [*rows[:index], *(replace(row, depth=row.depth + 1) for row in mine), *rows[end:]]
    if verb == "out" and depth:
        # After the block it was in, with all that is in it.
        outer = max(at for at in range(index) if rows[at].depth < depth)
        after = end_of(rows, outer)
        freed = [replace(row, depth=row.depth - 1) for row in mine]
        return [*rows[:index], *rows[end:after], *freed, *rows[after:]]
    return rows


def _sibling_before(rows: Sequence[RuleRow], index: int) -> int | None:
    """The block before one and as far in; None for the first."""
    for at in range(index - 1, -1, -1):
        if rows[at].depth < rows[index].depth:
            return None
        if rows[at].depth == rows[index].depth:
            return at
    return None


def movable(rows: Sequence[RuleRow], index: int) -> frozenset[str]:
    """Which of up, down, in and out would change something."""
    rows = list(rows)
    return frozenset(
        verb for verb in ("up", "down", "in", "out") if settled(_moved(rows, verb, index)) != rows
    )


def _undone(rows: list[RuleRow], undo: str) -> list[RuleRow]:
    """With what was removed last back in its place; what was typed meanwhile stays."""
    try:
        kept = json.loads(undo[:_LONGEST_UNDO])
        at = min(len(rows), max(0, int(kept["at"])))
        back = [
            RuleRow(**{name: str(row[name])[:_LONGEST] for name in _NAMES}, depth=max(0, int(row["depth"])))
            for row in kept["rows"][:MOST]
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        return rows
    return settled([*rows[:at], *back, *rows[at:]][:MOST])


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else otherwise  # noqa: PLR2004
