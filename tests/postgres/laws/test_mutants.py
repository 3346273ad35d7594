"""The harness catches each known trap: a proof that can't fail would prove nothing."""

from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.postgres.conftest import Database
from tests.postgres.laws.case import Case, LawBrokenError, Row
from tests.postgres.laws.looking import compare, read
from tests.postgres.laws.machine import machine
from tests.postgres.laws.moves import moving
from tests.postgres.laws.mutants import (
    batch_without_locks,
    guarded_by_depth,
    no_truncate,
    plain_delete,
    two_copies,
)
from tests.postgres.laws.operations import Kind, Operation, perform
from tests.postgres.laws.stress import Stress

HUNT = settings(
    max_examples=300,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


# A mutant proves something of the harness, so one PostgreSQL is enough.
pytestmark = pytest.mark.parametrize("shard", ["oldest"], indirect=True)


@pytest.mark.parametrize("mutant", [plain_delete, no_truncate])
def test_histories_catch(mutant: Callable[[], Case], shard: Database) -> None:
    with pytest.raises(LawBrokenError, match=r": key: |the forms differ"):
        run_state_machine_as_test(machine(mutant(), shard.dsn), settings=HUNT)


OWN_CASCADE = """
CREATE FUNCTION public.forget() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN DELETE FROM public.item WHERE owner = OLD.id; RETURN OLD; END$$;
CREATE TRIGGER forget BEFORE DELETE ON public.owner
    FOR EACH ROW EXECUTE FUNCTION public.forget();
"""


def test_a_write_by_a_trigger_is_seen_past_a_guard_by_depth(shard: Database) -> None:
    """One history, always the same: the depth is at two when the application's trigger writes."""
    case = guarded_by_depth()
    with moving(case, shard.dsn, "1s") as moves, closing(psycopg2.connect(shard.dsn)) as server:
        cursor = server.cursor()
        fresh = ((1, Row(n=1, m=1, text="a")),)
        cursor.execute(OWN_CASCADE)
        perform(cursor, case.old, Operation(kind=Kind.INSERT, fresh=fresh))
        server.commit()
        moves.expand()
        while not moves.complete:
            moves.batch(4)
        perform(cursor, case.old, Operation(kind=Kind.CASCADE, low=1))
        server.commit()
        with pytest.raises(LawBrokenError):
            compare("after the cascade", read(cursor, case.new), read(cursor, case.old))


def test_histories_pass_what_is_right_one_by_one(shard: Database) -> None:
    """So it is the trap that is caught in the two copies, not something beside it."""
    few = settings(HUNT, max_examples=10)
    run_state_machine_as_test(machine(two_copies(), shard.dsn), settings=few)


@pytest.mark.parametrize(
    ("mutant", "told"),
    [
        (batch_without_locks, "the forms differ|violates foreign key"),
        (two_copies, "DeadlockDetected|never got its locks"),
    ],
)
def test_stress_catches(mutant: Callable[[], Case], told: str, shard: Database) -> None:
    with pytest.raises(LawBrokenError, match=told):
        Stress(case=mutant(), dsn=shard.dsn, beat=2.0).run()
