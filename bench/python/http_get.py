import asyncio
import os
import time

import aiohttp

from measuring import FEWEST_REPETITIONS, LONG, report, run

URL = os.environ["BENCH_URL"]
REQUESTS = 10_000
AT_ONCE = 100
BYTES = 1600


async def main():
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def loop(left):
            while left[0] > 0:
                left[0] -= 1
                async with session.get(URL) as response:
                    if len(await response.text()) != BYTES:
                        raise SystemExit("the answer has the wrong length")

        async def all_requests():
            left = [REQUESTS]
            await asyncio.gather(*[loop(left) for _ in range(AT_ONCE)])

        await repeated(all_requests, LONG.warm_up_s, 1)
        repetitions, wall_s = await repeated(all_requests, LONG.measured_s, FEWEST_REPETITIONS)
        return REQUESTS * repetitions / wall_s


async def repeated(work, enough_s, fewest):
    """Like that of measuring.py, inside one loop: the session and its connections stay."""
    started = time.perf_counter()
    repetitions = 0
    while True:
        await work()
        repetitions += 1
        wall_s = time.perf_counter() - started
        if wall_s >= enough_s and repetitions >= fewest:
            return repetitions, wall_s


report(rate=run(main()))
