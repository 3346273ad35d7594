"""Proof of the laws: two forms of one change, under all that servers and the runner may do."""
