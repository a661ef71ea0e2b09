// Races for one thing by the thousand, drawn from a seed. Half of them on plain runs; half where no call gives way, so that
// newcomers can come in the middle: what a call does is then done when it returns.

import { createTask, now, run, sleepUntil } from "meanwhile";
import { currentScopeNode } from "meanwhile/lowlevel";
import { MockClock } from "meanwhile/testing";

import { seededIntegers } from "../util/random.ts";
import { unhurried } from "../util/unhurried.ts";
import { Race, type Tally } from "./hand-off-race.ts";
import type { HandOff, Subject } from "./hand-off-subjects.ts";
import { byTimeout, WAYS } from "./hand-off-ways.ts";

type Below = (below: number) => number;

const EARLY_WAYS = WAYS.filter(({ startsLate }) => startsLate !== true);
const MOST_RACERS = 4;
/** How many races end at the same instant of the mock clock. */
const AT_ONCE = 25;
/** How many races share a run. */
const IN_A_RUN = 500;

/** Runs that many races and counts what came of them. */
export async function raceHandOffs(row: HandOff, races: number, seed: number): Promise<Tally> {
  const tally: Tally = { races: 0, kept: 0, passedOn: 0 };
  const below = seededIntegers(seed);
  for (let round = 0; tally.races < races; round++) {
    const directed = row.givesWayUnseen === true || round % 2 === 1;
    const clock = new MockClock({ autojump: false });
    const some = async (): Promise<void> => {
      using _ = directed ? unhurried() : null;
      await raceSome(row, Math.min(races - tally.races, IN_A_RUN), { tally, below, clock, directed });
    };
    await run(some, { clock, handleSignals: false });
  }
  return tally;
}

interface Conditions {
  readonly tally: Tally;
  readonly below: Below;
  readonly clock: MockClock;
  readonly directed: boolean;
}

async function raceSome(row: HandOff, races: number, conditions: Conditions): Promise<void> {
  const { tally, below } = conditions;
  const subjects: Subject[] = [];
  while (subjects.length < AT_ONCE) subjects.push(await row.make());
  for (const end = tally.races + races; tally.races < end;) {
    if (row.givesEveryMs !== undefined || below(2 * AT_ONCE) === 0) {
      await raceTheClock(row, subjects.slice(0, end - tally.races), conditions);
    } else await raceOnce(row, subjects[below(AT_ONCE)] as Subject, conditions);
    // Each race begins with a turn that has hardly begun.
    if (tally.races % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const subject of subjects) await subject.close?.();
}

/** Cancellations and hand-offs in one turn: one after the other, or with a few microtasks between. */
async function raceOnce(row: HandOff, subject: Subject, { tally, below, directed }: Conditions): Promise<void> {
  const race = new Race(row, subject, tally);
  await explained(race, async () => {
    for (let left = 1 + below(MOST_RACERS); left > 0; left--) {
      race.join(pick(WAYS, below));
      await race.inLine();
    }
    await subject.begin?.();
    for (const action of drawActions(row, race, below, directed)) {
      action();
      race.look();
      if (below(3) === 0) for (let ticks = 1 + below(3); ticks > 0; ticks--) await Promise.resolve();
    }
    await race.finish();
  });
}

function drawActions(row: HandOff, race: Race, below: Below, directed: boolean): Array<() => void> {
  const actions: Array<() => void> = [];
  const add = (action: () => void): void => void actions.splice(below(actions.length + 1), 0, action);
  for (let left = 1 + below(row.things); left > 0; left--) add(() => race.give());
  for (let left = 1 + below(race.size); left > 0; left--) add(() => race.cancel(below(race.size)));
  if (directed && row.newcomers !== false && below(2) === 0) add(() => void race.join(pick(EARLY_WAYS, below)));
  return actions;
}

function pick<T>(list: readonly T[], below: Below): T {
  return list[below(list.length)] as T;
}

/** Timeouts that expire at the very instant of the hand-off, before it or after it. */
async function raceTheClock(row: HandOff, subjects: readonly Subject[], conditions: Conditions): Promise<void> {
  const { tally, below, clock } = conditions;
  const ms = row.givesEveryMs ?? 1;
  const at = now() + ms;
  const races = subjects.map((subject) => new Race(row, subject, tally));
  const late: PromiseLike<void>[] = [];
  for (const [i, race] of races.entries()) {
    const left = await explained(race, () => lineUpForTheClock(row, race, at, below));
    await subjects[i]?.begin?.();
    // As in a program: somebody sleeps until then, and goes on when everything that is due has happened.
    const atLast = (action: () => void): void => void late.push(createTask(() => sleepUntil(at).then(action)));
    if (left > 0 && subjects[i]?.begin === undefined) atLast(() => race.give());
    if (below(2) === 0) atLast(() => race.cancel(below(race.size)));
  }
  await clock.advance(ms);
  await Promise.all(late);
  for (const race of races) {
    await explained(race, async () => {
      race.look();
      await race.finish();
    });
  }
}

/** Returns how many things are left to be given. */
async function lineUpForTheClock(row: HandOff, race: Race, at: number, below: Below): Promise<number> {
  const byTime = row.givesEveryMs !== undefined;
  let things = byTime ? 0 : row.things;
  const mayGive = (): void => {
    if (things === 0 || below(2) === 0) return;
    things -= 1;
    atInstant(at, () => race.give());
  };
  for (let left = 1 + below(MOST_RACERS); left > 0; left--) {
    mayGive();
    const isTimed = below(3) > 0;
    const racer = race.join(isTimed ? byTimeout(at) : pick(EARLY_WAYS, below));
    await race.inLine();
    // Right behind the deadline of the timeout itself.
    if (isTimed) atInstant(at, () => race.cancelled(racer));
    if (byTime) atInstant(at, () => race.noticeGivenByTime());
  }
  mayGive();
  if (byTime) atInstant(at, () => race.givenByTime());
  return things;
}

function atInstant(at: number, due: () => void): void {
  currentScopeNode().runner.deadlines.add({ bucket: null, slot: 0, due }, at);
}

async function explained<T>(race: Race, part: () => Promise<T>): Promise<T> {
  try {
    return await part();
  } catch (error) {
    throw new Error(`In the race: ${race.steps.join(", ")}`, { cause: error });
  }
}
