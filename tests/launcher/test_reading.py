"""CSV files as they really come: each fault is named by its line, and the rows around it are read."""

import codecs
from pathlib import Path

import pytest

from launcher.exits import Exit, Stop
from launcher.importing.reading import Fault, Row, Table


@pytest.fixture
def table(tmp_path: Path) -> "_Maker":
    return _Maker(tmp_path)


class _Maker:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "data.csv"

    def __call__(self, content: str | bytes, **how: str) -> Table:
        self.file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Table(self.file, **how)


def _read(table: Table) -> list[Row | Fault]:
    return list(table.rows())


def test_cells_are_trimmed_and_named_by_their_column(table: _Maker) -> None:
    assert _read(table("a, b\n 1 ,2\n")) == [Row(2, {"a": "1", "b": "2"})]


def test_a_byte_order_mark_is_no_part_of_the_first_column(table: _Maker) -> None:
    assert table(codecs.BOM_UTF8 + b"a,b\n1,2\n").columns == ["a", "b"]


def test_a_quoted_line_break_belongs_to_its_row_and_lines_stay_right(table: _Maker) -> None:
    rows = _read(table('a,b\n"one\ntwo",2\n3,4\n5\n'))
    assert rows[0] == Row(2, {"a": "one\ntwo", "b": "2"})
    assert rows[1] == Row(4, {"a": "3", "b": "4"})
    assert isinstance(rows[2], Fault)
    assert (rows[2].line, rows[2].reason) == (5, "COLUMN_COUNT")


def test_windows_line_ends_read_the_same(table: _Maker) -> None:
    assert _read(table("a,b\r\n1,2\r\n"))[0] == Row(2, {"a": "1", "b": "2"})


def test_one_cell_that_is_not_utf8_refuses_its_row_only(table: _Maker) -> None:
    rows = _read(table(b"name,n\n\xe5\xbc\xa0,1\n\xff\xfe,2\nok,3\n"))
    assert [type(row) for row in rows] == [Row, Fault, Row]
    assert isinstance(rows[1], Fault)
    assert (rows[1].line, rows[1].field, rows[1].reason) == (3, "name", "ENCODING")


def test_another_encoding_can_be_named(table: _Maker) -> None:
    rows = _read(table("姓名,n\n张三,1\n".encode("gb18030"), encoding="gb18030"))
    assert rows == [Row(2, {"姓名": "张三", "n": "1"})]


def test_an_unclosed_quote_is_told_with_the_line_it_opens_on(table: _Maker) -> None:
    rows = _read(table('a,b\n1,2\n"never closed,3\n4,5\n'))
    assert rows[0] == Row(2, {"a": "1", "b": "2"})
    assert isinstance(rows[1], Fault)
    assert (rows[1].line, rows[1].reason) == (3, "ROW_UNREADABLE")


def test_a_zero_byte_is_refused(table: _Maker) -> None:
    rows = _read(table(b"a,b\n1,\x00\n"))
    assert isinstance(rows[0], Fault)


def test_blank_lines_are_counted(table: _Maker) -> None:
    found = table("a,b\n\n1,2\n\n")
    assert len(_read(found)) == 1
    assert found.blank_lines == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a,b,a\n", "more than once"),
        (codecs.BOM_UTF16_LE + "a,b\n".encode("utf-16-le"), 'encoding = "utf-16"'),
        (b"\xff\xff,b\n", "not utf-8"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_says_why(table: _Maker, content: bytes, says: str) -> None:
    with pytest.raises(Stop, match=says) as stopped:
        table(content)
    assert stopped.value.code is Exit.USAGE


def test_a_missing_column_is_named_with_the_nearest_there_is(table: _Maker) -> None:
    with pytest.raises(Stop, match="no column close_date; did you mean closedate"):
        table("id,closedate\n").require(["id", "close_date"])


def test_a_big_file_is_read_row_by_row(table: _Maker) -> None:
    found = table("a,b\n" + "1,2\n" * 50_000)
    positions: list[int] = []
    rows = found.rows(positions.append)
    next(rows)
    assert positions[0] < found.size / 10
    assert sum(1 for _ in rows) == 49_999
    assert positions[-1] == found.size
