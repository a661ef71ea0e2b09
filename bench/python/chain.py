import asyncio

from measuring import check, microseconds_each, report, run

DEPTH = 100
TASKS = 100
CALLS = 100


async def level(depth):
    if depth < DEPTH:
        return await level(depth + 1) + 1
    await asyncio.sleep(0)
    return 1


async def job():
    levels = 0
    for _ in range(CALLS):
        levels += await level(1)
    check("levels", levels, DEPTH * CALLS)


async def main():
    await asyncio.gather(*[job() for _ in range(TASKS)])


report(wall=microseconds_each(TASKS * CALLS, lambda: run(main())))
