"""A replay of SQL text: which schema it would make, as far as its statements tell.

What a DO block or a function executes is not seen, and neither is what was there before.
"""

from collections.abc import Callable, Iterator, Mapping

from toolchain.model.schema import Schema
from toolchain.spec.schema.altering import alter_table, set_schema
from toolchain.spec.schema.dropping import drop
from toolchain.spec.schema.functions import (
    alter_domain,
    create_composite,
    create_domain,
    create_function,
    create_range,
)
from toolchain.spec.schema.indexes import create_index
from toolchain.spec.schema.made import clashes
from toolchain.spec.schema.objects import (
    alter_enum,
    alter_sequence,
    create_enum,
    create_from_query,
    create_policy,
    create_rule,
    create_sequence,
    create_trigger,
    create_view,
    select_into,
)
from toolchain.spec.schema.publications import alter_publication, create_publication
from toolchain.spec.schema.renaming import rename
from toolchain.spec.schema.state import State
from toolchain.spec.schema.tables import create_table
from toolchain.spec.schema.text import Node, kind


class Replay:
    """Follows SQL; `copy` lets the branches of a history go on from one point."""

    def __init__(self) -> None:
        self._state = State()

    def apply(self, sql: str) -> None:
        """Follow every statement of a text that PostgreSQL's parser takes.

        A text is a session of its own: its search_path and its temporary tables end with it.
        """
        for _ in self._statements(sql):
            pass

    def apply_new(self, sql: str) -> tuple[str, ...]:
        """Follow a text as apply does; returns what it makes although there is one of the name."""
        nodes = self._statements(sql)
        return tuple(what for node in nodes for what in clashes(self._state, node))

    def _statements(self, sql: str) -> Iterator[Node]:
        """Each statement, which is followed when the next one is asked for."""
        from pglast import parse_sql  # noqa: PLC0415 - 0.05 s, and not every product needs it

        for raw in parse_sql(sql):
            yield raw.stmt
            _follow(self._state, raw.stmt)
        self._state.forget_temporary()
        self._state.path = ("public",)

    @property
    def schema(self) -> Schema:
        """The schema as it is now; later statements do not change it."""
        return self._state.snapshot()

    def copy(self) -> "Replay":
        """Another replay that has seen the same."""
        other = Replay()
        other._state = self._state.copy()
        return other


def _follow(state: State, node: Node) -> None:
    follow = _FOLLOWED.get(kind(node) or "")
    if follow is not None:
        follow(state, node)


def _create_schema(state: State, node: Node) -> None:
    """Its elements lie in the schema that is created."""
    before = state.path
    state.path = (node.schemaname or before[0], *before)
    for element in node.schemaElts or ():
        _follow(state, element)
    state.path = before


def _set_path(state: State, node: Node) -> None:
    """Follow SET search_path, which says where a name without a schema lies."""
    if node.name == "search_path":
        named = (getattr(each.val, "sval", "") for each in node.args or ())
        skipped = ("", "$user", "pg_catalog", "pg_temp")
        state.path = tuple(name for name in named if name not in skipped) or ("public",)


_FOLLOWED: Mapping[str, Callable[[State, Node], None]] = {
    "AlterDomainStmt": alter_domain,
    "AlterEnumStmt": alter_enum,
    "AlterObjectSchemaStmt": set_schema,
    "AlterPublicationStmt": alter_publication,
    "AlterSeqStmt": alter_sequence,
    "AlterTableStmt": alter_table,
    "CompositeTypeStmt": create_composite,
    "CreateDomainStmt": create_domain,
    "CreateEnumStmt": create_enum,
    "CreateFunctionStmt": create_function,
    "CreatePolicyStmt": create_policy,
    "CreatePublicationStmt": create_publication,
    "CreateRangeStmt": create_range,
    "CreateSchemaStmt": _create_schema,
    "CreateSeqStmt": create_sequence,
    "CreateStmt": create_table,
    "CreateTableAsStmt": create_from_query,
    "CreateTrigStmt": create_trigger,
    "DropStmt": drop,
    "IndexStmt": create_index,
    "RenameStmt": rename,
    "RuleStmt": create_rule,
    "SelectStmt": select_into,
    "VariableSetStmt": _set_path,
    "ViewStmt": create_view,
}
