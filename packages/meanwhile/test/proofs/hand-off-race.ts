// One race for a thing: some stand in line, then things are handed over and waits are cancelled, in one turn and in any
// order. A model says who must get what: whoever is handed a thing has it, cancelled or not, and its call returns; whoever is
// cancelled before that leaves the line, and the thing goes to the next.

import assert from "node:assert/strict";

import { CancelledError, checkpoint } from "meanwhile";

import type { HandOff, Subject } from "./hand-off-subjects.ts";
import type { Started, Way } from "./hand-off-ways.ts";

/** What came of many races. */
export interface Tally {
  races: number;
  /** Calls that returned with the thing although they were cancelled in the turn of the hand-off. */
  kept: number;
  /** Things handed over after somebody who had stood in line for them was cancelled in that turn. */
  passedOn: number;
}

/** One who stands in line. */
class Racer {
  readonly id: number;
  readonly way: Way;
  expected: "waiting" | "got" | "cancelled" = "waiting";
  expectedThing: unknown;
  /** Whether its scope was cancelled after it had got the thing, so that the next checkpoint must say so. */
  mustBeTold = false;
  fate: "waiting" | "got" | "cancelled" = "waiting";
  thing: unknown;
  told = false;
  started: Started | null = null;
  ended: Promise<unknown> = Promise.resolve();

  constructor(id: number, way: Way) {
    this.id = id;
    this.way = way;
  }

  /** What came out of everything around the call: an error, or nothing. */
  start(call: () => Promise<void>): void {
    this.started = this.way.start(call);
    this.ended = this.started.ended.then(
      () => undefined,
      (error: unknown) => error,
    ) as Promise<unknown>;
  }
}

export class Race {
  readonly #row: HandOff;
  readonly #subject: Subject;
  readonly #tally: Tally;
  readonly #racers: Racer[] = [];
  readonly #over = Promise.withResolvers<void>();
  // The model: who stands in line, the longest first, and the things nobody has taken.
  #line: Racer[] = [];
  readonly #kept: unknown[] = [];
  #anyCancelled = false;
  #timeHasGiven = false;
  /** What was done, for the message of a failure. */
  readonly steps: string[] = [];

  constructor(row: HandOff, subject: Subject, tally: Tally) {
    this.#row = row;
    this.#subject = subject;
    this.#tally = tally;
  }

  /** How many have come. */
  get size(): number {
    return this.#racers.length;
  }

  /** Somebody comes; what is there is taken at once. */
  join(way: Way): Racer {
    const racer = new Racer(this.#racers.length, way);
    this.steps.push(`${racer.id} comes`);
    this.#racers.push(racer);
    racer.start(() => this.#take(racer));
    if (this.#kept.length === 0) this.#line.push(racer);
    else this.#gets(racer, this.#takeKept());
    return racer;
  }

  async #take(racer: Racer): Promise<void> {
    try {
      racer.thing = await this.#subject.take(racer.id);
      racer.fate = "got";
    } catch (error) {
      assert.ok(error instanceof CancelledError, String(error));
      racer.fate = "cancelled";
      throw error;
    }
    await this.#over.promise;
    racer.told = true;
    await checkpoint();
    racer.told = false;
  }

  #takeKept(): unknown {
    if (this.#row.toAll === true) return undefined;
    return this.#row.newestFirst === true ? this.#kept.pop() : this.#kept.shift();
  }

  #gets(racer: Racer, thing: unknown): void {
    racer.expected = "got";
    racer.expectedThing = thing;
  }

  /** Waits until everybody who came stands in line. */
  async inLine(): Promise<void> {
    const expected = this.#row.lineIsHidden === true ? this.size : this.#line.length;
    for (let tries = 0; this.#subject.waiting() < expected; tries++) {
      assert.ok(tries < 1_000, "everybody gets into the line");
      // A call that found its turn used up comes in the next one.
      if (tries < 20) await Promise.resolve();
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Somebody hands over a thing. */
  give(): void {
    this.steps.push("hand over");
    const thing = this.#subject.give(this.#line.map(({ id }) => id));
    this.given(thing);
  }

  /** A thing was handed over. */
  given(thing: unknown): void {
    if (this.#anyCancelled) this.#tally.passedOn += 1;
    const receivers = this.#line.splice(0, this.#row.toAll === true ? this.#line.length : 1);
    for (const racer of receivers) this.#gets(racer, this.#row.toAll === true ? undefined : thing);
    if (this.#row.keeps === false) return;
    if (this.#row.toAll === true) this.#kept.length = 1;
    else if (receivers.length === 0) this.#kept.push(thing);
  }

  /** Looks whether time has given since the last look. */
  noticeGivenByTime(): void {
    if (this.#subject.waiting() < this.#line.length) this.givenByTime();
  }

  /** Time has given all things, unless that was noticed before. */
  givenByTime(): void {
    if (this.#timeHasGiven) return;
    this.#timeHasGiven = true;
    this.steps.push("time hands over");
    for (let thing = 0; thing < this.#row.things; thing++) this.given(undefined);
  }

  /** Somebody's scope is cancelled. */
  cancel(id: number): void {
    const racer = this.#racers[id] as Racer;
    racer.started?.cancel();
    this.cancelled(racer);
  }

  /** Somebody's scope was cancelled. */
  cancelled(racer: Racer): void {
    this.steps.push(`cancel ${racer.id}`);
    if (racer.way.heldBack === true) return;
    if (racer.expected === "got" && !racer.mustBeTold) {
      racer.mustBeTold = true;
      this.#tally.kept += 1;
    }
    if (racer.expected === "waiting") this.#leaves(racer);
  }

  #leaves(racer: Racer): void {
    racer.expected = "cancelled";
    this.#line = this.#line.filter((other) => other !== racer);
    this.#anyCancelled = true;
  }

  /** Compares what can be seen with the model. */
  look(): void {
    const kept = this.#row.toAll === true ? Math.min(this.#kept.length, 1) : this.#kept.length;
    assert.equal(this.#subject.free(), kept, "what nobody took is there for the next");
    if (this.#row.lineIsHidden === true) return;
    assert.equal(this.#subject.waiting(), this.#line.length, "those who have neither the thing nor an error wait");
  }

  /** Ends the waits that are left, and looks at what everybody got. */
  async finish(): Promise<void> {
    this.#subject.end?.();
    for (const racer of this.#line) {
      this.steps.push(`end ${racer.id}`);
      racer.expected = "cancelled";
      racer.started?.end();
    }
    this.#over.resolve();
    for (const racer of this.#racers) this.#judge(racer, await racer.ended);
    this.#subject.reset(this.#racers.filter(({ fate }) => fate === "got").map(({ thing }) => thing));
    this.#tally.races += 1;
  }

  #judge(racer: Racer, error: unknown): void {
    const { id, way, expected, expectedThing } = racer;
    assert.equal(racer.fate, expected, `what became of ${id}`);
    if (expectedThing !== undefined) assert.equal(racer.thing, expectedThing, `what ${id} got`);
    assert.equal(racer.told, racer.mustBeTold, `whether the next checkpoint of ${id} is told of the cancellation`);
    const throws = expected === "cancelled" || racer.mustBeTold ? way.throws : undefined;
    if (throws === undefined) assert.equal(error, undefined, `nothing comes out of ${id}`);
    else assert.equal((error as Error | undefined)?.constructor, throws, `what comes out of ${id}`);
  }
}
