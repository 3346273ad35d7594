"""Folders of migrations of other tools, read into one kind of value."""
