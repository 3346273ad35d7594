"""The island that database and server packages carry, on a real PostgreSQL."""
