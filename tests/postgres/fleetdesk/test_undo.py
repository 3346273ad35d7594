"""Every phase of fleetdesk that can be taken back brings the old schema back, and what was written."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg2
import psycopg2.errors
import pytest

from tests.postgres.fleetdesk.chain import BY_NAME, CHAIN, STOPS, end_of
from tests.postgres.fleetdesk.servers import Server, application, exercise
from tests.postgres.fleetdesk.walking import At, Walk, Walker, seed

if TYPE_CHECKING:
    from tests.postgres.conftest import Database


pytestmark = pytest.mark.xdist_group("fleetdesk")


_OBJECTS = """
SELECT 'column', attrelid::regclass::text, attname || ' ' || format_type(atttypid, atttypmod)
       || CASE WHEN attnotnull THEN ' not null' ELSE '' END || coalesce(attacl::text, '')
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT relkind::text, relname, coalesce(relacl::text, '')
       || CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) ELSE '' END
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) || indisvalid
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', proname, pg_get_functiondef(oid)
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2, 3
"""


@pytest.mark.parametrize("version", ["4.0.0", "4.1.0", "4.3.0-rc1"])
@pytest.mark.parametrize("after", ["expand", "migrate"])
def test_undo_brings_the_old_schema_back_with_what_was_written_since(
    version: str, after: str, at: At, servers: dict[str, Server]
) -> None:
    release = BY_NAME[version]
    before = CHAIN[CHAIN.index(release) - 1]
    old, new = servers[str(before)], servers[version]
    database = at(end_of(str(before)))
    objects = database.rows(_OBJECTS)
    walker = Walker(database)
    for _ in range(2):  # undone phases can run again
        done = [step for step in release.steps if step[0] in ("expand", after)]
        for _, step in done:
            walker.run(step)
        assert database.rows(_OBJECTS) != objects
        expected = seed(old, database, 5, "undo-old") | seed(new, database, 5, "undo-new")
        for _, step in reversed(done):
            walker.undo(step)
        assert database.rows(_OBJECTS) == objects
        with application(database) as connection, connection.cursor() as cursor:
            for name, facts in expected.items():
                assert old.facts_of(old.store.get_host(cursor, name)) == old.facts(facts)
    assert exercise(old, database, "after-undo") == {}


def test_the_first_release_is_undone_only_while_it_is_empty(
    make_database: "Callable[..., Database]", walk: Walk, at: At
) -> None:
    (step,) = CHAIN[0].of("expand")
    with pytest.raises(psycopg2.errors.RaiseException, match="still holds"):
        Walker(at(STOPS[0])).undo(step)
    empty = at(STOPS[0])
    empty.execute("TRUNCATE public.host, public.audit")
    Walker(empty).undo(step)
    assert empty.rows(_OBJECTS) == []
