"""Frozen values of the domain, and the law that everything else follows from."""
