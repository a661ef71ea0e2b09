import asyncio

from measuring import check, microseconds_once, report, run

TASKS = 1_000_000


async def main(tasks):
    done = 0

    async def job():
        nonlocal done
        done += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(job())
    check("tasks done", done, tasks)


report(wall=microseconds_once(TASKS, lambda tasks: run(main(tasks))))
