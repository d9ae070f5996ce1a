"""Goals in the database: what is written and what is read, narrowed by the caller's Scope."""
