"""inventory.yaml: a fleet as somebody wrote it down."""
