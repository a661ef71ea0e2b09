// Runs a scenario on real time and cancels it at one of its awaits. `torture` of meanwhile/testing does it on virtual time,
// which nothing foreign keeps to.

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";

import { run } from "meanwhile";
import {
  type CancelScope,
  currentFrame,
  currentScopeNode,
  type Director,
  enterScope,
  type Frame,
  type FunctionSite,
  type Scope,
} from "meanwhile/lowlevel";

import { type Place, World } from "./world.ts";

/** A program over foreign code. */
export interface Scenario {
  readonly run: (world: World) => Promise<unknown>;
  /** Whether it waits for ever, so that it ends by a cancellation only. */
  readonly isEndless?: boolean;
  /** How many files or requests are lost if the cancellation comes while they are being opened. Default: 0. */
  readonly mayLose?: number;
  /** Whether its own error may come before the cancellation. Default: false. */
  readonly mayFail?: boolean;
}

/** When a run is cancelled: at an await, or at a time. The moments of an await are in the order in which they come. */
export type Moment =
  | { readonly at: number; readonly moment: "before it" | "as it begins" | "a turn later" | "as its value arrives" }
  | { readonly afterMs: number };

/** What became of a run. */
export interface Trial {
  readonly outcome: "value" | "cancelled" | "failed";
  /** Its value, or its error. */
  readonly value: unknown;
  /** Whether the scenario came to the await. */
  readonly reached: boolean;
  /** How many awaits the run came to. */
  readonly awaits: number;
  readonly ms: number;
}

const LIMIT_MS = 3_000;
const SETTLING_MS = 1_000;
/** An endless scenario that comes to no await for so long is at its end. */
const QUIET_MS = 8;

/** Which awaits are instrumented: known once the runtime is loaded. */
interface Hooks {
  e: (site: FunctionSite, around?: Frame) => Frame;
  a: (frame: Frame, at: number, value: unknown) => unknown;
  k: (frame: Frame, at: number, called: unknown, value: unknown) => unknown;
}

let frames: Frame[] = [];
let beforeValue: ((value: unknown) => void) | null = null;

/** Makes everything that is loaded from now on cancellable. */
export async function instrument(): Promise<void> {
  process.env["MEANWHILE_INSTRUMENT_CACHE"] = "off";
  await import("../../src/register.ts");
  const { runtime } = (await import("../../src/runtime.ts")) as { runtime: Hooks };
  const { e: enter, a: wait, k: waitForCall } = runtime;
  runtime.e = (site, around) => {
    const frame = enter(site, around);
    frames.push(frame);
    return frame;
  };
  runtime.a = (frame, at, value) => {
    const awaited = wait(frame, at, value);
    beforeValue?.(value);
    return awaited;
  };
  runtime.k = (frame, at, called, value) => {
    const awaited = waitForCall(frame, at, called, value);
    beforeValue?.(value);
    return awaited;
  };
}

/** Runs a scenario, cancelled at a moment; undefined lets it run to its end. Throws what is wrong with what came of it. */
export async function attempt(scenario: Scenario, place: Place, moment?: Moment): Promise<Trial> {
  await using world = new World(place);
  const before = leftovers(place);
  frames = [];
  using watch = new ProcessWatch();
  const started = performance.now();
  const cancelling = new Cancelling(moment, scenario.isEndless === true);
  const ending = await withinLimit(run(() => cancelling.run(() => scenario.run(world)), { handleSignals: false }));
  if (ending.outcome === "failed" && scenario.mayFail !== true) throw ending.value;
  const ms = performance.now() - started;
  await settled(async () => {
    await world.check();
    checkFrames();
    checkLeftovers(before, leftovers(place), scenario.mayLose ?? 0);
  });
  watch.check();
  return { ...ending, reached: cancelling.reached, awaits: cancelling.awaits, ms };
}

class Cancelling implements Director {
  readonly #moment: Moment | undefined;
  readonly #isEndless: boolean;
  #region: Scope | null = null;
  #scope: CancelScope | null = null;
  #quiet: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;
  awaits = 0;
  reached = false;

  constructor(moment: Moment | undefined, isEndless: boolean) {
    this.#moment = moment;
    this.#isEndless = isEndless;
  }

