"""What incentives knows without a database or a network: plans, evaluation, explanation, ranking."""
