"""What nodes set for parameters of plans: standards of this service, below what the plans themselves say (0430)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from services.incentives.domain.metrics import Figure
from services.incentives.domain.parameters import Numbers, Parameter
from services.incentives.domain.plan_book import Overriding, PlanBook
from services.incentives.domain.plans import Plan
from standards import Amount, Change, Latitude, Made, Rule, Standard, resolve

_MOST_PLACES: Final = 10_000


def encode(parameters: Iterable[Parameter]) -> list[list[Any]]:
    """As JSON: rule, field, and the bounds as [numerator, denominator]."""
    return [
        [each.rule_id, each.field, each.minimum and list(each.minimum), each.maximum and list(each.maximum)]
        for each in parameters
    ]


def decode(rows: Iterable[Sequence[Any]]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(rule_id, field, minimum and Figure(*minimum), maximum and Figure(*maximum))
        for rule_id, field, minimum, maximum in rows
    )


def name_of(node_id: str, key: str) -> str:
    """What standards call a parameter of the plans of a node: a branch's own plan has others, whatever their rules."""
    return f"{node_id}/{key}"


def parted(setting: Standard) -> tuple[str, str]:
    """The node of the plans whose parameter it is, and `Parameter.key`."""
    node_id, _slash, key = setting.parameter.partition("/")
    return node_id, key


class Settings:
    """What nodes have set and has been approved, of all times; `at` is as of when it is known, None for now."""

    def __init__(self, standards: Collection[Standard], at: datetime | None = None) -> None:
        self._standards = standards
        self._at = at
        self._nodes = frozenset(each.node_id for each in standards)
        self._numbers: dict[tuple[str, tuple[str, ...], date, datetime | None], Numbers] = {}
        self._of: dict[tuple[str, str], list[Standard]] = {}
        for each in standards:
            self._of.setdefault((each.subject, each.parameter), []).append(each)

    def known_by(self, instant: datetime) -> Overriding:
        """The same as it was known then."""
        return Settings(self._standards, min(instant, self._at or instant))

    def numbers(self, plan: Plan, path: Sequence[str], day: date, known_by: datetime | None) -> Numbers:
        """See `Overriding`; worked out once for all who share what is set on their way up."""
        place = tuple(node for node in below_of(plan, path) if node in self._nodes)
        if not place:
            return ()
        key = (plan.id, place, day, known_by)
        # Plans that are only tried have no id.
        found = self._numbers.get(key) if plan.id else None
        if found is None:
            if len(self._numbers) >= _MOST_PLACES:
                self._numbers.clear()
            found = self._numbers[key] = self._differing(plan, place, day, known_by)
        return found

    def _differing(self, plan: Plan, place: Sequence[str], day: date, known_by: datetime | None) -> Numbers:
        own = plan.parameter_numbers
        found = {}
        for each in plan.parameters:
            setting = self.setting(plan, each.key, place, day, known_by)
            if setting is not None and setting.amount.fraction != own[each.key].value.exact:
                exact = setting.amount.fraction
                found[each.key] = Figure(exact.numerator, exact.denominator)
        return tuple(sorted(found.items()))

    def nodes(
        self, plan: Plan, path: Sequence[str], day: date, known_by: datetime | None
    ) -> Mapping[str, str]:
        """See `Overriding`."""
        below = below_of(plan, path)
        settings = {each.key: self.setting(plan, each.key, below, day, known_by) for each in plan.parameters}
        return {key: each.node_id for key, each in settings.items() if each is not None}

    def setting(
        self, plan: Plan, key: str, below: Sequence[str], day: date, known_by: datetime | None = None
    ) -> Standard | None:
        """What holds for a parameter along `below`, the nodes under the plan's own, nearest first."""
        chain = self.chain(plan, key, below, day, known_by)
        return chain[0] if chain else None

    def chain(
        self, plan: Plan, key: str, below: Sequence[str], day: date, known_by: datetime | None = None
    ) -> Sequence[Standard]:
        """The same, and after it those it overrides, nearest first."""
        at = min((each for each in (known_by, self._at) if each is not None), default=None)
        name = name_of(plan.node_id, key)
        held = [each for each in self._of.get((plan.job_role, name), ()) if _is_known(each, at)]
        resolved = resolve(held, subject=plan.job_role, path=below, day=day).get(name)
        return () if resolved is None else (resolved.standard, *resolved.overridden)

    def days(self, plan: Plan) -> Iterable[date]:
        """See `Overriding`."""
        for each in plan.parameters:
            for held in self._of.get((plan.job_role, name_of(plan.node_id, each.key)), ()):
                if held.superseded_at is None:
                    yield held.effective_from
                    if held.effective_to is not None:
                        yield held.effective_to


def below_of(plan: Plan, path: Sequence[str]) -> Sequence[str]:
    """The part of a path, nearest first, that lies under the plan's node."""
    return path[: path.index(plan.node_id)] if plan.node_id in path else ()


def given_by(book: PlanBook, node_id: str, job_role: str, key: str) -> list[Standard]:
    """A parameter as the plans of a node and role say it, each for its days: others are checked against these.

    Whoever sets another number needs a second person where the plan is: it is what people are paid (0414).
    """
    return [
        _given(plan, each, book.effective_to(plan))
        for plan in book.listed
        if (plan.node_id, plan.job_role) == (node_id, job_role)
        for each in plan.parameters
        if each.key == key
    ]


def _given(plan: Plan, parameter: Parameter, end: date | None) -> Standard:
    number = plan.parameter_numbers[parameter.key]
    bounded = parameter.minimum is not None or parameter.maximum is not None
    return Standard(
        id=plan.id,
        node_id=plan.node_id,
        subject=plan.job_role,
        parameter=name_of(plan.node_id, parameter.key),
        numerator=number.value.numerator,
        denominator=number.value.denominator,
        unit=int(number.unit),
        effective_from=plan.effective_from,
        effective_to=end,
        reason=plan.reason,
        author_id=plan.author_id,
        recorded_at=plan.recorded_at,
        made=Made(Change.SET, plan.author_id, plan.reason),
        rule=Rule(
            Latitude.BOUNDED if bounded else Latitude.FREE,
            parameter.minimum and Amount(*parameter.minimum),
            parameter.maximum and Amount(*parameter.maximum),
            approval=True,
        ),
    )


def _is_known(standard: Standard, at: datetime | None) -> bool:
    if at is None:
        return standard.superseded_at is None
    return standard.recorded_at <= at and (standard.superseded_at is None or at < standard.superseded_at)
