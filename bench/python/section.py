"""What lock.py and semaphore.py share; the same as harness/section.ts."""

import asyncio

from measuring import check

TASKS = 100
TURNS = 1_000
ENTRIES = TASKS * TURNS


class Section:
    """Knows who is inside."""

    def __init__(self, places):
        self.places = places
        self.inside = 0
        self.most_inside = 0
        self.entries = 0
        self.entries_at_first_end = 0

    def enter(self):
        self.entries += 1
        self.inside += 1
        if self.inside > self.most_inside:
            self.most_inside = self.inside

    def leave(self):
        self.inside -= 1

    def end(self):
        if self.entries_at_first_end == 0:
            self.entries_at_first_end = self.entries

    def check(self):
        check("entries", self.entries, ENTRIES)
        check("most inside at once", self.most_inside, self.places)
        others = ENTRIES - self.entries_at_first_end
        if others > TASKS:
            raise SystemExit(f"the tasks do not take turns: {others} turns are left when the first one ends")


async def contend(permits, places):
    """`TASKS` tasks take one of the permits `TURNS` times each."""
    section = Section(places)

    async def job():
        for _ in range(TURNS):
            async with permits:
                section.enter()
                await asyncio.sleep(0)
                section.leave()
        section.end()

    await asyncio.gather(*[job() for _ in range(TASKS)])
    section.check()
