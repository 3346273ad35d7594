"""Pictures as SVG: the lives of changes, rollouts, support in time; pure functions of values."""
