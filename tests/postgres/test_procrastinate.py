"""procrastinate's real migrations and workers: the runner upgrades a shard under work.

The releases come from PyPI. Each works with the SQL, the library and the worker that it was
published with, and each database package holds what the builder puts into it.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from tests.postgres.procrastinate_site import INSTANCE, PATIENCE, SHARD, Host, Site
from tests.postgres.runner.packages import Package
from toolchain.build.product import OpenProduct, open_product
from toolchain.model.change import Phase
from toolchain.model.law import ShardHandshake, compatible, peers_compatible
from toolchain.model.release import Release

if TYPE_CHECKING:
    from tests.postgres.conftest import Cluster, Database

MakeSite = Callable[..., Site]

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "build/hosts/specs/procrastinate"
CONTRACT = ("apply", "--phase", "contract")

CHAIN = (
    "2.0.0", "2.0.3", "2.5.0", "2.6.0", "2.8.0", "2.9.2", "2.14.1", "2.15.1",
    "3.0.0", "3.0.2", "3.1.0", "3.2.2", "3.3.0", "3.4.0", "3.5.3", "3.10.0",
)  # fmt: skip
# As far as the newer one's peers reach, and further than its contract bears.
LEAPS = (("2.15.1", "3.0.2"), ("3.3.0", "3.5.3"))

# Steps that add a column to the table that a fetch returns a row of, and what a fetch gets that they
# overtake. Its worker ends, and systemd starts it again; no job is lost. That is procrastinate's own
# SQL: neither an order of phases nor a lock can spare a worker that.
_ROW = "function return row and query-specified return row do not match"
_GONE = "cache lookup failed for function"
HARMFUL = {
    "add-job-priority.expand": {_ROW, _GONE},
    "cancel-notification.expand": {_ROW},
    "add-heartbeat.expand": {_ROW},
}


@pytest.fixture(scope="session")
def opened() -> OpenProduct:
    """The product, fetched unless it stands as these very scripts have made it."""
    PRODUCT.parent.mkdir(parents=True, exist_ok=True)
    with PRODUCT.with_name(f".{PRODUCT.name}.origin").open("a+") as stamp:
        fcntl.flock(stamp, fcntl.LOCK_EX)
        stamp.seek(0)
        if stamp.read() != origin():
            fetch = (sys.executable, str(ROOT / "scripts/fetch-procrastinate"), str(PRODUCT))
            subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL, timeout=600)
            stamp.truncate(0)
            stamp.write(origin())
    found = open_product(PRODUCT, {})
    assert tuple(str(release.version) for release in found.product.releases) == CHAIN
    return found


def origin() -> str:
    """The scripts by their content, and the product by its inode, which every change of it changes."""
    whole = hashlib.sha256()
    for path in sorted((ROOT / "scripts/procrastinate_product").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            whole.update(f"{path.name}\0".encode() + path.read_bytes())
    return f"{whole.hexdigest()} {PRODUCT.stat().st_ino if PRODUCT.exists() else None}"


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for bytecode, of this test run and of all its processes."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "bytecode"


@pytest.fixture
def make_site(
    opened: OpenProduct, make_database: "Callable[[], Database]", tmp_path: Path, bytecode: Path
) -> Iterator[MakeSite]:
    """Make sites, each with an empty shard; whatever still runs there ends with the test."""
    made: list[Site] = []

    def make(*, forgiven: Collection[str] = ()) -> Site:
        site = Site(
            opened=opened,
            database=make_database(),
            folder=tmp_path / f"site-{len(made)}",
            bytecode=bytecode,
            forgiven=forgiven,
        )
        made.append(site)
        return site

    yield make
    for site in made:
        site.close()


def between(opened: OpenProduct, old: str, new: str) -> set[str]:
    """The steps on the way from where `apply` leaves one release to another's contract."""
    start, end = opened.release(old), opened.release(new)
    return {
        step.id
        for release in opened.product.releases
        for step in release.database.steps
        if start.version < release.version <= end.version
        or (release == start and step.phase is Phase.CONTRACT)
    }


