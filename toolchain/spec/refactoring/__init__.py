"""Declared refactorings: read from the spec, and put in the place of the SQL that they become."""
