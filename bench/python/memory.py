import asyncio

from measuring import check, peak_mb, report

TASKS = 1_000_000
# Like the other peers; all must be asleep at once.
SLEEP_S = 20
asleep = 0
most = 0


async def job():
    global asleep, most
    asleep += 1
    most = max(most, asleep)
    await asyncio.sleep(SLEEP_S)
    asleep -= 1


async def main():
    await asyncio.gather(*[job() for _ in range(TASKS)])


before_mb = peak_mb()
asyncio.run(main())
check("tasks asleep at once; make the sleep longer", most, TASKS)
report(bytes=(peak_mb() - before_mb) * 2**20 / TASKS)
