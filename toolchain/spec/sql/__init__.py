"""The SQL files that steps name."""
