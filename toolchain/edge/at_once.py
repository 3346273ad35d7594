"""Many waits at the same time, in threads that an interrupted program does not wait for."""

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def at_once(
    work: Callable[[_Item], _Answer], items: Sequence[_Item], *, most: int
) -> tuple[_Answer, ...]:
    """Answers in the order of the items; raises what the first work to fail has raised.

    An executor's threads would be joined at the end of the program: Ctrl-C would hang until the
    last host that does not answer has run out of time.
    """
    room = Semaphore(most)
    done: SimpleQueue[tuple[int, _Answer] | BaseException] = SimpleQueue()

    def run(at: int, item: _Item) -> None:
        with room:
            try:
                done.put((at, work(item)))
            except BaseException as error:  # noqa: BLE001  (it is raised where it is waited for)
                done.put(error)

    for at, item in enumerate(items):
        Thread(target=run, args=(at, item), daemon=True).start()
    answers: dict[int, _Answer] = {}
    while len(answers) < len(items):
        came = done.get()
        if isinstance(came, BaseException):
            raise came
        at, answer = came
        answers[at] = answer
    return tuple(answers[at] for at in range(len(items)))
