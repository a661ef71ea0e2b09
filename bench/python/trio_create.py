import trio

from measuring import check, microseconds_once, report

TASKS = 1_000_000


async def main(tasks):
    done = 0

    async def job():
        nonlocal done
        done += 1

    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(job)
    check("tasks done", done, tasks)


report(wall=microseconds_once(TASKS, lambda tasks: trio.run(main, tasks)))
