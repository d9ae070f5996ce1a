"""What is taught, and what each person has learnt."""
