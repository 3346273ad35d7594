"""ChangeColumns: another type, unit or representation, both kept in the row until the contract."""

from toolchain.model.refactoring import ChangeColumns, Strategy
from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.expressions import inputs, require_readable
from toolchain.refactor.phases import Expand, Migration, Phases, UnableError
from toolchain.refactor.presence import require_present
from toolchain.refactor.row.finding import (
    column_of,
    publication_note,
    require_free,
    require_plain_writes,
    require_settled,
    require_unfiltered,
    table_of,
    walk_key,
)
from toolchain.refactor.row.forms import Forms, Value
from toolchain.refactor.row.grants import copy_column_grants
from toolchain.refactor.row.removing import dropped_along, require_droppable
from toolchain.refactor.row.required import Proof, not_null
from toolchain.refactor.sql import comment, ident, idents, relation, script

_WHY = (
    "both forms stand in the same row, so one trigger keeps them equal before it is stored, and"
    " there is no second row to lock"
)


def phases(change: str, refactoring: ChangeColumns, schema: Schema) -> Phases:
    """Columns and trigger at the expand, old rows in batches; the contract drops the old form."""
    table = table_of(schema, refactoring.table)
    old = tuple(each.name for each in refactoring.old)
    _refuse(refactoring, schema, table, old)
    forms = Forms(
        table=table,
        old=tuple(Value(column=each.name, value=each.value) for each in refactoring.old),
        new=tuple(Value(column=each.name, value=each.value) for each in refactoring.new),
        required=tuple(each.name for each in refactoring.new if each.not_null),
    )
    proof = not_null(table.name, change, forms.required)
    gone = dropped_along(table, old, replaced=True)
    return Phases(
        strategy=Strategy.ROW,
        why=_WHY + (f"; the contract drops {', '.join(gone)} with the old form" if gone else ""),
        expand=_expand(change, refactoring, forms, proof, publication_note(schema, table)),
        migrate=_migration(forms, proof),
        contract=_contract(change, forms, proof, gone),
    )


def _refuse(
    refactoring: ChangeColumns, schema: Schema, table: TableSchema, old: tuple[str, ...]
) -> None:
    for name in old:
        column_of(table, name)
    new = tuple(each.name for each in refactoring.new)
    if len({*old, *new}) < len(old) + len(new) or not old or not new:
        raise UnableError(
            f"the change of {', '.join(old)} of {table.name} names a column twice, or none",
            "name each old and each new column once; for another type choose another name",
        )
    for name in new:
        require_free(table, name)
    values = [*(each.value for each in refactoring.old), *(each.value for each in refactoring.new)]
    require_settled(table, {*old, *(name for value in values for name in inputs(value))})
    for each in refactoring.new:
        require_readable(table, inputs(each.value), f"the value of {each.name}")
        if each.not_null:
            require_present(table, each.name, each.value)
    for back in refactoring.old:
        reads = inputs(back.value)
        if reads & set(old):
            raise UnableError(
                f"the value of {back.name} reads {', '.join(sorted(reads & set(old)))}, which is of"
                " the old form itself",
                f"compute it from {', '.join(new)}",
            )
        require_readable(table, reads - set(new), f"the value of {back.name}")
    require_plain_writes(table, old)
    require_droppable(schema, table, old, replaced=True)
    require_unfiltered(table, "rows that the migration does not see would be dropped unmoved")


def _expand(
    change: str, refactoring: ChangeColumns, forms: Forms, proof: Proof | None, note: str
) -> Expand:
    table = relation(refactoring.table)
    added = ",\n".join(f"    ADD COLUMN {ident(each.name)} {each.type}" for each in refactoring.new)
    dropped = ",\n".join(f"    DROP COLUMN {ident(each.name)}" for each in refactoring.new)
    old, new = ([each.column for each in form] for form in (forms.old, forms.new))
    trigger = forms.trigger(change)
    return Expand(
        sql=script(
            comment(
                f"{', '.join(old)} of {refactoring.table} becomes {', '.join(new)}. Both stand in"
                " the same row, and a trigger keeps them equal before the row is stored: there is"
                " no second row to lock."
            ),
            note,
            f"ALTER TABLE {table}\n{added};",
            copy_column_grants(refactoring.table, [(one, other) for one in old for other in new]),
            trigger.create(),
            proof.add() if proof else "",
        ),
        undo=script(
            comment("The old form was kept equal all the time, so it is complete by itself."),
            trigger.drop(),
            *([f"ALTER TABLE {table} DROP CONSTRAINT {ident(proof.name)};"] if proof else []),
            f"ALTER TABLE {table}\n{dropped};",
        ),
    )


def _migration(forms: Forms, proof: Proof | None) -> Migration:
    key, table = walk_key(forms.table), relation(forms.table.name)
    name = ident(forms.new[0].column)
    return Migration(
        table=forms.table.name,
        key=key,
        batch=script(
            comment(
                "Touches the rows that nobody wrote since the expand; the trigger fills them as it"
                " would for an old server. UPDATE waits for a concurrent writer of a row and looks"
                " at it anew, so no write is lost, and a deleted row stays deleted."
            )
            + f"\nUPDATE {table}\nSET {name} = {name}\n"
            f"WHERE {ident(key)} BETWEEN $1 AND $2\n  AND ({forms.unfilled()});"
        ),
        finish=script(proof.validate()) if proof else "",
    )


def _contract(change: str, forms: Forms, proof: Proof | None, gone: tuple[str, ...]) -> str:
    table = relation(forms.table.name)
    old = [each.column for each in forms.old]
    dropped = ",\n".join(f"    DROP COLUMN {ident(name)}" for name in old)
    along = f" With it go {', '.join(gone)}." if gone else ""
    return script(
        comment(f"The old form, {idents(old)}, ends.{along}"),
        forms.proof(change),
        forms.trigger(change).drop(),
        proof.settle() if proof else "",
        f"ALTER TABLE {table}\n{dropped};",
    )
