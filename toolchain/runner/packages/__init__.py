"""Packages on this host: what is in one, what the manager has, a shard as one more."""
