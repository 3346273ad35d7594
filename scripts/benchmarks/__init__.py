"""What `scripts/bench` measures, and what it measures with."""
