"""A fleet of any size moved by chance, by the real law, planner and gates."""
