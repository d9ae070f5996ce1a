"""The field's words for what the services send as names and numbers. docs/glossary.md lists the terms."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from flask import has_request_context
from foothold.goals.v1 import coaching_pb2, coaching_rules_pb2, facts_pb2, progress_pb2, values_pb2
from foothold.identity.v1 import directory_pb2
from foothold.incentives.v1 import statements_pb2
from foothold.incentives.v1 import values_pb2 as paid
from foothold.training.v1 import learning_pb2

from services.gateway import course_titles, formats
from services.gateway.language import TAGS, _, language, later, ngettext
from services.gateway.parts import parts

METRICS: Final[Mapping[str, str]] = {
    "customers_followed": later("Customers followed"),
    "new_customers": later("New customers"),
    "deals_won": later("Deals won"),
    "deals_lost": later("Deals lost"),
    "close_rate": later("Close rate"),
    "win_rate": later("Win rate"),
    "revenue": later("Revenue"),
    "overlay_revenue": later("Overlay revenue"),
    "average_order_value": later("Average order value"),
    "orders_placed": later("Further orders"),
    "customers_bought": later("Customers who bought"),
    "customers_bought_again": later("Customers who bought again"),
    "repurchase_rate": later("Repurchase rate"),
    "followup_minutes": later("Follow-up time"),
    "emails_sent": later("E-mails sent"),
    "meetings_attended": later("Meetings held"),
}
TENURE: Final = "tenure_month"
MENTEES: Final = "mentees:"
PRIZE: Final = "prize:"
DRAWN: Final = "drawn:"
"""Before a rule's id: figures of whom one mentors, of what was advanced, of what a rank won."""
RULES: Final[Mapping[str, str]] = {
    "customers_followed": later(
        "Different customers you followed up in the period. Several follow-ups of one customer count once."
    ),
    "new_customers": later("Customers you followed up for the first time ever in the period."),
    "deals_won": later("Deals won in the period. A deal that was taken back does not count."),
    "deals_lost": later("Deals lost in the period."),
    "close_rate": later("Deals won in the period, divided by the different customers followed up in it."),
    "win_rate": later("Deals won, divided by deals won and lost together."),
    "revenue": later(
        "The sum of the amounts of deals won and orders in the period; of what several people earned, your share."
    ),
    "overlay_revenue": later(
        "What you are credited with on top, of colleagues' deals and orders in the period. It is not revenue."
    ),
    "average_order_value": later("Revenue, divided by deals won and further orders."),
    "orders_placed": later(
        "Further purchases in the period, beyond the winning of a deal. What was taken back does not count."
    ),
    "customers_bought": later("Different customers who bought in the period."),
    "customers_bought_again": later("Customers who bought in the period and had bought from you before."),
    "repurchase_rate": later(
        "Customers who bought again, divided by the customers who bought in the period."
    ),
    "followup_minutes": later("Minutes spent on follow-ups in the period."),
    "emails_sent": later("E-mails sent in the period."),
    "meetings_attended": later("Meetings held in the period."),
}
_STATUS = progress_pb2.ProgressStatus
STATUSES: Final[Mapping[int, tuple[str, str]]] = {
    _STATUS.PROGRESS_STATUS_MET: ("met", later("Met")),
    _STATUS.PROGRESS_STATUS_AT_THRESHOLD: ("edge", later("Just met")),
    _STATUS.PROGRESS_STATUS_ON_PACE: ("pace", later("On pace")),
    _STATUS.PROGRESS_STATUS_BEHIND: ("behind", later("Behind")),
    _STATUS.PROGRESS_STATUS_NO_DATA: ("none", later("No data yet")),
}
"""Progress status -> the name of its shape, its word."""
BEHIND: Final = _STATUS.PROGRESS_STATUS_BEHIND

