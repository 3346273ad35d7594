"""The rehearsal: a real PostgreSQL walked through every state of a chain, with every server."""
