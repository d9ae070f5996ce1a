"""Incentives: plans as data, the live statement of what somebody has earned and why, and the boards."""
