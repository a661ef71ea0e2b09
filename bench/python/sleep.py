import asyncio

from measuring import cost_of, report, run, sleep_times

TASKS = 100_000
LONGEST_MS = 100
times = sleep_times(TASKS)


async def job(ms):
    await asyncio.sleep(ms / 1000)


async def main():
    await asyncio.gather(*[job(ms) for ms in times])


wall_ms, cpu_ms = cost_of(lambda: run(main()))
report(cpu=cpu_ms * 1000 / TASKS, late=(wall_ms - LONGEST_MS) * 1000 / TASKS)
