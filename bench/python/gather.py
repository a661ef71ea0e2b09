import asyncio

from measuring import cost_of, report, run

JOBS = 100_000


async def job():
    await asyncio.sleep(0)


async def main():
    await asyncio.gather(*[job() for _ in range(JOBS)])


wall_ms, _ = cost_of(lambda: run(main()))
report(wall=wall_ms * 1000 / JOBS)
