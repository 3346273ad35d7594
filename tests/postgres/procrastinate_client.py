"""Runs by itself, with one release of procrastinate: defers jobs until told to stop, then counts.

The texts of the jobs are `NAME-0`, `NAME-1` and so on. Every fifth job takes a while, so that
some are always under way; every fifth fails at its first attempt and has to be tried again.
"""

import asyncio
import os
import signal
import sys
from contextlib import suppress

sys.path.insert(0, os.environ["PROCRASTINATE_LIBRARY"])
os.environ["PSYCOPG_IMPL"] = "python"

PAUSE = 0.05


async def produce(name: str) -> int:
    """Defer jobs with the release's own library; returns how many."""
    import procrastinate_host  # found in the release's library only

    app = procrastinate_host.make_app(procrastinate_host.read_settings())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    number = 0
    async with app.open_async():
        while not stop.is_set():
            job = {"table": "notes", "text": f"{name}-{number}"}
            match number % 5:
                case 1:
                    await app.configure_task("demo:nap").defer_async(**job, seconds=0.1)
                case 3:
                    await app.configure_task("demo:flaky").defer_async(**job)
                case _:
                    await app.configure_task("demo:note").defer_async(**job)
            number += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), PAUSE)
    return number


if __name__ == "__main__":
    print(asyncio.run(produce(sys.argv[1])))  # noqa: T201 - the answer
