"""Fleetdesk's windows are true on a real PostgreSQL, in both directions.

At every stop of the walk, half-way ones included, the store modules of all releases work on the
schema: those that the windows accept must get every operation done, those that they refuse must
fail. The SQL runs as an ordinary role that owns the database, the servers as another one that may
only read and write rows.
"""

import itertools
import json
import re
from collections.abc import Sequence

import pytest

from tests.postgres.fleetdesk.chain import BY_NAME, CHAIN, ENDS, PRODUCT, STOPS, Stop, end_of
from tests.postgres.fleetdesk.servers import (
    APPLICATION,
    FULL,
    HARDWARE,
    NETWORK,
    Server,
    application,
    exercise,
)
from tests.postgres.fleetdesk.walking import OPERATING_SYSTEMS, At, Walk, accepted
from toolchain.model.change import Phase
from toolchain.model.law import compatible, peers_compatible
from toolchain.model.version import Version

pytestmark = pytest.mark.xdist_group("fleetdesk")


def test_the_specs_name_what_exists_and_tell_a_story_in_order() -> None:
    assert [str(release) for release in CHAIN] == [
        "3.9.0", "4.0.0", "4.1.0", "4.1.1", "4.2.0", "4.3.0-rc1", "4.3.0",
    ]  # fmt: skip
    assert sorted(release.spec["date"] for release in CHAIN) == [r.spec["date"] for r in CHAIN]
    schemas = [release.shard.schema for release in CHAIN]
    assert schemas == sorted(schemas)
    steps = [step.id for release in CHAIN for _, step in release.steps]
    assert len(steps) == len(set(steps))
    named = set()
    for release in CHAIN:
        for _, step in release.steps:
            scripts = (step.sql, *((step.undo,) if step.undo else ()))
            named |= {script.name for script in scripts if script.text is None}
            assert (step.undo is not None) == (step.phase is not Phase.CONTRACT)
        server = release.spec["server"]
        entries = (*server["binaries"], *server["files"], *server["config"])
        named |= {entry["source"] for entry in entries}
        named |= {*server["documents"], *server["manuals"]}
    assert all((PRODUCT / path).exists() for path in named)
    assert {path.relative_to(PRODUCT).as_posix() for path in PRODUCT.glob("sql/*")} <= named


def test_a_shard_ends_each_release_with_the_numbers_of_its_spec() -> None:
    for release in CHAIN:
        assert end_of(str(release)).shard == release.shard


def test_each_window_reaches_the_release_before_it() -> None:
    for earlier, later in itertools.pairwise(CHAIN):
        assert compatible(earlier.server, later.shard), (earlier, later)
        assert peers_compatible(later.server, earlier.server)


def test_the_chain_has_illegal_pairs_in_both_directions() -> None:
    pairs = [
        (server, shard)
        for server, shard in itertools.product(CHAIN, CHAIN)
        if not compatible(server.server, shard.shard)
    ]
    assert any(server.version < shard.version for server, shard in pairs)
    assert any(server.version > shard.version for server, shard in pairs)


# The windows are true ----------------------------------------------------------------------------


@pytest.mark.parametrize("version", BY_NAME)
@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_the_declared_windows_are_what_postgresql_says(
    stop: Stop, version: str, probed: At, servers: dict[str, Server]
) -> None:
    failed = exercise(servers[version], probed(stop), f"probe-{version}".replace(".", "-"))
    if compatible(BY_NAME[version].server, stop.shard):
        assert failed == {}
    elif stop == ENDS[str(stop.release)]:
        assert failed, "the windows refuse a pair that works"
        # No such column, no such table, and ON CONFLICT (host_id) on a part that is a view still.
        assert {problem.pgcode for problem in failed.values()} <= {"42703", "42P01", "42P10"}
    # Half-way, a shard claims less than it could do: both numbers move conservatively.


