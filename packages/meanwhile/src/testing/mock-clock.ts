// Time that stands still until everybody waits for it.
//
//   standing ──all tasks of its runs wait for meanwhile──▶ jumps to the earliest deadline ──▶ standing
//
// The clock looks in an immediate, when all microtasks have run, and only after something has happened: so it costs
// nothing while a test waits for real I/O, and does not jump over it.

import { UsageError } from "../errors.ts";
import type { Clock, Runner } from "../lowlevel.ts";
import { badArgument, checkOptions } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import { IdleWatch } from "./idle-watch.ts";

const { setImmediate, clearImmediate } = globalThis;

/** Options of {@link MockClock}. */
export interface MockClockOptions {
  /** The time at the start, in milliseconds. Default: 0. */
  readonly startMs?: number | undefined;
  /** Whether the clock jumps to the next deadline by itself when every task waits. Default: true. */
  readonly autojump?: boolean | undefined;
}

/**
 * A clock for tests. Nobody waits for real time: when every task of the run is waiting, it jumps to the earliest
 * deadline. With `autojump: false` time passes only by `advance`.
 *
 * @see {@link https://trio.readthedocs.io/en/stable/reference-testing.html#trio.testing.MockClock}
 *
 * @example
 * ```ts
 * import { now, run, sleep } from "meanwhile";
 * import { MockClock } from "meanwhile/testing";
 *
 * await run(
 *   async () => {
 *     await sleep(86_400_000);
 *     console.log(now()); //> 86400000
 *   },
 *   { clock: new MockClock() },
 * );
 * ```
 */
export class MockClock implements Clock {
  /** Deadlines are exact. */
  readonly resolutionMs = 0;
  #now: number;
  readonly #autojump: boolean;
  #alarm: { readonly at: number; readonly ring: () => void } | null = null;
  // From the first deadline on, while there are runs on this clock; never without autojump.
  #watching: IdleWatch | null = null;
  #look: NodeJS.Immediate | null = null;
  /** @internal Called when everything waits and no deadline is left. */
  onNothingLeft: ((runners: readonly Runner[]) => void) | null = null;

  /** @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `startMs` is not a finite number, or `autojump` no boolean */
  constructor(options: MockClockOptions = {}) {
    checkOptions("MockClock", options, "{ autojump: false }");
    const { startMs = 0, autojump = true } = options;
    if (!Number.isFinite(startMs)) {
      throw new UsageError(
        "MW_ERR_INVALID_ARGUMENT",
        `Cannot create MockClock: 'startMs' is ${show(startMs)}; pass a number of milliseconds`,
      );
    }
    if (typeof autojump !== "boolean") throw badArgument("create MockClock", "autojump", autojump, "a boolean");
    this.#now = startMs;
    this.#autojump = autojump;
  }

  /** The time it stands at. */
  now(): number {
    return this.#now;
  }

  /** Rings when the time has jumped, or was advanced, to `at`. */
  setAlarm(at: number, ring: () => void): void {
    this.#alarm = { at, ring };
    this.#watch();
  }

  /** Forgets the alarm. */
  clearAlarm(): void {
    this.#alarm = null;
  }

  /** @internal Looks at the runs on this clock until `unwatch`, also while there is no deadline. */
  watchAlways(onNothingLeft: (runners: readonly Runner[]) => void): void {
    this.onNothingLeft = onNothingLeft;
    this.#watch();
  }

  /**
   * @internal Jumps now if everything waits and there is a deadline; else looks again soon. For who knows that all is at
   * rest: a seeded test of a few sleeps takes two thirds of the time that a turn of the event loop for each jump would.
   */
  lookNow(): void {
    if (this.#alarm !== null && this.#watching?.isIdle === true) this.#jump(this.#alarm);
    else if (this.#watching !== null) this.#lookSoon();
  }

  /** @internal Ends {@link watchAlways}. */
  unwatch(): void {
    this.onNothingLeft = null;
    this.#stopWatching();
  }

  /**
   * Lets `ms` milliseconds pass. Deadlines on the way come in order, and what they wake runs before the next one.
   *
   * Cancellation: safe. It is not looked at: the time has passed when the call returns.
   *
   * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` if `ms` is not a number >= 0
   */
  async advance(ms: number): Promise<void> {
    if (!(typeof ms === "number" && ms >= 0 && ms !== Infinity)) {
      throw new UsageError(
        "MW_ERR_INVALID_ARGUMENT",
        `Cannot advance the clock: 'ms' is ${show(ms)}; pass a number of milliseconds >= 0`,
      );
    }
    const target = this.#now + ms;
    await letOthersRun();
    for (let alarm = this.#alarm; alarm !== null && alarm.at <= target; alarm = this.#alarm) {
      this.#jump(alarm);
      await letOthersRun();
    }
    this.#now = Math.max(this.#now, target);
  }

  #jump(alarm: { readonly at: number; readonly ring: () => void }): void {
    this.#alarm = null;
    this.#now = Math.max(this.#now, alarm.at);
    alarm.ring();
  }

  #watch(): void {
    if (!this.#autojump) return;
    this.#watching ??= new IdleWatch(this, () => this.#lookSoon());
    this.#lookSoon();
  }

  #stopWatching(): void {
    this.#watching?.[Symbol.dispose]();
    this.#watching = null;
    if (this.#look !== null) clearImmediate(this.#look);
    this.#look = null;
  }

  #lookSoon(): void {
    this.#look ??= setImmediate(() => {
      this.#look = null;
      this.#jumpIfIdle();
    });
  }

  #jumpIfIdle(): void {
    const runners = this.#watching?.runners() ?? [];
    if (runners.length === 0 && this.onNothingLeft === null) this.#stopWatching();
    else if (this.#watching?.isIdle === true) {
      if (this.#alarm !== null) this.#jump(this.#alarm);
      else this.onNothingLeft?.(runners);
    }
  }
}

/** Enough turns of the event loop for what was woken to run until it waits again. */
const TURNS = 3;

async function letOthersRun(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
