"""The industry library, and a company's own templates as documents: out, in, taken out and put back."""

from typing import Final

from flask import Response, flash, redirect, render_template, request, url_for
from foothold.goals.v1 import industries_pb2
from werkzeug.wrappers import Response as BaseResponse

from chassis.errors import Failure
from chassis.ids import new_id
from services.gateway import industry_words, words
from services.gateway.clients import ask
from services.gateway.document_faults import document_faults
from services.gateway.doors import needs
from services.gateway.faults import faults
from services.gateway.language import _
from services.gateway.pages.industries import blueprint, may_adopt
from services.gateway.pages.people import groups
from services.gateway.parts import clients
from services.gateway.problems import message_of, status_of
from services.gateway.sections import section
from services.gateway.sending import request_id

_MOST: Final = 100
_LONGEST_NUMBER: Final = 8


@blueprint.get("/industries")
@needs("goals.metrics.read", groups=True)
def overview() -> str:
    return _library()


def _library(
    *,
    trouble: str = "",
    wrong: dict[str, str] | None = None,
    document: str = "",
    replaces: int = 0,
    export_trouble: str = "",
    export_wrong: dict[str, str] | None = None,
) -> str:
    args = request.args
    asked = industries_pb2.ListIndustriesRequest(
        query=args.get("q", "").strip()[:100],
        own_only=args.get("own") == "yes",
        page_size=_MOST,
        page_token=args.get("page", "")[:2000],
    )
    return render_template(
        "industries.html",
        library=section(lambda: ask(clients().industries.ListIndustries, asked)),
        asked=asked,
        told=industry_words.told,
        may_adopt=may_adopt(),
        places=groups("goals.targets.read"),
        job_roles=words.JOB_ROLES,
        removed=args.get("removed", "")[:64],
        request_id=new_id(),
        trouble=trouble,
        wrong=wrong or {},
        document=document,
        replaces=replaces,
        export_trouble=export_trouble,
        export_wrong=export_wrong or {},
        form=args,
    )


@blueprint.post("/industries")
@needs("goals.metrics.write", groups=True)
def bring_in() -> BaseResponse | tuple[str, int]:
    """Import a document, from a file or as typed."""
    sent = request.files.get("file")
    document = request.form.get("document", "")
    if sent is not None and sent.filename:
        try:
            document = sent.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            return _library(
                trouble=_("The file is no UTF-8 text. Save it as UTF-8, then send it again.")
            ), 422
    told = request.form.get("replaces", "")
    replaces = int(told) if told.isascii() and told.isdigit() and len(told) <= _LONGEST_NUMBER else 0
    asked = industries_pb2.ImportTemplateRequest(
        request_id=request_id(),
        document=document,
        replaces_version=replaces,
    )
    try:
        stored = ask(clients().industries.ImportTemplate, asked).industry
    except Failure as failure:
        if status_of(failure) in (401, 403):
            raise
        there = failure.metadata.get("version", "")
        if failure.reason == "ETAG_MISMATCH" and there.isdigit() and there != "0":
            trouble = _("There is a template of that id already. Send it again to replace it.")
            return _library(trouble=trouble, document=document, replaces=int(there)), 409
        wrong = document_faults(failure.fields)
        return _library(trouble=message_of(failure), wrong=wrong, document=document), status_of(failure)
    flash(_("Imported. It is in the library for everybody who may read it."))
    return redirect(url_for("industries.show", industry_id=stored.id), 303)


@blueprint.get("/industries/own.toml")
@needs("goals.targets.read", groups=True)
def export() -> Response | tuple[str, int]:
    """What a node is asked for, as a document."""
    args = request.args
    asked = industries_pb2.ExportTemplateRequest(
        node_id=args.get("node_id", "")[:64],
        job_role=args.get("job_role", "").strip()[:40],
        template_id=args.get("template_id", "").strip()[:64],
        titles={
            "zh-CN": args.get("title-zh", "").strip()[:100],
            "en": args.get("title-en", "").strip()[:100],
        },
    )
    try:
        return _file(ask(clients().industries.ExportTemplate, asked))
    except Failure as failure:
        if status_of(failure) in (401, 403, 404):
            raise
        names = {"titles.zh-CN": "title-zh", "titles.en": "title-en"}
        wrong = {names.get(name, name): why for name, why in faults(failure.fields).items()}
        return _library(export_trouble=message_of(failure), export_wrong=wrong), status_of(failure)


def _file(answer: industries_pb2.ExportTemplateResponse) -> Response:
    return Response(
        answer.document,
        content_type="application/toml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{answer.file_name}"'},
    )


@blueprint.get("/industries/<industry_id>/document")
@needs("goals.metrics.read", groups=True)
def document(industry_id: str) -> Response:
    """An industry or a template as a document: to be changed and brought in as one's own."""
    asked = industries_pb2.ExportTemplateRequest(industry_id=industry_id)
    return _file(ask(clients().industries.ExportTemplate, asked))


@blueprint.post("/industries/<industry_id>/remove")
@needs("goals.metrics.write", groups=True)
def remove(industry_id: str) -> BaseResponse:
    asked = industries_pb2.RemoveTemplateRequest(request_id=request_id(), industry_id=industry_id)
    ask(clients().industries.RemoveTemplate, asked)
    return redirect(url_for("industries.overview", removed=industry_id), 303)


@blueprint.post("/industries/<industry_id>/restore")
@needs("goals.metrics.write", groups=True)
def restore(industry_id: str) -> BaseResponse:
    asked = industries_pb2.RestoreTemplateRequest(request_id=request_id(), industry_id=industry_id)
    ask(clients().industries.RestoreTemplate, asked)
    flash(_("It is back in the library."))
    return redirect(url_for("industries.show", industry_id=industry_id), 303)
