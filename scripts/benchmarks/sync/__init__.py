"""What synchronising two forms of a table costs its writers, and whether it keeps their updates."""
