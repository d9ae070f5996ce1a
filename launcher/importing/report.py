"""What became of every row of an import: for the person who started it, as CSV, and as JSON."""

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from launcher.importing.reading import Fault

_LINES_SHOWN: Final = 30
_HEADER: Final = ("line", "key", "field", "reason", "message")


@dataclass
class Report:
    """Counts, refused rows and notes. `recorded` and `known` count facts or people, `rows` the file's rows."""

    what: str
    rows: int = 0
    recorded: int = 0
    known: int = 0
    updated: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: "Counter[str]" = field(default_factory=Counter)
    dry_run: bool = False

    def refuse(self, fault: Fault) -> None:
        self.faults.append(fault)

    @property
    def refused_rows(self) -> int:
        """Different rows of which something was refused."""
        return len({fault.line for fault in self.faults})

    def as_json(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            "rows_read": self.rows,
            f"{self.what}_recorded": self.recorded,
            f"{self.what}_updated": self.updated,
            f"{self.what}_already_known": self.known,
            "rows_refused": self.refused_rows,
            "refused": [
                {"line": fault.line, "key": fault.key, "field": fault.field, "reason": fault.reason,
                 "message": fault.message}
                for fault in self.faults
            ],
            "notes": [{"note": note, "rows": count} for note, count in self.notes.items()],
        }  # fmt: skip

    def write_csv(self, path: Path) -> None:
        """Every refused row: line, key, field, reason, message."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_HEADER)
            for fault in self.faults:
                writer.writerow((fault.line, fault.key, fault.field, fault.reason, fault.message))

    def tell(self, say: Callable[[str], None], written: Path | None) -> None:
        """Print it."""
        say(f"{'Checked only, nothing was stored. ' if self.dry_run else ''}{self.rows:,} rows read")
        say(f"  {self.recorded:,} {self.what} {'would be recorded' if self.dry_run else 'recorded'}")
        if self.updated:
            say(f"  {self.updated:,} {self.what} {'would be updated' if self.dry_run else 'updated'}")
        say(f"  {self.known:,} already known")
        say(f"  {self.refused_rows:,} rows refused")
        groups: dict[tuple[str, str, str], list[int]] = {}
        for fault in self.faults:
            groups.setdefault((fault.field, fault.reason, fault.message), []).append(fault.line)
        for (name, reason, message), lines in sorted(groups.items(), key=lambda group: -len(group[1])):
            say(f"    {name}: {message} [{reason}]")
            say(f"      {_lines(lines)}")
        if self.notes:
            say("Worth knowing:")
            for note, count in self.notes.items():
                say(f"  {count:,} × {note}")
        if written:
            say(f"Every refused row is in {written}")


def _lines(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:_LINES_SHOWN])
    more = len(lines) - _LINES_SHOWN
    word = "line" if len(lines) == 1 else "lines"
    return f"{len(lines):,} {word}: {shown}" + (f" and {more:,} more" if more > 0 else "")