@pytest.mark.parametrize(("old", "new"), [*pairwise(CHAIN), *LEAPS])
def test_a_shard_is_upgraded_under_work(
    old: str, new: str, opened: OpenProduct, make_site: MakeSite
) -> None:
    """Database first, then servers one by one, then the contract: every job is done once."""
    ways = [HARMFUL[step] for step in between(opened, old, new) & HARMFUL.keys()]
    site = make_site(forgiven=set().union(*ways))
    assert peers_compatible(site.release(new).server_handshake, site.release(old).server_handshake)
    site.package(old).done("apply", "--create")
    package = site.package(new)
    veterans = [site.host(name, old) for name in ("web1", "web2")]
    for host in veterans:
        host.start()
    client = site.client("old", old)
    site.until_at_work(old)

    package.done("apply")
    site.until_at_work(old)

    newcomer = site.host("web3", new)
    newcomer.start()
    new_client = site.client("new", new)
    site.until_at_work(old, new)

    borne = site.release(old).version in site.release(new).database.servers
    assert borne is ((old, new) not in LEAPS)
    if borne:
        package.done(*CONTRACT)
    else:
        require_blocked(package, veterans)
    site.until_at_work(old, new)

    deferred = {"old": int(client.stop())}
    veterans[0].stop()
    site.until_at_work(old, new)
    if not borne:
        require_blocked(package, veterans[1:])
    veterans[1].stop()
    package.done(*CONTRACT)
    site.until_at_work(new)

    deferred["new"] = int(new_client.stop())
    site.until("the last jobs", lambda: not site.state().keys() & {"todo", "doing"})
    newcomer.stop()
    for each in (client, new_client):
        each.require_clean()
    noted = site.database.rows('SELECT text FROM notes ORDER BY text COLLATE "C"')
    assert noted == sorted((f"{name}-{n}",) for name in deferred for n in range(deferred[name]))
    assert site.state() == {"succeeded": sum(deferred.values())}
    assert set(site.done()) == {old, new}
    package.done("verify")


def require_blocked(package: Package, hosts: Sequence[Host]) -> None:
    """The contract waits for just these hosts, and says so."""
    refused = package.run(*CONTRACT)
    named = ", ".join(
        rf"{INSTANCE} {re.escape(host.version)} on {host.name} \(seen [^)]+ ago\)" for host in hosts
    )
    assert refused.code == 1
    assert re.search(rf"^{SHARD}: the contract of \S+ is blocked by {named};", refused.err, re.M)


@pytest.mark.parametrize(
    ("shard", "server", "missing"),
    [
        ("2.15.1", "3.0.0", "fetch_job_v1"),
        ("3.0.2", "2.15.1", "fetch_job"),
        ("3.0.2", "3.1.0", "prune_stalled_workers_v1"),
        ("3.2.2", "3.0.2", "fetch_job_v1"),
    ],
)
def test_a_server_that_the_check_refuses_would_have_failed(
    shard: str, server: str, missing: str, make_site: MakeSite, cluster: "Cluster"
) -> None:
    """Too new for a shard before its expand, and too old for one after its contract."""
    site = make_site()
    site.package(shard).done("apply", "--create", "--phase", "contract")
    refused = site.host("web1", server).check.run("register", "--instance", INSTANCE)
    assert refused.code == 1
    assert refused.sentence == refusal(site.release(server), site.release(shard).shard_handshake)
    assert site.database.rows("SELECT * FROM interlock.servers") == []

    worker = site.launch(server, "refused worker", site.payload(server) / INSTANCE, "--once")
    log = cluster.directory / "postgres.log"
    failure = re.compile(
        rf" {site.database.name} ERROR:  function procrastinate_{missing}\(.*\) does not exist"
    )
    site.until("PostgreSQL's refusal", lambda: failure.search(log.read_text()) is not None)
    worker.stop()
    assert worker.code != 0


def test_the_check_judges_every_server_at_every_stop_of_the_chain(make_site: MakeSite) -> None:
    """And what a walk with each release's own package leaves is what one run leaves."""
    site = make_site()
    releases = site.opened.product.releases
    checks = [(each, site.host("web1", str(each.version)).check) for each in releases]
    servers, said = releases[0].database.servers, None
    for release in releases:
        package = site.package(str(release.version))
        for phase in ("migrate", "contract"):
            package.done("apply", "--create", "--phase", phase)
            servers = release.database.servers if phase == "contract" else servers
            shard = ShardHandshake(schema=release.database.schema, servers=servers)
            for server, check in checks if shard != said else ():
                answer = check.run("status")
                if compatible(server.server_handshake, shard):
                    assert (answer.code, answer.err) == (0, "")
                else:
                    assert (answer.code, answer.sentence) == (1, refusal(server, shard))
            said = shard
            assert package.done("verify").out.startswith(f"{SHARD}: in order: ")

    other = make_site()
    other.package(CHAIN[-1]).done("apply", "--create", "--phase", "contract")
    walked, at_once = (
        (each.database.rows(f"{CATALOG} ORDER BY 1, 2, 3"), each.database.rows(LEDGER))
        for each in (site, other)
    )
    assert len(walked[0]) > 100
    assert walked == at_once

    upstream = make_site().database
    sql = site.payload(CHAIN[-1]) / "lib/procrastinate/sql/schema.sql"
    upstream.execute(sql.read_text())
    assert placeless(site.database) == placeless(upstream)

    # A type that only this product's later releases have, in a place where drift hides easily.
    site.database.execute("ALTER TYPE procrastinate_job_to_defer_v1 ADD ATTRIBUTE extra integer")
    drifted = site.package(CHAIN[-1]).run("verify")
    assert drifted.code == 1
    assert "public.procrastinate_job_to_defer_v1.extra is new" in drifted.out


def refusal(server: Release, shard: ShardHandshake) -> str:
    """The sentence by which the start-up check refuses a server."""
    who = f"{SHARD}: procrastinate-server {server.version} does not fit shard {SHARD}"
    if server.version not in shard.servers:
        return (
            f"{who}, which accepts servers {shard.servers};"
            f" install a procrastinate-server {shard.servers}"
        )
    return (
        f"{who}: it needs schema {server.server.schemas}, and the shard has {shard.schema};"
        " first run procrastinate-database apply on that shard"
    )


def placeless(database: "Database") -> list[tuple[Any, ...]]:
    """The catalog without the places of columns, which depend on the way."""
    return database.rows(f"SELECT kind, name, definition FROM ({CATALOG}) AS c ORDER BY 1, 2, 3")


# All that a schema consists of; `place` is a column's place in its table, 0 for all else.
CATALOG = """
SELECT 'relation' AS kind, c.oid::regclass::text AS name,
       concat_ws(' ', c.relkind, c.relpersistence, c.relowner::regrole, c.relacl, c.reloptions,
                 obj_description(c.oid, 'pg_class')) AS definition, 0 AS place
  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'column', a.attrelid::regclass || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                 a.attgenerated, a.attcollation::regcollation, a.attacl,
                 pg_get_expr(d.adbin, d.adrelid)), a.attnum
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
 WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'v', 'c')
UNION ALL
SELECT 'constraint', conrelid::regclass || '.' || conname,
       concat_ws(' ', pg_get_constraintdef(oid), convalidated), 0
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index', indexrelid::regclass::text,
       concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, indisready, indisclustered), 0
  FROM pg_index JOIN pg_class c ON c.oid = indexrelid
 WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgrelid::regclass || '.' || tgname,
       concat_ws(' ', pg_get_triggerdef(oid), tgenabled), 0
  FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', oid::regprocedure::text,
       concat_ws(' ', pg_get_functiondef(oid), proowner::regrole, proacl), 0
  FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'type', oid::regtype::text,
       concat_ws(' ', typtype, typowner::regrole, typacl, typnotnull, typdefault,
                 (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder)
                    FROM pg_enum WHERE enumtypid = t.oid)), 0
  FROM pg_type t WHERE typnamespace = 'public'::regnamespace
UNION ALL
SELECT 'sequence', seqrelid::regclass::text,
       concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache), 0
  FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid
 WHERE c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'extension', extname, extversion, 0 FROM pg_extension
"""
LEDGER = """
SELECT id, state, h.schema, h.oldest_server, h.servers_below, h.ready_release, h.closed_release
  FROM interlock.steps JOIN interlock.handshake h USING (product) ORDER BY id
"""


