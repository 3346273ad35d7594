"""What else knows a table's columns, and would not survive their leaving."""

from collections.abc import Iterator

from toolchain.model.schema import Schema, TableSchema
from toolchain.refactor.finding import readers


def complaints(
    table: TableSchema, moved: frozenset[str], schema: Schema
) -> Iterator[tuple[str, str]]:
    """What else knows the columns that go away."""
    for name, foreign in schema.referencing(table.name):
        if moved & set(foreign.references):
            yield (
                f"the foreign key {foreign.name} of {name} refers to {table.name}"
                f" ({', '.join(foreign.references)}), which would move",
                "let it refer to the primary key in an earlier release",
            )
    for trigger in table.triggers:
        if read := moved & set(trigger.columns):
            yield (
                f"the trigger {trigger.name} is fired by an update of {min(read)}, which would"
                " move",
                "replace it in an earlier release by a trigger that names no column that moves",
            )
        if read := moved & trigger.condition:
            yield (
                f"the trigger {trigger.name} has a WHEN that reads {min(read)}, which would move",
                "replace it in an earlier release by a trigger whose function asks for that",
            )
    if table.row_security or table.policies:
        yield (
            f"{table.name} has row security, and a view of it runs with the rights of its owner,"
            " whom no policy binds",
            "split it by SQL of your own, with policies on the parts",
        )
    if table.rules:
        yield (
            f"the rule {table.rules[0]} rewrites what servers do to {table.name}",
            "replace the rule by a trigger in an earlier release",
        )
    for kind, name in readers(table):
        yield (
            f"the {kind} {name} reads {table.name}, and would keep the columns from being dropped",
            f"drop the {kind} in an earlier release, and make it again over the parts",
        )
    if table.publications:
        yield (
            f"the publication {table.publications[0]} names {table.name}: its subscribers would"
            " lose the columns without a word",
            "publish FOR ALL TABLES instead, or split the table by SQL of your own that also adds"
            " the parts to the publication",
        )
