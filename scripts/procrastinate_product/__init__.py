"""Makes an Interlock product of procrastinate's releases; scripts/fetch-procrastinate runs it."""
