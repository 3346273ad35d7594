"""Whether the schema is still as the last run left it, and whether all its indexes are valid."""

from __future__ import annotations

from pathlib import Path

from ..core.session import Session

_INVALID = """
SELECT c.oid::regclass::text, x.indrelid::regclass::text
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
 WHERE NOT x.indisvalid AND c.relkind = 'i'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                    WHERE p.index_relid = x.indexrelid)
 ORDER BY 1
"""


# How PostgreSQL writes a definition down changes with its major version, so a snapshot is
# compared under the version that it was taken under.
_SERVER = "the server's version"
_KEPT = "SELECT digest FROM interlock.snapshot WHERE product = %s AND object = %s"


def _query() -> str:
    """The snapshot's query, safe to be sent with parameters."""
    text = Path(__file__).with_name("snapshot.sql").read_text(encoding="utf-8")
    return text.replace("%", "%%")


def _major(session: Session) -> str:
    return str(session.server_version // 10000)


def _comparable(session: Session, product: str) -> bool:
    return session.rows(_KEPT, (product, _SERVER)) == [(_major(session),)]


def keep_snapshot(session: Session, product: str) -> None:
    """Keep the schema's digests, unless they stand there since the last step."""
    if _comparable(session, product):
        return
    with session.transaction():
        session.run("DELETE FROM interlock.snapshot WHERE product = %s", (product,))
        session.run(
            "INSERT INTO interlock.snapshot (product, object, digest)"
            f" SELECT %s, s.* FROM ({_query()} UNION ALL SELECT %s, %s) AS s",
            (product, _SERVER, _major(session)),
        )


def find_drift(session: Session, product: str) -> tuple[str, ...]:
    """The objects that somebody else added, removed or changed; empty without a snapshot."""
    if not _comparable(session, product):
        return ()
    rows = session.rows(
        "SELECT object,"
        " CASE WHEN now.digest IS NULL THEN 'is gone'"
        "      WHEN kept.digest IS NULL THEN 'is new' ELSE 'has changed' END"
        f" FROM (SELECT * FROM ({_query()}) AS q) AS now (object, digest)"
        " FULL JOIN (SELECT object, digest FROM interlock.snapshot"
        " WHERE product = %s AND object <> %s) AS kept USING (object)"
        " WHERE kept.digest IS DISTINCT FROM now.digest"
        ' ORDER BY object COLLATE "C"',
        (product, _SERVER),
    )
    return tuple(f"{name} {change}" for name, change in rows)


def invalid_indexes(session: Session) -> tuple[str, ...]:
    """Indexes that an interrupted CREATE or REINDEX … CONCURRENTLY left behind."""
    return tuple(f"{index} on {table}" for index, table in session.rows(_INVALID))
