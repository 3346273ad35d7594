"""All that Fleetdesk 4.2.0 says to its database: hosts in three tables.

None of it asks whether the parts of a host are views still or tables already.

Every name in capitals is a statement; its parameters are written %(name)s. Each function runs in
its caller's transaction.
"""

from __future__ import annotations

from typing import Any

from psycopg2.extras import Json

FACTS = ("os_name", "os_version", "cpu_model", "cpu_count", "memory_mb", "fqdn", "ipv4", "ipv6")
LARGEST_PRIORITY = 0  # this release knows no priorities

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

SET_HARDWARE = """
    UPDATE host_hardware
    SET cpu_model = %(cpu_model)s, cpu_count = %(cpu_count)s, memory_mb = %(memory_mb)s
    WHERE host_id = %(id)s
"""

ADD_HARDWARE = """
    INSERT INTO host_hardware (host_id, cpu_model, cpu_count, memory_mb)
    VALUES (%(id)s, %(cpu_model)s, %(cpu_count)s, %(memory_mb)s)
"""

SET_NETWORK = """
    UPDATE host_network
    SET fqdn = %(fqdn)s, ipv4 = %(ipv4)s, ipv6 = %(ipv6)s
    WHERE host_id = %(id)s
"""

ADD_NETWORK = """
    INSERT INTO host_network (host_id, fqdn, ipv4, ipv6)
    VALUES (%(id)s, %(fqdn)s, %(ipv4)s, %(ipv6)s)
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
    UPDATE host_hardware
    SET cpu_model = coalesce(%(cpu_model)s, cpu_model),
        cpu_count = coalesce(%(cpu_count)s, cpu_count),
        memory_mb = coalesce(%(memory_mb)s, memory_mb)
    WHERE host_id = %(id)s
"""

RECORD_NETWORK = """
    UPDATE host_network
    SET fqdn = coalesce(%(fqdn)s, fqdn),
        ipv4 = coalesce(%(ipv4)s, ipv4),
        ipv6 = coalesce(%(ipv6)s, ipv6)
    WHERE host_id = %(id)s
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
    """Write every fact of a host, new or known.

    The host's row comes first: it stays locked until the end, so nobody else adds its parts.
    """
    cursor.execute(PUT_HOST, {**facts, "name": name})
    row = {**facts, "id": cursor.fetchone()["id"]}
    _write(cursor, SET_HARDWARE, ADD_HARDWARE, row)
    _write(cursor, SET_NETWORK, ADD_NETWORK, row)


def record_scan(cursor: Any, name: str, found: dict[str, Any]) -> bool:
    """Write what a scan found; what it did not find stays. False when there is no such host."""
    row = {**dict.fromkeys(FACTS), **found, "name": name}
    cursor.execute(RECORD_SCAN, row)
    host = cursor.fetchone()
    if host is None:
        return False
    row["id"] = host["id"]
    _write(cursor, RECORD_HARDWARE, ADD_HARDWARE, row)
    _write(cursor, RECORD_NETWORK, ADD_NETWORK, row)
    return True


def _write(cursor: Any, change: str, add: str, row: dict[str, Any]) -> None:
    cursor.execute(change, row)
    if not cursor.rowcount:
        cursor.execute(add, row)


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
