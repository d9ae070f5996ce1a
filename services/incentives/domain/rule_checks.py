"""What is wrong with the rules of a plan, each with the field that says it."""

from fractions import Fraction
from typing import Final

from services.incentives.domain.drafts import DraftCondition, DraftMoney, DraftRule, DraftTier, DraftValue
from services.incentives.domain.findings import Finding, check_text, error
from services.incentives.domain.identifiers import RULE_ID
from services.incentives.domain.limits import (
    LARGEST_AMOUNT,
    LARGEST_DENOMINATOR,
    LARGEST_FACTOR,
    LARGEST_NUMERATOR,
    MOST_MONTHS,
)
from services.incentives.domain.metrics import Known, Metric, Unit, is_course, named
from services.incentives.domain.rules import POINTS, PointMode
from services.incentives.domain.tiers import check_tiers

MOST_RULES: Final = 50
DEEPEST: Final = 5
MOST_TIERS: Final = 20
MOST_CREDITS: Final = 10
MOST_SHARES: Final = 24
MOST_PRIZES: Final = 20
LARGEST_MINIMUM: Final = 1_000_000
_LONGEST_LABEL: Final = 60
_UNIT_WORDS: Final = {
    Unit.COUNT: "a count",
    Unit.RATE: "a rate",
    Unit.MONEY: "money",
    Unit.MINUTES: "minutes",
}
_PAYS_PER: Final = {
    "per_unit": frozenset({Unit.COUNT, Unit.MINUTES}),
    "per_point": frozenset({Unit.RATE}),
    "threshold_bonus": frozenset(Unit),
    "tiers": frozenset(Unit),
    "rate_of": frozenset({Unit.MONEY}),
    "graduated": frozenset({Unit.MONEY, Unit.COUNT, Unit.MINUTES}),
}
_WRAPPERS: Final = frozenset({"group", "gate", "cap", "floor", "guarantee", "draw", "ramp", "accelerator"})


class _Read:
    """What a leaf reads: a metric, or a weighted credit."""

    def __init__(self, name: str, unit: Unit, largest: int | None = None) -> None:
        self.name, self.unit, self.largest = name, unit, largest


