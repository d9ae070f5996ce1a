"""Who there is, who is calling, and what they may do."""