BOARDS: Final[Mapping[str, str]] = {
    "close-rate-week": later("Close rate this week"),
    "follow-ups-month": later("Customers followed this month"),
}
_KIND = facts_pb2.FactKind
FACTS: Final[Mapping[int, str]] = {
    _KIND.FACT_KIND_FOLLOW_UP: later("Follow-up"),
    _KIND.FACT_KIND_DEAL_WON: later("Deal won"),
    _KIND.FACT_KIND_DEAL_LOST: later("Deal lost"),
    _KIND.FACT_KIND_DEAL_REVERSED: later("Deal taken back"),
    _KIND.FACT_KIND_ORDER: later("Order"),
    _KIND.FACT_KIND_EMAIL: later("E-mail"),
    _KIND.FACT_KIND_MEETING: later("Meeting"),
    _KIND.FACT_KIND_TIME_SPENT: later("Time spent"),
    _KIND.FACT_KIND_LEAVE: later("Leave"),
    _KIND.FACT_KIND_DEAL_CREDITED: later("Share of a colleague's deal"),
    _KIND.FACT_KIND_DEAL_OVERLAY: later("Overlay credit"),
}
CHANNELS: Final[Mapping[str, str]] = {
    "phone": later("Phone"),
    "wechat": later("WeChat"),
    "visit": later("Visit"),
    "online": later("Online"),
    "douyin": later("Douyin"),
    "email": later("E-mail"),
    "referral": later("Referral"),
    "offline": later("In person"),
    "store": later("Shop"),
    "exhibition": later("Trade fair"),
}
REASONS: Final[Mapping[str, str]] = {
    "behind": later("Behind the pace"),
    "at_threshold": later("Just at the threshold"),
    "no_data": later("No data yet"),
    "no_follow_up": later("No follow-up lately"),
}
_SITUATION = coaching_rules_pb2.CoachingSituation
SITUATIONS: Final[Mapping[int, tuple[str, str]]] = {
    _SITUATION.COACHING_SITUATION_BEHIND: ("behind", later("Behind the pace")),
    _SITUATION.COACHING_SITUATION_NO_FOLLOW_UP: ("behind", later("No follow-up lately")),
    _SITUATION.COACHING_SITUATION_NO_DATA: ("none", later("No data yet")),
    _SITUATION.COACHING_SITUATION_AT_THRESHOLD: ("edge", later("Just at the threshold")),
    _SITUATION.COACHING_SITUATION_MET: ("met", later("Met")),
}
"""Situation -> the name of its shape, its word; the most urgent first."""
_TASK = coaching_pb2.CoachingTaskState
TASKS: Final[Mapping[int, tuple[str, str]]] = {
    _TASK.COACHING_TASK_STATE_OPEN: ("pace", later("Waits for an answer")),
    _TASK.COACHING_TASK_STATE_ANSWERED: ("edge", later("Answered")),
    _TASK.COACHING_TASK_STATE_DONE: ("met", later("Done")),
    _TASK.COACHING_TASK_STATE_WITHDRAWN: ("none", later("Withdrawn")),
}
KINDS: Final[Mapping[int, str]] = {
    directory_pb2.NODE_KIND_ENTERPRISE: later("Enterprise"),
    directory_pb2.NODE_KIND_BRANCH: later("Branch"),
    directory_pb2.NODE_KIND_DEPARTMENT: later("Department"),
    directory_pb2.NODE_KIND_PERSON: later("Person"),
}
ROLES: Final[Mapping[str, str]] = {
    "salesperson": later("Salesperson"),
    "mentor": later("Mentor"),
    "department_manager": later("Department manager"),
    "trainer": later("Trainer"),
    "branch_hr": later("Branch HR"),
    "headquarters_hr": later("Headquarters HR"),
    "administrator": later("Administrator"),
    "integrator": later("Integrator"),
    "operator": later("Operator"),
}
JOB_ROLES: Final[Mapping[str, str]] = {
    "sales": later("Sales"),
    "sales-manager": later("Sales management"),
    "senior-sales": later("Senior sales"),
    "it": later("Information technology"),
    "manager": later("Management"),
    "trainer": later("Training"),
    "hr": later("Human resources"),
    "admin": later("Administration"),
}
_STATE = learning_pb2.CourseState
COURSES: Final[Mapping[int, tuple[str, str]]] = {
    _STATE.COURSE_STATE_LOCKED: ("none", later("Locked")),
    _STATE.COURSE_STATE_OPEN: ("pace", later("Ready to start")),
    _STATE.COURSE_STATE_STARTED: ("pace", later("Started")),
    _STATE.COURSE_STATE_REMEDIAL_DUE: ("behind", later("Review first")),
    _STATE.COURSE_STATE_RETAKE_OPEN: ("edge", later("Ready to retake")),
    _STATE.COURSE_STATE_PASSED: ("met", later("Passed")),
}


def metric(name: str) -> str:
    """A metric's name: the built-in ones are in the catalogue, one's own have titles; others are shown as they are."""
    if name in METRICS:
        return str(METRICS[name])
    if name == TENURE:
        return _("Month of tenure")
    if name.startswith(PRIZE):
        return _("Won by rank")
    if name.startswith(MENTEES):
        return _("People mentored who reached it")
    if name.startswith(DRAWN):
        return _("Advance not paid back yet")
    if name.startswith(course_titles.PREFIX):
        return _("passed: %(course)s", course=course_titles.title_of(name))
    titles = parts().titles.of(name) if has_request_context() else {}
    return title(titles) or name


def situation_of(typed: str) -> coaching_rules_pb2.CoachingSituation.ValueType:
    """The situation a form names; none where it names nothing known."""
    known = {str(int(each)): each for each in _SITUATION.values()}
    return known.get(typed, _SITUATION.COACHING_SITUATION_UNSPECIFIED)


