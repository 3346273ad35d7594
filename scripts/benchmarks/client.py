"""An application: transactions by key at an even rate, each one's latency in a log like pgbench's.

Where pgbench is missing, this stands in for it, as a process of its own:
client.py DSN ROWS CLIENTS RATE LOG.
"""

import random
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TextIO

import psycopg2

SELECT = "PREPARE look (bigint) AS SELECT email, balance FROM account WHERE id = $1"
UPDATE = "PREPARE pay (bigint) AS UPDATE account SET balance = balance + 1 WHERE id = $1"


def work(dsn: str, rows: int, rate: float, log: TextIO) -> None:
    """One connection; latency counts from the moment a transaction was due, as with pgbench -R."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"{SELECT}; {UPDATE}")
        due = time.perf_counter()
        number = 0
        while True:
            due += random.expovariate(rate)
            time.sleep(max(0.0, due - time.perf_counter()))
            key = random.randint(1, rows)  # noqa: S311 - a load, no secret
            cursor.execute("EXECUTE look (%s)", (key,))
            cursor.execute("EXECUTE pay (%s)", (key,))
            number += 1
            latency = (time.perf_counter() - due) * 1e6
            second, fraction = divmod(time.time(), 1)
            log.write(f"0 {number} {latency:.0f} 0 {second:.0f} {fraction * 1e6:.0f} 0\n")


def main(dsn: str, rows: int, clients: int, rate: float, path: Path) -> None:
    """Work until something ends this process."""
    with path.open("w", buffering=1) as log:
        threads = [
            threading.Thread(target=work, args=(dsn, rows, rate / clients, log), daemon=True)
            for _ in range(clients)
        ]
        for thread in threads:
            thread.start()
        # A connection that failed ends the process, and the benchmark with it.
        while all(thread.is_alive() for thread in threads):
            time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), Path(sys.argv[5]))
