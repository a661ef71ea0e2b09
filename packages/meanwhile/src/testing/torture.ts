// Runs a scenario again and again, and cancels it, or lets it fail, at another moment each time.

import { TestError } from "../errors.ts";
import { currentScopeNode } from "../lowlevel.ts";
import { show } from "../util/show.ts";
import { refuseLeftoverHandles } from "./leftovers.ts";
import { nextTurn } from "./process-watch.ts";
import { activeResources } from "./resources.ts";
import type { Injection, Scenario, TorturePoint } from "./scenario.ts";
import { seedToUse, withSeed } from "./seeds.ts";
import { TestDirector } from "./test-director.ts";
import type { TestOptions } from "./test-options.ts";
import { checkPointOf, checkTortureArguments, noPointAfter } from "./torture-arguments.ts";
import { TortureRun } from "./torture-run.ts";

/** Options of {@link torture}. */
export interface TortureOptions extends TestOptions {
  /** What happens at each point: the scenario is cancelled, or a call fails, or one after the other. Default: `cancel`. */
  readonly inject?: "cancel" | "error" | "both" | undefined;
  /** Make the errors for `inject`; each is tried at each checkpoint. Default: one, a `TestError` `MW_ERR_INJECTED`. */
  readonly errors?: ReadonlyArray<() => Error> | undefined;
  /** Whether `inject` may let the call at a checkpoint fail; for calls that never do. Default: all may. */
  readonly mayFail?: ((point: TorturePoint) => boolean) | undefined;
  /**
   * How many pairs of cancellations are tried after the single ones: a scope around the scenario is cancelled while the
   * scenario ends. If there are more pairs, those that are tried are spread evenly. Default: 0.
   */
  readonly pairs?: number | undefined;
  /** Runs the scenario under the schedule of this seed, as {@link runTest} does. Default: no seed. */
  readonly seed?: number | undefined;
  /** Tries only this one: copy it from the message of a failure. */
  readonly only?: Injection | undefined;
}

/** What {@link torture} has done. */
export interface TortureReport {
  /** The points of the first run, in order. */
  readonly points: readonly TorturePoint[];
  /** How many of them are calls that may wait. */
  readonly checkpoints: number;
  /** How many of them are waits. */
  readonly suspensions: number;
  /** How often the scenario was run, the first run included. */
  readonly runs: number;
  /** How many of the runs with an injection ended in each way. */
  readonly outcomes: { readonly value: number; readonly cancelled: number; readonly failed: number };
  /** How many pairs of cancellations there are beside those that were tried. */
  readonly pairsLeftOut: number;
}

/**
 * Runs a scenario once to find every moment at which it can be cancelled, then once more for each of them, cancelled right
 * there: at the beginning of each call that waits, during each wait, and between the end of a wait and the code that goes
 * on. With `inject: "error"` each call that waits fails instead.
 *
 * After each run nothing may be left: no task, wait, deadline, listener on one of the `signals`, or handle that keeps the
 * process alive (on hosts that tell); no promise may have rejected unhandled; no unexpected process warning and no
 * unexpected error may have come; and the scenario's `check` must pass. A scenario that returns a value although its code was
 * thrown the cancellation, or the injected error, has swallowed it and fails, unless it says that it may
 * (`maySwallowCancellation`, `mayRecover`). Each run is one of {@link runTest}: on virtual time.
 *
 * Only what happens in the scenario's own scope counts: not `setup` and `check`, and not what `createTask` gives to the run.
 *
 * Cancellation: reaches the scenario, if a scope around the call is cancelled; the call ends when the scenario has ended.
 *
 * @param scenario - a function, or an object that also sets up and checks
 * @throws what the scenario throws when nothing is injected
 * @throws {@link TestError} `MW_ERR_TORTURE` with the point, its place in the program, and how to run only this one again;
 *   `cause` is what was wrong. `MW_ERR_NOT_DETERMINISTIC` if a point does not come again
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad or unknown option, or an `only` that names no point of it
 * @see {@link https://everything.curl.dev/internals/tests/torture.html}
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { gather, Lock, sleep } from "meanwhile";
 * import { torture } from "meanwhile/testing";
 *
 * const report = await torture({
 *   setup: () => new Lock(),
 *   run: (lock) => {
 *     const work = async () => {
 *       using held = await lock.acquire();
 *       await sleep(10);
 *     };
 *     return gather([work, work]);
 *   },
 *   check: (lock) => assert.equal(lock.locked, false),
 * });
 * console.log(report.runs === report.points.length + 1); //> true
 * ```
 */
export function torture<World, T>(scenario: Scenario<World, T>, options?: TortureOptions): Promise<TortureReport>;
export function torture(scenario: () => unknown, options?: TortureOptions): Promise<TortureReport>;
export async function torture(
  given: Scenario<unknown, unknown> | (() => unknown),
  options: TortureOptions = {},
): Promise<TortureReport> {
  const scenario = typeof given === "function" ? { setup: () => undefined, run: given } : given;
  checkTortureArguments(scenario, options);
  const seed = options.seed === undefined ? null : seedToUse("torture", options.seed);
  await nextTurn(); // what has just been closed is gone then
  return await new Torturer(scenario, options, seed).torture();
}

function injectedError(): Error {
  return new TestError("MW_ERR_INJECTED", "Cannot go on: torture lets this call fail");
}

