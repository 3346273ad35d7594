"""Many small processes, as many at a time as there are processors."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from threading import Thread
from time import monotonic
from typing import TypeVar

from toolchain.edge.process import Processes, processors

Item = TypeVar("Item")
Made = TypeVar("Made")

# In seconds: so long may what has begun clean up, once its processes were told to end.
_GRACE = 0.5


def each(
    function: Callable[[Item], Made], items: Iterable[Item], processes: Processes
) -> Iterator[Made]:
    """The function's results in order; when the caller gives up, what has not begun never does.

    What has begun is not waited for: its processes are ended, and a thread that is stuck (a dead
    disk, a share that is gone) is left behind. An executor's threads would hold the interpreter
    up at its end, these don't.
    """
    made: list[Future[Made]] = []
    waiting: deque[tuple[Item, Future[Made]]] = deque()
    for item in items:
        future: Future[Made] = Future()
        made.append(future)
        waiting.append((item, future))
    threads = [
        Thread(target=_work, args=(function, waiting), daemon=True)
        for _ in range(min(processors(), len(made)))
    ]
    for thread in threads:
        thread.start()
    try:
        for future in made:
            yield future.result()
    except BaseException:
        waiting.clear()
        processes.stop()
        raise
    finally:
        until = monotonic() + _GRACE
        for thread in threads:
            thread.join(max(0.0, until - monotonic()))


def _work(function: Callable[[Item], Made], waiting: "deque[tuple[Item, Future[Made]]]") -> None:
    while True:
        try:
            item, future = waiting.popleft()
        except IndexError:
            return
        try:
            future.set_result(function(item))
        except BaseException as error:  # noqa: BLE001  (raised again where the result is asked for)
            future.set_exception(error)
