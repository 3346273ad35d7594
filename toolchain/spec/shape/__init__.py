"""Whether a tree has the shape that the JSON Schemas give it."""
