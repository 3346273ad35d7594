"""Refactorings without a second form of any row: only the catalogue changes."""
