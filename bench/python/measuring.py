"""What the Python peers share; the same procedure as harness/measuring.ts."""

import asyncio
import json
import resource
import sys
import time

WARM_UP_S = 1
MEASURED_S = 3
FEWEST_REPETITIONS = 2


def cost_of(work):
    """The mean (wall ms, CPU ms) of the work, after a warm-up that does not count."""
    repeated(work, WARM_UP_S, 1)
    cpu = time.process_time()
    repetitions, wall_s = repeated(work, MEASURED_S, FEWEST_REPETITIONS)
    return wall_s * 1000 / repetitions, (time.process_time() - cpu) * 1000 / repetitions


def repeated(work, enough_s, fewest):
    started = time.perf_counter()
    repetitions = 0
    while True:
        work()
        repetitions += 1
        wall_s = time.perf_counter() - started
        if wall_s >= enough_s and repetitions >= fewest:
            return repetitions, wall_s


def run(coroutine):
    """Runs on uvloop if the script was started with that word, else on asyncio's own loop."""
    if sys.argv[1:2] != ["uvloop"]:
        return asyncio.run(coroutine)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)


def sleep_times(count):
    """The same times as sleepTimes() of harness/measuring.ts."""
    state = 1
    times = []
    for _ in range(count):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        times.append(1 + (state >> 16) % 100)
    return times


def report(**figures):
    print(json.dumps({"peakMb": peak_mb(), **figures}))


def peak_mb():
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
