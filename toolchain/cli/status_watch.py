"""A status that is read again and again: a live screen on a terminal, one answer each elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from toolchain.cli.status_text import status_text
from toolchain.plan.fleet_status.status import FleetStatus

Read = Callable[[FleetStatus | None], FleetStatus]
Tell = Callable[[FleetStatus], None]


def watch(read: Read, tell: Tell, seconds: float) -> FleetStatus | None:
    """Read and tell until somebody interrupts; the last status, None where there was none yet."""
    status: FleetStatus | None = None
    try:
        while True:
            began = time.monotonic()
            status = read(status)
            tell(status)
            time.sleep(max(seconds - (time.monotonic() - began), 0.2))
    except KeyboardInterrupt:
        # Ctrl-C is how one ends a watch; nothing is interrupted by it.
        return status


def has_screen() -> bool:
    """Whether stdout is a terminal that can be written over."""
    # rich takes a pipe for a terminal where FORCE_COLOR is set.
    return sys.stdout.isatty() and not Console().is_dumb_terminal


@contextmanager
def live_screen(seconds: float, *, each_server: bool) -> Iterator[Tell]:
    """A screen of its own that shows the last status; what stood there comes back at the end."""
    console = Console()
    with Live(console=console, screen=True, auto_refresh=False) as live:
        waiting = "reading the ledgers; Ctrl-C ends it"
        live.update(Text(waiting), refresh=True)

        def tell(status: FleetStatus) -> None:
            footer = Text(f"read again every {seconds:g} s; Ctrl-C ends it", style="dim")
            live.update(_fitting(status, footer, console, each_server), refresh=True)

        yield tell


def _fitting(status: FleetStatus, footer: Text, console: Console, each_server: bool) -> Group:
    """As many shards as the screen has room for; it is cut at its lower edge, where servers are."""
    room = len(status.shards)
    while True:
        shown = Group(footer, status_text(status, most_shards=room))
        excess = len(console.render_lines(shown, pad=False)) - console.height
        if excess <= 0 or room <= 1:
            break
        room = max(room - excess, 1)
    return Group(footer, status_text(status, each_server=each_server, most_shards=room))
