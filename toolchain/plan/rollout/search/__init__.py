"""The least waves from where a fleet stands to a target: legal moves, a bound, a search."""
