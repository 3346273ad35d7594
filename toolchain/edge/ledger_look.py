"""One look at a shard for people: its ledger whole, with who is at work on it and who waits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from toolchain.edge.at_once import at_once
from toolchain.edge.ledger_config import ShardAddress
from toolchain.edge.ledger_session import MOST_AT_ONCE, Connect, NotReadError, reading, snapshot
from toolchain.model.change import Phase
from toolchain.model.law import ShardHandshake
from toolchain.model.version import Version
from toolchain.model.window import Window
from toolchain.plan.fleet_status.seen import (
    Blocker,
    LedgerSeen,
    Registration,
    RunnerSeen,
    ShardSeen,
    StepSeen,
)
from toolchain.runner.ledger.lock_key import lock_key

if TYPE_CHECKING:
    from psycopg import Connection

# The newest ledger that is understood here (toolchain/runner/ledger/install.py).
FORMAT = 1

_HANDSHAKE = """
SELECT h.schema, h.oldest_server, h.servers_below, h.ready_release, h.closed_release,
       (SELECT l.format FROM interlock.ledger l), pg_is_in_recovery()
  FROM interlock.handshake h WHERE h.product = %s
"""
# batch_walk is `public.host(id)`, or without a schema. Names are compared as text: to_regclass
# would ask for USAGE on the schema, which a role that only looks on need not have.
_STEPS = """
SELECT s.id, s.release, s.phase, s.state, s.rows, extract(epoch FROM s.duration)::float8,
       (SELECT sum(r.reltuples)::bigint
          FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
          JOIN pg_class r ON r.oid = t.oid
               OR r.oid IN (SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = t.oid)
         WHERE s.state = 'running' AND r.reltuples > 0 AND walk.named IN (
               n.nspname || '.' || t.relname, CASE n.nspname WHEN 'public' THEN t.relname END))
  FROM interlock.steps s
 CROSS JOIN LATERAL (SELECT substring(s.batch_walk FROM '^[^(]+') AS named) AS walk
 WHERE s.product = %s
 ORDER BY s.position, s.id
"""
# Liveness is judged by the shard's own clock, as the contract gate does.
_SERVERS = """
SELECT s.host, s.instance, s.version, s.oldest_schema, s.schema_below,
       extract(epoch FROM clock_timestamp() - s.last_seen)::float8,
       extract(epoch FROM s.expires)::float8, interlock.live(s), s.retired IS NOT NULL
  FROM interlock.servers s
 WHERE s.product = %s
 ORDER BY s.host COLLATE "C", s.instance COLLATE "C"
"""
_RUNNER = """
SELECT l.pid, a.application_name, coalesce(a.client_hostname, host(a.client_addr)),
       extract(epoch FROM clock_timestamp() - a.backend_start)::float8,
       CASE WHEN a.state <> 'active'
            THEN extract(epoch FROM clock_timestamp() - a.state_change)::float8 END,
       (SELECT min(coalesce(w.relation::regclass::text, w.locktype)) FROM pg_locks w
         WHERE w.pid = l.pid AND NOT w.granted),
       (SELECT concat_ws(' ', b.phase,
               CASE WHEN b.blocks_total > 0 THEN 100 * b.blocks_done / b.blocks_total
                    WHEN b.tuples_total > 0 THEN 100 * b.tuples_done / b.tuples_total END
               || ' %%')
          FROM pg_stat_progress_create_index b WHERE b.pid = l.pid)
  FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
   AND l.classid::bigint = %s AND l.objid::bigint = %s
"""
_BLOCKERS = """
SELECT b.pid, nullif(a.application_name, ''), a.usename::text,
       coalesce(a.client_hostname, host(a.client_addr)), a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float8
  FROM (SELECT DISTINCT unnest(pg_blocking_pids(%s))) AS b(pid)
  LEFT JOIN pg_stat_activity a ON a.pid = b.pid
 ORDER BY a.xact_start NULLS LAST, b.pid
"""


def look_at_shards(
    addresses: Sequence[ShardAddress], product: str, connect: Connect | None = None
) -> tuple[ShardSeen, ...]:
    """All shards, at the same time, in the order of the file; `connect` stands in for psycopg's."""

    def look(address: ShardAddress) -> ShardSeen:
        try:
            return ShardSeen(name=address.name, ledger=_look(address, product, connect))
        except NotReadError as error:
            return ShardSeen(name=address.name, ledger=None, problem=str(error))
        except ValueError as error:
            damaged = f"has a damaged ledger: {error}"
            return ShardSeen(name=address.name, ledger=None, problem=damaged)

    return at_once(look, addresses, most=MOST_AT_ONCE)


def _look(address: ShardAddress, product: str, connect: Connect | None) -> LedgerSeen:
    with reading(address, "interlock status", connect) as connection:
        # Asked before the ledger and after it: a runner that begins or ends meanwhile was at work.
        before = _runner(connection, product)
        with snapshot(connection):
            row = connection.execute(_HANDSHAKE, (product,)).fetchone()
            if row is None:
                raise NotReadError(f"has no ledger of {product}")
            if row[5] is None or row[5] > FORMAT:
                raise NotReadError(
                    f"has a ledger of format {row[5]}, and this Interlock reads up to {FORMAT}"
                )
            steps = connection.execute(_STEPS, (product,)).fetchall()
            servers = connection.execute(_SERVERS, (product,)).fetchall()
        runner = _runner(connection, product) or before
    schema, oldest, below, ready, closed, _, standby = row
    return LedgerSeen(
        handshake=ShardHandshake(
            schema=schema, servers=Window(Version.parse(oldest), _version(below))
        ),
        ready=_version(ready),
        closed=_version(closed),
        steps=tuple(_step(*step) for step in steps),
        servers=tuple(_registration(*server) for server in servers),
        runner=runner,
        standby=standby,
    )


def _runner(connection: "Connection[Any]", product: str) -> RunnerSeen | None:
    """The holder of the product's lock, with what it waits for."""
    key = lock_key(f"product:{product}") & 0xFFFFFFFFFFFFFFFF
    # A transaction of its own, because pg_stat_activity stands still within one.
    with snapshot(connection):
        row = connection.execute(_RUNNER, (key >> 32, key & 0xFFFFFFFF)).fetchone()
        if row is None:
            return None
        blockers = connection.execute(_BLOCKERS, (row[0],)).fetchall()
    pid, application, client, age, quiet, waits_for, build = row
    return RunnerSeen(
        pid=pid,
        application=application or "an application",
        client=client,
        age=age,
        quiet=quiet,
        waits_for=waits_for if blockers else None,
        blockers=tuple(
            Blocker(pid=pid, application=name, user=user, client=client, state=state, age=age)
            for pid, name, user, client, state, age in blockers
        ),
        index_build=build,
    )


def _step(
    ident: str,
    release: str,
    phase: str,
    state: str,
    rows: int,
    seconds: float,
    estimate: int | None,
) -> StepSeen:
    return StepSeen(
        id=ident,
        release=Version.parse(release),
        phase=Phase(phase),
        state=state,
        rows=rows,
        seconds=seconds,
        estimate=estimate,
    )


def _registration(
    host: str,
    instance: str,
    version: str,
    oldest_schema: int,
    schema_below: int | None,
    age: float,
    expires: float,
    live: bool,
    retired: bool,
) -> Registration:
    return Registration(
        host=host,
        instance=instance,
        version=Version.parse(version),
        schemas=Window(oldest_schema, schema_below),
        age=age,
        expires=expires,
        live=live,
        retired=retired,
    )


def _version(text: str | None) -> Version | None:
    return None if text is None else Version.parse(text)
