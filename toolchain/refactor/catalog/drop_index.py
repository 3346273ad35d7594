"""An index that goes when the servers that want it are gone."""

from toolchain.model.refactoring import DropIndex, Strategy
from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Schema
from toolchain.refactor.catalog.finding import relation_is_there
from toolchain.refactor.phases import Phases, UnableError
from toolchain.refactor.sql import comment, relation, script


def phases(change: str, refactoring: DropIndex, schema: Schema) -> Phases:  # noqa: ARG001
    """DROP INDEX in the contract: until then old servers may need it, for speed or ON CONFLICT."""
    _require_plain(refactoring.index, schema)
    return Phases(
        strategy=Strategy.CATALOG,
        why=(
            "An index is no form of any row; it stays until no server is left that was written"
            " with it in mind."
        ),
        expand=relation_is_there(refactoring.index),
        contract=script(
            comment(
                "This locks the table for the moment that a change of the catalogue takes. DROP"
                " INDEX CONCURRENTLY does not, but no contract runs outside of a transaction."
            )
            + f"\nDROP INDEX {relation(refactoring.index)};"
        ),
        ready_at_expand=True,
    )


def _require_plain(name: RelationName, schema: Schema) -> None:
    for table in schema.tables.values():
        if any(table.name.beside(key.name) == name for key in table.keys):
            raise UnableError(
                f"the index {name} belongs to a constraint of {table.name}",
                "use drop_constraint, and the index goes with it",
            )
        found = next((index for index in table.indexes if index.name == name), None)
        if found is None:
            continue
        if found.excludes:
            raise UnableError(
                f"the index {name} belongs to an exclusion constraint of {table.name}",
                "use drop_constraint, and the index goes with it",
            )
        for other, foreign in schema.referencing(table.name):
            if found.unique and set(foreign.references) == set(found.columns):
                raise UnableError(
                    f"the foreign key {foreign.name} of {other} needs the unique index {name}",
                    f"drop {foreign.name} first, by drop_constraint in an earlier release",
                )
        return
    raise UnableError(
        f"the index {name} is not known",
        "name an index that the SQL of this chain has made, with its schema if that is not public",
    )
