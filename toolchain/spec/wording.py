"""Values inside sentences: shortened, in quotes, with nothing that a terminal would obey."""


def show(text: str, limit: int = 60) -> str:
    """A value inside a sentence: in quotes, shortened, with nothing that a terminal would obey."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return "'" + printable(short) + "'"


def show_path(path: str, limit: int = 120) -> str:
    """A path inside a sentence: its end tells more than its beginning."""
    return show(path if len(path) <= limit else "…" + path[1 - limit :], limit)


def printable(text: str) -> str:
    """Text with every character that is not printable written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def counted(count: int, noun: str) -> str:
    """A count and its noun: `1 shard`, `2 shards`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
