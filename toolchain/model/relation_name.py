"""The name of a table, view, index or sequence in a database."""

from typing import NamedTuple


class RelationName(NamedTuple):
    """A schema and a name as PostgreSQL stores them, unquoted."""

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "RelationName":
        """Read `name` or `schema.name`; without a schema it is one of public."""
        schema, _, name = text.rpartition(".")
        return cls(schema or "public", name)

    def beside(self, name: str) -> "RelationName":
        """Another relation of the same schema."""
        return RelationName(self.schema, name)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"
