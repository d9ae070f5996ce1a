"""What a node is asked for, as an industry of the company's own."""

from typing import Final

import grpc
from foothold.goals.v1 import industries_pb2

from access import caller
from chassis.clock import Clock
from chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from chassis.validation import Fields
from services.goals.domain.definitions import Definition, Library
from services.goals.domain.industries import MOST_KPIS, Industry, Kpi, Words, check_industry
from services.goals.domain.metrics import METRICS
from services.goals.domain.periods import local_day
from services.goals.domain.targets import ResolvedTarget
from services.goals.handlers.targets_told import LONGEST_ROLE
from services.goals.permissions import TARGETS_READ
from services.goals.store.library import Versions
from services.goals.store.targets import TargetsCache

_LONGEST_TITLE: Final = 60
_ASKED: Final = {"id": "template_id"}
_UNSAID: Final = Words("样例取自现行目标。", "Sample: the targets in force.")


def exported(
    request: industries_pb2.ExportTemplateRequest,
    context: grpc.ServicerContext,
    connection: object,
    cache: TargetsCache,
    clock: Clock,
    currency: str,
) -> Industry:
    """The targets in force at a node for a role with the metrics they take.

    FailedPrecondition TARGET_UNKNOWN where nothing is asked for there.
    """
    scope = caller(context).scope(TARGETS_READ)
    fields = Fields()
    node_id = fields.identifier("node_id", request.node_id)
    role = fields.text("job_role", request.job_role, max_length=LONGEST_ROLE)
    template_id = fields.identifier("template_id", request.template_id)
    titles = {
        language: fields.text(
            f"titles.{language}", request.titles.get(language, ""), max_length=_LONGEST_TITLE
        )
        for language in ("zh-CN", "en")
    }
    fields.require_valid()
    if not scope.is_member(node_id):
        raise NotFound("NODE_UNKNOWN", "There is no such node.")
    directory = scope.caller.directory
    today = local_day(clock.now(), directory.zone_of(node_id))
    held = cache.fresh(connection).at(role, directory.ancestors(node_id), today)  # type: ignore[arg-type]
    if not held:
        raise FailedPrecondition("TARGET_UNKNOWN", "Nothing is asked of this job role there today.")
    library = Versions(connection).load()  # type: ignore[arg-type]
    kpis = tuple(_kpi(each) for each in list(held.values())[:MOST_KPIS])
    title = Words(titles["zh-CN"].strip(), titles["en"].strip())
    industry = Industry(template_id, title, title, currency, _taken(library, kpis), kpis, ())
    wrong = check_industry(industry)
    if wrong:
        named = {_ASKED.get(place, place): why for place, why in wrong.items()}
        raise InvalidArgument("FIELD_INVALID", "That makes no document.", fields=named)
    return industry


def _kpi(resolved: ResolvedTarget) -> Kpi:
    target = resolved.target
    return Kpi(target.measure.metric, _UNSAID, target.measure.period_kind, target.value)


def _taken(library: Library, kpis: tuple[Kpi, ...]) -> tuple[Definition, ...]:
    """The metrics of one's own that the KPIs take, those that ratios are made of first."""
    found: dict[str, Definition] = {}
    for kpi in kpis:
        told = _newest(library, kpi.metric)
        for name in (told.numerator, *told.denominators) if told else ():
            part = _newest(library, name)
            if part is not None:
                found[name] = part
        if told is not None:
            found[kpi.metric] = told
    return tuple(found.values())


def _newest(library: Library, name: str) -> Definition | None:
    version = None if name in METRICS else library.newest(name)
    return version.definition if version else None
