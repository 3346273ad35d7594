"""Fleetdesk's history on a real PostgreSQL: its windows are true, in both directions.

The chain's SQL is walked step by step. At every stop, half-way ones included, the store modules
of all releases work on the schema: those that the windows accept must get every operation done,
those that they refuse must fail. The SQL runs as an ordinary role that owns the database, the
servers as another one that may only read and write rows.
"""

import ast
import importlib.util
import itertools
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.errors
import psycopg2.extras
import pytest
import yaml

from toolchain.build.product import open_product
from toolchain.model.change import Phase, Step
from toolchain.model.law import ServerHandshake, ShardHandshake, compatible, peers_compatible
from toolchain.model.version import Version
from toolchain.model.window import schema_window, version_window

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database

PRODUCT = Path(__file__).parents[2] / "release-specs" / "fleetdesk"
OWNER, APPLICATION = "fleetdesk_owner", "fleetdesk_app"
PHASES = ("expand", "migrate", "contract")
OPENED = open_product(PRODUCT)
READ = OPENED.sql()
HARDWARE = ("cpu_model", "cpu_count", "memory_mb")
NETWORK = ("fqdn", "ipv4", "ipv6")
FULL = {
    "os": "Debian GNU/Linux 12",
    "cpu_model": "EPYC 9354",
    "cpu_count": 32,
    "memory_mb": 131072,
    "fqdn": "host.example.com",
    "ipv4": "192.0.2.7",
    "ipv6": "2001:db8::7",
}
OPERATING_SYSTEMS = (
    "Debian GNU/Linux 12",
    "Red Hat Enterprise Linux 9.4 (Plow)",
    "Arch Linux",
    "Windows Server 2019 Datacenter",
    "",
)


# The chain, as its specs declare it ------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release of the chain; `steps` are (phase, step) in the order they run."""

    version: Version
    spec: dict[str, Any]
    server: ServerHandshake
    shard: ShardHandshake
    steps: tuple[tuple[str, Step], ...]

    def __str__(self) -> str:
        return str(self.version)

    def of(self, phase: str) -> list[Step]:
        """The steps of one phase."""
        return [step for each, step in self.steps if each == phase]


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A place on the walk: a release's phase is through, and the shard says this of itself."""

    release: Release
    phase: str
    shard: ShardHandshake

    def __str__(self) -> str:
        return f"{self.release}-{self.phase}"


def _release(path: Path) -> Release:
    spec = yaml.safe_load(path.read_text())
    version, windows = Version.parse(spec["release"]), spec["compatibility"]
    return Release(
        version=version,
        spec=spec,
        server=ServerHandshake(
            version=version,
            schemas=schema_window(windows["server"]["schema"]),
            peers=version_window(windows["server"]["peers"]),
        ),
        shard=ShardHandshake(
            schema=spec["schema"]["version"],
            servers=version_window(windows["database"]["servers"]),
        ),
        steps=tuple(
            (step.phase.value, step) for step in OPENED.product.release(version).database.steps
        ),
    )


def _stops(chain: Sequence[Release]) -> Iterator[Stop]:
    """Every phase of every release, with the two numbers as conservative as the runner has them.

    The schema is claimed with the last step before a contract, at once where there is none; the
    servers are narrowed when the contract begins.
    """
    schema, windows = 0, chain[0].shard.servers
    for release in chain:
        preparing = [phase for phase in ("expand", "migrate") if release.of(phase)] or ["ready"]
        for phase in preparing:
            if phase == preparing[-1]:
                schema = release.shard.schema
            now = ShardHandshake(schema=schema, servers=windows)
            yield Stop(release=release, phase=phase, shard=now)
        if release.of("contract"):
            windows = release.shard.servers
            now = ShardHandshake(schema=schema, servers=windows)
            yield Stop(release=release, phase="contract", shard=now)


CHAIN = tuple(
    sorted(map(_release, PRODUCT.glob("[0-9]*.yaml")), key=lambda release: release.version)
)
BY_NAME = {str(release): release for release in CHAIN}
STOPS = tuple(_stops(CHAIN))
ENDS = {str(stop.release): stop for stop in STOPS}  # the last one of each release remains


def end_of(version: str) -> Stop:
    """Where the walk stands when that release is through."""
    return ENDS[version]


# Servers ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Server:
    """One release's server: its store and its messages, imported from what it installs."""

    release: Release
    store: ModuleType
    messages: ModuleType
    tree: Path

    def statements(self) -> dict[str, str]:
        """All SQL of the release by name."""
        return {
            name: value
            for name, value in vars(self.store).items()
            if name.isupper() and isinstance(value, str)
        }

    def facts(self, wide: dict[str, Any]) -> dict[str, Any]:
        """Facts as this release knows them, from those of 3.9."""
        facts = dict(wide)
        if "os" not in self.store.FACTS and "os" in facts:
            facts["os_name"], facts["os_version"] = split_os(facts.pop("os"))
        return facts

    def facts_of(self, host: dict[str, Any]) -> dict[str, Any]:
        """The facts in a host that this release has read."""
        return {fact: host[fact] for fact in self.store.FACTS}


def split_os(text: str) -> tuple[str, str]:
    """The name and the version in one text."""
    match = re.search(r"\s+([0-9].*)$", text, re.DOTALL)
    return (text[: match.start()], match[1]) if match else (text, "")


def install(release: Release, tree: Path) -> None:
    """Lay out what the server package of a release installs, below `tree`."""
    server = release.spec["server"]
    for entry in (*server["binaries"], *server["files"], *server["config"]):
        source, target = PRODUCT / entry["source"], tree / entry["target"].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def _module(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """The servers of all releases, installed side by side."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for number, release in enumerate(CHAIN):
            tree = tmp_path_factory.mktemp(f"fleetdesk-{release}")
            install(release, tree)
            library = tree / "usr" / "lib" / "fleetdesk"
            if number == 0:
                patch.syspath_prepend(library)  # for the facts of the common part
            own = library / "fleetdesk_release"
            store = _module(own / "store.py", f"store_{number}")
            messages = _module(own / "messages.py", f"messages_{number}")
            found[str(release)] = Server(release, store, messages, tree)
        yield found
        for name in [name for name in sys.modules if name.partition(".")[0] == "fleetdesk"]:
            del sys.modules[name]


@contextmanager
def application(database: "Database") -> Iterator[Any]:
    """A connection as a server has it; whoever uses it commits."""
    connection = psycopg2.connect(
        database.dsn_as(APPLICATION), cursor_factory=psycopg2.extras.RealDictCursor
    )
    with closing(connection):
        yield connection


def exercise(server: Server, database: "Database", name: str) -> dict[str, psycopg2.Error]:
    """Do all that a server ever does, each in its own transaction; what failed, and how."""
    store, facts, failed = server.store, server.facts(FULL), {}
    with application(database) as connection:

        def attempt(operation: str, work: Callable[[Any], Any], expected: object = None) -> Any:
            try:
                with connection, connection.cursor() as cursor:
                    answer = work(cursor)
            except psycopg2.Error as problem:
                failed[operation] = problem
                return None
            if expected is not None:
                assert answer == expected, operation
            return answer

        def read(operation: str, wanted: dict[str, Any]) -> None:
            row = attempt(operation, lambda cursor: store.get_host(cursor, name))
            assert operation in failed or server.facts_of(row) == server.facts(wanted)

        attempt("put", lambda cursor: store.put_host(cursor, name, facts))
        if "put" not in failed:
            read("get", FULL)
            other = {**dict.fromkeys(FULL), "os": "Arch Linux", "cpu_count": 1}
            attempt("put again", lambda c: store.put_host(c, name, server.facts(other)))
            read("get again", other)
        scanned = attempt("scan", lambda c: store.record_scan(c, name, {"memory_mb": 5}))
        assert "put" in failed or "scan" in failed or scanned is True
        attempt("scan of nothing", lambda c: store.record_scan(c, "nobody", facts), False)
        rows = attempt("list", store.list_hosts)
        assert "list" in failed or "put" in failed or name in [row["name"] for row in rows]
        payload = server.messages.encode(facts)
        job = attempt("enqueue", lambda c: store.enqueue(c, name, "scan", payload, 0))
        taken = attempt("take", store.take_job)
        while taken is not None and job is not None and taken["id"] != job:
            number = taken["id"]
            attempt("finish", partial(store.finish_job, number=number, state="done", error=None))
            taken = attempt("take", store.take_job)
        if taken is not None:
            assert taken["payload"] == payload
            attempt("finish", lambda c: store.finish_job(c, taken["id"], "failed", "why"))
        attempt("log", lambda c: store.log(c, actor="t", action="a", host=name, detail=facts))
        history = attempt("history", lambda c: store.history(c, name))
        assert "history" in failed or history[0]["detail"] == facts
        attempt("delete", lambda c: store.delete_host(c, name), None if "put" in failed else True)
    return failed


# Walking -----------------------------------------------------------------------------------------


@dataclass
class Walker:
    """A stand-in for the runner: the same phases, lock timeouts, retries and batches, no ledger."""

    database: "Database"
    batch_rows: int = 7
    retries: int = field(default=0, init=False)

    def run(self, step: Step) -> None:
        """Run one step to its end."""
        if step.batch is not None:
            self.begin(step)
            self.batches(step)
            self.finish(step)
        else:
            self.send(READ(step.sql).content.decode(), transaction=step.transaction)

    def undo(self, step: Step) -> None:
        """Run one step's undo."""
        if step.undo is not None:
            self.send(READ(step.undo).content.decode(), transaction=step.transaction)

    def begin(self, step: Step) -> None:
        """Run what a migration needs before its first batch."""
        assert step.batch is not None
        self.send(";".join(READ(step.sql).statements[: step.batch.begin]))

    def finish(self, step: Step) -> None:
        """Run what a migration needs after its last batch."""
        assert step.batch is not None
        statements = READ(step.sql).statements
        self.send(";".join(statements[len(statements) - step.batch.finish :]))

    def send(self, text: str, *, transaction: bool = True) -> None:
        """Run a file: with a short lock_timeout, and again when a lock was not to be had."""
        for pause in (0.01, 0.02, 0.05, 0.1, 0.1, 0.2, 0.2, 0.4, 0.4, 0.8, 0.8, None):
            with closing(psycopg2.connect(self.database.dsn_as(OWNER))) as connection:
                connection.autocommit = not transaction
                cursor = connection.cursor()
                cursor.execute("SET lock_timeout TO '250ms'; SET search_path TO public, pg_temp")
                connection.commit()
                try:
                    if text.strip():
                        cursor.execute(text)
                    connection.commit()
                except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected):
                    if pause is None:
                        raise
                    self.retries += 1
                    time.sleep(pause)
                else:
                    return

    def batches(self, step: Step, *, after: int = 0, limit: int | None = None) -> int:
        """Walk a table in key order from `after`, at most `limit` batches; the last key done."""
        assert step.batch is not None
        table, key = step.batch.table, step.batch.key
        with closing(psycopg2.connect(self.database.dsn_as(OWNER))) as connection:
            cursor = connection.cursor()
            cursor.execute(f"PREPARE batch (bigint, bigint) AS {batch_of(step)}")
            connection.commit()
            for _ in itertools.count() if limit is None else range(limit):
                cursor.execute(
                    f"SELECT min(k), max(k) FROM (SELECT {key} AS k FROM {table} WHERE {key} > %s"
                    f" ORDER BY {key} LIMIT %s) AS next",
                    (after, self.batch_rows),
                )
                first, last = cursor.fetchone() or (None, None)
                if last is None:
                    break
                cursor.execute("EXECUTE batch (%s, %s)", (first, last))
                connection.commit()
                after = last
        return after

    def release(self, release: Release, phases: Sequence[str] = PHASES) -> None:
        """Run a release's steps of these phases."""
        for phase, step in release.steps:
            if phase in phases:
                self.run(step)


def batch_of(step: Step) -> str:
    """The one statement of a migration's batches."""
    assert step.batch is not None
    statements = READ(step.sql).statements
    (statement,) = statements[step.batch.begin : len(statements) - step.batch.finish]
    return statement


def seed(server: Server, database: "Database", count: int, prefix: str) -> dict[str, Any]:
    """Write hosts of all kinds as that server would; the names and what they must stay like."""
    written = {}
    with application(database) as connection, connection, connection.cursor() as cursor:
        for number in range(count):
            facts: dict[str, Any] = {
                **dict.fromkeys(FULL),
                "os": OPERATING_SYSTEMS[number % len(OPERATING_SYSTEMS)],
            }
            if number % 3:
                facts |= {"cpu_count": number, "cpu_model": "x" * (number % 5)}
            if number % 4:
                facts |= {"ipv4": f"192.0.2.{number}", "fqdn": f"h{number}.example.com"}
            name = f"{prefix}-{number}"
            server.store.put_host(cursor, name, server.facts(facts))
            written[name] = facts
    return written


@dataclass
class Walk:
    """One template database for each stop, and what was written on the way."""

    templates: dict[str, "Database"]
    written: dict[str, Any]


@pytest.fixture(scope="module")
def walk(cluster: "Cluster", servers: dict[str, Server]) -> Walk:
    """The chain, walked once: with rows of each release in it before the next one's steps run."""
    everyone = cluster.database("postgres")
    for role in (OWNER, APPLICATION):
        everyone.execute(f"CREATE ROLE {role} LOGIN")
    templates: dict[str, Database] = {}
    written: dict[str, Any] = {}
    here = "template0"
    for stop in STOPS:
        database = cluster.create_database(template=here)
        everyone.execute(f"ALTER DATABASE {database.name} OWNER TO {OWNER}")
        Walker(database).release(stop.release, (stop.phase,))
        if stop == STOPS[0]:  # as docs/upgrading.md says
            tables = "public.host, public.job, public.audit"
            grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {APPLICATION}"
            with closing(psycopg2.connect(database.dsn_as(OWNER))) as owner, owner:
                owner.cursor().execute(grant)
        for server in accepted(stop, servers):
            written |= seed(server, database, 20, f"{stop}-{server.release}".replace(".", "-"))
        templates[str(stop)] = database
        here = database.name
    return Walk(templates, written)  # which go with the cluster: a drop is a checkpoint


At = Callable[[Stop], "Database"]


def _copy(walk: Walk, stop: Stop, make: "Callable[..., Database]") -> "Database":
    database = make(template=walk.templates[str(stop)].name)
    database.execute(f"ALTER DATABASE {database.name} OWNER TO {OWNER}")
    return database


@pytest.fixture
def at(make_database: "Callable[..., Database]", walk: Walk) -> At:
    """A fresh copy of the database at a stop of the walk."""
    return lambda stop: _copy(walk, stop, make_database)


@pytest.fixture(scope="module")
def probed(cluster: "Cluster", walk: Walk) -> At:
    """One copy of each stop, for tests that do not mind what others left there."""
    copies: dict[str, Database] = {}

    def copy(stop: Stop) -> "Database":
        if str(stop) not in copies:
            copies[str(stop)] = _copy(walk, stop, cluster.create_database)
        return copies[str(stop)]

    return copy


def accepted(stop: Stop, servers: dict[str, Server]) -> list[Server]:
    """The servers that the law lets work at this stop."""
    return [each for each in servers.values() if compatible(each.release.server, stop.shard)]


# The specs ---------------------------------------------------------------------------------------


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


# The SQL -----------------------------------------------------------------------------------------

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


