"""Columns that move to a row which many rows share: both forms are stored, and kept equal."""
