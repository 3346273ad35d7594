"""All that Fleetdesk 4.3.0-rc1 says to its database: hosts in three tables, jobs with priorities.

Every name in capitals is a statement; its parameters are written %(name)s. Each function runs in
its caller's transaction.
"""

from __future__ import annotations

from typing import Any

from psycopg2.extras import Json

FACTS = ("os_name", "os_version", "cpu_model", "cpu_count", "memory_mb", "fqdn", "ipv4", "ipv6")
LARGEST_PRIORITY = 32767

LIST_HOSTS = """
    SELECT host.name, host.os_name, host.os_version,
           hardware.cpu_model, hardware.cpu_count, hardware.memory_mb,
           network.fqdn, network.ipv4, network.ipv6,
           host.updated_at, host.scanned_at
    FROM host
    LEFT JOIN host_hardware AS hardware ON hardware.host_id = host.id
    LEFT JOIN host_network AS network ON network.host_id = host.id
    ORDER BY host.name
"""

GET_HOST = """
    SELECT host.name, host.os_name, host.os_version,
           hardware.cpu_model, hardware.cpu_count, hardware.memory_mb,
           network.fqdn, network.ipv4, network.ipv6,
           host.updated_at, host.scanned_at
    FROM host
    LEFT JOIN host_hardware AS hardware ON hardware.host_id = host.id
    LEFT JOIN host_network AS network ON network.host_id = host.id
    WHERE host.name = %(name)s
"""

PUT_HOST = """
    INSERT INTO host (name, os_name, os_version)
    VALUES (%(name)s, coalesce(%(os_name)s, ''), coalesce(%(os_version)s, ''))
    ON CONFLICT (name) DO UPDATE
    SET os_name = excluded.os_name,
        os_version = excluded.os_version,
        updated_at = now()
    RETURNING id
"""

PUT_HARDWARE = """
    INSERT INTO host_hardware (host_id, cpu_model, cpu_count, memory_mb)
    VALUES (%(id)s, %(cpu_model)s, %(cpu_count)s, %(memory_mb)s)
    ON CONFLICT (host_id) DO UPDATE
    SET cpu_model = excluded.cpu_model,
        cpu_count = excluded.cpu_count,
        memory_mb = excluded.memory_mb
"""

PUT_NETWORK = """
    INSERT INTO host_network (host_id, fqdn, ipv4, ipv6)
    VALUES (%(id)s, %(fqdn)s, %(ipv4)s, %(ipv6)s)
    ON CONFLICT (host_id) DO UPDATE
    SET fqdn = excluded.fqdn,
        ipv4 = excluded.ipv4,
        ipv6 = excluded.ipv6
"""

RECORD_SCAN = """
    UPDATE host
    SET os_name = coalesce(%(os_name)s, os_name),
        os_version = coalesce(%(os_version)s, os_version),
        scanned_at = now()
    WHERE name = %(name)s
    RETURNING id
"""

RECORD_HARDWARE = """
    INSERT INTO host_hardware AS part (host_id, cpu_model, cpu_count, memory_mb)
    VALUES (%(id)s, %(cpu_model)s, %(cpu_count)s, %(memory_mb)s)
    ON CONFLICT (host_id) DO UPDATE
    SET cpu_model = coalesce(excluded.cpu_model, part.cpu_model),
        cpu_count = coalesce(excluded.cpu_count, part.cpu_count),
        memory_mb = coalesce(excluded.memory_mb, part.memory_mb)
"""

RECORD_NETWORK = """
    INSERT INTO host_network AS part (host_id, fqdn, ipv4, ipv6)
    VALUES (%(id)s, %(fqdn)s, %(ipv4)s, %(ipv6)s)
    ON CONFLICT (host_id) DO UPDATE
    SET fqdn = coalesce(excluded.fqdn, part.fqdn),
        ipv4 = coalesce(excluded.ipv4, part.ipv4),
        ipv6 = coalesce(excluded.ipv6, part.ipv6)
"""

DELETE_HOST = "DELETE FROM host WHERE name = %(name)s"

ENQUEUE = """
    INSERT INTO job (host, kind, payload, priority)
    VALUES (%(host)s, %(kind)s, %(payload)s, %(priority)s)
    RETURNING id
"""

TAKE_JOB = """
    SELECT id, host, kind, payload
    FROM job
    WHERE state = 'waiting'
    ORDER BY priority DESC, id
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
    """Write every fact of a host, new or known; the host's row, locked first, before its parts."""
    cursor.execute(PUT_HOST, {**facts, "name": name})
    row = {**facts, "id": cursor.fetchone()["id"]}
    cursor.execute(PUT_HARDWARE, row)
    cursor.execute(PUT_NETWORK, row)


def record_scan(cursor: Any, name: str, found: dict[str, Any]) -> bool:
    """Write what a scan found; what it did not find stays. False when there is no such host."""
    row = {**dict.fromkeys(FACTS), **found, "name": name}
    cursor.execute(RECORD_SCAN, row)
    host = cursor.fetchone()
    if host is None:
        return False
    row["id"] = host["id"]
    cursor.execute(RECORD_HARDWARE, row)
    cursor.execute(RECORD_NETWORK, row)
    return True


def delete_host(cursor: Any, name: str) -> bool:
    """Delete a host with all its facts; False when there is none."""
    cursor.execute(DELETE_HOST, {"name": name})
    return bool(cursor.rowcount)


def enqueue(cursor: Any, host: str, kind: str, payload: dict[str, Any], priority: int) -> int:
    """Add a waiting job; its number. The higher its priority, the sooner it is taken."""
    row = {"host": host, "kind": kind, "payload": Json(payload), "priority": priority}
    cursor.execute(ENQUEUE, row)
    return int(cursor.fetchone()["id"])


def take_job(cursor: Any) -> dict[str, Any] | None:
    """Lock the most urgent waiting job that no other worker has in hand, or None."""
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
