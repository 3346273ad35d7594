"""Two forms in one row: whichever a statement wrote, the other is derived from it."""

from dataclasses import dataclass

from toolchain.model.schema import TableSchema
from toolchain.refactor.expressions import over
from toolchain.refactor.row.comparing import differ
from toolchain.refactor.row.triggers import RowTrigger, own_triggers
from toolchain.refactor.sql import comment, ident, literal, relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A column, and its value by the columns of the other form."""

    column: str
    value: str

    def assigned(self, target: str, source: str = "NEW") -> str:
        """The assignment in PL/pgSQL, which converts to the column's type."""
        return f"{target}.{ident(self.column)} := {over(source, self.value)};"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """The columns of both forms of a table; the `required` new ones end up NOT NULL."""

    table: TableSchema
    old: tuple[Value, ...]
    new: tuple[Value, ...]
    required: tuple[str, ...] = ()

    def trigger(self, change: str) -> RowTrigger:
        """The trigger that keeps them equal.

        A statement that writes both forms means the new one. One that writes neither leaves both as
        they are, unless the row is from before the expand: else a pair of expressions that are not
        each other's inverse would move a value with every write.
        """
        body = self._body(self._corrected() if own_triggers(self.table) else self._back())
        return RowTrigger(
            change=change,
            table=self.table,
            body=body,
            settling="\n".join([
                self._who(), "IF new_form THEN", _indented(self._back()), "END IF;", "RETURN NEW;",
            ]),
            declare=("new_form boolean", "other record"),
        )  # fmt: skip

    def unfilled(self) -> str:
        """The condition on rows that have the old form only, and something to fill in."""
        if self.required:
            return " OR ".join(f"{ident(name)} IS NULL" for name in self.required)
        nothing = " AND ".join(f"{ident(each.column)} IS NULL" for each in self.new)
        something = " OR ".join(f"({each.value}) IS NOT NULL" for each in self.new)
        return f"{nothing} AND ({something})"

    def proof(self, change: str) -> str:
        """Stop where the walk has left out a row; a validated check says so of `required` ones."""
        if self.required:
            return ""
        message = f"{change}: rows of {self.table.name} have the old form only"
        written = "\n".join(f"        {each.assigned('other', 'entry')}" for each in self.old)
        words = (
            "First, under no lock that anybody would notice, the proof that no row was left out:"
            " one without the new form, whose old form does not say the same."
        )
        return f"""\
{comment(words)}
DO $block$
#variable_conflict use_column
DECLARE
    entry record;
    other record;
BEGIN
    FOR entry IN
        SELECT * FROM {relation(self.table.name)}
        WHERE {self.unfilled()}
    LOOP
        other := entry;
{written}
        IF {_differ(self.old, "other", "entry")} THEN
            RAISE EXCEPTION USING
                MESSAGE = {literal(message)},
                HINT = {literal(f"Undo the migrate phase of {change} and run it again.")};
        END IF;
    END LOOP;
END
$block$;"""

    def _who(self) -> str:
        present = " OR ".join(f"NEW.{ident(each.column)} IS NOT NULL" for each in self.new)
        return "\n".join([
            "-- *<> compares what is stored: NULL is a value, and so is 1.00 beside 1.0.",
            "IF TG_OP = 'INSERT' THEN",
            f"    new_form := {present};",
            "ELSE",
            f"    new_form := {_differ(self.new, 'NEW', 'OLD')};",
            "END IF;",
        ])  # fmt: skip

    def _body(self, new_form: str) -> str:
        return "\n".join([
            self._who(),
            "",
            "IF new_form THEN",
            _indented(new_form),
            f"ELSIF TG_OP = 'INSERT' OR {_differ(self.old, 'NEW', 'OLD')} THEN",
            _indented(self._forth()),
            *self._fill(),
            "END IF;",
            "RETURN NEW;",
        ])  # fmt: skip

    def _forth(self) -> str:
        return "\n".join(each.assigned("NEW") for each in self.new)

    def _back(self) -> str:
        return "\n".join([
            "-- Not where the old form says the same already, perhaps in other words.",
            "other := NEW;",
            *(each.assigned("other") for each in self.new),
            f"IF {_differ(self.new, 'other', 'NEW')} THEN",
            *(f"    {each.assigned('NEW')}" for each in self.old),
            "END IF;",
        ])  # fmt: skip

    def _corrected(self) -> str:
        words = (
            "The first trigger made the old form agree. If it does not any more, one of the table's"
            " own triggers has changed it since, and has the last word."
        )
        return "\n".join([
            comment(words),
            "other := NEW;",
            *(each.assigned("other") for each in (*self.new, *self.old)),
            f"IF {_differ(self.new, 'other', 'NEW')}",
            f"    AND {_differ(self.old, 'other', 'NEW')} THEN",
            *(f"    {each.assigned('NEW')}" for each in self.new),
            "END IF;",
        ])  # fmt: skip

    def _fill(self) -> list[str]:
        head = "-- A row from before the expand, which nobody wrote since."
        if self.required:
            missing = " OR ".join(f"NEW.{ident(name)} IS NULL" for name in self.required)
            return [f"ELSIF {missing} THEN", f"    {head}", _indented(self._forth())]
        missing = " AND ".join(f"NEW.{ident(each.column)} IS NULL" for each in self.new)
        return [
            f"ELSIF {missing} THEN",
            f"    {head} NULL may also be what",
            "    -- a server wrote, which then stands in the old form too.",
            "    other := NEW;",
            *(f"    {each.assigned('other')}" for each in self.old),
            f"    IF {_differ(self.old, 'other', 'NEW')} THEN",
            _indented(_indented(self._forth())),
            "    END IF;",
        ]


def _differ(values: tuple[Value, ...], one: str, other: str) -> str:
    return differ([value.column for value in values], one, other)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))
