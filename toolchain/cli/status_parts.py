"""What the tables and sentences of a status are made of."""

from collections.abc import Iterable, Sequence

from rich.box import HEAVY_HEAD, SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from toolchain.spec.wording import printable

# Names that are told one by one before the rest is only counted.
NAMED = 4


def headed(*headings: str, right: Iterable[str] = (), small: bool = False) -> Table:
    """An empty table; a small one has no frame."""
    table = Table(box=SIMPLE_HEAD if small else HEAVY_HEAD, show_edge=not small)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return table


def indented(line: str) -> Text:
    """A line below a heading, with nothing in it that a terminal would obey."""
    return Text(f"  {printable(line)}")


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown
