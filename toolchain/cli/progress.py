"""How long work shows where it is: a bar on a terminal, plain lines elsewhere; both on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

# Called with what is done, what there is in all, and the name of what is at hand.
Progress = Callable[[int, int, str], None]


@contextmanager
def progress(title: str, line: str) -> Iterator[Progress]:
    """A bar with a title; elsewhere `line`, with {done}, {total} and {name}, for each tenth."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bar  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        told = -1

        def tell(done: int, total: int, name: str) -> None:
            nonlocal told
            tenth = 10 * done // total
            if name and tenth > told:
                told = tenth
                click.echo(line.format(done=done, total=total, name=name), err=True)

        yield tell
        return
    name_column = TextColumn("{task.fields[name]}")
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, name_column, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None, name="")

        def move(done: int, total: int, name: str) -> None:
            bar.update(task, completed=done, total=total, name=name)

        yield move


@contextmanager
def activity(title: str) -> Iterator[Progress]:
    """A bar on a terminal; nothing elsewhere, where the summary is the story."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total, _what: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total, what: bar.update(
            task, completed=done, total=total, description=what
        )
