"""Bringing one shard from step to step: what runs, how often it is tried, when it rests."""
