"""The rows workers-*: multiprocessing.Pool and ProcessPoolExecutor; the same work as harness/pools.ts and the rows."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool

from measuring import check, cost_of, report

WHAT, KIND, WORKERS = sys.argv[1], sys.argv[2], int(sys.argv[3])
CALLS = 10_000
CALLS_IN_TURN = 1_000
NUMBERS = 500_000
CHUNK = 5_000
MEGABYTE = 1_000_000
PRIMES_BELOW = 1_000_000
PARTS = 50
PRIMES = 78_498


def increment(n):
    return n + 1


def mark(data):
    written = bytearray(data)
    written[0] = 1
    return written


def is_prime(n):
    divisor = 2
    while divisor * divisor <= n:
        if n % divisor == 0:
            return False
        divisor += 1
    return True


def count_primes(part):
    first, last = part
    return sum(1 for n in range(max(first, 2), last) if is_prime(n))


def open_pool():
    return Pool(WORKERS) if KIND == "pool" else ProcessPoolExecutor(WORKERS)


def submit(pool, job, argument):
    if KIND == "pool":
        return pool.apply_async(job, (argument,)).get
    return pool.submit(job, argument).result


def burst(pool):
    def work():
        results = [submit(pool, increment, n) for n in range(CALLS)]
        check("sum", sum(get() for get in results), CALLS * (CALLS + 1) // 2)

    return cost_of(work)[0] * 1000 / CALLS


def turns(pool):
    def work():
        for n in range(CALLS_IN_TURN):
            check("value", submit(pool, increment, n)(), n + 1)

    return cost_of(work)[0] * 1000 / CALLS_IN_TURN


def numbers(pool):
    def work():
        # Pool makes chunks by itself if it is not told otherwise; the executor sends each item alone.
        if KIND == "executor":
            mapped = pool.map(increment, range(NUMBERS), chunksize=CHUNK)
        elif WHAT == "imap":
            mapped = pool.imap(increment, range(NUMBERS), chunksize=CHUNK)
        else:
            mapped = pool.map(increment, range(NUMBERS))
        check("sum", sum(mapped), NUMBERS * (NUMBERS + 1) // 2)

    return cost_of(work)[0] * 1000 / NUMBERS


def buffer(pool, megabytes):
    data = bytearray(megabytes * MEGABYTE)

    def work():
        check("length", len(submit(pool, mark, data)()), megabytes * MEGABYTE)

    return cost_of(work)[0]


def primes(pool):
    step = PRIMES_BELOW // PARTS
    parts = [(n, n + step) for n in range(0, PRIMES_BELOW, step)]

    def work():
        results = [submit(pool, count_primes, part) for part in parts]
        check("primes", sum(get() for get in results), PRIMES)

    return cost_of(work)[0]


def start():
    def work():
        with open_pool() as pool:
            results = [submit(pool, increment, n) for n in range(WORKERS)]
            check("sum", sum(get() for get in results), WORKERS * (WORKERS + 1) // 2)

    return cost_of(work)[0]


def main():
    if WHAT == "start":
        report(wall=start())
        return
    with open_pool() as pool:
        if WHAT == "burst":
            report(wall=burst(pool))
        elif WHAT == "turns":
            report(wall=turns(pool))
        elif WHAT in ("map", "imap"):
            report(wall=numbers(pool))
        elif WHAT == "buffer":
            report(wall=buffer(pool, 100))
        elif WHAT == "primes":
            report(wall=primes(pool))


if __name__ == "__main__":
    main()
