"""The names and columns of a merge, and how its SQL speaks of them."""

from dataclasses import dataclass

from toolchain.model.relation_name import RelationName
from toolchain.model.schema import Check, Column, ForeignKey
from toolchain.refactor.sql import ident, named

# Types that PostgreSQL cannot compare, or compares by something else than what they hold.
_COMPARED_AS_TEXT = (
    "json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle",
)  # fmt: skip


def compared(column: Column, of: str) -> str:
    """A column as it is compared with another."""
    name = of + ident(column.name)
    return f"{name}::text" if column.type.split("[")[0] in _COMPARED_AS_TEXT else name


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLayout:
    """A table that ends; `key` is its primary key's column, `columns` are all others.

    `aside` is its name while a view has taken its own. Where every column may be NULL, `marker`
    names a column of the other table that says whether there is a part.
    """

    table: RelationName
    key: str
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    foreign_keys: tuple[ForeignKey, ...]
    key_default: str | None
    order: tuple[str, ...]
    marker: str | None

    @property
    def aside(self) -> RelationName:
        """The table's name from the end of the migration to the contract."""
        return self.beside("merged")

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that are never NULL in a part."""
        return tuple(column.name for column in self.columns if column.not_null)

    def beside(self, what: str) -> RelationName:
        """A function or table that is made for this part."""
        return self.table.beside(named(self.table.name, what))

    def present(self, row: str = "") -> str:
        """Whether a row of the other table has this part."""
        if self.marker is not None:
            return f"{row}{ident(self.marker)} IS TRUE"
        return f"{row}{ident(self.required[0])} IS NOT NULL"

    def empty(self, row: str = "") -> str:
        """Whether a row of the other table has nothing of this part."""
        return " AND ".join(f"{row}{ident(column.name)} IS NULL" for column in self.columns)

    def filled(self, row: str) -> str:
        """Whether a row of the other table has something of this part."""
        return " OR ".join(f"{row}{ident(column.name)} IS NOT NULL" for column in self.columns)

    def differs(self, one: str, other: str) -> str:
        """Whether two rows differ in this part, none of them taken for a table's whole row."""
        rows = [", ".join(compared(column, of) for column in self.columns) for of in (one, other)]
        return f"ROW({rows[0]}) IS DISTINCT FROM ROW({rows[1]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeLayout:
    """Parts, and the table that they go into by its primary key's column."""

    change: str
    into: RelationName
    key: str
    key_type: str
    parts: tuple[PartLayout, ...]

    @property
    def queue(self) -> RelationName:
        """The table of keys whose part has changed."""
        return self.into.beside(named(self.change, self.into.name, "changed"))
