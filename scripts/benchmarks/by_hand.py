"""A backfill as one writes it by hand: keyset batches of a fixed size, each committed.

Run as a process of its own: by_hand.py DSN ROWS. It keeps no cursor, so it can't go on after an
interruption, and it minds neither standbys nor the time that a batch takes.
"""

import sys
from contextlib import closing

import psycopg2

UPPER = """
SELECT max(id) FROM (
    SELECT id FROM account WHERE id > %s ORDER BY id LIMIT %s) AS batch
"""
MOVE = """
INSERT INTO customer (id, email, balance, opened)
SELECT id, lower(email), balance, opened FROM account WHERE id > %s AND id <= %s
ON CONFLICT DO NOTHING
"""


def main(dsn: str, rows: int) -> None:
    """Move all accounts."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        last = 0
        while True:
            cursor.execute(UPPER, (last, rows))
            (upper,) = cursor.fetchone() or (None,)
            if upper is None:
                return
            cursor.execute(MOVE, (last, upper))
            connection.commit()
            last = upper


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
