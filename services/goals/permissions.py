"""Which permission each RPC needs; the Scope of that permission then narrows what it touches."""

from collections.abc import Mapping
from typing import Final

FACTS_RECORD: Final = "goals.facts.record"
FACTS_READ: Final = "goals.facts.read"
CUSTOMERS_READ: Final = "goals.customers.read"
LEDGER_CHECK: Final = "goals.ledger.check"
METRICS_READ: Final = "goals.metrics.read"
METRICS_WRITE: Final = "goals.metrics.write"
TARGETS_READ: Final = "goals.targets.read"
TARGETS_WRITE: Final = "goals.targets.write"
TARGETS_APPROVE: Final = "goals.targets.approve"
PROGRESS_READ: Final = "goals.progress.read"
OBJECTIVES_READ: Final = "goals.objectives.read"
OBJECTIVES_WRITE: Final = "goals.objectives.write"
CALENDARS_READ: Final = "goals.calendars.read"
CALENDARS_WRITE: Final = "goals.calendars.write"
COACHING_READ: Final = "goals.coaching.read"
COACHING_WRITE: Final = "goals.coaching.write"
COACHING_ANSWER: Final = "goals.coaching.answer"
COACHING_RULES_WRITE: Final = "goals.coaching.rules.write"
FAIRNESS_READ: Final = "goals.fairness.read"
FAIRNESS_REPLY: Final = "goals.fairness.reply"
FAIRNESS_ANSWER: Final = "goals.fairness.answer"
FAIRNESS_RULES_WRITE: Final = "goals.fairness.rules.write"
FEED_READ: Final = "goals.feed.read"

