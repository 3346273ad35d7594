"""Looking at both forms in one snapshot, and saying where they differ."""

import psycopg2.extensions

from tests.postgres.laws.case import Case, Form, LawBrokenError, Row, Rows
from tests.postgres.laws.moves import Moves

_DIFFERING = """
SELECT * FROM ({old}) AS old FULL JOIN ({new}) AS new ON old.key = new.key
WHERE (old.key, old.n, old.m, old.text) IS DISTINCT FROM (new.key, new.n, new.m, new.text)
"""


def read(cursor: "psycopg2.extensions.cursor", form: Form) -> Rows:
    """A form's rows; a key that comes twice breaks the laws."""
    cursor.execute(form.read)
    answered = cursor.fetchall()
    rows = {key: Row(n=n, m=m, text=text) for key, n, m, text in answered}
    if len(rows) != len(answered):
        raise LawBrokenError(f"a key comes twice: {sorted(answered)}")
    return rows


def compare(what: str, found: Rows, expected: Rows) -> None:
    """Raise where rows are not as they should be."""
    if found != expected:
        wrong = {
            key: (found.get(key), expected.get(key))
            for key in sorted(found.keys() | expected.keys())
            if found.get(key) != expected.get(key)
        }
        raise LawBrokenError(f"{what}: key: (found, expected) {wrong}")


def compare_forms(cursor: "psycopg2.extensions.cursor", case: Case, moves: Moves) -> None:
    """Both forms and their stored copies are the same in this snapshot, as far as they must be."""
    queries = []
    if not moves.contracted:
        if moves.ready:
            queries.append(_DIFFERING.format(old=case.old.read, new=case.new.read))
        if moves.expanded:
            queries += case.straying
        if moves.complete:
            queries += case.differing
    for query in queries:
        cursor.execute(query)
        if wrong := cursor.fetchall():
            raise LawBrokenError(f"{case}: the forms differ: {wrong[:5]} by {query}")
