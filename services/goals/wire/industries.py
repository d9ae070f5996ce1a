"""Industries, templates and what became of adopting them."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from foothold.goals.v1 import industries_pb2

from services.goals.domain.definitions import Library
from services.goals.domain.industries import Industry, Kpi, Stage, Standing, Words, standing_of
from services.goals.domain.metrics import METRICS
from services.goals.domain.targets import Measure, Target
from services.goals.wire.metrics import from_definition, from_metric, from_version
from services.goals.wire.targets import from_target
from services.goals.wire.values import from_instant, from_value


def from_industry(
    told: Industry, *, version: int = 0, author_id: str = "", recorded_at: datetime | None = None
) -> industries_pb2.Industry:
    """An industry in brief; a template where it has a version."""
    return industries_pb2.Industry(
        id=told.id,
        titles=_from_words(told.title),
        summaries=_from_words(told.summary),
        own=version > 0,
        kpi_count=len(told.kpis),
        stage_count=len(told.stages),
        version=version,
        author_id=author_id,
        recorded_at=None if recorded_at is None else from_instant(recorded_at),
        currency=told.currency,
    )


def from_content(
    told: Industry, brief: industries_pb2.Industry, library: Library
) -> industries_pb2.GetIndustryResponse:
    """An industry in full, compared with the metrics there are."""
    return industries_pb2.GetIndustryResponse(
        industry=brief,
        metrics=_metrics(told, library),
        kpis=[_from_kpi(kpi, told.currency) for kpi in told.kpis],
        stages=[_from_stage(stage) for stage in told.stages],
    )


def from_adoption(
    measure: Measure,
    outcome: industries_pb2.AdoptionResult.Outcome.ValueType,
    currency: str,
    *,
    target: Target | None,
    before: Target | None,
    defined: tuple[str, ...] = (),
    reason: str = "",
    message: str = "",
    metadata: Mapping[str, str] | None = None,
) -> industries_pb2.AdoptionResult:
    """What became of a KPI."""
    return industries_pb2.AdoptionResult(
        metric=measure.metric,
        period_kind=int(measure.period_kind),  # type: ignore[arg-type]  # the enums have the same numbers
        outcome=outcome,
        reason=reason,
        message=message,
        metadata=dict(metadata or {}),
        target=None if target is None else from_target(target, currency),
        before=None if before is None else from_target(before, currency),
        defined=defined,
    )


def _metrics(told: Industry, library: Library) -> Iterator[industries_pb2.IndustryMetric]:
    for name in dict.fromkeys(kpi.metric for kpi in told.kpis):
        if name in METRICS:
            yield industries_pb2.IndustryMetric(
                definition=from_metric(METRICS[name]),
                standing=industries_pb2.IndustryMetric.STANDING_BUILT_IN,
            )
    for each in told.metrics:
        newest = library.newest(each.name)
        standing = standing_of(each, newest)
        yield industries_pb2.IndustryMetric(
            definition=from_definition(each),
            standing=int(standing),  # type: ignore[arg-type]  # the enums have the same numbers
            existing=None if newest is None or standing is Standing.MISSING else from_version(newest),
        )


def _from_kpi(kpi: Kpi, currency: str) -> industries_pb2.IndustryKpi:
    return industries_pb2.IndustryKpi(
        metric=kpi.metric,
        whys=_from_words(kpi.why),
        period_kind=int(kpi.period_kind),  # type: ignore[arg-type]  # the enums have the same numbers
        value=from_value(kpi.value, currency),
        months=[from_value(each, currency) for each in kpi.months],
        source=kpi.source,
        year=kpi.year,
    )


def _from_stage(stage: Stage) -> industries_pb2.SalesStage:
    return industries_pb2.SalesStage(
        titles=_from_words(stage.title), does=_from_words(stage.does), done=_from_words(stage.done)
    )


def _from_words(words: Words) -> dict[str, str]:
    return {"zh-CN": words.chinese, "en": words.english}