PERMISSIONS: Final[Mapping[str, str]] = {
    "/foothold.goals.v1.FactsService/RecordFact": FACTS_RECORD,
    "/foothold.goals.v1.FactsService/RecordFacts": FACTS_RECORD,
    "/foothold.goals.v1.FactsService/StreamFacts": FACTS_RECORD,
    "/foothold.goals.v1.FactsService/ListFacts": FACTS_READ,
    "/foothold.goals.v1.FactsService/GetFactHistory": FACTS_READ,
    "/foothold.goals.v1.FactsService/CheckLedger": LEDGER_CHECK,
    "/foothold.goals.v1.MetricsService/ListMetrics": METRICS_READ,
    "/foothold.goals.v1.MetricsService/QueryMetric": METRICS_READ,
    "/foothold.goals.v1.MetricLibraryService/DefineMetric": METRICS_WRITE,
    "/foothold.goals.v1.MetricLibraryService/PreviewMetric": METRICS_WRITE,
    "/foothold.goals.v1.MetricLibraryService/ListMetricVersions": METRICS_READ,
    "/foothold.goals.v1.MetricLibraryService/RetireMetric": METRICS_WRITE,
    "/foothold.goals.v1.TargetsService/SetTarget": TARGETS_WRITE,
    "/foothold.goals.v1.TargetsService/EndTarget": TARGETS_WRITE,
    "/foothold.goals.v1.TargetsService/ListTargets": TARGETS_READ,
    "/foothold.goals.v1.TargetsService/ResolveTargets": TARGETS_READ,
    "/foothold.goals.v1.StandardsService/ResolveStandard": TARGETS_READ,
    "/foothold.goals.v1.StandardsService/ListDrift": TARGETS_READ,
    "/foothold.goals.v1.StandardsService/ListTargetChanges": TARGETS_READ,
    "/foothold.goals.v1.StandardsService/RestoreTarget": TARGETS_WRITE,
    "/foothold.goals.v1.StandardsService/ApproveTarget": TARGETS_APPROVE,
    "/foothold.goals.v1.StandardsService/RefuseTarget": TARGETS_APPROVE,
    "/foothold.goals.v1.ProgressService/GetProgress": PROGRESS_READ,
    "/foothold.goals.v1.ProgressService/GetProgressCourse": PROGRESS_READ,
    "/foothold.goals.v1.ProgressService/ListTeamProgress": PROGRESS_READ,
    "/foothold.goals.v1.ProgressService/ExplainProgress": PROGRESS_READ,
    "/foothold.goals.v1.EffortService/GetEffort": PROGRESS_READ,
    "/foothold.goals.v1.EvidenceService/SuggestTargets": METRICS_READ,
    "/foothold.goals.v1.EvidenceService/CompareFigures": METRICS_READ,
    "/foothold.goals.v1.EvidenceService/CompareWeeks": PROGRESS_READ,
    "/foothold.goals.v1.ForecastService/ForecastTargets": PROGRESS_READ,
    "/foothold.goals.v1.CascadeService/SetGoal": TARGETS_WRITE,
    "/foothold.goals.v1.CascadeService/WithdrawGoal": TARGETS_WRITE,
    "/foothold.goals.v1.CascadeService/GetGoal": TARGETS_READ,
    "/foothold.goals.v1.CascadeService/ListGoals": TARGETS_READ,
    "/foothold.goals.v1.CascadeService/ExplainGoal": TARGETS_READ,
    "/foothold.goals.v1.AllocationService/AllocateGoal": TARGETS_WRITE,
    "/foothold.goals.v1.AllocationService/AssignGoal": TARGETS_WRITE,
    "/foothold.goals.v1.ObjectivesService/SetObjective": OBJECTIVES_WRITE,
    "/foothold.goals.v1.ObjectivesService/WithdrawObjective": OBJECTIVES_WRITE,
    "/foothold.goals.v1.ObjectivesService/GetObjective": OBJECTIVES_READ,
    "/foothold.goals.v1.ObjectivesService/ListObjectives": OBJECTIVES_READ,
    "/foothold.goals.v1.CalendarsService/SetWorkRule": CALENDARS_WRITE,
    "/foothold.goals.v1.CalendarsService/ListWorkRules": CALENDARS_READ,
    "/foothold.goals.v1.CalendarsService/ResolveWorkRules": CALENDARS_READ,
    "/foothold.goals.v1.CalendarsService/ListDays": CALENDARS_READ,
    "/foothold.goals.v1.CalendarsService/SetDays": CALENDARS_WRITE,
    "/foothold.goals.v1.CalendarsService/ListSpecialDays": CALENDARS_READ,
    "/foothold.goals.v1.IndustriesService/ListIndustries": METRICS_READ,
    "/foothold.goals.v1.IndustriesService/GetIndustry": METRICS_READ,
    "/foothold.goals.v1.IndustriesService/AdoptIndustry": METRICS_WRITE,
    "/foothold.goals.v1.IndustriesService/ExportTemplate": METRICS_READ,
    "/foothold.goals.v1.IndustriesService/ImportTemplate": METRICS_WRITE,
    "/foothold.goals.v1.IndustriesService/RemoveTemplate": METRICS_WRITE,
    "/foothold.goals.v1.IndustriesService/RestoreTemplate": METRICS_WRITE,
    "/foothold.goals.v1.CoachingService/SuggestSteps": COACHING_READ,
    "/foothold.goals.v1.CoachingService/OpenTask": COACHING_WRITE,
    "/foothold.goals.v1.CoachingService/AnswerTask": COACHING_ANSWER,
    "/foothold.goals.v1.CoachingService/CloseTask": COACHING_WRITE,
    "/foothold.goals.v1.CoachingService/ListTasks": COACHING_READ,
    "/foothold.goals.v1.CoachingRulesService/SetRule": COACHING_RULES_WRITE,
    "/foothold.goals.v1.CoachingRulesService/WithdrawRule": COACHING_RULES_WRITE,
    "/foothold.goals.v1.CoachingRulesService/ListRules": COACHING_READ,
    "/foothold.goals.v1.FairnessService/ListFlags": FAIRNESS_READ,
    "/foothold.goals.v1.FairnessService/GetFlag": FAIRNESS_READ,
    "/foothold.goals.v1.FairnessService/AnswerFlag": FAIRNESS_ANSWER,
    "/foothold.goals.v1.FairnessService/ReplyToFlag": FAIRNESS_REPLY,
    "/foothold.goals.v1.FairnessService/SetFairnessRule": FAIRNESS_RULES_WRITE,
    "/foothold.goals.v1.FairnessService/ListFairnessRules": FAIRNESS_READ,
    "/foothold.goals.v1.FairnessService/PreviewFairnessRule": FAIRNESS_RULES_WRITE,
    "/foothold.goals.v1.FeedService/ListEvents": FEED_READ,
    "/foothold.goals.v1.FeedService/GetValues": FEED_READ,
    "/foothold.goals.v1.FeedService/GetDeals": FEED_READ,
    "/foothold.goals.v1.FeedService/GetFollowing": FEED_READ,
}
