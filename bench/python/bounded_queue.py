# Not queue.py: that is a module of the standard library.
import asyncio

from measuring import check, microseconds_each, report, run

ITEMS = 100_000
PLACES = 100


async def main():
    queue = asyncio.Queue(PLACES)
    total = 0

    async def put():
        for item in range(ITEMS):
            await queue.put(item)

    async def get():
        nonlocal total
        for _ in range(ITEMS):
            total += await queue.get()

    await asyncio.gather(put(), get())
    check("sum of the items", total, ITEMS * (ITEMS - 1) // 2)


report(wall=microseconds_each(ITEMS, lambda: run(main())))
