"""What a database's pg_stat_statements has counted: the statements that were issued there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolchain.edge.postgres.server import connected, sentence
from toolchain.errors import ToolError

if TYPE_CHECKING:
    from psycopg import Connection

_HOW = (
    "add pg_stat_statements to shared_preload_libraries, restart PostgreSQL, run"
    " CREATE EXTENSION pg_stat_statements in that database, and use the application for a while"
)
# By this comment a later capture knows what an earlier one has asked.
OWN = "/* interlock */"
_HIDDEN = "<insufficient privilege>"
_EXTENSION = """
SELECT /* interlock */ quote_ident(n.nspname),
       EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = format('%I.pg_stat_statements', n.nspname)::regclass
                  AND a.attname = 'toplevel')
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements'
"""
_STATEMENTS = """
SELECT /* interlock */ s.query, coalesce(r.rolname, '')::text, sum(s.calls)::bigint
  FROM {schema}.pg_stat_statements s
  JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
  LEFT JOIN pg_roles r ON r.oid = s.userid
 WHERE s.query IS NOT NULL {own}
   AND (cardinality(%(roles)s::text[]) = 0 OR r.rolname = ANY (%(roles)s::text[]))
 GROUP BY 1, 2 ORDER BY 1, 2
"""
_ROLES = """
SELECT /* interlock */ name
  FROM unnest(%s::text[]) AS name WHERE to_regrole(quote_ident(name)) IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One statement as PostgreSQL has normalised it: its constants are parameters, too."""

    query: str
    role: str
    calls: int


def read_statistics(parameters: Mapping[str, str], roles: Sequence[str]) -> tuple[Counted, ...]:
    """The statements of one database, of all roles or of those named.

    Statements inside functions are left out: a server does not issue them. Raises ToolError.
    """
    import psycopg  # noqa: PLC0415

    try:
        with connected(parameters) as connection:
            return _read(connection, roles)
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise ToolError("pg_stat_statements counts nothing on this server", _HOW) from error
    except psycopg.Error as error:
        raise ToolError(f"PostgreSQL cannot be asked: {sentence(error)}", "mend --dsn") from error


def _read(connection: "Connection[Any]", roles: Sequence[str]) -> tuple[Counted, ...]:
    connection.execute("SET search_path = pg_catalog, pg_temp")
    missing = connection.execute(_ROLES, (list(roles),)).fetchall()
    if missing:
        raise ToolError(f"there is no role {missing[0][0]!r}", "name a role of this server")
    found = connection.execute(_EXTENSION).fetchone()
    if found is None:
        name = connection.info.dbname
        raise ToolError(f"the database {name!r} has no extension pg_stat_statements", _HOW)
    schema, nested = found
    query = _STATEMENTS.format(schema=schema, own="AND s.toplevel" if nested else "")
    rows = connection.execute(query.encode(), {"roles": list(roles)}).fetchall()
    if any(query == _HIDDEN for query, _, _ in rows):
        user = connection.info.user
        raise ToolError(
            f"the role {user!r} may not read the statements of other roles",
            f"GRANT pg_read_all_stats TO {user}",
        )
    return tuple(Counted(query=query, role=role, calls=calls) for query, role, calls in rows)
