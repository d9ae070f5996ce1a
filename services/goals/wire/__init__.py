"""Between the goals contract and the domain."""
