"""Batches for payroll: what each holds, as a page and as files, and that it is paid."""

from collections.abc import Iterator
from typing import Final

from flask import Blueprint, flash, redirect, render_template, request, url_for
from foothold.incentives.v1 import payouts_pb2
from werkzeug.wrappers import Response

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import batch_files
from services.gateway.clients import ask
from services.gateway.doors import needs
from services.gateway.figures import from_date
from services.gateway.language import _
from services.gateway.me import me
from services.gateway.pages.goals import is_date, name_of, place
from services.gateway.parts import clients, today
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

blueprint = Blueprint("batches", __name__)
_PAY: Final = "incentives.payouts.pay"
_SHOWN: Final = 50
_MOST: Final = 1000


@blueprint.get("/payouts/batches")
@needs(_PAY, groups=True)
def overview() -> str:
    token = request.args.get("page", "")[:2000]

    def load() -> payouts_pb2.ListBatchesResponse:
        asked = payouts_pb2.ListBatchesRequest(page_size=_SHOWN, page_token=token)
        return ask(clients().payouts.ListBatches, asked)

    return render_template(
        "batches.html", found=section(load), place=lambda id: place(me(), id), paged=bool(token)
    )


@blueprint.get("/payouts/batches/<batch_id>")
@needs(_PAY, groups=True)
def one(batch_id: str) -> str:
    return _page(batch_id)


@blueprint.get("/payouts/batches/<batch_id>.csv")
@needs(_PAY, groups=True)
def as_csv(batch_id: str) -> Response:
    batch = _batch(batch_id)
    return _file(batch_files.as_csv(batch, _every_line(batch_id)), batch, "csv", "text/csv; charset=utf-8")


@blueprint.get("/payouts/batches/<batch_id>.xlsx")
@needs(_PAY, groups=True)
def as_xlsx(batch_id: str) -> Response:
    batch = _batch(batch_id)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _file(batch_files.as_xlsx(batch, _every_line(batch_id)), batch, "xlsx", kind)


@blueprint.post("/payouts/batches/<batch_id>/paid")
@needs(_PAY, groups=True)
def paid(batch_id: str) -> Response | tuple[str, int]:
    on = is_date(request.form.get("paid_on", ""))
    if on is None:
        return _page(batch_id, wrong={"paid_on": _("A day, please.")}), 422
    asked = payouts_pb2.MarkBatchPaidRequest(
        request_id=request_id(),
        batch_id=batch_id,
        paid_on=from_date(on),
        reference=request.form.get("reference", "").strip()[:100],
    )
    try:
        ask(clients().payouts.MarkBatchPaid, asked)
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        if failure.reason == "FIELD_INVALID":
            return _page(batch_id, wrong={"paid_on": _("A day up to today, please.")}), 422
        return _page(batch_id, trouble=message_of(failure)), status_of(failure)
    flash(_("Noted as paid; everybody in it sees that."))
    return redirect(url_for("batches.one", batch_id=batch_id), 303)


def _page(batch_id: str, *, trouble: str = "", wrong: dict[str, str] | None = None) -> str:
    who, batch = me(), _batch(batch_id)
    token = request.args.get("page", "")[:2000]
    return render_template(
        "batch.html",
        batch=batch,
        here=place(who, batch.node_id),
        made_by=name_of(who, batch.created_by),
        paid_by=name_of(who, batch.paid_by) if batch.paid_by else "",
        lines=section(lambda: _lines(batch_id, _SHOWN, token)),
        paged=bool(token),
        today=today().isoformat(),
        form=request.form,
        request_id=new_id(),
        trouble=trouble,
        wrong=wrong or {},
    )


def _batch(batch_id: str) -> payouts_pb2.Batch:
    return ask(clients().payouts.GetBatch, payouts_pb2.GetBatchRequest(batch_id=batch_id)).batch


def _lines(batch_id: str, size: int, token: str) -> payouts_pb2.ListBatchLinesResponse:
    asked = payouts_pb2.ListBatchLinesRequest(batch_id=batch_id, page_size=size, page_token=token)
    return ask(clients().payouts.ListBatchLines, asked)


def _every_line(batch_id: str) -> Iterator[payouts_pb2.BatchLine]:
    token = ""
    while True:
        page = _lines(batch_id, _MOST, token)
        yield from page.lines
        token = page.next_page_token
        if not token:
            return


def _file(content: bytes, batch: payouts_pb2.Batch, ending: str, kind: str) -> Response:
    return Response(
        content,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="batch-{batch.id}.{ending}"'},
    )
