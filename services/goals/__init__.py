"""Goals: the fact ledger, what is measured over it, what is asked of people, and how far they are."""
