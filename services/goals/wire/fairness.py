"""Rules of fair play and flags."""

from foothold.goals.v1 import fairness_pb2

from services.goals.domain.fairness import FairnessRule, Flag
from services.goals.wire.values import from_date, from_instant


def from_rule(rule: FairnessRule) -> fairness_pb2.FairnessRule:
    """A rule."""
    return fairness_pb2.FairnessRule(
        node_id=rule.key.node_id,
        kind=int(rule.key.kind),  # type: ignore[arg-type]  # the enums have the same numbers
        active=rule.active,
        **rule.numbers._asdict(),
        reason=rule.reason,
        author_id=rule.author_id,
        recorded_at=None if rule.recorded_at is None else from_instant(rule.recorded_at),
    )


def from_flag(flag: Flag) -> fairness_pb2.Flag:
    """A flag."""
    found = flag.found
    return fairness_pb2.Flag(
        id=flag.id,
        person_id=flag.person_id,
        rule=from_rule(found.rule),
        first_day=from_date(found.first_day),
        last_day=from_date(found.last_day),
        counted=found.counted,
        out_of=found.out_of,
        fact_count=len(found.facts),
        state=int(flag.state),  # type: ignore[arg-type]  # the enums have the same numbers
        raised_at=from_instant(flag.raised_at),
        reply=flag.reply,
        answer=flag.answer,
        answered_by=flag.answered_by,
        answered_at=None if flag.answered_at is None else from_instant(flag.answered_at),
    )


def flag_payload(flag: Flag) -> bytes:
    """What an event tells of a flag: not what was said about it, which is for those who may read the person's."""
    return fairness_pb2.FlagChanged(
        flag_id=flag.id,
        person_id=flag.person_id,
        kind=int(flag.found.rule.key.kind),  # type: ignore[arg-type]  # the enums have the same numbers
        first_day=from_date(flag.found.first_day),
        last_day=from_date(flag.found.last_day),
        state=int(flag.state),  # type: ignore[arg-type]  # the enums have the same numbers
    ).SerializeToString()
