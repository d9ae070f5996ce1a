"""The pages, a module per room."""

from flask import Blueprint

from services.gateway.pages import (
    account,
    batches,
    boards,
    bonus,
    calendar,
    checking,
    coaching_opening,
    coaching_rules,
    courses,
    customers,
    disputes,
    effort,
    evidence,
    fairness,
    fairness_rules,
    goal_assigning,
    goals,
    industry_templates,
    learning,
    metrics,
    objectives,
    payouts,
    people,
    plan_life,
    plans,
    running,
    simulations,
    standards_reading,
    team,
    today,
    what_if,
    why,
)


def blueprints() -> tuple[Blueprint, ...]:
    """Every room's routes."""
    return tuple(
        room.blueprint
        for room in (
            account,
            today,
            goals,
            customers,
            learning,
            bonus,
            what_if,
            boards,
            why,
            team,
            coaching_opening,
            coaching_rules,
            fairness_rules,
            fairness,
            courses,
            people,
            standards_reading,
            evidence,
            effort,
            metrics,
            industry_templates,
            calendar,
            goal_assigning,
            objectives,
            plan_life,
            simulations,
            checking,
            plans,
            payouts,
            batches,
            disputes,
            running,
        )
    )
