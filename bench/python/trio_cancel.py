import time

import trio

from measuring import check, microseconds_of_part, report

TASKS = 100_000
SLEEP_S = 120


async def main():
    asleep = 0
    cleaned_up = 0

    async def job():
        nonlocal asleep, cleaned_up
        asleep += 1
        try:
            await trio.sleep(SLEEP_S)
        finally:
            cleaned_up += 1

    async with trio.open_nursery() as nursery:
        for _ in range(TASKS):
            nursery.start_soon(job)
        while asleep < TASKS:
            await trio.sleep(0)
        started = time.perf_counter()
        nursery.cancel_scope.cancel()
    seconds = time.perf_counter() - started
    check("tasks that have cleaned up", cleaned_up, TASKS)
    return seconds


report(wall=microseconds_of_part(TASKS, lambda: trio.run(main)))
