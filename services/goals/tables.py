"""The tables of goals; migrations/ makes them, a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

fact = Table(
    "fact",
    metadata,
    Column("source", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False, comment="foothold.goals.v1.FactKind"),
    Column("person_id", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("day", Date, nullable=False, comment="occurred_at in the person's zone"),
    Column("customer", Text, nullable=False),
    Column("product", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("amount_minor", BigInteger, comment="minor units of the enterprise's currency"),
    Column("minutes", Integer, nullable=False),
    Column("reverses", Text, nullable=False, comment="external_id taken back, at the same source"),
    Column("attributes", JSONB),
    Column("voided", Boolean, nullable=False),
    Column("current", Boolean, nullable=False, comment="the highest version of its key"),
    Column("counts", Boolean, nullable=False, comment="current, not void, not reversed"),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("leave_first", Integer, comment="half days since 1970-01-01, of LEAVE"),
    Column("leave_stop", Integer, comment="exclusive"),
    Column("credits", JSONB, comment="of a deal and its parts: person, numerator, denominator, overlay"),
    Column("deal_minor", BigInteger, comment="what was told; amount_minor is the person's part of it"),
    Column("deal", Text, comment="of a part: the deal's external_id"),
)

tally = Table(
    "tally",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("kind", SmallInteger, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("minutes", BigInteger, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="when its newest fact was"),
)

touch = Table(
    "touch",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("customer", Text, primary_key=True),
    Column("n", Integer, nullable=False, comment="follow-ups of that customer on that day"),
)

first_touch = Table(
    "first_touch",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("customer", Text, primary_key=True),
    Column("day", Date, nullable=False, comment="of the first follow-up that counts"),
    Column("was", Date, comment="the day before its last move; for the statement that moves it"),
)

patron = Table(
    "patron",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("counter", SmallInteger, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("customer", Text, primary_key=True),
    Column("n", Integer, nullable=False, comment="facts of that customer on that day"),
    Column("amount_minor", BigInteger, nullable=False),
    Column("minutes", BigInteger, nullable=False),
)

metric_version = Table(
    "metric_version",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("counter", SmallInteger, nullable=False, comment="its number; 0 where none is needed"),
    Column("definition", JSONB, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("reason", Text, nullable=False),
    Column("state", SmallInteger, nullable=False, comment="foothold.goals.v1.MetricVersion.State"),
    Column("served_at", DateTime(timezone=True), comment="since when it serves; null while it is computed"),
    Column("people_done", BigInteger, nullable=False),
    Column("people_total", BigInteger, nullable=False),
    Column("taking", SmallInteger, nullable=False, comment="domain.definitions.Taking"),
)

uncounted = Table(
    "uncounted",
    metadata,
    Column(
        "counter",
        SmallInteger,
        primary_key=True,
        comment="the facts from before it began are not counted yet",
    ),
)

goal = Table(
    "goal",
    metadata,
    Column("revision", BigInteger, primary_key=True, comment="of what is known"),
    Column("id", Text, nullable=False, comment="stable over what was known of it"),
    Column("parent_id", Text, nullable=False, comment="empty where a tree begins"),
    Column("node_id", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("period_kind", SmallInteger, nullable=False, comment="foothold.goals.v1.PeriodKind"),
    Column("first_day", Date, nullable=False),
    Column("end_day", Date, nullable=False, comment="exclusive, of all its periods"),
    Column("periods", SmallInteger, nullable=False, comment="consecutive ones, each with the value"),
    Column("unit", SmallInteger, nullable=False),
    Column("numerator", BigInteger, nullable=False, comment="per period"),
    Column("denominator", BigInteger, nullable=False),
    Column("method", SmallInteger, nullable=False, comment="foothold.goals.v1.GoalMethod"),
    Column("weight", BigInteger, nullable=False, comment="parts of weight_sum of what was divided"),
    Column("weight_sum", BigInteger, nullable=False),
    Column("divided", BigInteger, nullable=False),
    Column("basis_from", Date, comment="first of the days the weights were read from"),
    Column("basis_to", Date, comment="exclusive"),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="known from"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
    Column("withdrawn", Boolean, nullable=False, comment="this version says that it is taken back"),
)

objective = Table(
    "objective",
    metadata,
    Column("revision", BigInteger, primary_key=True, comment="of what is known"),
    Column("id", Text, nullable=False, comment="stable over what was known of it"),
    Column("node_id", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("period_kind", SmallInteger, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("end_day", Date, nullable=False, comment="exclusive"),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="known from"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
    Column("withdrawn", Boolean, nullable=False, comment="this version says that it is taken back"),
)

key_result = Table(
    "key_result",
    metadata,
    Column("objective_revision", BigInteger, primary_key=True),
    Column("place", SmallInteger, primary_key=True),
    Column("weight_numerator", BigInteger, nullable=False),
    Column("weight_denominator", BigInteger, nullable=False),
    Column("target_id", Text, nullable=False, comment="a standard that gives the value; else empty"),
    Column("goal_id", Text, nullable=False, comment="a goal that gives the value; else empty"),
    Column("metric", Text, nullable=False),
    Column("period_kind", SmallInteger, nullable=False),
    Column("unit", SmallInteger),
    Column("numerator", BigInteger, comment="null where a target or goal gives the value"),
    Column("denominator", BigInteger),
    Column("direction", SmallInteger, comment="null for the metric's own"),
)

work_rule = Table(
    "work_rule",
    metadata,
    Column("revision", BigInteger, primary_key=True, comment="of what is known"),
    Column("node_id", Text, nullable=False),
    Column(
        "kind", SmallInteger, nullable=False, comment="1 calendar, 2 leave policy, 3 ramp, 4 complete year"
    ),
    Column("effective_from", Date, nullable=False),
    Column("content", JSONB, comment="null where the node inherits again"),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="known from"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
)

special_day = Table(
    "special_day",
    metadata,
    Column("revision", BigInteger, primary_key=True, comment="of what is known"),
    Column("node_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("works", Boolean, nullable=False),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="known from"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
    Column("removed", Boolean, nullable=False, comment="this version says that it is taken back"),
)

industry_template = Table(
    "industry_template",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", Text, nullable=False, comment="TOML, as imported"),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("removed", Boolean, nullable=False, comment="this version says that it is taken out"),
)

coaching_rule = Table(
    "coaching_rule",
    metadata,
    Column("revision", BigInteger, primary_key=True, comment="of what is known"),
    Column("node_id", Text, nullable=False),
    Column("situation", SmallInteger, nullable=False, comment="foothold.goals.v1.CoachingSituation"),
    Column("metric", Text, nullable=False, comment="empty for any"),
    Column("step_zh", Text, nullable=False),
    Column("step_en", Text, nullable=False),
    Column("days", SmallInteger, nullable=False, comment="until a task opened from it is due"),
    Column("course_id", Text, nullable=False, comment="training's; may be empty"),
    Column("active", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="known from"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
    Column("withdrawn", Boolean, nullable=False, comment="this version says that it is taken away"),
)

coaching_task = Table(
    "coaching_task",
    metadata,
    Column("revision", BigInteger, primary_key=True, comment="of what is known"),
    Column("id", Text, nullable=False, comment="stable over what was known of it"),
    Column("person_id", Text, nullable=False),
    Column("situation", SmallInteger, nullable=False, comment="foothold.goals.v1.CoachingSituation"),
    Column("metric", Text, nullable=False, comment="empty where it is about no target"),
    Column("step", Text, nullable=False, comment="what to do"),
    Column("course_id", Text, nullable=False, comment="training's; may be empty"),
    Column("due_day", Date, nullable=False, comment="the last one, in the person's zone"),
    Column("opener_id", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("state", SmallInteger, nullable=False, comment="foothold.goals.v1.CoachingTaskState"),
    Column("answer", Text, nullable=False, comment="the last one; those before are in earlier versions"),
    Column("answered_at", DateTime(timezone=True)),
    Column("note", Text, nullable=False),
    Column("closer_id", Text, nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="known from"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
)

probation = Table(
    "probation",
    metadata,
    Column("person_id", Text, primary_key=True),
    Column("recorded_at", DateTime(timezone=True), primary_key=True, comment="known from"),
    Column("first_day", Date),
    Column("last_day", Date, comment="inclusive"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
)

placement = Table(
    "placement",
    metadata,
    Column("node_id", Text, primary_key=True),
    Column("since", DateTime(timezone=True), primary_key=True, comment="as told"),
    Column("parent_id", Text, nullable=False),
    Column("zone", Text, nullable=False, comment="its own; empty where it is inherited"),
    Column("job_role", Text, nullable=False, comment="of a person"),
    Column("works", Boolean, nullable=False, comment="of a person: not dismissed"),
)

fairness_rule = Table(
    "fairness_rule",
    metadata,
    Column("revision", BigInteger, primary_key=True, comment="of what is known"),
    Column("node_id", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False, comment="foothold.goals.v1.FairnessKind"),
    Column("active", Boolean, nullable=False),
    Column("most", Integer, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("days", Integer, nullable=False),
    Column("percent", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False, comment="known from"),
    Column("superseded_at", DateTime(timezone=True), comment="known until; null while it is what is known"),
)

flag = Table(
    "flag",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("month", Date, nullable=False, comment="the first day of the one looked at"),
    Column("kind", SmallInteger, nullable=False, comment="foothold.goals.v1.FairnessKind"),
    Column("anchor", Text, nullable=False, comment="tells findings of a kind apart"),
    Column("turn", Integer, nullable=False, comment="of the same anchor, from 1"),
    Column("rule", JSONB, nullable=False, comment="as it was when it noticed"),
    Column("fact_keys", JSONB, nullable=False, comment="pairs of source and external_id"),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False, comment="inclusive"),
    Column("counted", Integer, nullable=False),
    Column("out_of", Integer, nullable=False, comment="0 where no share is looked at"),
    Column("state", SmallInteger, nullable=False, comment="foothold.goals.v1.FlagState"),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("reply", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_by", Text, nullable=False),
    Column("answered_at", DateTime(timezone=True)),
)
