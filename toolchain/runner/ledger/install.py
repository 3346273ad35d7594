"""Bringing a ledger into a shard, and recognising one that this runner must not touch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from ..core import sqlstate
from ..core.errors import LedgerConflict, ShardError
from ..core.session import Session
from ..core.stop import Stop
from .lock import hold_briefly

FORMAT = 1

_SCHEMA = "SELECT pg_catalog.to_regnamespace('interlock')"
_CALLED_BY_SERVERS = (
    "interlock.read_handshake(text)",
    "interlock.ask(text, text, text, text, integer, integer, text, text)",
    "interlock.check_in(text, text, text, text, integer, integer, text, text, interval, text)",
    "interlock.check_out(text, text, text, text)",
)


def ledger_format(session: Session) -> int | None:
    """The format of the shard's ledger, None where there is none.

    Raises LedgerConflict for a ledger of a newer runner, or a schema `interlock` of somebody
    else; ShardError where the role may not read it.
    """
    schemas, tables = session.rows(
        "SELECT (SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'interlock'),"
        " (SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
        " ON n.oid = c.relnamespace WHERE n.nspname = 'interlock')"
    )[0]
    if not schemas:
        return None
    try:
        if not session.rows("SELECT pg_catalog.to_regclass('interlock.ledger')")[0][0]:
            if not tables and _owned(session):
                return None
            raise LedgerConflict(
                "its schema 'interlock' is not a ledger",
                "rename that schema, or drop it if nobody needs it",
            )
        rows = session.rows("SELECT format FROM interlock.ledger")
    except psycopg2.Error as error:
        if sqlstate.code(error) == sqlstate.INSUFFICIENT_PRIVILEGE:
            raise ShardError(
                "the role may not read the ledger",
                "connect by the role that owns schema interlock",
            ) from error
        raise LedgerConflict(f"its ledger is damaged: {sqlstate.sentence(error)}") from error
    if len(rows) != 1:
        raise LedgerConflict("its ledger is damaged: interlock.ledger has lost its row")
    found: int = rows[0][0]
    if found > FORMAT:
        raise LedgerConflict(
            f"its ledger has format {found}, and this runner reads up to {FORMAT}",
            "install the newer database package that wrote it",
        )
    return found


def install_ledger(session: Session, stop: Stop) -> None:
    """Create the ledger, in one transaction; two runners of two products take turns."""
    with hold_briefly(session, "ledger", stop):
        if ledger_format(session) == FORMAT:
            return
        script = Path(__file__).with_name("ledger.sql").read_text(encoding="utf-8")
        try:
            with session.transaction():
                # IF NOT EXISTS would ask for CREATE on the database where the schema is there.
                if not session.rows(_SCHEMA)[0][0]:
                    session.run("CREATE SCHEMA interlock")
                session.run(script)
                session.run(
                    "INSERT INTO interlock.ledger (format, history)"
                    " VALUES (%s, interlock.history())"
                    " ON CONFLICT (one_row) DO UPDATE SET format = excluded.format",
                    (FORMAT,),
                )
        except psycopg2.Error as error:
            raise ShardError(
                f"cannot create the ledger: {sqlstate.sentence(error)}",
                "the role needs CREATE on the database",
            ) from error


def grant_check(session: Session, roles: tuple[str, ...]) -> None:
    """Let the servers' roles call the start-up check's functions, and nothing else.

    Nothing is sent where the role has them already: a GRANT rewrites the catalog.
    """
    for role in roles:
        with _named(role):
            granted = session.rows(
                "SELECT pg_catalog.has_schema_privilege(%s::name, 'interlock', 'USAGE')"
                + " AND pg_catalog.has_function_privilege(%s::name, %s, 'EXECUTE')"
                * len(_CALLED_BY_SERVERS),
                [role, *(part for name in _CALLED_BY_SERVERS for part in (role, name))],
            )[0][0]
            if not granted:
                quoted = session.rows("SELECT pg_catalog.quote_ident(%s)", (role,))[0][0]
                with session.transaction():
                    session.run(
                        f"GRANT USAGE ON SCHEMA interlock TO {quoted};"
                        f" GRANT EXECUTE ON FUNCTION {', '.join(_CALLED_BY_SERVERS)} TO {quoted}"
                    )


@contextmanager
def _named(role: str) -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise ShardError(
            f"cannot grant the start-up check to {role!r}: {sqlstate.sentence(error)}",
            "correct server_roles, or create the role",
        ) from error


def _owned(session: Session) -> bool:
    return bool(
        session.rows(
            "SELECT pg_catalog.pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace"
            " WHERE nspname = 'interlock'"
        )[0][0]
    )
