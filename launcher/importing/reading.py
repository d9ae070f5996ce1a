"""Reading CSV files as they really come: one row at a time, and every fault named by its line.

Memory stays flat whatever the file's size. Lines are physical lines of the file, from 1; a row that spans
several (a quoted line break) has the number of its first.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from launcher.exits import Exit, Stop

_LONGEST_CELL: Final = 100_000
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Row:
    """One data row, its cells by column, trimmed."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was not taken: its line, the column or field at fault, a reason for machines, a message."""

    line: int
    field: str
    reason: str
    message: str
    key: str = ""


class Table:
    """A CSV file with a header. Opening it checks the header; Stop (wrong usage) names what is wrong."""

    def __init__(self, path: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> None:
        self.path = path
        self._delimiter = delimiter
        self._encoding = encoding
        self.size = path.stat().st_size
        self.blank_lines = 0
        self._refuse_other_encodings()
        with self._open() as (reader, _):
            header = next(reader, None)
        if header is None or not any(cell.strip() for cell in header):
            raise Stop(f"{path}: the file is empty; a header with column names is needed", Exit.USAGE)
        self.columns = [cell.strip() for cell in header]
        if any("\udc80" <= letter <= "\udcff" for cell in self.columns for letter in cell):
            raise Stop(
                f"{path}: the header is not {encoding}; name the file's encoding in the mapping", Exit.USAGE
            )
        doubled = sorted({name for name in self.columns if self.columns.count(name) > 1})
        if doubled:
            raise Stop(f"{path}: the header names {', '.join(doubled)} more than once", Exit.USAGE)

    def require(self, names: Sequence[str]) -> None:
        """Stop when a column is missing, with the nearest name there is."""
        import difflib

        for name in names:
            if name not in self.columns:
                near = difflib.get_close_matches(name, self.columns, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; it has {', '.join(self.columns)}"
                raise Stop(f"{self.path}: there is no column {name}{hint}", Exit.USAGE)

    def rows(self, progress: Callable[[int], None] | None = None) -> Iterator[Row | Fault]:
        """Every data row, or why it cannot be read. `progress` is told the bytes read so far."""
        with self._open() as (reader, position):
            next(reader, None)
            end = reader.line_num
            while True:
                line = end + 1
                try:
                    cells = next(reader, None)
                except csv.Error as error:
                    end = max(reader.line_num, line)
                    yield Fault(line, "row", "ROW_UNREADABLE", f"the row cannot be read: {error}")
                    continue
                if cells is None:
                    return
                end = reader.line_num
                if progress:
                    progress(position())
                if not any(cells):
                    self.blank_lines += 1
                    continue
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> Row | Fault:
        if len(cells) != len(self.columns):
            told = f"the row has {len(cells)} cells, the header {len(self.columns)}"
            return Fault(line, "row", "COLUMN_COUNT", told, key=cells[0][:60])
        for name, cell in zip(self.columns, cells, strict=True):
            if any("\udc80" <= letter <= "\udcff" for letter in cell):
                return Fault(
                    line, name, "ENCODING", f"the cell is not {self._encoding}; save the file as UTF-8"
                )
            if "\x00" in cell:
                return Fault(line, name, "ENCODING", "the cell holds a zero byte")
        return Row(line, {name: cell.strip() for name, cell in zip(self.columns, cells, strict=True)})

    def _refuse_other_encodings(self) -> None:
        try:
            codecs.lookup(self._encoding)
        except LookupError as error:
            raise Stop(f"{self._encoding} is not an encoding", Exit.USAGE) from error
        with self.path.open("rb") as file:
            start = file.read(4)
        for mark, encoding in _BOMS:
            if start.startswith(mark) and not self._encoding.lower().startswith(encoding):
                raise Stop(
                    f'{self.path}: the file is {encoding}; say encoding = "{encoding}" in the mapping',
                    Exit.USAGE,
                )

    def _open(self) -> "_Opened":
        encoding = (
            "utf-8-sig" if self._encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else self._encoding
        )
        return _Opened(self.path, encoding, self._delimiter)


class _Opened:
    """The file while it is read: a CSV reader, and how many bytes of it have been read."""

    def __init__(self, path: Path, encoding: str, delimiter: str) -> None:
        self._raw = path.open("rb")
        # Bytes that do not fit stay visible as lone surrogates: one bad cell must not end the reading.
        self._text = io.TextIOWrapper(self._raw, encoding=encoding, errors="surrogateescape", newline="")
        csv.field_size_limit(_LONGEST_CELL)
        self._reader = csv.reader(self._text, delimiter=delimiter, strict=True)

    def __enter__(self) -> tuple[Any, Callable[[], int]]:
        return self._reader, self._raw.tell

    def __exit__(self, *_: object) -> None:
        self._text.close()
