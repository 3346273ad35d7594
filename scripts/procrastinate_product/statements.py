"""The statements of a release's server, from the named queries that its wheel carries."""

import re
from collections.abc import Iterator

QUERIES = "procrastinate/sql/queries.sql"
# As procrastinate itself takes the file apart (procrastinate/sql/__init__.py).
_NAMED = re.compile(r"(?:\n|^)-- ([a-z0-9_]+) --\n(?:-- .+\n)*", re.MULTILINE)
# procrastinate formats the one identifier that is no parameter; a worker without queues of its own
# listens to this channel.
_CHANNEL = ("{channel_name}", '"procrastinate_any_queue"')


def statements_sql(number: object, queries: str) -> str:
    """The queries as Interlock reads statements: the name above, a semicolon behind."""
    return f"-- Generated from {QUERIES} of procrastinate {number}.\n" + "".join(_each(queries))


def _each(queries: str) -> Iterator[str]:
    parts = _NAMED.split(queries)
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        statement = text.replace(*_CHANNEL).strip().rstrip(";").rstrip()
        yield f"\n-- name: {name}\n{statement};\n"
