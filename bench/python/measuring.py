"""What the Python peers share; the same procedure as harness/measuring.ts."""

import asyncio
import json
import resource
import sys
import time
from typing import NamedTuple


class Duration(NamedTuple):
    warm_up_s: float
    measured_s: float


USUAL = Duration(0.7, 1.5)
LONG = Duration(1, 3)
FEWEST_REPETITIONS = 2


def cost_of(work):
    """The mean (wall ms, CPU ms) of the work, after a warm-up that does not count."""
    fewest = warm_up(work, USUAL)
    cpu = time.process_time()
    repetitions, wall_s = repeated(work, USUAL.measured_s, fewest)
    return wall_s * 1000 / repetitions, (time.process_time() - cpu) * 1000 / repetitions


def microseconds_each(count, work):
    """Wall time of one of `count` things that the work does."""
    wall_ms, _ = cost_of(work)
    return wall_ms * 1000 / count


def microseconds_of_part(count, work):
    """The same, if only a part of the work counts: `work` returns the seconds of that part."""
    parts = []

    def added_up():
        parts.append(work())

    fewest = warm_up(added_up, LONG)
    parts.clear()
    repetitions, _ = repeated(added_up, LONG.measured_s, fewest)
    return sum(parts) * 1_000_000 / repetitions / count


def microseconds_once(count, work):
    """The same, of work that is done once in full size; the warm-up is smaller."""
    repeated(lambda: work(count // 10), USUAL.warm_up_s, 1)
    started = time.perf_counter()
    work(count)
    return (time.perf_counter() - started) * 1_000_000 / count


def warm_up(work, duration):
    """Returns how many repetitions have to follow: one is enough if it takes longer than all that counts."""
    repetitions, wall_s = repeated(work, duration.warm_up_s, 1)
    return 1 if wall_s / repetitions > duration.measured_s else FEWEST_REPETITIONS


def repeated(work, enough_s, fewest):
    started = time.perf_counter()
    repetitions = 0
    while True:
        work()
        repetitions += 1
        wall_s = time.perf_counter() - started
        if wall_s >= enough_s and repetitions >= fewest:
            return repetitions, wall_s


def check(what, value, expected):
    """A peer that does less than the others must not be measured."""
    if value != expected:
        raise SystemExit(f"{what}: {value}, not {expected}")


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
