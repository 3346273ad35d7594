"""A trigger of the application that writes the row it is fired for again, before ours or after."""

from contextlib import closing

import psycopg2

from tests.postgres.laws.case import Case, Row
from tests.postgres.laws.looking import compare, compare_forms, read
from tests.postgres.laws.moves import moving
from tests.postgres.laws.operations import Kind, Operation, can, perform

_ROWS = tuple((key, Row(n=key, m=1, text="a")) for key in (1, 2, 3, 10))
_CHANGES = (
    Operation(kind=Kind.ADD_REST, low=1, high=1, by=1),
    Operation(kind=Kind.UPSERT, fresh=((2, Row(n=5, m=7, text="b")),)),
    Operation(kind=Kind.INSERT, fresh=((4, Row(n=5, m=7, text="c")),)),
    Operation(kind=Kind.CLEAR, low=3, high=3),
    Operation(kind=Kind.ADD_REST, low=3, high=10, by=1),
)
_M = {"public.item": "m", "public.host": "os"}


def write_again(case: Case, dsn: str, *, first: bool) -> None:
    """Let both forms write beside it; raises LawBrokenError where they are not the same."""
    trigger = f"""
CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN {case.again}; RETURN NULL; END$$;
CREATE TRIGGER {"aaa" if first else "zzz"} AFTER INSERT OR UPDATE OF {_M[case.main]}
    ON {case.main} FOR EACH ROW EXECUTE FUNCTION public.again();
"""
    with moving(case, dsn, "1s") as moves, closing(psycopg2.connect(dsn)) as server:
        cursor = server.cursor()
        cursor.execute(trigger)
        perform(cursor, case.old, Operation(kind=Kind.INSERT, fresh=_ROWS))
        server.commit()
        moves.expand()
        while not moves.complete:
            moves.batch(2)
        for form in (case.new, case.begun or case.old):
            for operation in _CHANGES:
                if can(form, operation.kind) and (form is case.new or not operation.fresh):
                    perform(cursor, form, operation)
                    server.commit()
                    compare_forms(cursor, case, moves)
                    server.commit()
        before = read(cursor, case.old)
        server.commit()
        moves.undo_migrate()
        compare(f"{case}, after the undo", read(cursor, case.old), before)