class RuleChecks:
    """Checks rules of one plan; `found` grows. `currency` is the enterprise's, `known` what there is to read."""

    def __init__(self, currency: str, known: Known) -> None:
        self._currency = currency
        self._known = known
        self._seen: set[str] = set()
        self.found: list[Finding] = []

    def rules(self, prefix: str, rules: tuple[DraftRule, ...], depth: int = 1) -> None:
        """Every rule, and those inside it. `prefix` is the place of what holds them, with a dot, or empty."""
        for index, rule in enumerate(rules[:MOST_RULES]):
            self._rule(f"{prefix}rules[{index}]", rule, depth)

    def _refuse(self, field: str, message: str, code: str = "PLAN_INVALID") -> None:
        self.found.append(error(code, field, message))

    def _rule(self, field: str, rule: DraftRule, depth: int) -> None:
        if not RULE_ID.fullmatch(rule.id):
            self._refuse(f"{field}.id", "Required: 1 to 40 of a-z, 0-9, _ and -.", "FIELD_INVALID")
        elif rule.id in self._seen:
            self._refuse(f"{field}.id", "Another rule of the plan has this id.")
        self._seen.add(rule.id)
        self.found += check_text(f"{field}.label", rule.label, _LONGEST_LABEL)
        if depth > DEEPEST:
            self._refuse(field, f"At most {DEEPEST} rules inside one another.")
        elif rule.kind in _WRAPPERS:
            self._wrapper(field, rule, depth)
        elif rule.kind == "mentor_bonus":
            self._mentor_bonus(field, rule)
        elif rule.kind == "ranking_prize":
            self._ranking_prize(field, rule)
        elif rule.kind in _PAYS_PER:
            read = self._reads(field, rule)
            if read is not None:
                self._leaf(field, rule, read)
        else:
            self._refuse(
                field,
                f"Say what it pays for: one of {', '.join((*_PAYS_PER, 'mentor_bonus', *sorted(_WRAPPERS)))}.",
            )

    def _reads(self, field: str, rule: DraftRule) -> _Read | None:
        inside = f"{field}.{rule.kind}"
        if rule.credit:
            return self._credited(field, rule)
        metric = self._metric(f"{inside}.metric", rule.metric)
        if metric is None:
            return None
        return self._of_unit(f"{inside}.metric", rule, _Read(metric.name, metric.unit, metric.largest))

    def _of_unit(self, field: str, rule: DraftRule, read: _Read) -> _Read | None:
        if read.unit in _PAYS_PER[rule.kind]:
            return read
        wanted = " or ".join(_UNIT_WORDS[unit] for unit in sorted(_PAYS_PER[rule.kind]))
        self._refuse(field, f"{read.name} is {_UNIT_WORDS[read.unit]}; this kind of rule needs {wanted}.")
        return None

    def _metric(self, field: str, name: str) -> Metric | None:
        metric = self._known.get(name)
        if metric is None:
            self._refuse(field, f"No such metric; one of {', '.join(self._known)}.")
        return metric

    def _credited(self, field: str, rule: DraftRule) -> _Read | None:
        known = len(self.found)
        if rule.metric:
            self._refuse(
                f"{field}.{rule.kind}.metric", "A rule reads a metric or a weighted credit, not both."
            )
        if len(rule.credit) > MOST_CREDITS:
            self._refuse(f"{field}.credit", f"At most {MOST_CREDITS} parts.")
        units = set()
        for index, (name, share) in enumerate(rule.credit[:MOST_CREDITS]):
            part = f"{field}.credit[{index}]"
            metric = self._metric(f"{part}.metric", name)
            if metric is not None and metric.is_ratio:
                self._refuse(f"{part}.metric", "A ratio cannot be credited in part.")
            elif metric is not None:
                units.add(metric.unit)
            self._share(f"{part}.share", share, least=Fraction(0), above=True, most=Fraction(100))
        if len({name for name, _ in rule.credit}) < len(rule.credit):
            self._refuse(f"{field}.credit", "Each metric once.")
        if len(units) > 1:
            self._refuse(f"{field}.credit", "All parts must be counted in one unit.")
        if len(self.found) > known:
            return None
        return self._of_unit(f"{field}.credit", rule, _Read("the credit", units.pop()))

    def _leaf(self, field: str, rule: DraftRule, read: _Read) -> None:
        inside = f"{field}.{rule.kind}"
        match rule.kind:
            case "tiers":
                self._tiers(field, rule, read)
            case "graduated":
                self._bands(field, rule, read)
            case "rate_of":
                self._share(f"{inside}.share", rule.share, least=Fraction(0), above=True, most=Fraction(1))
            case _:
                self._money(f"{inside}.amount", rule.amount, least=1)
                if rule.kind != "per_unit":
                    threshold = f"{inside}.threshold"
                    if self._value(threshold, rule.threshold, read.unit):
                        self._reach(threshold, rule, read)
                if rule.kind == "per_point" and rule.mode not in set(PointMode):
                    self._refuse(f"{inside}.mode", "Say how part points pay: whole points or pro rata.")

    def _mentor_bonus(self, field: str, rule: DraftRule) -> None:
        inside = f"{field}.{rule.kind}"
        if rule.credit:
            self._refuse(f"{field}.credit", "Only a rule that reads the person's own figures has a credit.")
        self._money(f"{inside}.amount", rule.amount, least=1)
        if rule.condition is not None and is_course(rule.condition.metric):
            self._refuse(
                f"{inside}.condition.metric", "Of a person mentored it asks for a metric, not for a course."
            )
        else:
            self._condition(f"{inside}.condition", rule.condition)

    def _ranking_prize(self, field: str, rule: DraftRule) -> None:
        inside = f"{field}.{rule.kind}"
        if rule.credit:
            self._refuse(f"{field}.credit", "A rank is by one metric.")
        self._metric(f"{inside}.metric", rule.metric)
        if not 0 <= rule.minimum_denominator <= LARGEST_MINIMUM:
            self._refuse(f"{inside}.minimum_denominator", f"From 0, which is 5, to {LARGEST_MINIMUM}.")
        if not 1 <= len(rule.prizes) <= MOST_PRIZES:
            self._refuse(f"{inside}.prizes", f"1 to {MOST_PRIZES} prizes, from rank 1 on.")
        for index, prize in enumerate(rule.prizes[:MOST_PRIZES]):
            self._money(f"{inside}.prizes[{index}]", prize, least=1)
        minor = [prize.minor or 0 for prize in rule.prizes]
        if minor != sorted(minor, reverse=True):
            self._refuse(f"{inside}.prizes", "A better rank wins at least as much.")
        if rule.first is not None and rule.end is not None and rule.end <= rule.first:
            self._refuse(f"{inside}.to", "Must be after the first day.")

    def _wrapper(self, field: str, rule: DraftRule, depth: int) -> None:
        inside = f"{field}.{rule.kind}"
        if rule.credit:
            self._refuse(f"{field}.credit", "Only a rule that pays for something has a credit.")
        if not rule.rules:
            self._refuse(f"{inside}.rules", "Put at least one rule inside.")
        match rule.kind:
            case "cap":
                self._money(f"{inside}.amount", rule.amount, least=0)
            case "floor" | "guarantee" | "draw":
                self._money(f"{inside}.amount", rule.amount, least=1)
            case "gate" | "accelerator":
                self._condition(f"{inside}.condition", rule.condition)
            case "ramp":
                self._shares(f"{inside}.shares", rule)
        if rule.kind in ("guarantee", "draw") and not 1 <= rule.months <= MOST_MONTHS:
            self._refuse(f"{inside}.months", f"1 to {MOST_MONTHS} months.")
        if rule.kind == "draw":
            self._share(f"{inside}.recovery", rule.share, least=Fraction(0), above=True, most=Fraction(1))
        if rule.kind == "accelerator":
            most = Fraction(LARGEST_FACTOR)
            self._share(f"{inside}.factor", rule.share, least=Fraction(1), above=True, most=most)
        self.rules(f"{field}.", rule.rules, depth + 1)

    def _shares(self, field: str, rule: DraftRule) -> None:
        if not 1 <= len(rule.shares) <= MOST_SHARES:
            self._refuse(field, f"1 to {MOST_SHARES} shares, one a month.")
        for index, share in enumerate(rule.shares[:MOST_SHARES]):
            self._share(f"{field}[{index}]", share, least=Fraction(0), most=Fraction(1))

    def _condition(self, field: str, condition: DraftCondition | None) -> None:
        if condition is None:
            self._refuse(field, "Required.")
            return
        if is_course(condition.metric):
            metric: Metric | None = named(self._known, condition.metric)
        else:
            metric = self._metric(f"{field}.metric", condition.metric)
        if metric is None:
            return
        bound = f"{field}.{'at_most' if condition.at_most else 'at_least'}"
        value = condition.bound
        if is_course(condition.metric) and (condition.at_most or value is None or value.numerator != 1):
            # Anything else holds always or never.
            self._refuse(
                bound, "A course is passed or not: it is asked for with at least 1.", "VALUE_INVALID"
            )
            return
        if not self._value(bound, value, metric.unit) or value is None or condition.at_most:
            return
        if metric.largest is not None and Fraction(value.numerator, value.denominator) > metric.largest:
            message = f"{metric.name} is a share of a whole, at most 100 %: this condition never holds."
            self._refuse(bound, message, "VALUE_INVALID")

    def _reach(self, field: str, rule: DraftRule, read: _Read) -> None:
        """A threshold out of the metric's reach: the rule would never pay.

        A bonus is paid at the threshold itself (R3); points need room above it, whole points room for a whole one.
        """
        if rule.threshold is None or read.largest is None:
            return
        room = read.largest - Fraction(rule.threshold.numerator, rule.threshold.denominator)
        if rule.kind != "per_point":
            never = room < 0
        elif rule.mode == PointMode.WHOLE:
            never = room < Fraction(1, POINTS)
        else:
            never = room <= 0
        if never:
            message = f"{read.name} is a share of a whole, at most 100 %: above this threshold nothing is ever paid."
            self._refuse(field, message, "VALUE_INVALID")

    def _tiers(self, field: str, rule: DraftRule, read: _Read) -> None:
        if not 1 <= len(rule.tiers) <= MOST_TIERS:
            self._refuse(f"{field}.tiers", f"1 to {MOST_TIERS} tiers.")
            return
        known = len(self.found)
        for index, tier in enumerate(rule.tiers):
            name = f"{field}.tiers[{index}]"
            self._value(f"{name}.low", tier.low, read.unit)
            if tier.high is not None:
                self._value(f"{name}.high", tier.high, read.unit)
            self._money(f"{name}.amount", tier.amount, least=0)
        if len(self.found) == known:
            self.found += check_tiers(field, read.largest, rule.tiers)

    def _bands(self, field: str, rule: DraftRule, read: _Read) -> None:
        if not 1 <= len(rule.bands) <= MOST_TIERS:
            self._refuse(f"{field}.bands", f"1 to {MOST_TIERS} bands.")
            return
        known = len(self.found)
        for index, band in enumerate(rule.bands):
            name = f"{field}.bands[{index}]"
            self._value(f"{name}.low", band.low, read.unit)
            if band.high is not None:
                self._value(f"{name}.high", band.high, read.unit)
            if read.unit is Unit.MONEY:
                if band.amount is not None:
                    self._refuse(f"{name}.amount", "Of money a band pays a share.")
                self._share(f"{name}.share", band.share, least=Fraction(0), most=Fraction(1))
            else:
                if band.share is not None:
                    self._refuse(f"{name}.share", "Of counts and minutes a band pays an amount for each.")
                self._money(f"{name}.amount", band.amount, least=0)
        if len(self.found) == known:
            shapes = [DraftTier(band.low, band.high, None) for band in rule.bands]
            self.found += check_tiers(field, None, shapes, part="bands")

    def _money(self, field: str, amount: DraftMoney | None, *, least: int) -> None:
        if amount is None:
            self._refuse(field, "Required.")
        elif amount.currency != self._currency:
            message = f"The enterprise's currency is {self._currency}."
            self._refuse(f"{field}.currency_code", message, "CURRENCY_MISMATCH")
        elif amount.minor is None:
            self._refuse(field, "A whole number of hundredths, units and nanos of one sign.")
        elif not least <= amount.minor <= LARGEST_AMOUNT:
            self._refuse(field, f"From {least} to {LARGEST_AMOUNT} minor units.")

    def _share(
        self, field: str, share: DraftValue | None, *, least: Fraction, most: Fraction, above: bool = False
    ) -> None:
        """A rate from `least`, or above it, to `most`."""
        if not self._value(field, share, Unit.RATE) or share is None:
            return
        exact = Fraction(share.numerator, share.denominator)
        if exact > most or exact < least or (above and exact == least):
            begins = f"Above {least * 100} %" if above else f"From {least * 100} %"
            self._refuse(f"{field}.numerator", f"{begins} to {most * 100} %.", "VALUE_INVALID")

    def _value(self, field: str, value: DraftValue | None, unit: Unit) -> bool:
        """Whether it is a value of that unit."""
        if value is None:
            self._refuse(field, "Required.")
        elif value.unit != unit:
            self._refuse(f"{field}.unit", f"Must be {_UNIT_WORDS[unit]}.", "VALUE_INVALID")
        elif unit is Unit.MONEY and value.currency != self._currency:
            message = f"The enterprise's currency is {self._currency}."
            self._refuse(f"{field}.currency", message, "CURRENCY_MISMATCH")
        elif not 1 <= value.denominator <= (LARGEST_DENOMINATOR if unit is Unit.RATE else 1):
            most = LARGEST_DENOMINATOR if unit is Unit.RATE else 1
            self._refuse(f"{field}.denominator", f"From 1 to {most}.", "VALUE_INVALID")
        elif not 0 <= value.numerator <= LARGEST_NUMERATOR:
            self._refuse(f"{field}.numerator", f"From 0 to {LARGEST_NUMERATOR}.", "VALUE_INVALID")
        else:
            return True
        return False
