"""Many small processes, as many at a time as there are processors."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from toolchain.edge.process import processors

Item = TypeVar("Item")
Made = TypeVar("Made")


def each(function: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """The function's results in order; when the caller gives up, what has not begun never does."""
    with ThreadPoolExecutor(processors()) as executor:
        try:
            yield from executor.map(function, items)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