class Torturer {
  readonly #scenario: Scenario<unknown, unknown>;
  readonly #options: TortureOptions;
  readonly #seed: number | null;
  readonly #errors: ReadonlyArray<() => Error>;
  readonly #handles = activeResources();
  readonly #outcomes = { value: 0, cancelled: 0, failed: 0 };
  #runs = 0;
  #points: readonly TorturePoint[] = [];
  #pairsLeftOut = 0;

  constructor(scenario: Scenario<unknown, unknown>, options: TortureOptions, seed: number | null) {
    this.#scenario = scenario;
    this.#options = options;
    this.#seed = seed;
    this.#errors = options.errors ?? [injectedError];
  }

  async torture(): Promise<TortureReport> {
    this.#points = (await this.#runOnce({})).points;
    const { inject = "cancel", only } = this.#options;
    if (only !== undefined) await this.#runOnly(only);
    else {
      if (inject !== "error") await this.#cancelEverywhere();
      if (inject !== "cancel") await this.#failEverywhere();
    }
    return {
      points: this.#points,
      checkpoints: this.#count("checkpoint"),
      suspensions: this.#count("suspension"),
      runs: this.#runs,
      outcomes: this.#outcomes,
      pairsLeftOut: this.#pairsLeftOut,
    };
  }

  #count(kind: TorturePoint["kind"]): number {
    return this.#points.filter((point) => point.kind === kind).length;
  }

  async #runOnly(only: Injection): Promise<void> {
    checkPointOf(only, this.#points);
    if (only.thenOuter === undefined) {
      await this.#inject(only);
      return;
    }
    const { injectedAt, passed } = await this.#runOnce(only);
    if (injectedAt?.number !== only.thenOuter) throw noPointAfter(only, passed);
  }

  async #cancelEverywhere(): Promise<void> {
    const pairs: Injection[] = [];
    for (const { number: cancel } of this.#points) {
      const { passed } = await this.#inject({ cancel });
      for (let thenOuter = cancel + 1; thenOuter <= passed; thenOuter++) pairs.push({ cancel, thenOuter });
    }
    const count = Math.min(this.#options.pairs ?? 0, pairs.length);
    this.#pairsLeftOut = pairs.length - count;
    for (let i = 0; i < count; i++) await this.#inject(pairs[Math.floor((i * pairs.length) / count)] ?? {});
  }

  async #failEverywhere(): Promise<void> {
    const { mayFail } = this.#options;
    const failing = this.#points.filter((point) => point.kind === "checkpoint" && mayFail?.(point) !== false);
    for (const { number: error } of failing) {
      for (const kind of this.#errors.keys()) await this.#inject(kind === 0 ? { error } : { error, kind });
    }
  }

  async #inject(injection: Injection): Promise<TortureRun> {
    const run = await this.#runOnce(injection);
    if (run.injectedAt?.number === (injection.thenOuter ?? injection.cancel ?? injection.error)) return run;
    throw this.#failure(
      "MW_ERR_NOT_DETERMINISTIC",
      `Cannot find ${this.#nameOf(injection)} again: this time the scenario passed ${run.passed} points; it depends on something that is not of meanwhile, or on what another run has left`,
      injection,
    );
  }

  async #runOnce(injection: Injection): Promise<TortureRun> {
    const makeError = this.#errors[injection.kind ?? 0] ?? injectedError;
    const run = new TortureRun(this.#scenario, injection, makeError, new TestDirector(this.#seed));
    this.#runs += 1;
    const isFirst = this.#runs === 1;
    try {
      const { kind } = await run.run(this.#options);
      await refuseLeftoverHandles(this.#handles);
      if (!isFirst) this.#outcomes[kind] += 1;
    } catch (error) {
      // Somebody cancels the whole torture.
      if (currentScopeNode().effective !== null) throw error;
      throw isFirst ? this.#withSeed(error) : this.#notSurvived(injection, run, error);
    }
    return run;
  }

  #notSurvived(injection: Injection, { injectedAt }: TortureRun, cause: unknown): unknown {
    const where = injectedAt === null ? "" : ` (${injectedAt.kind}: ${injectedAt.where})`;
    return this.#failure(
      "MW_ERR_TORTURE",
      `Cannot survive ${this.#nameOf(injection)}${where}: ${firstLineOf(cause)}; run only this one again with { only: ${textOf(injection)} }`,
      injection,
      cause,
    );
  }

  #nameOf({ cancel, thenOuter, error, kind = 0 }: Injection): string {
    const of = `of ${this.#points.length}`;
    if (error !== undefined) return `error ${kind} at point ${error} ${of}`;
    const second = thenOuter === undefined ? "" : `, then one of the scope around it at point ${thenOuter}`;
    return `a cancellation at point ${cancel} ${of}${second}`;
  }

  #failure(code: TestError["code"], message: string, injection: Injection, cause?: unknown): unknown {
    const error = new TestError(code, message, cause === undefined ? {} : { cause });
    return this.#withSeed(Object.assign(error, { injection }));
  }

  #withSeed(error: unknown): unknown {
    return this.#seed === null ? error : withSeed(error, this.#seed);
  }
}

function firstLineOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message.split("\n", 1)[0]}` : show(error);
}

function textOf(injection: Injection): string {
  const parts = Object.entries(injection).map(([name, value]) => `${name}: ${value}`);
  return `{ ${parts.join(", ")} }`;
}
