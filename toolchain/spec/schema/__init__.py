"""The schema that a chain's SQL makes: a replay of SQL text, nothing executed."""