@pytest.mark.parametrize("version", ["4.1.0", "4.2.0"])
def test_a_part_is_written_alike_while_it_is_a_view_and_when_it_is_a_table(
    version: str, at: At
) -> None:
    with application(at(end_of(version))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        new = "INSERT INTO host (name, os_name, os_version) VALUES (%s, '', '') RETURNING id"
        cursor.execute(new, ("bare",))
        host = cursor.fetchone()["id"]
        add = "INSERT INTO host_hardware (host_id, cpu_count) VALUES (%s, %s) RETURNING cpu_count"
        cursor.execute(add, (host, 4))
        assert cursor.fetchone()["cpu_count"] == 4
        with pytest.raises(psycopg2.errors.UniqueViolation):
            cursor.execute(add, (host, 5))
        with pytest.raises(psycopg2.errors.ForeignKeyViolation):
            cursor.execute(add, (0, 5))
        with pytest.raises(psycopg2.errors.CheckViolation):
            cursor.execute("UPDATE host_hardware SET cpu_count = -1 WHERE host_id = %s", (host,))
        cursor.execute("INSERT INTO host_network (host_id, ipv4) VALUES (%s, '192.0.2.1')", (host,))
        cursor.execute("DELETE FROM host_hardware WHERE host_id = %s", (host,))
        cursor.execute(
            "SELECT h.cpu_count, n.ipv4 FROM host LEFT JOIN host_hardware h ON h.host_id = id"
            " LEFT JOIN host_network n ON n.host_id = id WHERE name = 'bare'"
        )
        assert cursor.fetchone() == {"cpu_count": None, "ipv4": "192.0.2.1"}
        cursor.execute(add, (host, 6))
        cursor.execute("DELETE FROM host WHERE id = %s", (host,))
        cursor.execute("SELECT FROM host_hardware WHERE host_id = %s", (host,))
        assert cursor.rowcount == 0


def test_a_row_that_is_not_migrated_yet_takes_any_write(at: At) -> None:
    database = at(end_of("3.9.0"))
    Walker(database).release(BY_NAME["4.0.0"], ("expand",))
    database.execute("UPDATE public.host SET memory_mb = 1")
    rows = database.rows("SELECT os, os_name, os_version FROM public.host")
    assert {(name, version) for _, name, version in rows} > {("Debian GNU/Linux", "12")}
    assert all((name, version) == split_os(text) for text, name, version in rows)


@pytest.mark.parametrize(
    ("version", "forms"),
    [
        ("4.0.0", "SELECT name, os = concat_ws(' ', os_name, nullif(os_version, '')) FROM host"),
        (
            "4.1.0",
            "SELECT name, (h.cpu_count, n.fqdn) IS NOT DISTINCT FROM (host.cpu_count, host.fqdn)"
            " FROM host LEFT JOIN host_hardware_next h ON h.host_id = id"
            " LEFT JOIN host_network_next n ON n.host_id = id",
        ),
    ],
)
@pytest.mark.parametrize(
    ("write", "left"),
    [
        ("UPDATE host SET os = 'Arch Linux', cpu_count = 99 WHERE name = 'two'", 3),
        ("UPDATE host SET fqdn = 'other.example.com' WHERE name = 'two'", 3),
        ("DELETE FROM host WHERE name = 'two'", 2),
        ("DELETE FROM host WHERE name = 'two'; INSERT INTO host (name) VALUES ('two')", 3),
    ],
)
def test_a_batch_waits_for_the_writer_of_a_row_and_sees_what_it_wrote(
    version: str, forms: str, write: str, left: int, at: At, servers: dict[str, Server]
) -> None:
    before = str(CHAIN[CHAIN.index(BY_NAME[version]) - 1])
    database = at(end_of(before))
    with application(database) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM host")
        for name in ("one", "two", "three"):
            server = servers[before]
            server.store.put_host(cursor, name, server.facts(FULL))
    walker = Walker(database)
    walker.release(BY_NAME[version], ("expand",))
    with application(database) as writer:
        writer.cursor().execute(write)
        batch = threading.Thread(target=walker.release, args=(BY_NAME[version], ("migrate",)))
        batch.start()
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        eventually(lambda: database.rows(f"{waiting} AND datname = current_database()"))
        writer.commit()
    batch.join(20)
    assert not batch.is_alive()
    rows = dict(database.rows(forms))
    assert len(rows) == left
    assert all(rows.values())


def test_the_split_is_not_contracted_before_its_copies_are_complete(at: At) -> None:
    database = at(end_of("4.1.1"))
    database.execute("DELETE FROM public.host_network_next WHERE host_id % 2 = 0")
    with pytest.raises(psycopg2.errors.RaiseException, match="differ from their copies"):
        Walker(database).release(BY_NAME["4.2.0"])


def test_rights_given_on_a_view_go_over_to_the_table(cluster: "Cluster", at: At) -> None:
    database = at(end_of("4.1.1"))
    database.execute("GRANT SELECT ON public.host_network TO PUBLIC")
    Walker(database).release(BY_NAME["4.2.0"])
    rights = database.rows(
        "SELECT relname, grantee::regrole::text, string_agg(privilege_type, ' ' ORDER BY 1)"
        " FROM pg_class, aclexplode(relacl) WHERE relname LIKE 'host\\_%' AND relkind = 'r'"
        " AND grantee::regrole::text <> 'fleetdesk_owner' GROUP BY relname, grantee ORDER BY 1, 2"
    )
    everything = "DELETE INSERT SELECT UPDATE"
    assert {(table, role): set(words.split()) for table, role, words in rights} == {
        ("host_hardware", APPLICATION): set(everything.split()),
        ("host_network", APPLICATION): set(everything.split()),
        ("host_network", "-"): {"SELECT"},
    }


def test_urgent_jobs_are_taken_first_since_4_3(probed: At, servers: dict[str, Server]) -> None:
    with application(probed(end_of("4.3.0"))) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM job")
        store = servers["4.3.0"].store
        slow, fast = (store.enqueue(cursor, "h", "scan", {}, number) for number in (0, 5))
        assert store.take_job(cursor)["id"] == fast
        assert servers["4.2.0"].store.take_job(cursor)["id"] == slow


def test_a_scan_is_no_edit_since_4_1_1(probed: At, servers: dict[str, Server]) -> None:
    with application(probed(end_of("4.1.1"))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name FROM host LIMIT 1")
        name = cursor.fetchone()["name"]
        for version, edited in (("4.1.0", True), ("4.1.1", False)):
            store = servers[version].store
            cursor.execute("UPDATE host SET updated_at = '2020-01-01'")
            assert store.record_scan(cursor, name, {"cpu_count": 2})
            assert (store.get_host(cursor, name)["updated_at"].year != 2020) == edited


# Old and new writers at once ---------------------------------------------------------------------


class Writers:
    """Threads that write as servers do, and know afterwards what must be there.

    Each thread owns one fact of every hot host, so its last write has to be there in the end
    whatever the others wrote to the same rows; and each makes and deletes hosts of its own.
    """

    def __init__(self, database: "Database", hot: Sequence[str]) -> None:
        self._database = database
        self._hot = hot
        self._threads: list[tuple[Server, threading.Thread, threading.Event]] = []
        self.last: dict[tuple[str, str], Any] = {}
        self.made: set[str] = set()
        self.gone: set[str] = set()
        self.problems: list[str] = []
        self.writes = 0
        self.longest = 0.0

    def start(self, server: Server, fact: str, value: Callable[[int], Any]) -> None:
        """Start one thread."""
        stop = threading.Event()
        thread = threading.Thread(target=self._write, args=(server, fact, value, stop))
        self._threads.append((server, thread, stop))
        thread.start()

    def stop(self, *retired: Server) -> None:
        """Stop the threads of these servers, or all; raises AssertionError with what they met."""
        chosen = [each for each in self._threads if not retired or each[0] in retired]
        for _, _, stop in chosen:
            stop.set()
        for _, thread, _ in chosen:
            thread.join(20)
            assert not thread.is_alive()
        assert self.problems == []

    def _write(
        self, server: Server, fact: str, value: Callable[[int], Any], stop: threading.Event
    ) -> None:
        chance = random.Random(fact)  # noqa: S311
        prefix = f"{fact}-{server.release}".replace("_", "-").replace(".", "-")
        own: list[str] = []
        try:
            with application(self._database) as connection:
                for number in itertools.count(1):
                    if stop.is_set():
                        return
                    began = time.monotonic()
                    name = chance.choice(self._hot)
                    with connection, connection.cursor() as cursor:
                        assert server.store.record_scan(cursor, name, {fact: value(number)})
                    self.last[name, fact] = value(number)
                    if number % 5 == 0:
                        own.append(f"{prefix}-{number}")
                        with connection, connection.cursor() as cursor:
                            server.store.put_host(cursor, own[-1], server.facts(FULL))
                        self.made.add(own[-1])
                    if number % 7 == 0 and own:
                        victim = own.pop(chance.randrange(len(own)))
                        with connection, connection.cursor() as cursor:
                            assert server.store.delete_host(cursor, victim)
                        self.gone.add(victim)
                    self.writes += 1
                    self.longest = max(self.longest, time.monotonic() - began)
        except Exception as problem:  # noqa: BLE001
            self.problems.append(f"{server.release} {fact}: {type(problem).__name__}: {problem}")

    def check(self, server: Server, database: "Database", others: set[str]) -> None:
        """Every last write is there, no deleted host is back, nobody met a deadlock."""
        with application(database) as connection, connection.cursor() as cursor:
            hosts = {row["name"]: row for row in server.store.list_hosts(cursor)}
        assert set(hosts) == others | (self.made - self.gone)
        there = {key: hosts[key[0]][key[1]] for key in self.last}
        assert there == self.last
        for name in self.made - self.gone:
            assert server.facts_of(hosts[name]) == server.facts(FULL)
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert database.rows(deadlocks) == [(0,)]


def _crowd(server: Server, database: "Database") -> set[str]:
    """Hosts enough that the migrate phase takes a while; all names in the database."""
    with application(database) as connection, connection, connection.cursor() as cursor:
        for number in range(600):
            server.store.put_host(cursor, f"crowd-{number}", server.facts(FULL))
        return {row["name"] for row in server.store.list_hosts(cursor)}


def _killed_and_resumed(walker: Walker, step: Step) -> None:
    """Run a migrate step that dies in the middle of a batch and goes on where it was."""
    walker.begin(step)
    done = walker.batches(step, limit=15)
    with closing(psycopg2.connect(walker.database.dsn_as(OWNER))) as victim:
        cursor = victim.cursor()
        cursor.execute(f"PREPARE batch (bigint, bigint) AS {batch_of(step)}")
        cursor.execute("EXECUTE batch (%s, %s)", (done + 1, done + 100))
        walker.database.execute(f"SELECT pg_terminate_backend({victim.info.backend_pid})")
    walker.batches(step, after=done)
    walker.finish(step)


def _refused(database: "Database", version: str) -> set[str]:
    """The statements of a release's server that PostgreSQL does not understand here."""
    refused = set()
    with closing(psycopg2.connect(database.dsn)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SET search_path TO public")
        for statement in OPENED.product.release(Version.parse(version)).server.statements:
            try:
                cursor.execute(f"PREPARE tried AS {statement.sql.replace('%', '%%')}", ())
                cursor.execute("DEALLOCATE tried")
            except psycopg2.errors.UndefinedObject:
                raise
            except psycopg2.Error:
                refused.add(statement.name)
    return refused


def test_no_server_holds_code_for_the_other_form_of_the_split(at: At) -> None:
    """Each works where its own form is the only one: all that it says is in its statements."""
    only_old, only_new = at(end_of("4.0.0")), at(end_of("4.2.0"))
    assert _refused(only_old, "4.0.0") == set()
    assert _refused(only_new, "4.1.0") == set()
    assert _refused(only_old, "4.1.0") >= {"list-hosts", "set-hardware", "add-network"}
    assert _refused(only_new, "4.0.0") >= {"list-hosts", "get-host"}


def test_the_split_under_old_and_new_writers(at: At, servers: dict[str, Server]) -> None:
    old, new = servers["4.0.0"], servers["4.1.0"]
    database = at(end_of("4.0.0"))
    names = _crowd(old, database)
    writers = Writers(database, [f"crowd-{number}" for number in range(8)])
    walker = Walker(database)
    split = BY_NAME["4.1.0"]
    writers.start(old, "cpu_count", lambda number: number)
    writers.start(old, "fqdn", lambda number: f"h{number}.example.com")
    writers.start(old, "os_version", str)
    try:
        walker.release(split, ("expand",))
        writers.start(new, "memory_mb", lambda number: number)
        writers.start(new, "ipv4", lambda n: f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")
        writers.start(new, "os_name", lambda number: f"Linux-{number}")
        for step in split.of("migrate"):
            _killed_and_resumed(walker, step)
        time.sleep(1.5)
        walker.release(split, ("contract",))  # of os-name: neither of the two uses it
        time.sleep(0.5)
        writers.stop(old)
        walker.release(BY_NAME["4.2.0"])  # proves by itself that the copies have not diverged
        time.sleep(1.0)
    finally:
        writers.stop()
    writers.check(new, database, names)
    assert writers.writes > 500
    assert writers.longest < 5


def test_two_forms_of_os_under_old_and_new_writers(at: At, servers: dict[str, Server]) -> None:
    old, new = servers["3.9.0"], servers["4.0.0"]
    database = at(end_of("3.9.0"))
    names = _crowd(old, database)
    walker = Walker(database)
    writers = Writers(database, [f"crowd-{number}" for number in range(8)])
    both = Writers(database, ["crowd-20", "crowd-21"])  # each row in both forms
    writers.start(old, "cpu_count", lambda number: number)
    both.start(old, "os", lambda number: f"Debian  {number}")
    try:
        walker.release(BY_NAME["4.0.0"], ("expand",))
        writers.start(new, "memory_mb", lambda number: number)
        writers.start(new, "os_name", lambda number: f"Linux-{number}")
        both.start(new, "os_version", str)
        for step in BY_NAME["4.0.0"].of("migrate"):
            _killed_and_resumed(walker, step)
        time.sleep(1.5)
    finally:
        writers.stop()
        both.stop()
    writers.check(new, database, names | (both.made - both.gone))
    forms = database.rows("SELECT os, os_name, os_version FROM host")
    assert all(
        (name, version) == split_os(text) or text == " ".join(filter(None, (name, version)))
        for text, name, version in forms
    )
    assert database.rows("SELECT count(*) FROM host WHERE os_name IS NULL") == [(0,)]


# The programs ------------------------------------------------------------------------------------


class Program:
    """A real program of an installed release, its log, and its way out."""

    def __init__(self, server: Server, name: str, *arguments: str) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            command(server, name, "--log-level", "info", *arguments),
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()

    def wait_for(self, pattern: str, seconds: float = 10) -> str:
        """The first line of the log that matches; raises AssertionError with the log."""
        with self._news:
            found = self._news.wait_for(
                lambda: next((line for line in self.lines if re.search(pattern, line)), None),
                seconds,
            )
        assert found, f"no {pattern!r} in {self.lines}"
        return found

    def stop(self) -> int:
        """Ask it to stop as systemd does; its exit code."""
        self.process.terminate()
        code = self.process.wait(60)
        self._reader.join(5)
        return code


def command(server: Server, name: str, *arguments: str) -> tuple[str, ...]:
    """How a program is started: as its first line says, but on this test's own interpreter."""
    program = server.tree / "usr" / "bin" / name
    settings = server.tree / "etc" / "fleetdesk" / "fleetdesk.ini"
    return (sys.executable, "-IB", str(program), "--config", str(settings), *arguments)


class Web(Program):
    """fleetdesk-web on a port of its own."""

    def __init__(self, server: Server, shards: Path) -> None:
        super().__init__(server, "fleetdesk-web", "--shards", str(shards), "--port", "0")
        listening = self.wait_for(r"listens on http://\S+:\d+/")
        self.url = re.search(r"http://\S+", listening)[0].rstrip("/")  # type: ignore[index]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send a request; the status, and the answer as JSON where it is."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | headers
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                status, kind, text = answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            status, kind, text = answer.code, answer.headers, answer.read().decode()
        return status, json.loads(text) if kind.get_content_subtype() == "json" else text


@pytest.fixture
def running() -> Iterator[list[Program]]:
    """Programs that a test started; what still runs at its end is killed."""
    programs: list[Program] = []
    yield programs
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
            program.process.wait()


def shards_file(path: Path, **dsns: str) -> Path:
    """Write a shards.ini."""
    path.write_text("".join(f"[{name}]\ndsn = {dsn}\n\n" for name, dsn in dsns.items()))
    return path


def eventually(question: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask until the answer is true; raises AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
    return answer


def known_host(server: Server, name: str) -> dict[str, Any]:
    """The body of a POST for a host with every fact."""
    return {"name": name, **server.facts(FULL)}


@pytest.mark.parametrize("version", BY_NAME)
def test_the_programs_of_each_release_do_a_request_and_a_job(
    version: str, probed: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    server, database = servers[version], probed(end_of(version))
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    worker = Program(server, "fleetdesk-worker", "--shards", str(shards), "--poll", "0.02")
    running.append(worker)
    web = Web(server, shards)
    running.append(web)
    host = known_host(server, "Web-1") | {"cpu_model": "<b>&fast</b>"}
    status, answer = web.ask("POST", "/hosts", host)
    assert (status, answer["name"], answer["cpu_model"]) == (200, "web-1", "<b>&fast</b>")
    assert web.ask("GET", "/hosts/web-1")[1].items() >= (host | {"name": "web-1"}).items()
    status, page = web.ask("GET", "/")
    assert status == 200
    assert "&lt;b&gt;&amp;fast&lt;/b&gt;" in page
    assert "<b>" not in page
    assert web.ask("GET", "/health") == (
        200,
        {
            "version": version,
            "healthy": True,
            "shards": {"north": {"reachable": True, "schema": None}},
        },
    )
    found = server.facts({"os": "Debian GNU/Linux 13", "memory_mb": 1})
    assert web.ask("POST", "/hosts/web-1/scan", found)[0] == 202
    eventually(lambda: web.ask("GET", "/hosts/web-1")[1].items() >= found.items())
    history = web.ask("GET", "/hosts/web-1/history")[1]["history"]
    deeds = [(row["actor"], row["action"]) for row in history]
    assert deeds == [("worker", "scan"), ("web", "put")]
    assert web.ask("DELETE", "/hosts/web-1")[0] == 200
    assert web.ask("GET", "/hosts/web-1")[0] == 404
    assert (web.stop(), worker.stop()) == (0, 0)
    assert not any("Traceback" in line for line in web.lines + worker.lines)


@pytest.mark.parametrize(
    ("web_version", "worker_version"), [("4.0.0", "4.1.0"), ("4.1.0", "4.0.0")]
)
def test_jobs_cross_from_one_release_to_the_next_over_two_shards(
    web_version: str,
    worker_version: str,
    at: At,
    servers: dict[str, Server],
    tmp_path: Path,
    running: list[Program],
) -> None:
    dsns = {name: at(end_of("4.1.0")).dsn_as(APPLICATION) for name in ("north", "south")}
    shards = shards_file(tmp_path / "shards.ini", **dsns)
    web = Web(servers[web_version], shards)
    running.append(web)
    names = [f"host-{number}" for number in range(6)]
    homes = {web.ask("POST", "/hosts", {"name": name})[1]["shard"] for name in names}
    assert homes == {"north", "south"}
    for name in names:
        body = {"os_name": "Debian GNU/Linux", "os_version": "12", "cpu_count": 2}
        assert web.ask("POST", f"/hosts/{name}/scan", body)[0] == 202
    drain = command(servers[worker_version], "fleetdesk-worker", "--drain", "--shards", str(shards))
    subprocess.run(drain, check=True, timeout=120)
    hosts = {host["name"]: host for host in web.ask("GET", "/hosts")[1]["hosts"]}
    for name in names:
        assert (hosts[name]["os_version"], hosts[name]["cpu_count"]) == ("12", 2)


def test_jobs_that_cannot_be_done_say_why(
    at: At, servers: dict[str, Server], tmp_path: Path
) -> None:
    database = at(end_of("4.3.0"))
    store = servers["4.3.0"].store
    payloads: list[Any] = [
        {"format": 2, "facts": {"cpu_count": 1}},
        {"format": 1, "facts": {}},
        {"format": 2, "facts": {"cpu_count": "many"}},
        {"format": 2, "facts": 7},
        [],
    ]
    with application(database) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM job")
        for payload in payloads:
            store.enqueue(cursor, "nowhere", "scan", payload, 0)
        store.enqueue(cursor, "nowhere", "dance", {}, 0)
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    drain = command(servers["4.3.0"], "fleetdesk-worker", "--drain", "--shards", str(shards))
    subprocess.run(drain, check=True, timeout=120)
    rows = database.rows("SELECT state, error FROM public.job ORDER BY id")
    assert rows == [
        ("failed", "there is no host nowhere any more"),
        ("failed", "this release does not understand message format 1"),
        ("failed", "cpu_count: write a whole number, 0 or more"),
        ("failed", "facts are an object of names and values"),
        ("failed", "this release does not understand message format None"),
        ("failed", "nothing is known of jobs of the kind 'dance'"),
    ]


def test_a_worker_that_is_stopped_finishes_the_job_at_hand(
    at: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database, server = at(end_of("4.1.0")), servers["4.1.0"]
    with application(database) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM job")
        server.store.put_host(cursor, "slow", server.facts(FULL))
        payload = {"format": 2, "facts": {"cpu_count": 9}}
        for _ in range(2):
            server.store.enqueue(cursor, "slow", "scan", payload, 0)
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    with closing(psycopg2.connect(database.dsn)) as blocker:
        blocker.cursor().execute("UPDATE host SET cpu_count = 1 WHERE name = 'slow'")
        worker = Program(server, "fleetdesk-worker", "--shards", str(shards), "--poll", "0.02")
        running.append(worker)
        waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        eventually(lambda: database.rows(f"{waiting} AND datname = current_database()"))
        worker.process.terminate()
        time.sleep(0.2)
        assert worker.process.poll() is None
        blocker.commit()
    assert worker.process.wait(60) == 0
    assert database.rows("SELECT state FROM public.job ORDER BY id") == [("done",), ("waiting",)]


def test_requests_and_jobs_outlive_a_restart_of_postgresql(
    cluster: "Cluster", at: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database, server = at(end_of("4.1.0")), servers["4.1.0"]
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    worker = Program(server, "fleetdesk-worker", "--shards", str(shards), "--poll", "0.02")
    running.append(worker)
    web = Web(server, shards)
    running.append(web)
    web.ask("POST", "/hosts", known_host(server, "steady"))
    stop = threading.Event()
    statuses: list[int] = []

    def keep_asking(number: int) -> None:
        while not stop.is_set():
            statuses.append(web.ask("GET", "/hosts/steady")[0])
            host = {"name": f"h-{number}", "cpu_count": len(statuses)}
            statuses.append(web.ask("POST", "/hosts", host)[0])

    threads = [threading.Thread(target=keep_asking, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    cluster.stop()
    time.sleep(0.4)
    cluster.start()
    time.sleep(0.2)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(statuses) > 20
    assert set(statuses) == {200}
    assert web.ask("POST", "/hosts/steady/scan", {"cpu_count": 77})[0] == 202
    eventually(lambda: web.ask("GET", "/hosts/steady")[1]["cpu_count"] == 77)
    assert (web.stop(), worker.stop()) == (0, 0)


def test_a_shard_that_is_away_does_not_stop_the_others(
    at: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    server, database = servers["4.3.0"], at(end_of("4.3.0"))
    tree = tmp_path / "installed"
    install(server.release, tree)
    settings = tree / "etc" / "fleetdesk" / "fleetdesk.ini"
    patience = "patience_seconds = 10"
    assert patience in settings.read_text()
    settings.write_text(settings.read_text().replace(patience, "patience_seconds = 0"))
    server = replace(server, tree=tree)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = f"host=127.0.0.1 port={nobody.getsockname()[1]} dbname=x user=x password=hush"
        shards = shards_file(
            tmp_path / "shards.ini", north=database.dsn_as(APPLICATION), south=away
        )
        shards.chmod(0o640)
        worker = Program(server, "fleetdesk-worker", "--shards", str(shards), "--poll", "0.02")
        running.append(worker)
        web = Web(server, shards)
        running.append(web)
        answers = [web.ask("POST", "/hosts", {"name": f"host-{number}"}) for number in range(8)]
        assert {status for status, _ in answers} == {200, 503}
        there = next(answer["name"] for status, answer in answers if status == 200)
        status, listed = web.ask("GET", "/hosts")
        assert (status, listed["unavailable"]) == (200, {"south": "shard south is not available"})
        assert there in [host["name"] for host in listed["hosts"]]
        assert "shard south is not available" in web.ask("GET", "/")[1]
        status, health = web.ask("GET", "/health")
        assert (status, health["healthy"]) == (503, False)
        assert [health["shards"][name]["reachable"] for name in ("north", "south")] == [True, False]
        assert web.ask("POST", f"/hosts/{there}/scan?priority=9", {"memory_mb": 3})[0] == 202
        eventually(lambda: web.ask("GET", f"/hosts/{there}")[1]["memory_mb"] == 3)
        assert (web.stop(), worker.stop()) == (0, 0)
        worker.wait_for("no work on shard south")
        drain = command(server, "fleetdesk-worker", "--drain", "--shards", str(shards))
        assert subprocess.run(drain, check=False, timeout=120).returncode == 69
        assert not any("hush" in line for line in web.lines + worker.lines)


def test_health_tells_the_schema_that_the_ledger_claims(
    at: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database = at(end_of("4.1.0"))
    ledger = PRODUCT.parents[1] / "toolchain" / "runner" / "ledger.sql"
    database.execute("CREATE SCHEMA interlock")  # the runner's own step before the file
    database.execute(ledger.read_text())
    database.execute(
        "INSERT INTO interlock.handshake (product, schema, oldest_server)"
        " VALUES ('fleetdesk', 12, '4.0.0')"
    )
    web = Web(
        servers["4.1.0"],
        shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION)),
    )
    running.append(web)
    assert web.ask("GET", "/health")[1]["shards"]["north"] == {"reachable": True, "schema": None}
    database.execute(
        f"GRANT USAGE ON SCHEMA interlock TO {APPLICATION};"
        f"GRANT EXECUTE ON FUNCTION interlock.read_handshake(text) TO {APPLICATION}"
    )
    assert web.ask("GET", "/health")[1]["shards"]["north"] == {"reachable": True, "schema": 12}


def test_a_server_on_a_schema_that_it_does_not_fit_says_so_without_a_traceback(
    probed: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database = probed(end_of("4.0.0"))
    shards = shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION))
    web = Web(servers["4.1.0"], shards)
    running.append(web)
    status, answer = web.ask("POST", "/hosts", {"name": "early"})
    assert (status, answer) == (500, {"error": "the host's shard refused a statement"})
    assert web.stop() == 0
    web.wait_for('relation "host_hardware" does not exist')
    assert not any("Traceback" in line for line in web.lines)


JSON = "application/json"
BAD_REQUESTS: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("GET", "/nowhere", None, {}, 404),
    ("GET", "/hosts/..%2f..%2fetc", None, {}, 400),
    ("GET", "/hosts/nobody", None, {}, 404),
    ("DELETE", "/hosts/nobody", None, {}, 404),
    ("DELETE", "/hosts", None, {}, 404),
    ("PUT", "/hosts", {}, {}, 501),
    ("POST", "/", {}, {}, 404),
    ("POST", "/hosts", {"name": "a"}, {"Content-Type": "text/plain"}, 415),
    ("POST", "/hosts", b"x" * 70000, {}, 413),
    ("POST", "/hosts", b"{", {}, 400),
    ("POST", "/hosts", b"[" * 60000, {}, 400),
    ("POST", "/hosts", b"\xff", {}, 400),
    ("POST", "/hosts", [], {}, 400),
    ("POST", "/hosts", {}, {}, 400),
    ("POST", "/hosts", {"name": "a b"}, {}, 400),
    ("POST", "/hosts", {"name": "x" * 300}, {}, 400),
    ("POST", "/hosts", {"name": "a\n"}, {}, 400),
    ("POST", "/hosts", {"name": ["a"]}, {}, 400),
    ("POST", "/hosts", {"name": "a", "colour": "red"}, {}, 400),
    ("POST", "/hosts", {"name": "a", "cpu_count": True}, {}, 400),
    ("POST", "/hosts", {"name": "a", "cpu_count": 2**31}, {}, 400),
    ("POST", "/hosts", {"name": "a", "cpu_count": -1}, {}, 400),
    ("POST", "/hosts", {"name": "a", "fqdn": "x" * 201}, {}, 400),
    ("POST", "/hosts", {"name": "a", "fqdn": "a\u0000b"}, {}, 400),
    ("POST", "/hosts", b'{"name": "a", "fqdn": "\\ud800"}', {}, 400),
    ("POST", "/hosts", {"name": "a", "ipv4": "1.2.3"}, {}, 400),
    ("POST", "/hosts", {"name": "a", "ipv6": "fe80::1%eth0"}, {}, 400),
    ("POST", "/hosts/nobody/scan", {}, {}, 404),
    ("POST", "/hosts/nobody/scan?priority=101", {}, {}, 400),
    ("POST", "/hosts/nobody/scan?priority=soon", {}, {}, 400),
    ("POST", "/hosts/nobody/scan?urgent=1", {}, {}, 400),
]


def test_requests_that_make_no_sense_get_a_sentence(
    probed: At, servers: dict[str, Server], tmp_path: Path, running: list[Program]
) -> None:
    database = probed(end_of("4.3.0"))
    before = database.rows("SELECT count(*) FROM public.host")
    web = Web(
        servers["4.3.0"],
        shards_file(tmp_path / "shards.ini", north=database.dsn_as(APPLICATION)),
    )
    running.append(web)
    for method, path, body, headers, wanted in BAD_REQUESTS:
        status, answer = web.ask(method, path, body, **headers)
        assert status == wanted, (method, path, body, answer)
        assert status == 501 or answer["error"]
    assert web.ask("POST", "/hosts/nobody/scan?priority=1", {})[0] == 404
    assert database.rows("SELECT count(*) FROM public.host") == before
    assert web.stop() == 0
    assert not any("Traceback" in line for line in web.lines)


BAD_SHARDS = [
    (None, "bad.ini does not exist"),
    ("", "names no shard"),
    ("[*]\npatience = 1\n", "names no shard"),
    ("dsn = x\n", "line 1"),
    ("[north]\ndsn = password=hush oops\n", "is not a connection string"),
    ("[north]\ndsn = password=hush dbname=x\n", "run: chmod 0640"),
    ("[north]\n", "needs either a dsn or a service"),
    ("[north]\ndsn = dbname=x\nservice = y\n", "needs either a dsn or a service"),
    ("[north]\ndsn = dbname=x\npassword_file = none\n", "none does not exist"),
    ("[north]\ndsn = dbname=x\n[north]\ndsn = dbname=y\n", "line 3"),
]
BAD_SETTINGS = [
    (None, "bad.ini does not exist"),
    ("[web]\nport = 70000\n", "ports end at 65535"),
    ("[web]\nport = many\n", "not a number"),
    ("[worker]\npoll_seconds = 0\n", "between 0.01 and 3600"),
    ("[web]\ncolour = red\n", "nothing is known of 'colour'"),
    ("[log]\nlevel = loud\n", "not one of"),
]


def test_programs_refuse_bad_settings_with_one_sentence(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    programs = servers["4.2.0"].tree / "usr" / "bin"
    settings = servers["4.2.0"].tree / "etc" / "fleetdesk" / "fleetdesk.ini"
    shards, bad = shards_file(tmp_path / "shards.ini", north="dbname=x"), tmp_path / "bad.ini"

    def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = (sys.executable, "-IB", str(programs / name), *arguments)
        return subprocess.run(program, check=False, capture_output=True, text=True, timeout=120)

    def refused(name: str, config: Path, shards: Path, sentence: str) -> None:
        done = run(name, "--config", str(config), "--shards", str(shards))
        assert (done.returncode, done.stdout) == (78, "")
        assert sentence in done.stderr
        assert done.stderr.count("\n") == 1
        assert "hush" not in done.stderr

    for name in ("fleetdesk-web", "fleetdesk-worker"):
        assert (programs / name).read_text().startswith("#!/usr/bin/python3 -IB\n")
        assert (programs / name).stat().st_mode & 0o111
        assert run(name, "--version").stdout == f"{name} 4.2.0\n"
        assert "--shards" in run(name, "--help").stdout
        assert run(name, "--nonsense").returncode == 2
        refused(name, settings, tmp_path / "none.ini", "none.ini does not exist")
    for text, sentence in BAD_SHARDS:
        bad.unlink(missing_ok=True)
        if text is not None:
            bad.write_text(text)
        refused("fleetdesk-web", settings, bad, sentence)
    for text, sentence in BAD_SETTINGS:
        bad.unlink(missing_ok=True)
        if text is not None:
            bad.write_text(text)
        refused("fleetdesk-web", bad, shards, sentence)


def test_a_port_that_is_taken_is_told_and_not_traced(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    shards = shards_file(tmp_path / "shards.ini", north="dbname=x")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        web = command(servers["4.2.0"], "fleetdesk-web", "--shards", str(shards), "--port", port)
        done = subprocess.run(web, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 69
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_shipped_is_python_3_9() -> None:
    sources = [*PRODUCT.glob("payload/**/*.py"), *PRODUCT.glob("payload/common/fleetdesk-w*")]
    assert len(sources) > 25
    for source in sources:
        ast.parse(source.read_text(), str(source), feature_version=(3, 9))
