"""A migration that must end beside servers at work, however much was written before it began."""

import random
import threading
import time
from contextlib import ExitStack, closing, suppress

import psycopg2
import psycopg2.errors

from tests.postgres.laws.case import Case, LawBrokenError, Row
from tests.postgres.laws.looking import compare_forms
from tests.postgres.laws.moves import NOT_NOW, moving
from tests.postgres.laws.operations import Kind, Operation, perform

KEYS = range(400)  # each owner is a tenth of them
ROUNDS = 20
SERVERS = 6
HELD = 0.02
PATIENCE = 5.0


def work_off(case: Case, dsn: str) -> None:
    """Write all rows some times, then migrate beside a modest load; raises LawBrokenError."""
    over = threading.Event()
    old = case.begun or case.old
    fresh = tuple((key, Row(n=0, m=0, text="x")) for key in KEYS)

    def serve(number: int) -> None:
        choose = random.Random(number)  # noqa: S311
        with closing(psycopg2.connect(dsn)) as server:
            while not over.is_set():
                low, high = sorted(choose.choices(KEYS, k=2))
                rest = Operation(kind=Kind.ADD_REST, low=low, high=low, by=1)
                moved = Operation(kind=Kind.ADD, low=high, high=high, by=1)
                with suppress(psycopg2.errors.SerializationFailure), server:
                    perform(server.cursor(), old, rest)
                    perform(server.cursor(), old, moved)
                    time.sleep(HELD)

    with ExitStack() as stack:
        moves = stack.enter_context(moving(case, dsn, "150ms"))
        reader = stack.enter_context(closing(psycopg2.connect(dsn)))
        perform(reader.cursor(), case.old, Operation(kind=Kind.INSERT, fresh=fresh))
        reader.commit()
        moves.expand()
        for _ in range(ROUNDS):
            every = Operation(kind=Kind.ADD, low=0, high=KEYS[-1], by=1)
            perform(reader.cursor(), case.old, every)
            reader.commit()
        threads = [threading.Thread(target=serve, args=(number,)) for number in range(SERVERS)]
        for thread in threads:
            thread.start()
        time.sleep(10 * HELD)
        try:
            given_up = time.monotonic() + PATIENCE
            while not moves.complete and time.monotonic() < given_up:
                try:
                    moves.batch(len(KEYS))
                except NOT_NOW:
                    time.sleep(0.05)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        if not moves.complete:
            raise LawBrokenError(f"{case}: the migration never ends beside {SERVERS} servers")
        compare_forms(reader.cursor(), case, moves)