  async run(body: () => Promise<unknown>): Promise<Pick<Trial, "outcome" | "value">> {
    const { runner } = currentScopeNode();
    if (this.#moment !== undefined && "afterMs" in this.#moment)
      this.#cancelAt(performance.now() + this.#moment.afterMs);
    try {
      const ending = await enterScope((scope) => {
        this.#scope = scope;
        this.#region = currentScopeNode();
        runner.director = this;
        this.#stillGoing();
        return body();
      });
      return ending.kind === "value"
        ? { outcome: "value", value: ending.value }
        : { outcome: "cancelled", value: undefined };
    } catch (error) {
      return { outcome: "failed", value: error };
    } finally {
      clearImmediate(this.#look);
      clearTimeout(this.#quiet);
      this.#scope = null;
      beforeValue = null;
    }
  }

  checkpoint(scope: Scope): undefined {
    if (this.#region?.contains(scope) !== true) return;
    this.#stillGoing();
    this.awaits += 1;
    const moment = this.#moment;
    if (moment === undefined || "afterMs" in moment || moment.at !== this.awaits) return;
    this.reached = true;
    const cancel = (): void => this.#cancel();
    if (moment.moment === "before it") cancel();
    else if (moment.moment === "as it begins") queueMicrotask(cancel);
    else if (moment.moment === "a turn later") setImmediate(cancel);
    else {
      beforeValue = (value) => {
        beforeValue = null;
        if (value instanceof Promise) value.then(cancel, cancel);
        else cancel();
      };
    }
  }

  // Timers are too coarse: most scenarios are over within a millisecond.
  #cancelAt(time: number): void {
    this.#look = setImmediate(() => (performance.now() < time ? this.#cancelAt(time) : this.#cancel()));
  }

  #stillGoing(): void {
    if (!this.#isEndless) return;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#cancel(), QUIET_MS);
  }

  #cancel(): void {
    this.#scope?.cancel("on purpose");
  }

  turnIsOver(): boolean {
    return false;
  }

  random(): number {
    return Math.random();
  }

  resume(scope: Scope, go: () => void): void {
    if (scope.task?.state.kind === "new") queueMicrotask(go);
    else go();
  }
}

/** Nothing may be said of the process that nobody expects. */
class ProcessWatch implements Disposable {
  readonly #seen: unknown[] = [];
  readonly #see = (what: unknown): void => void this.#seen.push(what);

  constructor() {
    process.on("warning", this.#see);
    process.on("unhandledRejection", this.#see);
    process.on("uncaughtExceptionMonitor", this.#see);
  }

  check(): void {
    assert.deepEqual(this.#seen, []);
  }

  [Symbol.dispose](): void {
    process.off("warning", this.#see);
    process.off("unhandledRejection", this.#see);
    process.off("uncaughtExceptionMonitor", this.#see);
  }
}

async function withinLimit<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const waiting = frames.filter(({ ended }) => !ended).map(whereIs);
    reject(new Error(`The run does not end; unfinished: ${waiting.join(", ")}`));
  }, LIMIT_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function whereIs({ site, at, live }: Frame): string {
  const wait = site.file.waits[at];
  return `${site.name} (line ${wait?.line}: ${wait?.text}; ${live} live)`;
}

/** Looks until it passes, or for a second. */
async function settled(check: () => Promise<void>): Promise<void> {
  const until = performance.now() + SETTLING_MS;
  for (;;) {
    await turn();
    try {
      return await check();
    } catch (error) {
      if (performance.now() > until) throw error;
    }
  }
}

function checkFrames(): void {
  const kept = frames.filter(({ site, ended, live, scope, held, grace }) => {
    // What this driver calls is outside of the run: of that nothing is kept.
    return site.file.id !== "" && (!ended || live !== 0 || [scope, held, grace].some((each) => each !== null));
  });
  assert.deepEqual(kept.map(whereIs), [], "functions that have not ended");
  assert.equal(currentFrame(), null);
}

interface Leftovers {
  readonly resources: readonly string[];
  readonly open: readonly string[];
}

// Those of the test runner are there before and after. Sockets are seen by the server, which tells idle ones from others.
function leftovers(place: Place): Leftovers {
  const resources = process.getActiveResourcesInfo().filter((kind) => !/^(?:TCP|Immediate)/.test(kind));
  const requests = Array.from({ length: place.requests }, () => "a request");
  return { resources, open: [...place.openFiles(), ...requests] };
}

function checkLeftovers(before: Leftovers, after: Leftovers, mayLose: number): void {
  const open = beyond(after.open, before.open);
  if (open.length > mayLose) assert.deepEqual(open, [], "what is left open");
  if (open.length === 0) assert.deepEqual(beyond(after.resources, before.resources), []);
}

function beyond(after: readonly string[], before: readonly string[]): string[] {
  const left = [...before];
  return after.filter((kind) => {
    const index = left.indexOf(kind);
    if (index !== -1) left.splice(index, 1);
    return index === -1;
  });
}

/** Cancels a scenario at each of its awaits, at each of the moments. Gives how many runs that were. */
export async function cancelEverywhere(
  scenario: Scenario,
  place: Place,
  moments: ReadonlyArray<Extract<Moment, { at: number }>["moment"]>,
): Promise<{ readonly runs: number; readonly awaits: number; readonly slowestMs: number }> {
  let [runs, awaits, slowestMs] = [0, 0, 0];
  for (const moment of moments) {
    for (let at = 1; ; at += 1) {
      const trial = await failingWith(`cancelled at await ${at}, ${moment}`, () =>
        attempt(scenario, place, { at, moment }),
      );
      if (!trial.reached) break;
      runs += 1;
      awaits = Math.max(awaits, at);
      slowestMs = Math.max(slowestMs, trial.ms);
    }
  }
  return { runs, awaits, slowestMs };
}

/** Says in an error what was tried. */
export async function failingWith<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
