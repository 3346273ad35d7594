"""Expressions that surely have a value, as far as their text and the table's NOT NULL tell.

What becomes NOT NULL is bound from the expand on, so where its value is NULL after all, the write
of an old server fails that never knew of it.
"""

from typing import Any

from toolchain.model.schema import TableSchema
from toolchain.refactor.expressions import target
from toolchain.refactor.phases import UnableError

# Functions that are NULL where an argument is, and only there.
_STRICT = frozenset(
    """
    abs age ascii btrim cardinality ceil ceiling char_length character_length chr date_part
    date_trunc decode div encode exp extract floor format hashtext initcap left length lower
    lpad ltrim make_date md5 mod nextval octet_length position power regexp_replace repeat
    replace reverse right round rpad rtrim sha256 sign split_part sqrt starts_with strpos substr
    timezone to_char to_date to_json to_jsonb to_timestamp translate trunc upper
    """.split()  # noqa: SIM905  (a list of them would take fifty lines)
)
# Functions that are never NULL, whatever they get.
_NEVER = frozenset({
    "clock_timestamp", "concat", "gen_random_uuid", "json_build_array", "json_build_object",
    "jsonb_build_array", "jsonb_build_object", "now", "random", "statement_timestamp",
    "transaction_timestamp", "uuidv4", "uuidv7",
})  # fmt: skip
# Those of ->, ->> and their like are NULL where nothing is found.
_OPERATORS = frozenset({"||", "+", "-", "*", "/", "%", "=", "<>", "<", ">", "<=", ">="})
_TESTS = ("NullTest", "BooleanTest", "A_ArrayExpr", "SQLValueFunction")


def require_present(table: TableSchema, column: str, value: str) -> None:
    """Raise UnableError where the value of a column that is to be NOT NULL may be NULL."""
    if not _present(table, target(value)):
        raise UnableError(
            f"{column} is to be NOT NULL, and its value {value} may be NULL, which would make the"
            " writes of old servers fail",
            f"write coalesce({value}, …) with a constant at the end",
        )


def _present(table: TableSchema, node: Any) -> bool:
    def every(nodes: Any) -> bool:
        return all(_present(table, each) for each in nodes or ())

    kind = type(node).__name__
    match kind:
        case "A_Const":
            return not node.isnull
        case "ColumnRef":
            column = table.column(node.fields[0].sval)
            return column is not None and column.not_null
        case "TypeCast" | "CollateClause":
            return _present(table, node.arg)
        case "CoalesceExpr" | "MinMaxExpr":
            return any(_present(table, each) for each in node.args)
        case "BoolExpr":
            return every(node.args)
        case "CaseExpr":
            results = [node.defresult, *(each.result for each in node.args)]
            return node.defresult is not None and every(results)
        case "A_Expr":
            operator = node.name[-1].sval in _OPERATORS
            plain = node.kind.name == "AEXPR_OP" and operator and len(node.name) == 1
            sides = [each for each in (node.lexpr, node.rexpr) if each is not None]
            return "DISTINCT" in node.kind.name or (plain and every(sides))
        case "FuncCall":
            return _called(node) in _NEVER or (_called(node) in _STRICT and every(node.args))
        case _:
            return kind in _TESTS


def _called(node: Any) -> str:
    *schema, name = (part.sval for part in node.funcname)
    return str(name) if schema in ([], ["pg_catalog"]) else ""
