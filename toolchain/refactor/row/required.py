"""NOT NULL without a scan under a strong lock: a check that binds new rows, proved in the walk."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain.model.relation_name import RelationName
from toolchain.refactor.sql import comment, ident, named, relation

PREFIX = "interlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A check that holds until the contract; `required` are the columns that end up NOT NULL."""

    table: RelationName
    change: str
    expression: str
    required: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the constraint."""
        return named(PREFIX, self.change)

    def add(self) -> str:
        """Bind new writes and scan nothing."""
        return (
            comment("NOT VALID binds every new write and looks at no old row.")
            + f"\nALTER TABLE {relation(self.table)}\n    ADD CONSTRAINT {ident(self.name)}"
            f"\n    CHECK ({self.expression}) NOT VALID;"
        )

    def validate(self) -> str:
        """Look at the old rows, beside readers and writers."""
        return (
            comment(
                "Reads the table under SHARE UPDATE EXCLUSIVE, which no reader or writer notices,"
                " so that the contract finds it proved."
            )
            + f"\nALTER TABLE {relation(self.table)} VALIDATE CONSTRAINT {ident(self.name)};"
        )

    def settle(self) -> str:
        """SET NOT NULL of what is proved, and the check away."""
        drop = f"ALTER TABLE {relation(self.table)} DROP CONSTRAINT {ident(self.name)};"
        if not self.required:
            return drop
        words = (
            "The check is proved, so SET NOT NULL scans nothing. It comes before the check is"
            " dropped; one ALTER TABLE would drop first."
        )
        commands = ",\n".join(
            f"    ALTER COLUMN {ident(name)} SET NOT NULL" for name in self.required
        )
        return f"{comment(words)}\nALTER TABLE {relation(self.table)}\n{commands};\n{drop}"


def not_null(table: RelationName, change: str, columns: Sequence[str]) -> Proof | None:
    """The proof that columns are never NULL; None where none need be."""
    if not columns:
        return None
    expression = " AND ".join(f"{ident(name)} IS NOT NULL" for name in columns)
    return Proof(table=table, change=change, expression=expression, required=tuple(columns))
