"""What leads the rows of a table to those that take its columns over; refused where nothing can."""

from collections.abc import Sequence

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import TableSchema
from toolchain.refactor.move.layout import Kinship
from toolchain.refactor.move.refusals import child_key, columns_of, refuse, refuse_triggers


def kinship(
    change: str,
    child: TableSchema,
    moved: Sequence[str],
    along: Sequence[str],
    parent: RelationName,
    identity: tuple[str, ...],
    *,
    keyed: bool,
) -> Kinship:
    """The columns `moved` of a child go along to the parent's `identity`; raises UnableError."""
    key = child_key(child)
    columns, reference = columns_of(child, moved), columns_of(child, along)
    refuse(child, columns, reference)
    refuse_triggers(child, frozenset(moved))
    return Kinship(
        change=change,
        child=child.name,
        child_key=key.name,
        child_key_type=key.type,
        reference=reference,
        parent=parent,
        identity=identity,
        columns=columns,
        checks=tuple(check for check in child.checks if check.columns & frozenset(moved)),
        keyed=keyed,
    )
