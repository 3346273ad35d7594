"""What DROP COLUMN would take along: refused where a new server could miss it, else told."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.expressions import inputs
from toolchain.refactor.finding import readers
from toolchain.refactor.phases import UnableError


def require_droppable(
    schema: Schema, table: TableSchema, columns: tuple[str, ...], *, replaced: bool
) -> None:
    """Raise UnableError where the contract's DROP COLUMN would fail, or break a new server.

    What binds `replaced` columns would be missed in those that take their place; of a column that
    just goes, nobody misses what binds it alone.
    """
    drop = _Drop(table=table, gone=frozenset(columns), replaced=replaced)
    for problem, cure in _problems(drop, schema):
        said = f"when the contract drops {', '.join(sorted(drop.gone))} of {table.name}"
        raise UnableError(f"{said}, {problem}", cure)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drop:
    """The DROP COLUMN of a contract; `replaced` says whether other columns take the place."""

    table: TableSchema
    gone: frozenset[str]
    replaced: bool

    def misses(self, columns: Iterable[str]) -> bool:
        """Whether somebody would miss what binds these columns."""
        bound = frozenset(columns)
        return bool(self.gone & bound) and (self.replaced or not bound <= self.gone)

    def takes(self, what: str) -> tuple[str, str]:
        """The problem that something goes with the columns."""
        cure = "give the new form its own and drop this one in earlier changes, or write it in SQL"
        return f"it takes the {what} along", cure


def _problems(drop: _Drop, schema: Schema) -> Iterator[tuple[str, str]]:
    """What DROP COLUMN would do that it must not, and the cure."""
    yield from _of_keys(drop)
    yield from _of_references(drop, schema)
    yield from _of_checks(drop)
    yield from _of_columns(drop)
    yield from _of_triggers(drop)
    yield from _of_readers(drop.table, drop.gone)


def _of_keys(drop: _Drop) -> Iterator[tuple[str, str]]:
    for key in drop.table.keys:
        if drop.misses(key.needs) or (key.primary and drop.gone & set(key.needs)):
            yield drop.takes(f"{'primary key' if key.primary else 'unique constraint'} {key.name}")
    for index in drop.table.indexes:
        if index.unique and drop.misses(index.columns):
            kind = "exclusion constraint" if index.excludes else "unique index"
            yield drop.takes(f"{kind} {index.name.name}")


def _of_references(drop: _Drop, schema: Schema) -> Iterator[tuple[str, str]]:
    for foreign in drop.table.foreign_keys:
        if drop.misses(foreign.columns):
            yield drop.takes(f"foreign key {foreign.name}")
    for holder, foreign in schema.referencing(drop.table.name):
        if drop.gone & set(foreign.references):
            yield (
                f"the foreign key {foreign.name} of {holder} still refers to it",
                "let it refer to another key in an earlier change",
            )


def _of_checks(drop: _Drop) -> Iterator[tuple[str, str]]:
    for check in drop.table.checks:
        if drop.gone & check.columns and check.columns - drop.gone:
            what, cure = drop.takes(f"check {check.name}")
            yield f"{what}, which reads others too", cure


def _of_columns(drop: _Drop) -> Iterator[tuple[str, str]]:
    for column in drop.table.columns:
        numbered = column.identity is not None or "nextval(" in (column.default or "")
        if drop.replaced and column.name in drop.gone and numbered:
            yield (
                "its numbers are drawn no more, and nothing draws them for the new form",
                "write this change in SQL",
            )
        if column.generated is not None and drop.gone & inputs(column.generated):
            yield (
                f"the generated column {column.name} still reads it",
                f"drop {column.name} in an earlier change, or write this one in SQL",
            )


def _of_triggers(drop: _Drop) -> Iterator[tuple[str, str]]:
    for trigger in drop.table.triggers:
        if drop.gone & set(trigger.columns):
            yield (
                f"the trigger {trigger.name} is still UPDATE OF it",
                "make the trigger again without the column, in an earlier change",
            )
        if drop.gone & trigger.condition:
            yield (
                f"the WHEN of the trigger {trigger.name} still reads it",
                "let the trigger's function ask for that, in an earlier change",
            )


def _of_readers(table: TableSchema, gone: frozenset[str]) -> Iterator[tuple[str, str]]:
    if gone & table.published:
        yield (
            f"a publication of {', '.join(table.publications)} still names it",
            "publish the table without a list of columns, in an earlier change",
        )
    for kind, name in (
        *readers(table),
        *(("policy", name) for name in table.policies),
        *(("rule", name) for name in table.rules),
    ):
        yield (
            f"the {kind} {name} may still read it",
            f"write this change in SQL, and make the {kind} again for each form",
        )
