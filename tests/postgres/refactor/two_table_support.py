"""What a chain's SQL tells of its schema, for the refactorings of two tables."""

from toolchain.model.schema import Schema
from toolchain.spec.schema.replay import Replay


def told(*texts: str) -> Schema:
    """The schema as it is known after these texts."""
    replay = Replay()
    for text in texts:
        replay.apply(text)
    return replay.schema
