"""Checks of single values, each a function that raises a Complaint."""
