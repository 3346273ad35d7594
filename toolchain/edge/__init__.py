"""The only doors to processes, files and the environment."""
