"""What DROP COLUMN would take along: refused where a new server could miss it, else told."""

from collections.abc import Iterable, Iterator

from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.expressions import inputs
from toolchain.refactor.phases import UnableError


def require_droppable(
    schema: Schema, table: TableSchema, columns: tuple[str, ...], *, replaced: bool
) -> None:
    """Raise UnableError where the contract's DROP COLUMN would fail, or break a new server.

    What binds `replaced` columns would be missed in those that take their place; of a column that
    just goes, nobody misses what binds it alone.
    """
    for problem, cure in _problems(schema, table, frozenset(columns), replaced):
        raise UnableError(problem, cure)


def dropped_along(
    table: TableSchema, columns: tuple[str, ...], *, replaced: bool = False
) -> tuple[str, ...]:
    """What goes with the columns: indexes, what is about them alone, of `replaced` ones defaults.

    A server that leaves the new form out finds NULL there, where it found the default before.
    """
    gone = set(columns)
    defaults = (each.name for each in table.columns if each.name in gone and each.default)
    return (
        *(f"the default of {name}" for name in defaults if replaced),
        *(f"index {index.name.name}" for index in table.indexes if gone & set(index.columns)),
        *(f"constraint {check.name}" for check in table.checks if gone & check.columns),
        *(f"constraint {key.name}" for key in table.keys if gone & set(key.needs)),
        *(f"foreign key {each.name}" for each in table.foreign_keys if gone & set(each.columns)),
    )


def _problems(
    schema: Schema, table: TableSchema, gone: frozenset[str], replaced: bool
) -> Iterator[tuple[str, str]]:
    said = f"when the contract drops {', '.join(sorted(gone))} of {table.name}"
    first = "give the new form its own and drop this one in earlier changes, or write it in SQL"

    def missed(columns: Iterable[str]) -> bool:
        bound = frozenset(columns)
        return bool(gone & bound) and (replaced or not bound <= gone)

    for key in table.keys:
        if missed(key.needs) or (key.primary and gone & set(key.needs)):
            kind = "primary key" if key.primary else "unique constraint"
            yield f"{said}, it takes the {kind} {key.name} along", first
    for index in table.indexes:
        if index.unique and missed(index.columns):
            kind = "exclusion constraint" if index.excludes else "unique index"
            yield f"{said}, it takes the {kind} {index.name.name} along", first
    for foreign in table.foreign_keys:
        if missed(foreign.columns):
            yield f"{said}, it takes the foreign key {foreign.name} along", first
    for holder, foreign in schema.referencing(table.name):
        if gone & set(foreign.references):
            yield (
                f"{said}, the foreign key {foreign.name} of {holder} still refers to it",
                "let it refer to another key in an earlier change",
            )
    for check in table.checks:
        if gone & check.columns and check.columns - gone:
            yield f"{said}, it takes the check {check.name} along, which reads others too", first
    for column in table.columns:
        numbered = column.identity is not None or "nextval(" in (column.default or "")
        if replaced and column.name in gone and numbered:
            yield (
                f"{said}, its numbers are drawn no more, and nothing draws them for the new form",
                "write this change in SQL",
            )
        if column.generated is not None and gone & inputs(column.generated):
            yield (
                f"{said}, the generated column {column.name} still reads it",
                f"drop {column.name} in an earlier change, or write this one in SQL",
            )
    for trigger in table.triggers:
        if gone & set(trigger.columns):
            yield (
                f"{said}, the trigger {trigger.name} is still UPDATE OF it",
                "make the trigger again without the column, in an earlier change",
            )
        if gone & trigger.condition:
            yield (
                f"{said}, the WHEN of the trigger {trigger.name} still reads it",
                "let the trigger's function ask for that, in an earlier change",
            )
    if gone & table.published:
        yield (
            f"{said}, a publication of {', '.join(table.publications)} still names it",
            "publish the table without a list of columns, in an earlier change",
        )
    for kind, names in (
        ("view", tuple(map(str, table.views))),
        ("function", tuple(map(str, table.functions))),
        ("policy", table.policies),
        ("rule", table.rules),
    ):
        for name in names:
            yield (
                f"{said}, the {kind} {name} may still read it",
                f"write this change in SQL, and make the {kind} again for each form",
            )