def test_which_steps_fail_a_call_that_they_overtake(make_site: MakeSite) -> None:
    """Only those that are known for it, and of a worker's calls only the fetch."""
    site = make_site()
    harm: dict[str, set[str]] = {}
    caller: Release | None = None
    for release in site.opened.product.releases:
        for step in release.database.steps:
            sql = (site.opened.root / step.sql.name).read_text()
            calling = release if step.phase is Phase.CONTRACT else caller
            if calling is None:
                site.database.execute(sql)
            elif failed := overtaken(site, sql, calling):
                assert {name for name, _ in failed} == {"fetch_job"}
                harm[step.id] = {re.sub(r" \d+$", "", problem) for _, problem in failed}
        caller = release
    assert harm == HARMFUL


class Nothing(dict[str, None]):
    """NULL for every parameter."""

    def __missing__(self, key: str) -> None:
        return None


class Call(threading.Thread):
    """A server's statement in a session of its own; `problem` is how the schema failed it.

    The session is new, or it has sent the statement before, or it has just planned it.
    """

    SESSIONS = ("new", "used", "planned")

    def __init__(self, dsn: str, name: str, query: str, session: str) -> None:
        super().__init__(name=name)
        self._connection = psycopg2.connect(dsn)
        self._query = query
        self.pid = self._connection.info.backend_pid
        self.problem = ""
        if session == "used":
            self._ask(query)
            self._connection.rollback()
        elif session == "planned":
            self._ask(f"DECLARE planned CURSOR FOR {query}")
            self._query = "FETCH ALL FROM planned"
        assert self.problem == ""

    def run(self) -> None:
        with closing(self._connection):
            self._ask(self._query)

    def _ask(self, query: str) -> None:
        try:
            self._connection.cursor().execute(query, Nothing())
        except psycopg2.Error as error:
            # Without data, a statement may well fail for the want of them.
            if (error.pgcode or "XX")[:2] in {"0A", "42", "XX"}:
                self.problem = str(error.diag.message_primary)


def overtaken(site: Site, sql: str, caller: Release) -> set[tuple[str, str]]:
    """Run a step in the midst of a release's calls; those that fail for its sake, and how."""
    library = site.payload(str(caller.version)) / "lib/procrastinate/sql/queries.sql"
    found = re.split(r"^-- (\w+) --\n", library.read_text(), flags=re.MULTILINE)
    queries = dict(zip(found[1::2], found[2::2], strict=True))
    calls = {
        session: [
            Call(site.database.dsn, name, queries[name], session)
            for name in ("defer_job", "defer_jobs", "fetch_job", "finish_job", "retry_job")
            if name in queries
        ]
        for session in Call.SESSIONS
    }
    waiting = calls["new"] + calls["used"]
    with closing(psycopg2.connect(site.database.dsn)) as connection:
        connection.cursor().execute(sql)
        for call in waiting:
            call.start()
        until_all_wait(connection, waiting)
        connection.commit()
    for call in calls["planned"]:
        call.start()
    everything = waiting + calls["planned"]
    for call in everything:
        call.join(PATIENCE)
    return {(call.name, call.problem) for call in everything if call.problem}


def until_all_wait(connection: Any, calls: Sequence[Call]) -> None:
    """Wait until each call either waits for a lock or has ended."""
    deadline = time.monotonic() + PATIENCE
    query = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid = ANY (%s)"
    with connection.cursor() as cursor:
        while alive := [call.pid for call in calls if call.is_alive()]:
            cursor.execute(query, (alive,))
            if cursor.fetchone() == (len(alive),):
                return
            assert time.monotonic() < deadline
            time.sleep(0.01)
