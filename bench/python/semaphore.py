import asyncio

from measuring import microseconds_each, report, run
from section import ENTRIES, contend

PERMITS = 10


async def main():
    await contend(asyncio.Semaphore(PERMITS), PERMITS)


report(wall=microseconds_each(ENTRIES, lambda: run(main())))
