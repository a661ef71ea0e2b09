"""The peer asyncpg of all rows about PostgreSQL: `postgres.py asyncio|uvloop query|rows|transaction|copy|acquire`."""

import asyncio
import os
import sys
import time

import asyncpg

from measuring import FEWEST_REPETITIONS, LONG, check, report, run

ADDRESS = {"host": os.environ["BENCH_PG_HOST"], "port": 5432, "user": "postgres", "database": "postgres"}
CONNECTIONS = 10
ITEMS = 1_000
COPIED = 50_000
TURNS = 20_000


async def query(pool):
    async def ask(turn, _):
        item = 1 + turn % ITEMS
        row = await pool.fetchrow("select id, name, price from items where id = $1", item)
        check("id", row["id"], item)

    return 10_000, loops(10_000, 100, ask)


async def rows(pool):
    async def ask(*_):
        check("rows", len(await pool.fetch("select id, name, price, sold, added from items")), ITEMS)

    return 200, loops(200, CONNECTIONS, ask)


async def transaction(pool):
    async def transact(turn, loop):
        async with pool.acquire() as connection, connection.transaction():
            await connection.fetchrow("select price from items where id = $1", 1 + turn % ITEMS)
            await connection.execute("update counters set value = value + $2 where id = $1", 1 + loop, 1)
            await connection.fetchrow("select value from counters where id = $1", 1 + loop)

    return 1_000, loops(1_000, CONNECTIONS, transact)


async def copy(pool):
    async def work():
        records = ((i, f"item {i}", i / 8) for i in range(COPIED))
        async with pool.acquire() as connection:
            await connection.execute("truncate copied")
            await connection.copy_records_to_table("copied", records=records, columns=["id", "name", "price"])

    return COPIED, work


async def acquire(pool):
    async def work():
        for _ in range(TURNS):
            async with pool.acquire():
                pass

    return TURNS, work


def loops(count, at_once, job):
    """The same as loopsOf() of harness/postgres.ts."""

    async def loop(left, number):
        while left[0] < count:
            left[0] += 1
            await job(left[0] - 1, number)

    async def work():
        left = [0]
        await asyncio.gather(*[loop(left, number) for number in range(at_once)])

    return work


async def main():
    async with asyncpg.create_pool(**ADDRESS, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        count, work = await globals()[sys.argv[2]](pool)
        await repeated(work, LONG.warm_up_s, 1)
        cpu = time.process_time()
        repetitions, wall_s = await repeated(work, LONG.measured_s, FEWEST_REPETITIONS)
        done = count * repetitions
        if sys.argv[2] == "acquire":
            return {"wall": wall_s * 1_000_000 / done}
        return {"rate": done / wall_s, "cpu": (time.process_time() - cpu) * 1_000_000 / done}


async def repeated(work, enough_s, fewest):
    """Like that of measuring.py, inside one loop: the pool and its connections stay."""
    started = time.perf_counter()
    repetitions = 0
    while True:
        await work()
        repetitions += 1
        wall_s = time.perf_counter() - started
        if wall_s >= enough_s and repetitions >= fewest:
            return repetitions, wall_s


report(**run(main()))
