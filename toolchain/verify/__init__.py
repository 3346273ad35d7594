"""Verification of finished packages: real solvers are asked what the law answers."""
