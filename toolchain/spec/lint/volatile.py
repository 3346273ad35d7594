"""Whether a default may differ from row to row, so that each row must be written."""

from toolchain.spec.lint.names import strings, walk
from toolchain.spec.sql.parser import Tree

# Functions of PostgreSQL that are stable or immutable, and likely in a default. A function that is
# not here counts as volatile: CREATE FUNCTION makes it so unless it says otherwise.
STEADY = frozenset({
    "abs", "age", "array_fill", "ceil", "chr", "concat", "concat_ws", "current_database",
    "current_schema", "current_setting", "date_part", "date_trunc", "decode", "encode", "extract",
    "floor", "format", "initcap", "json_build_array", "json_build_object",
    "jsonb_build_array", "jsonb_build_object", "length", "lower", "lpad", "ltrim", "make_date",
    "make_interval", "make_timestamp", "make_timestamptz", "md5", "now", "power",
    "quote_ident", "quote_literal", "regexp_replace", "repeat", "replace", "reverse", "round",
    "rpad", "rtrim", "sha256", "statement_timestamp", "string_to_array", "substr", "substring",
    "timezone", "to_char", "to_date", "to_json", "to_jsonb", "to_number", "to_timestamp",
    "to_tsvector", "transaction_timestamp", "trim", "trunc", "upper",
})  # fmt: skip


def volatile_call(expression: Tree) -> str | None:
    """The first function of a default that may be volatile; None when there is none."""
    for kind, node in walk(expression):
        if kind == "FuncCall":
            parts = strings(node.get("funcname"))
            if parts[-1] not in STEADY or parts[:-1] not in ([], ["pg_catalog"]):
                return ".".join(parts)
    return None
