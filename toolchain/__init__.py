"""Interlock: paired server and database packages that fit each other, or are refused."""
