"""A batch for payroll as files: the same bytes each time they are asked for in a language."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import xlsxwriter
from foothold.incentives.v1 import payouts_pb2

from services.gateway import spreadsheets
from services.gateway.figures import decimal, to_date
from services.gateway.formats import cell
from services.gateway.language import _

_NOT_A_TIME: Final = datetime(2000, 1, 1)  # noqa: DTZ001  a property of the file that would differ each time
_WIDTHS: Final = (14, 14, 28, 14, 14, 8)


def as_csv(batch: payouts_pb2.Batch, lines: Iterable[payouts_pb2.BatchLine]) -> bytes:
    """Comma-separated, UTF-8 with the mark Excel needs; control totals in the last lines."""
    rows: list[Sequence[object]] = []
    for line in lines:
        *cells, amount, currency = _cells(line)
        rows.append([*map(cell, cells), amount, currency])
    return spreadsheets.as_csv(_head(), [*rows, *_totals(batch)]).encode()


def as_xlsx(batch: payouts_pb2.Batch, lines: Iterable[payouts_pb2.BatchLine]) -> bytes:
    """A workbook: lines on the first sheet, control totals on the second. Amounts are numbers with two decimals."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": _NOT_A_TIME})
        bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        sheet = book.add_worksheet(_("Lines"))
        for column, (head, width) in enumerate(zip(_head(), _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, head, bold)
        for number, line in enumerate(lines, 1):
            *cells, amount, currency = _cells(line)
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


def _cells(line: payouts_pb2.BatchLine) -> tuple[str, str, str, str, Decimal, str]:
    corrected = to_date(line.corrects.first_day) if line.HasField("corrects") else None
    return (
        line.employee_number,
        line.name,
        line.label,
        corrected.isoformat() if corrected else "",
        decimal(line.amount),
        line.amount.currency_code,
    )


def _totals(batch: payouts_pb2.Batch) -> list[tuple[str, str]]:
    return [
        (_("Batch"), batch.id),
        (_("How many people"), str(batch.people)),
        (_("Lines"), str(batch.lines)),
        (_("Sum"), str(decimal(batch.total))),
        ("SHA-256", batch.digest),
    ]
