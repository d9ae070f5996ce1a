"""A parameter set at a node of the org tree: inherited below, overridden within bounds, effective-dated.

What was known at any time is kept: nothing is edited, a row is superseded by another.
"""

from standards.migrations import bound_standards, create_standards
from standards.records import (
    Allowance,
    Amount,
    Change,
    Decision,
    Latitude,
    Made,
    Resolved,
    Rule,
    Standard,
    State,
)
from standards.resolving import allowance, out_of_bounds, overrides, resolve
from standards.store import Standards

__all__ = [
    "Allowance",
    "Amount",
    "Change",
    "Decision",
    "Latitude",
    "Made",
    "Resolved",
    "Rule",
    "Standard",
    "Standards",
    "State",
    "allowance",
    "bound_standards",
    "create_standards",
    "out_of_bounds",
    "overrides",
    "resolve",
]
