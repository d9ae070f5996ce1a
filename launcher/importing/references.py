"""Checking an import's values against the files beside it: misspelt names, odd values, entries never used."""

import difflib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from launcher.exits import Exit, Stop
from launcher.importing.mapping import File, Reference
from launcher.importing.reading import Row, Table
from launcher.importing.report import Report

_MOST_NAMES: Final = 20


class Checked:
    """One reference file, and what the imported rows said about it."""

    def __init__(self, reference: Reference, folder: Path, file: File, report: Report) -> None:
        self._reference = reference
        self._report = report
        self._unknown: Counter[str] = Counter()
        self._aliased: Counter[str] = Counter()
        self._used: set[str] = set()
        path = folder / reference.file
        if not path.is_file():
            raise Stop(f"{path}: the mapping refers to this file, and it is not there", Exit.USAGE)
        table = Table(path, delimiter=file.delimiter, encoding=file.encoding)
        table.require([reference.key, *(allowed.column for allowed in reference.allowed)])
        self._keys = self._read(table)

    def _read(self, table: Table) -> dict[str, None]:
        keys: dict[str, None] = {}
        odd: Counter[tuple[str, str]] = Counter()
        for row in table.rows():
            if not isinstance(row, Row):
                self._report.notes[f"{self._reference.file} line {row.line}: {row.message}"] += 1
                continue
            keys[row.cells[self._reference.key]] = None
            for allowed in self._reference.allowed:
                value = row.cells[allowed.column]
                if value not in allowed.values:
                    odd[allowed.column, value] += 1
        values = {allowed.column: allowed.values for allowed in self._reference.allowed}
        for (column, value), count in odd.items():
            hint = near(value, values[column])
            note = f"{self._reference.file}: {column} '{value}' is not one of the allowed values{hint}"
            self._report.notes[note] += count
        return keys

    def resolve(self, cells: Mapping[str, str]) -> str:
        """The value to record for this row; what is unknown is recorded as it stands, and noted."""
        value = cells[self._reference.column]
        if not value:
            return value
        if value in self._reference.aliases:
            self._aliased[value] += 1
            value = self._reference.aliases[value]
        self._used.add(value)
        if value not in self._keys:
            self._unknown[value] += 1
        return value

    @property
    def column(self) -> str:
        return self._reference.column

    def conclude(self) -> None:
        """Put what was found into the report's notes."""
        named = self._reference
        for value, count in self._unknown.most_common():
            hint = near(value, list(self._keys))
            self._report.notes[f"{named.column}: '{value}' is not in {named.file}{hint}"] += count
        for value, count in self._aliased.most_common():
            note = f"{named.column}: '{value}' was recorded as '{named.aliases[value]}', as the mapping says"
            self._report.notes[note] += count
        unused = [key for key in self._keys if key not in self._used]
        if named.report_unused and unused:
            names = ", ".join(unused[:_MOST_NAMES]) + (" ..." if len(unused) > _MOST_NAMES else "")
            note = f"{named.file}: {len(unused)} of {len(self._keys)} {named.key} never appear: {names}"
            self._report.notes[note] += len(unused)


def near(value: str, known: list[str]) -> str:
    """`; did you mean ...?` when something known is close, else nothing."""
    found = difflib.get_close_matches(value, known, n=1, cutoff=0.75)
    return f"; did you mean '{found[0]}'?" if found else ""
