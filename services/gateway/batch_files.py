"""A batch for payroll as files: the same bytes each time they are asked for in a language."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import xlsxwriter
from foothold.incentives.v1 import payouts_pb2
from google.type.money_pb2 import Money

from services.gateway.figures import minor, to_date
from services.gateway.formats import cell
from services.gateway.language import _

_NOT_A_TIME: Final = datetime(2000, 1, 1)  # noqa: DTZ001  a property of the file that would differ each time
_WIDTHS: Final = (14, 14, 28, 14, 14, 8)


class Row(NamedTuple):
    """A line and whose it is."""

    employee_number: str
    name: str
    line: payouts_pb2.BatchLine


def as_csv(batch: payouts_pb2.Batch, rows: Iterable[Row]) -> bytes:
    """Comma-separated, UTF-8 with the mark Excel needs; control totals in the last lines."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(_head())
    for row in rows:
        *cells, amount, currency = _cells(row)
        writer.writerow([*map(cell, cells), str(amount), currency])
    for name, value in _totals(batch):
        writer.writerow([name, value])
    return text.getvalue().encode()


def as_xlsx(batch: payouts_pb2.Batch, rows: Iterable[Row]) -> bytes:
    """A workbook: lines on the first sheet, control totals on the second. Amounts are numbers with two decimals."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": _NOT_A_TIME})
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        sheet = book.add_worksheet(_("Lines"))
        for column, (head, width) in enumerate(zip(_head(), _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, head, bold)
        for number, row in enumerate(rows, 1):
            *cells, amount, currency = _cells(row)
            for column, value in enumerate(cells):
                sheet.write_string(number, column, value)
            sheet.write_number(number, len(cells), amount, money)
            sheet.write_string(number, len(cells) + 1, currency)
        sheet.freeze_panes(1, 0)
        totals = book.add_worksheet(_("Control totals"))
        totals.set_column(0, 1, 30)
        for number, (name, value) in enumerate(_totals(batch)):
            totals.write_string(number, 0, name, bold)
            totals.write_string(number, 1, value)
    return content.getvalue()


def _head() -> list[str]:
    return [_("Employee number"), _("Name"), _("Line"), _("Corrects"), _("Amount"), _("Currency")]


def _cells(row: Row) -> tuple[str, str, str, str, Decimal, str]:
    line = row.line
    corrected = to_date(line.corrects.first_day) if line.HasField("corrects") else None
    return (
        row.employee_number,
        row.name,
        line.label,
        corrected.isoformat() if corrected else "",
        _decimal(line.amount),
        line.amount.currency_code,
    )


def _totals(batch: payouts_pb2.Batch) -> list[tuple[str, str]]:
    return [
        (_("Batch"), batch.id),
        (_("How many people"), str(batch.people)),
        (_("Lines"), str(batch.lines)),
        (_("Sum"), str(_decimal(batch.total))),
        ("SHA-256", batch.digest),
    ]


def _decimal(amount: Money) -> Decimal:
    return Decimal(minor(amount)).scaleb(-2)