@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_servers_side_by_side_see_each_others_writes(
    stop: Stop, probed: At, servers: dict[str, Server]
) -> None:
    together = accepted(stop, servers)
    assert together
    with application(probed(stop)) as connection, connection.cursor() as cursor:
        for one, other in itertools.product(together, together):
            for text in OPERATING_SYSTEMS:
                wanted = {**FULL, "os": text}
                one.store.put_host(cursor, "shared", one.facts(wanted))
                seen = other.store.get_host(cursor, "shared")
                assert other.facts_of(seen) == other.facts(wanted)
                found = {"os": "Ubuntu 24.04 LTS", "cpu_count": 3, "ipv6": "2001:db8::1"}
                assert other.store.record_scan(cursor, "shared", other.facts(found))
                seen = one.store.get_host(cursor, "shared")
                assert one.facts_of(seen) == one.facts(wanted | found)
            assert other.store.delete_host(cursor, "shared")
            assert one.store.get_host(cursor, "shared") is None


def test_what_was_written_on_the_way_is_there_at_the_end(
    walk: Walk, servers: dict[str, Server]
) -> None:
    last = servers[str(CHAIN[-1])]
    with application(walk.templates[str(STOPS[-1])]) as connection, connection.cursor() as cursor:
        hosts = {row["name"]: last.facts_of(row) for row in last.store.list_hosts(cursor)}
    assert len(walk.written) > 200
    assert hosts == {name: last.facts(facts) for name, facts in walk.written.items()}


def test_peers_are_true_in_both_directions(servers: dict[str, Server]) -> None:
    from fleetdesk.facts import InvalidError, facts  # type: ignore[import-not-found]

    def understood(web: Server, worker: Server) -> bool:
        try:
            payload = json.loads(json.dumps(web.messages.encode(web.facts(FULL))))
            found = facts(worker.messages.decode(payload), worker.store.FACTS)
        except InvalidError:
            return False
        return bool(found == worker.facts(FULL))

    for one, other in itertools.combinations(servers.values(), 2):
        works = understood(one, other) and understood(other, one)
        assert works == peers_compatible(one.release.server, other.release.server)


# No dual code ------------------------------------------------------------------------------------


def test_no_statement_names_a_form_that_its_release_has_left(servers: dict[str, Server]) -> None:
    for version, server in servers.items():
        for name, statement in server.statements().items():
            place = f"{version} {name}"
            assert "host_hardware_next" not in statement, place
            if version != "3.9.0":
                assert re.search(r"\bos\b", statement) is None, place
            if server.release.version >= Version(4, 1, 0) and "host_" not in statement:
                assert not any(word in statement for word in (*HARDWARE, *NETWORK)), place


@pytest.mark.parametrize(
    ("stop", "new", "old", "left"),
    [
        ("4.0.0", ("4.0.0",), "3.9.0", ("os",)),
        ("4.1.0", ("4.1.0", "4.1.1", "4.2.0"), "4.0.0", (*HARDWARE, *NETWORK)),
    ],
)
def test_new_servers_do_without_the_right_to_the_old_columns(
    stop: str, new: Sequence[str], old: str, left: Sequence[str], at: At, servers: dict[str, Server]
) -> None:
    database = at(end_of(stop))
    columns = database.rows(
        "SELECT string_agg(column_name, ', ') FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = 'host'"
        f" AND column_name NOT IN ({', '.join(repr(name) for name in left)})"
    )[0][0]
    database.execute(
        f"REVOKE SELECT, INSERT, UPDATE ON public.host FROM {APPLICATION};"
        f"GRANT SELECT ({columns}), INSERT ({columns}), UPDATE ({columns})"
        f" ON public.host TO {APPLICATION}"
    )
    for version in new:
        assert exercise(servers[version], database, f"without-{version}".replace(".", "-")) == {}
    refused = exercise(servers[old], database, "without-old")
    assert {problem.pgcode for problem in refused.values()} == {"42501"}
