"""A PostgreSQL to rehearse on: found, started, walked through states, asked, and put away."""
