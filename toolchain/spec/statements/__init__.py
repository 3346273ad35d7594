"""The statements that a server issues, from the files that its spec names."""
