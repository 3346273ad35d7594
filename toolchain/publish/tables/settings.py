"""Single values that are remembered between runs, by name."""

from dataclasses import dataclass

from toolchain.publish.tables.database import Database

TABLES = "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);\n"


@dataclass(frozen=True, slots=True)
class Settings:
    """Names and values, both text."""

    database: Database

    def get(self, name: str) -> str | None:
        """A value; None where none was set."""
        row = self.database.row("SELECT value FROM setting WHERE name = ?", name)
        return None if row is None else str(row[0])

    def beginning(self, prefix: str) -> dict[str, str]:
        """The values whose names begin alike."""
        rows = self.database.rows("SELECT name, value FROM setting ORDER BY name")
        return {str(name): str(value) for name, value in rows if str(name).startswith(prefix)}

    def set(self, name: str, value: str) -> None:
        """Remember a value."""
        self.database.do("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, value)

    def forget(self, name: str) -> None:
        """Forget a value."""
        self.database.do("DELETE FROM setting WHERE name = ?", name)
