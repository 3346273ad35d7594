"""Finished packages and the configurations that packages are made from, read into facts."""
