"""Small tasks that leave a trace in a table, to see a worker work.

`table` is `name` or `schema.name` of a table with the columns `text` and `server`; the row's
`server` is the release of procrastinate that ran the job.
"""

import asyncio

import procrastinate

tasks = procrastinate.Blueprint()


async def write(context: procrastinate.JobContext, table: str, text: str) -> None:
    """Write one row."""
    name = ".".join('"{}"'.format(part.replace('"', '""')) for part in table.split("."))
    await context.app.connector.execute_query_async(
        f"INSERT INTO {name} (text, server) VALUES (%(text)s, %(server)s)",  # noqa: S608
        text=text,
        server=procrastinate.__version__,
    )


@tasks.task(name="note", pass_context=True)
async def note(context: procrastinate.JobContext, *, table: str, text: str) -> None:
    """Write one row."""
    await write(context, table, text)


@tasks.task(name="nap", pass_context=True)
async def nap(context: procrastinate.JobContext, *, table: str, text: str, seconds: float) -> None:
    """Work for a while, then write one row."""
    await asyncio.sleep(seconds)
    await write(context, table, text)


@tasks.task(name="flaky", pass_context=True, retry=2)
async def flaky(context: procrastinate.JobContext, *, table: str, text: str) -> None:
    """Fail at the first attempt, so that procrastinate tries again; then write one row."""
    if context.job.attempts == 0:
        raise RuntimeError("the first attempt fails on purpose")
    await write(context, table, text)
