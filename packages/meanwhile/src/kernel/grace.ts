// How long the cleanup of instrumented code may wait for something foreign after its scope was cancelled.
//
// Code that was not written for meanwhile closes connections in its `finally` without a shield. Interrupted there at once,
// it would leak. So such waits go on until `graceMs` after the cancellation, and then are interrupted with a warning.

import { type Cancellation, warn } from "../errors.ts";
import { placeOf, type WaitSite } from "./frame-sites.ts";
import type { Frame } from "./frames.ts";
import type { Scope } from "./scope.ts";

const { setTimeout, performance } = globalThis;

/** Node's longest timer; a longer one would fire at once. */
const LONGEST_MS = 2_147_483_647;

/** The time that the cleanup after one cancellation has. */
export class Grace {
  readonly #until: number;
  readonly #graceMs: number;
  readonly #frames = new Set<Frame>();
  readonly #timer: NodeJS.Timeout | null;
  #isOver = false;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
    this.#until = performance.now() + graceMs;
    this.#timer = graceMs > LONGEST_MS ? null : setTimeout(() => this.#end(), graceMs).unref();
  }

  /** Whether the time has not passed; then the frame may wait until it has. */
  admit(frame: Frame): boolean {
    // Timers may be early.
    if (this.#isOver || performance.now() >= this.#until) return false;
    // It goes on in any case: the process must not end before, nor call it a deadlock.
    if (this.#frames.size === 0) this.#timer?.ref();
    this.#frames.add(frame);
    frame.grace = this;
    return true;
  }

  /** The frame does not wait any more. */
  leave(frame: Frame): void {
    this.#frames.delete(frame);
    frame.grace = null;
    if (this.#frames.size === 0) this.#timer?.unref();
  }

  #end(): void {
    this.#isOver = true;
    for (const frame of this.#frames) {
      this.leave(frame);
      // One that waits for what it has begun goes on when that has ended.
      if (frame.live === 0)
        warn(
          "MW_WARN_CLEANUP_INTERRUPTED",
          `Cleanup after a cancellation took longer than ${this.#graceMs} ms and is interrupted at ${whereWaits(frame)}; give it a deadline of its own with shield(), or run() a longer graceMs`,
        );
      frame.interrupt();
    }
  }
}

function whereWaits({ site, at }: Frame): string {
  return `${site.name} (${placeOf(site.file.waits[at] as WaitSite)})`;
}

const graces = new WeakMap<Cancellation, Grace>();

function allowCleanup(frame: Frame, home: Scope): boolean {
  if (frame.grace !== null) return true;
  const cancellation = home.effective as Cancellation;
  let grace = graces.get(cancellation);
  if (grace === undefined) graces.set(cancellation, (grace = new Grace(home.runner.graceMs)));
  return grace.admit(frame);
}

/** Where the cleanup runs that the frame is in; null if it is in none. */
function cleanupOf(frame: Frame): Scope | null {
  return frame.c === 1 || frame.iteration?.isClosing === true ? frame.home : frame.cleanup;
}

/**
 * Whether the frame may wait in its cancelled scope, until the time is over: for cleanup after that, and not for a limit of
 * the cleanup's own.
 */
export function isGraced(frame: Frame): boolean {
  const cleanup = cleanupOf(frame);
  if (cleanup === null || !frame.home.outermostCancelled.contains(cleanup)) return false;
  return allowCleanup(frame, frame.home);
}