def title(titles: Mapping[str, str]) -> str:
    """What a metric of one's own is called in the reader's language; empty where it has no title."""
    text = titles.get(TAGS[language()], "")
    return formats.spaced(text) if language() == "zh" else text


def board(board_id: str, name: str) -> str:
    """A board's name; the built-in ones are in the catalogue."""
    return str(BOARDS.get(board_id, name))


def rule(name: str, description: str = "") -> str:
    """A metric's rule in one plain sentence."""
    return str(RULES.get(name, description))


def period(kind: int) -> str:
    """The period that holds now: today, this week, this month."""
    names: dict[int, str] = {
        values_pb2.PERIOD_KIND_DAY: _("Today"),
        values_pb2.PERIOD_KIND_WEEK: _("This week"),
        values_pb2.PERIOD_KIND_MONTH: _("This month"),
        values_pb2.PERIOD_KIND_QUARTER: _("This quarter"),
        values_pb2.PERIOD_KIND_YEAR: _("This year"),
        values_pb2.PERIOD_KIND_PROBATION: _("Over probation"),
        values_pb2.PERIOD_KIND_ROLLING: _("The last days"),
    }
    return names.get(kind, "")


def over(told: values_pb2.Period) -> str:
    """The same for a period at hand: of a rolling window how many days it has."""
    first, end = told.first_day, told.end_day
    if told.kind != values_pb2.PERIOD_KIND_ROLLING or not first.year:
        return period(told.kind)
    days = date(end.year, end.month, end.day) - date(first.year, first.month, first.day)
    return last_days(days.days)


def last_days(number: int) -> str:
    """A rolling window by its length: the last 30 days."""
    return ngettext("Last %(num)s day", "Last %(num)s days", number)


def per(kind: int) -> str:
    """The length of a period, for targets: per week, per month."""
    names: dict[int, str] = {
        values_pb2.PERIOD_KIND_DAY: _("per day"),
        values_pb2.PERIOD_KIND_WEEK: _("per week"),
        values_pb2.PERIOD_KIND_MONTH: _("per month"),
        values_pb2.PERIOD_KIND_QUARTER: _("per quarter"),
        values_pb2.PERIOD_KIND_YEAR: _("per year"),
        values_pb2.PERIOD_KIND_PROBATION: _("over all of probation"),
        values_pb2.PERIOD_KIND_ROLLING: _("rolling"),
    }
    return names.get(kind, "")


def paid_period(kind: int) -> str:
    """The same for the periods that incentives knows."""
    return _("This week") if kind == paid.PERIOD_KIND_WEEK else _("This month")


def lever(change: statements_pb2.LeverChange) -> str:
    """What to do more of, as a phrase that follows the first person's verb: "follow up 2 new customers"."""
    kinds = statements_pb2.LeverChange
    number = change.count
    if change.lever == kinds.LEVER_FOLLOW_NEW_CUSTOMER:
        return ngettext("follow up %(num)s new customer", "follow up %(num)s new customers", number)
    if change.lever == kinds.LEVER_WIN_DEAL:
        return ngettext("win %(num)s more deal", "win %(num)s more deals", number)
    if change.lever == kinds.LEVER_SEND_EMAIL:
        return ngettext("send %(num)s more e-mail", "send %(num)s more e-mails", number)
    if change.lever == kinds.LEVER_HOLD_MEETING:
        return ngettext("hold %(num)s more meeting", "hold %(num)s more meetings", number)
    if change.lever == kinds.LEVER_OWN_METRIC:
        return _("add %(num)s to “%(metric)s”", num=number, metric=metric(change.metric))
    return ""


def levers(amount: statements_pb2.NextAmount) -> str:
    """All that a next amount takes, joined."""
    learned = [_("pass “%(course)s”", course=course_titles.title_of(each)) for each in amount.course_ids]
    return _(" and ").join([*learned, *(lever(change) for change in amount.changes)])


def held(metrics: Iterable[str]) -> str:
    """What a next amount assumes; empty where nothing was held constant."""
    names = [metric(name) for name in metrics]
    return _("%(metrics)s unchanged", metrics=_(", ").join(names)) if names else ""


_PLAN_FIELDS: Final[Mapping[str, str]] = {
    "name": later("Plan name"),
    "reason": later("Why"),
    "job_role": later("Job role"),
    "effective_from": later("From"),
    "node_id": later("Where"),
    "rules": later("Rules"),
}


def plan_field(name: str) -> str:
    """A field of a plan by its label."""
    return str(_PLAN_FIELDS.get(name, name))


def channel(name: str) -> str:
    return str(CHANNELS.get(name, name))


def role(role_id: str, name: str = "") -> str:
    return str(ROLES.get(role_id, name or role_id))


def job_role(name: str) -> str:
    return str(JOB_ROLES.get(name, name))
