"""A parameter set at a node of the org tree: inherited below, overridden at a lower node, effective-dated.

What was known at any time is kept: nothing is edited, a row is superseded by another.
"""

from standards.migrations import create_standards
from standards.records import Resolved, Standard
from standards.resolving import resolve
from standards.store import Standards

__all__ = ["Resolved", "Standard", "Standards", "create_standards", "resolve"]
