"""What can be done to a repository: each deed decides what changes, and touches no file."""
