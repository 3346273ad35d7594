"""What somebody meant who wrote a name that there is not."""

from __future__ import annotations

from collections.abc import Iterable


def meant(word: str, known: Iterable[str], otherwise: str) -> str:
    """The cure for a slip: the known name that is near, or `otherwise` where none is."""
    from difflib import get_close_matches  # noqa: PLC0415  (what is right needs none of it)

    near = get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise
