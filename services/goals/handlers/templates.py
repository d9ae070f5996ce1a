"""A company's own templates: what is stored, and what callers hand in."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from foothold.goals.v1 import industries_pb2

from chassis.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound
from services.goals.domain.industries import Industry
from services.goals.industry_files import shipped
from services.goals.store.industries import Template, Templates
from services.goals.wire.industries import from_industry
from services.goals.wire.industry_documents import read_document, read_form

_LARGEST_DOCUMENT: Final = 256 * 1024
_MOST_TEMPLATES: Final = 50


@lru_cache(maxsize=2 * _MOST_TEMPLATES)
def parsed(document: str) -> Industry:
    """A stored document. It was sound when it was imported; its metrics may have become others since."""
    read = read_form(document)
    assert isinstance(read, Industry), read  # noqa: S101
    return read


def brief(template: Template) -> industries_pb2.Industry:
    """A template as the library lists it."""
    return from_industry(
        parsed(template.document),
        version=template.version,
        author_id=template.author_id,
        recorded_at=template.recorded_at,
    )


def found(templates: Templates, industry_id: str) -> tuple[Industry, industries_pb2.Industry]:
    """An industry or a template, in full and in brief. NotFound INDUSTRY_UNKNOWN."""
    if industry_id in shipped():
        industry = shipped()[industry_id]
        return industry, from_industry(industry)
    template = templates.newest(industry_id)
    if template is None or template.removed:
        raise _unknown()
    return parsed(template.document), brief(template)


def told_industry(document: str) -> Industry:
    """What a document tells. InvalidArgument TEMPLATE_INVALID with every place in it that is wrong."""
    size = len(document.encode())
    if size > _LARGEST_DOCUMENT:
        wrong = {"": f"must be at most {_LARGEST_DOCUMENT} bytes"}
    else:
        read = read_document(document)
        if not isinstance(read, Industry):
            wrong = read
        elif read.id in shipped():
            wrong = {"id": "is taken by an industry that ships with Foothold; choose another one"}
        else:
            return read
    raise InvalidArgument(
        "TEMPLATE_INVALID",
        "The document is not sound.",
        fields={f"document.{place}" if place else "document": why for place, why in wrong.items()},
    )


def next_version(templates: Templates, template_id: str, replaces: int) -> int:
    """The number of a document that replaces a version. Aborted ETAG_MISMATCH, FailedPrecondition LIMIT_REACHED."""
    newest = templates.newest(template_id)
    if newest is None or newest.removed:
        _require_room(templates)
    there = newest.version if newest is not None and not newest.removed else 0
    if replaces != there:
        raise Aborted(
            "ETAG_MISMATCH",
            f"The newest version of {template_id} is {there}; read it again and make your change from there.",
            metadata={"version": str(there)},
        )
    return (newest.version if newest else 0) + 1


def _require_room(templates: Templates) -> None:
    if len(templates.all()) >= _MOST_TEMPLATES:
        raise FailedPrecondition(
            "LIMIT_REACHED", f"There are {_MOST_TEMPLATES} templates already; take one out first."
        )


def turned(templates: Templates, template_id: str, *, by: str, at: datetime, removed: bool) -> Template:
    """The template taken out or put back; as it is where it is so already. NotFound INDUSTRY_UNKNOWN."""
    templates.take_turn()
    newest = templates.newest(template_id)
    if newest is None:
        raise _unknown()
    if newest.removed is removed:
        return newest
    if not removed:
        _require_room(templates)
    new = replace(newest, version=newest.version + 1, author_id=by, recorded_at=at, removed=removed)
    templates.add(new)
    return new


def _unknown() -> NotFound:
    return NotFound("INDUSTRY_UNKNOWN", "There is no such industry or template.")
