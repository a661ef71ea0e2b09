import asyncio
import time

from measuring import check, microseconds_of_part, report, run

TASKS = 100_000
SLEEP_S = 120


async def main():
    asleep = 0
    cleaned_up = 0

    async def job():
        nonlocal asleep, cleaned_up
        asleep += 1
        try:
            await asyncio.sleep(SLEEP_S)
        finally:
            cleaned_up += 1

    async def owner():
        async with asyncio.TaskGroup() as group:
            for _ in range(TASKS):
                group.create_task(job())

    task = asyncio.create_task(owner())
    while asleep < TASKS:
        await asyncio.sleep(0)
    started = time.perf_counter()
    task.cancel()
    await asyncio.wait([task])
    seconds = time.perf_counter() - started
    check("tasks that have cleaned up", cleaned_up, TASKS)
    return seconds


report(wall=microseconds_of_part(TASKS, lambda: run(main())))
