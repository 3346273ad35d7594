"""A database's schema as text: each object by name, with its definition."""

from collections.abc import Mapping
from importlib.resources import files

from toolchain.edge.postgres.server import connected
from toolchain.matrix.measured.values import ORDER

# The runner compares digests; whoever reads a difference wants to see both sides.
_DIGEST = "SELECT name, md5(definition) FROM object"
# INSERT without a list of columns, and SELECT *, depend on the order, which the snapshot leaves
# out because applications may add columns to a live shard.
_ORDER = """
SELECT '{order}' || c.oid::regclass::text,
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'interlock')
   AND n.nspname !~ '^pg_(toast|temp)'
 GROUP BY c.oid
"""


def read_schema(parameters: Mapping[str, str]) -> dict[str, str]:
    """Every object of a database's own schemas by name, as the runner's snapshot knows them."""
    snapshot = files("toolchain.runner.ledger").joinpath("snapshot.sql").read_text(encoding="utf-8")
    if _DIGEST not in snapshot:
        raise ValueError("the runner's snapshot has another form than this room knows")
    snapshot = snapshot.replace(_DIGEST, "SELECT name, definition FROM object")
    with connected(parameters) as connection:
        connection.execute("SET search_path = pg_catalog, pg_temp")
        rows = connection.execute(
            f"{snapshot} UNION ALL {_ORDER.format(order=ORDER)}".encode()
        ).fetchall()
    return {str(name): " ".join(str(definition or "").split()) for name, definition in rows}
