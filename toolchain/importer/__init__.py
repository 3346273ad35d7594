"""Specs made from packages and migrations that exist already."""
