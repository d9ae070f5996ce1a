"""A plan read back in plain words, a sentence a rule, those inside a wrapper below it."""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from typing import Final, NamedTuple

from foothold.incentives.v1 import plans_pb2, values_pb2

from services.gateway import course_titles, formats, words
from services.gateway.figures import exact, money, to_date, written
from services.gateway.language import _, language
from services.gateway.traced import plain, share

_NO_RULES: Final[Sequence[plans_pb2.Rule]] = ()
_NOTHING: Final = Fraction(0)


class Reading(NamedTuple):
    """A rule in words; `depth` is how many wrappers it is in."""

    rule_id: str
    label: str
    text: str
    depth: int


def read(rules: Iterable[plans_pb2.Rule], depth: int = 0) -> list[Reading]:
    """Every rule, a wrapper before the rules inside it."""
    found = []
    for rule in rules:
        found.append(Reading(rule.id, rule.label, sentence(rule), depth))
        found += read(inside(rule), depth + 1)
    return found


def inside(rule: plans_pb2.Rule) -> Sequence[plans_pb2.Rule]:
    """The rules a wrapper holds; none of a rule that pays for something."""
    kind = rule.WhichOneof("kind")
    return getattr(getattr(rule, kind), "rules", _NO_RULES) if kind else _NO_RULES


def sentence(rule: plans_pb2.Rule) -> str:
    """A rule as a sentence; a wrapper speaks of the rules below it."""
    kind = rule.WhichOneof("kind")
    if kind is None:
        return ""
    return _wrapper(rule, kind) if hasattr(getattr(rule, kind), "rules") else _leaf(rule, kind)


def _leaf(rule: plans_pb2.Rule, kind: str) -> str:
    if kind == "mentor_bonus":
        amount, told = money(rule.mentor_bonus.amount), condition(rule.mentor_bonus.condition)
        return _("%(amount)s for each person mentored: %(condition)s.", amount=amount, condition=told)
    metric = _read(rule, getattr(rule, kind).metric)
    if kind == "ranking_prize":
        return _prizes(rule.ranking_prize, metric)
    if kind == "per_unit":
        return _(
            "%(amount)s for each one of “%(metric)s”.", amount=money(rule.per_unit.amount), metric=metric
        )
    if kind == "threshold_bonus":
        return _(
            "%(amount)s once “%(metric)s” reaches %(threshold)s; reaching it exactly counts.",
            amount=money(rule.threshold_bonus.amount),
            metric=metric,
            threshold=written(rule.threshold_bonus.threshold),
        )
    if kind == "per_point":
        return _points(rule.per_point, metric)
    if kind == "rate_of":
        return _("%(share)s of “%(metric)s”.", share=_share(rule.rate_of.share), metric=metric)
    if kind == "graduated":
        steps = _("; ").join(
            _("from %(low)s: %(amount)s", low=written(band.low), amount=_band(band))
            for band in rule.graduated.bands
        )
        return _("Each part of “%(metric)s” at its own rate: %(steps)s.", metric=metric, steps=steps)
    steps = _("; ").join(
        _("from %(low)s: %(amount)s", low=written(tier.low), amount=money(tier.amount))
        for tier in rule.tiers.tiers
    )
    return _("By the tier of “%(metric)s”: %(steps)s.", metric=metric, steps=steps)


def _prizes(prize: plans_pb2.RankingPrize, metric: str) -> str:
    steps = _("; ").join(
        _("rank %(rank)s: %(amount)s", rank=rank, amount=money(amount))
        for rank, amount in enumerate(prize.prizes, 1)
    )
    said = _(
        "By rank of “%(metric)s” among all who have this plan, once the period is closed: %(steps)s. Who ties shares"
        " equally.",
        metric=metric,
        steps=steps,
    )
    first, end = (to_date(getattr(prize, name)) if prize.HasField(name) else None for name in ("from", "to"))
    tongue = language()
    if first is not None:
        day = formats.day(first, tongue, weekday=False, today=date.min)
        said += " " + _("Only for periods that begin on %(day)s or later.", day=day)
    if end is not None:
        day = formats.day(end, tongue, weekday=False, today=date.min)
        said += " " + _("Only for periods that begin before %(day)s.", day=day)
    return said


def _points(point: plans_pb2.PerPoint, metric: str) -> str:
    values = {"amount": money(point.amount), "metric": metric, "threshold": written(point.threshold)}
    if point.mode == plans_pb2.PerPoint.MODE_PRO_RATA:
        return _(
            "%(amount)s for each percentage point of “%(metric)s” above %(threshold)s; part points in proportion.",
            **values,
        )
    return _("%(amount)s for each whole percentage point of “%(metric)s” above %(threshold)s.", **values)


def _wrapper(rule: plans_pb2.Rule, kind: str) -> str:
    if kind == "gate":
        return _("Only if %(condition)s, the following are paid.", condition=condition(rule.gate.condition))
    if kind == "cap":
        return _("The following together pay at most %(amount)s.", amount=money(rule.cap.amount))
    if kind == "floor":
        return _("The following together pay at least %(amount)s.", amount=money(rule.floor.amount))
    if kind == "guarantee":
        return _(
            "In the first %(months)s months of tenure the following together pay at least %(amount)s.",
            months=rule.guarantee.months,
            amount=money(rule.guarantee.amount),
        )
    if kind == "draw":
        return _(
            "In the first %(months)s months of tenure the following together pay at least %(amount)s; what is missing"
            " is an advance. %(share)s of what they pay above that, and of all they pay later, pays it back.",
            months=rule.draw.months,
            amount=money(rule.draw.amount),
            share=_share(rule.draw.recovery),
        )
    if kind == "ramp":
        shares = _(", ").join(map(_share, rule.ramp.shares))
        return _("In the first months of tenure the following pay %(shares)s, then in full.", shares=shares)
    if kind == "accelerator":
        return _(
            "If %(condition)s, the following pay %(factor)s times as much.",
            condition=condition(rule.accelerator.condition),
            factor=_factor(rule.accelerator.factor),
        )
    return _("The following add up.")


def condition(told: plans_pb2.Condition) -> str:
    """A condition as part of a sentence."""
    if told.metric.startswith(course_titles.PREFIX) and told.at_least.numerator == 1:
        return _("the course “%(course)s” is passed", course=course_titles.title_of(told.metric))
    metric = words.metric(told.metric)
    if told.WhichOneof("bound") == "at_most":
        return _("“%(metric)s” is at most %(bound)s", metric=metric, bound=written(told.at_most))
    return _("“%(metric)s” reaches %(bound)s", metric=metric, bound=written(told.at_least))


def _read(rule: plans_pb2.Rule, metric: str) -> str:
    """What a rule reads: its metric, or what is credited."""
    if not rule.credit:
        return words.metric(metric)
    return " + ".join(f"{words.metric(part.metric)} × {_share(part.share)}" for part in rule.credit)


def _band(band: plans_pb2.Band) -> str:
    if band.WhichOneof("pays") == "amount":
        return _("%(amount)s each", amount=money(band.amount))
    return _share(band.share)


def _share(value: values_pb2.Value) -> str:
    return share(exact(value) or _NOTHING)


def _factor(value: values_pb2.Value) -> str:
    return plain(exact(value) or _NOTHING)
