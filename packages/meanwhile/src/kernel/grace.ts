// How long the cleanup of instrumented code may wait for something foreign after its scope was cancelled.
//
// Code that was not written for meanwhile closes connections in its `finally` without a shield. Interrupted there at once,
// it would leak. So such waits go on until `graceMs` after the cancellation, and then are interrupted with a warning.

import { type Cancellation, warn } from "../errors.ts";
import { placeOf } from "./frame-sites.ts";
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

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
    this.#until = performance.now() + graceMs;
    if (graceMs <= LONGEST_MS) setTimeout(() => this.#end(), graceMs).unref();
  }

  /** Whether the time has not passed; then the frame may wait until it has. */
  admit(frame: Frame): boolean {
    if (performance.now() >= this.#until) return false;
    this.#frames.add(frame);
    frame.grace = this;
    return true;
  }

  /** The frame does not wait any more. */
  leave(frame: Frame): void {
    this.#frames.delete(frame);
    frame.grace = null;
  }

  #end(): void {
    for (const frame of this.#frames) {
      this.leave(frame);
      warn(
        "MW_WARN_CLEANUP_INTERRUPTED",
        `Cleanup after a cancellation took longer than ${this.#graceMs} ms and is interrupted at ${whereWaits(frame)}; give it a deadline of its own with shield(), or run() a longer graceMs`,
      );
      frame.interrupt();
    }
  }
}

function whereWaits({ site, at }: Frame): string {
  return `${site.name} (${placeOf(site.file.waits[at] ?? site)})`;
}

const graces = new WeakMap<Cancellation, Grace>();

/** Whether a frame in cleanup may wait in its cancelled scope; if so, it is interrupted when the time is over. */
export function allowCleanup(frame: Frame, home: Scope): boolean {
  const cancellation = home.effective as Cancellation;
  let grace = graces.get(cancellation);
  if (grace === undefined) graces.set(cancellation, (grace = new Grace(home.runner.graceMs)));
  return grace.admit(frame);
}
