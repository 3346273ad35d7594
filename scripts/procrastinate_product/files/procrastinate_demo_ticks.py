"""A periodic task, apart from the other demo tasks because it fills a job store on its own."""

import procrastinate
from procrastinate_demo import write

tasks = procrastinate.Blueprint()


@tasks.periodic(cron="* * * * * */2")
@tasks.task(name="tick", pass_context=True)
async def tick(context: procrastinate.JobContext, timestamp: int) -> None:
    """Write a row into `procrastinate_ticks` every two seconds, once for all workers together."""
    await write(context, "procrastinate_ticks", str(timestamp))
