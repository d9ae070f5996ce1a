"""Every permission the platform knows, and which built-in role has which. Reviewed data, nothing else.

A permission is `service.resource.verb`. docs/decisions/0202 says why each role has what it has.
"""

from collections.abc import Mapping
from typing import Final

PERMISSIONS: Final[Mapping[str, str]] = {
    "identity.nodes.read": "See the org tree",
    "identity.nodes.write": "Add, rename and move branches and departments",
    "identity.people.read": "See people's records",
    "identity.people.write": "Add, import and change people",
    "identity.people.dismiss": "End a person's access",
    "identity.passwords.reset": "Set another person's password",
    "identity.roles.read": "See roles and what they permit",
    "identity.roles.write": "Add roles",
    "identity.bindings.read": "See who has which role where",
    "identity.bindings.write": "Give roles and take them away",
    "identity.service_accounts.read": "See service accounts",
    "identity.service_accounts.write": "Add and disable service accounts, issue their tokens",
    "identity.feed.read": "Follow identity's events",
    "goals.facts.record": "Record what happened",
    "goals.facts.read": "See facts, without customers",
    "goals.customers.read": "See the customers in facts",
    "goals.metrics.read": "See metric definitions and grouped figures",
    "goals.metrics.write": "Define metrics",
    "goals.targets.read": "See targets",
    "goals.targets.write": "Set targets",
    "goals.targets.approve": "Approve targets that differ from the standard",
    "goals.progress.read": "See progress",
    "goals.objectives.read": "See objectives and their key results",
    "goals.objectives.write": "Set objectives and their key results",
    "goals.calendars.read": "See work calendars, leave policies and ramps",
    "goals.calendars.write": "Set work calendars, leave policies and ramps",
    "goals.coaching.read": "See situations, suggested steps and coaching tasks",
    "goals.coaching.write": "Open and close coaching tasks",
    "goals.coaching.answer": "Answer one's own coaching tasks",
    "goals.coaching.rules.write": "Set which step a situation suggests",
    "goals.fairness.read": "See fair-play flags and rules",
    "goals.fairness.reply": "Say a word to one's own flags",
    "goals.fairness.answer": "Confirm or dismiss other people's flags",
    "goals.fairness.rules.write": "Set what fair-play rules notice",
    "goals.ledger.check": "Recompute the ledger and compare",
    "goals.feed.read": "Follow goals' events",
    "incentives.plans.read": "See incentive plans",
    "incentives.plans.write": "Propose incentive plans, and reject or withdraw proposed ones",
    "incentives.plans.approve": "Approve incentive plans that somebody else wrote",
    "incentives.plans.acknowledge": "Say that one has read one's own incentive plan",
    "incentives.parameters.write": "Propose numbers of plans that branches and departments may set for themselves",
    "incentives.plans.simulate": "Try plans on past months, and see what they would have paid to whom",
    "incentives.periods.close": "Close periods: what was earned in them never changes again",
    "incentives.payouts.approve": "Approve what is due for closed periods that somebody else closed",
    "incentives.payouts.hold": "Hold back and release what is due to somebody",
    "incentives.payouts.pay": "Make batches for payroll, and say that they are paid",
    "incentives.disputes.open": "Ask for a line of one's own statement to be looked at again",
    "incentives.disputes.answer": "Answer disputes, also with an adjustment",
    "incentives.statements.read": "See what somebody has earned",
    "incentives.boards.read": "See leaderboards",
    "incentives.boards.write": "Make and end leaderboards",
    "incentives.honours.confirm": "Confirm who is honoured for being first, or pass it over",
    "incentives.honours.answer": "Say what others may see of one's own honours",
    "incentives.feed.read": "Follow incentives' events",
    "training.courses.read": "See courses",
    "training.courses.write": "Make and change courses",
    "training.learning.read": "See somebody's learning path and attempts",
    "training.learning.take": "Take lessons and quizzes",
    "training.feed.read": "Follow training's events",
}

_FEEDS: Final = frozenset(name for name in PERMISSIONS if name.endswith(".feed.read"))
_IDENTITY: Final = frozenset(name for name in PERMISSIONS if name.startswith("identity."))
_TRAINING: Final = frozenset(name for name in PERMISSIONS if name.startswith("training."))

_BRANCH_HR: Final = frozenset(
    {
        "identity.nodes.read",
        "identity.people.read",
        "identity.people.write",
        "identity.people.dismiss",
        "identity.passwords.reset",
        "identity.bindings.read",
        "goals.metrics.read",
        "goals.targets.read",
        "goals.targets.write",
        "goals.targets.approve",
        "goals.calendars.read",
        "goals.calendars.write",
        "goals.progress.read",
        "goals.objectives.read",
        "goals.objectives.write",
        "goals.coaching.read",
        "goals.coaching.write",
        "goals.coaching.rules.write",
        "goals.fairness.read",
        "goals.fairness.answer",
        "goals.fairness.rules.write",
        "incentives.plans.read",
        "incentives.plans.simulate",
        "incentives.parameters.write",
        "incentives.periods.close",
        "incentives.payouts.hold",
        "incentives.payouts.pay",
        "incentives.disputes.answer",
        "incentives.statements.read",
        "incentives.boards.read",
        "incentives.honours.confirm",
        "training.courses.read",
        "training.learning.read",
    }
)

