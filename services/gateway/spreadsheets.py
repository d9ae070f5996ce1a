"""Tables as files for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

_MARK = "\ufeff"
"""What makes Excel read UTF-8."""


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Comma-separated values below their head. Texts are the caller's to make harmless: `formats.cell`."""
    text = io.StringIO()
    text.write(_MARK)
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def download(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """The same to be saved as a file; every row is made before anything is sent, so that a failure is a page."""
    return Response(
        as_csv(head, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
