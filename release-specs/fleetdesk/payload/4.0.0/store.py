"""All that Fleetdesk 4.0.0 says to its database: the operating system as os_name, os_version.

Every name in capitals is a statement; its parameters are written %(name)s. Each function runs in
its caller's transaction.
"""

from __future__ import annotations

from typing import Any

from psycopg2.extras import Json

FACTS = ("os_name", "os_version", "cpu_model", "cpu_count", "memory_mb", "fqdn", "ipv4", "ipv6")
LARGEST_PRIORITY = 0  # this release knows no priorities

LIST_HOSTS = """
    SELECT name, os_name, os_version, cpu_model, cpu_count, memory_mb,
           fqdn, ipv4, ipv6, updated_at, scanned_at
    FROM host
    ORDER BY name
"""

GET_HOST = """
    SELECT name, os_name, os_version, cpu_model, cpu_count, memory_mb,
           fqdn, ipv4, ipv6, updated_at, scanned_at
    FROM host
    WHERE name = %(name)s
"""

PUT_HOST = """
    INSERT INTO host (name, os_name, os_version, cpu_model, cpu_count, memory_mb, fqdn, ipv4, ipv6)
    VALUES (%(name)s, coalesce(%(os_name)s, ''), coalesce(%(os_version)s, ''),
            %(cpu_model)s, %(cpu_count)s, %(memory_mb)s, %(fqdn)s, %(ipv4)s, %(ipv6)s)
    ON CONFLICT (name) DO UPDATE
    SET os_name = excluded.os_name,
        os_version = excluded.os_version,
        cpu_model = excluded.cpu_model,
        cpu_count = excluded.cpu_count,
        memory_mb = excluded.memory_mb,
        fqdn = excluded.fqdn,
        ipv4 = excluded.ipv4,
        ipv6 = excluded.ipv6,
        updated_at = now()
"""

RECORD_SCAN = """
    UPDATE host
    SET os_name = coalesce(%(os_name)s, os_name),
        os_version = coalesce(%(os_version)s, os_version),
        cpu_model = coalesce(%(cpu_model)s, cpu_model),
        cpu_count = coalesce(%(cpu_count)s, cpu_count),
        memory_mb = coalesce(%(memory_mb)s, memory_mb),
        fqdn = coalesce(%(fqdn)s, fqdn),
        ipv4 = coalesce(%(ipv4)s, ipv4),
        ipv6 = coalesce(%(ipv6)s, ipv6),
        scanned_at = now()
    WHERE name = %(name)s
"""

DELETE_HOST = "DELETE FROM host WHERE name = %(name)s"

ENQUEUE = """
    INSERT INTO job (host, kind, payload)
    VALUES (%(host)s, %(kind)s, %(payload)s)
    RETURNING id
"""

TAKE_JOB = """
    SELECT id, host, kind, payload
    FROM job
    WHERE state = 'waiting'
    ORDER BY id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
"""

FINISH_JOB = """
    UPDATE job
    SET state = %(state)s, error = %(error)s, finished_at = now()
    WHERE id = %(id)s
"""

LOG = """
    INSERT INTO audit (actor, action, host, detail)
    VALUES (%(actor)s, %(action)s, %(host)s, %(detail)s)
"""

HISTORY = """
    SELECT at, actor, action, detail
    FROM audit
    WHERE host = %(host)s
    ORDER BY id DESC
    LIMIT 100
"""


def list_hosts(cursor: Any) -> list[dict[str, Any]]:
    """Every host, by name."""
    cursor.execute(LIST_HOSTS)
    return list(cursor.fetchall())


def get_host(cursor: Any, name: str) -> dict[str, Any] | None:
    """One host, or None."""
    cursor.execute(GET_HOST, {"name": name})
    row: dict[str, Any] | None = cursor.fetchone()
    return row


def put_host(cursor: Any, name: str, facts: dict[str, Any]) -> None:
    """Write every fact of a host, new or known."""
    cursor.execute(PUT_HOST, {**facts, "name": name})


def record_scan(cursor: Any, name: str, found: dict[str, Any]) -> bool:
    """Write what a scan found; what it did not find stays. False when there is no such host."""
    cursor.execute(RECORD_SCAN, {**dict.fromkeys(FACTS), **found, "name": name})
    return bool(cursor.rowcount)


def delete_host(cursor: Any, name: str) -> bool:
    """Delete a host with all its facts; False when there is none."""
    cursor.execute(DELETE_HOST, {"name": name})
    return bool(cursor.rowcount)


def enqueue(cursor: Any, host: str, kind: str, payload: dict[str, Any], _priority: int) -> int:
    """Add a waiting job; its number. This release takes no note of its priority."""
    cursor.execute(ENQUEUE, {"host": host, "kind": kind, "payload": Json(payload)})
    return int(cursor.fetchone()["id"])


def take_job(cursor: Any) -> dict[str, Any] | None:
    """Lock the oldest waiting job that no other worker has in hand, or None."""
    cursor.execute(TAKE_JOB)
    job: dict[str, Any] | None = cursor.fetchone()
    return job


def finish_job(cursor: Any, number: int, state: str, error: str | None) -> None:
    """Mark a job as done or failed."""
    cursor.execute(FINISH_JOB, {"id": number, "state": state, "error": error})


def log(cursor: Any, *, actor: str, action: str, host: str, detail: dict[str, Any]) -> None:
    """Write one row of the audit log."""
    row = {"actor": actor, "action": action, "host": host, "detail": Json(detail)}
    cursor.execute(LOG, row)


def history(cursor: Any, host: str) -> list[dict[str, Any]]:
    """The latest rows of the audit log for one host."""
    cursor.execute(HISTORY, {"host": host})
    return list(cursor.fetchall())
