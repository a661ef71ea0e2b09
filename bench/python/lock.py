import asyncio

from measuring import microseconds_each, report, run
from section import ENTRIES, contend


async def main():
    await contend(asyncio.Lock(), 1)


report(wall=microseconds_each(ENTRIES, lambda: run(main())))