BUILT_IN: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    # Bound on the person's own leaf: everything here is about oneself.
    "salesperson": (
        "销售 Salesperson",
        frozenset(
            {
                "identity.nodes.read",
                "identity.people.read",
                "goals.facts.record",
                "goals.facts.read",
                "goals.customers.read",
                "goals.metrics.read",
                "goals.targets.read",
                "goals.calendars.read",
                "goals.progress.read",
                "goals.objectives.read",
                "goals.coaching.read",
                "goals.coaching.answer",
                "goals.fairness.read",
                "goals.fairness.reply",
                "incentives.plans.read",
                "incentives.plans.acknowledge",
                "incentives.disputes.open",
                "incentives.honours.answer",
                "incentives.statements.read",
                "incentives.boards.read",
                "training.courses.read",
                "training.learning.read",
                "training.learning.take",
            }
        ),
    ),
    # Bound on the mentee's leaf: how the mentee is doing, not with whom, nor for how much.
    "mentor": (
        "导师 Mentor",
        frozenset(
            {
                "identity.nodes.read",
                "identity.people.read",
                "goals.facts.read",
                "goals.metrics.read",
                "goals.targets.read",
                "goals.calendars.read",
                "goals.progress.read",
                "goals.objectives.read",
                "goals.coaching.read",
                "goals.coaching.write",
                "incentives.boards.read",
                "training.courses.read",
                "training.learning.read",
            }
        ),
    ),
    # Bound on the department.
    "department_manager": (
        "部门经理 Department manager",
        frozenset(
            {
                "identity.nodes.read",
                "identity.people.read",
                "goals.facts.record",
                "goals.facts.read",
                "goals.customers.read",
                "goals.metrics.read",
                "goals.targets.read",
                "goals.calendars.read",
                "goals.progress.read",
                "goals.objectives.read",
                "goals.objectives.write",
                "goals.coaching.read",
                "goals.coaching.write",
                "goals.fairness.read",
                "incentives.plans.read",
                "incentives.statements.read",
                "incentives.boards.read",
                "training.courses.read",
                "training.learning.read",
            }
        ),
    ),
    # Bound on a branch or the enterprise.
    "trainer": (
        "培训师 Trainer",
        frozenset(
            {
                "identity.nodes.read",
                "identity.people.read",
                "incentives.boards.read",
                "training.courses.read",
                "training.courses.write",
                "training.learning.read",
            }
        ),
    ),
    # Bound on the branch.
    "branch_hr": ("分公司人事 Branch HR", _BRANCH_HR),
    # Bound on the enterprise.
    "headquarters_hr": (
        "总部人事 Headquarters HR",
        _BRANCH_HR
        | {
            "identity.roles.read",
            "goals.metrics.write",
            "incentives.plans.write",
            "incentives.plans.approve",
            "incentives.payouts.approve",
            "incentives.boards.write",
        },
    ),
    # Bound on the enterprise: runs the platform, and sees no customer.
    "administrator": (
        "管理员 Administrator",
        _IDENTITY
        | _FEEDS
        | _TRAINING
        | {
            "goals.metrics.read",
            "goals.metrics.write",
            "goals.ledger.check",
            "goals.targets.read",
            "goals.targets.write",
            "goals.calendars.read",
            "goals.calendars.write",
            "goals.progress.read",
            "goals.objectives.read",
            "goals.objectives.write",
            "goals.coaching.read",
            "goals.coaching.write",
            "goals.coaching.rules.write",
            "goals.fairness.read",
            "goals.fairness.answer",
            "goals.fairness.rules.write",
            "incentives.plans.read",
            "incentives.plans.write",
            "incentives.plans.approve",
            "incentives.parameters.write",
            "incentives.payouts.approve",
            "incentives.statements.read",
            "incentives.boards.read",
            "incentives.boards.write",
            "incentives.honours.confirm",
        },
    ),
    # Whoever holds the signing key runs the platform: seeds, imports, repairs. Sees no customer either.
    "operator": ("运维 Operator", frozenset(PERMISSIONS) - {"goals.customers.read"}),
    # Bound on the enterprise or a branch, for service accounts: a CRM, a data warehouse.
    "integrator": (
        "集成 Integrator",
        _FEEDS
        | {
            "identity.nodes.read",
            "identity.people.read",
            "goals.facts.record",
            "goals.facts.read",
            "goals.metrics.read",
            "goals.ledger.check",
        },
    ),
}
