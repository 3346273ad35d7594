"""A file to text, and YAML text to a tree whose values know where they stand."""
