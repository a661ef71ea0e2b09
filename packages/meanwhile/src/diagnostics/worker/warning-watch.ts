// Looks for mistakes once a second, and tells each once: when it is found, and when it is the case no longer.

import type { Block, Warning, WarningKind } from "../protocol.ts";
import { TARGET } from "../shared-memory.ts";
import type { WarningLimits } from "../warning-limits.ts";
import {
  cancelledButRunning,
  type Finding,
  longWaits,
  type Look,
  manyChildren,
  placedFinding,
  waitCycles,
} from "./findings.ts";
import { LoopedAwaits } from "./looped-awaits.ts";
import type { Observer } from "./observer.ts";
import { LockHolders, stuckResources } from "./resource-findings.ts";
import { stackPlaces } from "./stack-places.ts";
import { labelOf, taskRows } from "./state.ts";

const LOOK_MS = 1_000;
const SHORTEST_LOOK_MS = 20;

/** Attempts are counted over this time. */
const RETRY_WINDOW_MS = 10_000;

/** What waits between attempts are called: see flow/retry.ts. */
const RETRY_LABEL = "the next attempt of retry";

/** What is told by others, and not found by looking. */
const TOLD_BY_OTHERS: ReadonlySet<WarningKind> = new Set(["loop-blocked", "never-awaited"]);

/** How many warnings are remembered by what they are about. */
const MOST_KNOWN = 1_000;

/** Watches until it is disposed. */
export class WarningWatch implements Disposable {
  readonly #observer: Observer;
  readonly #limits: WarningLimits;
  readonly #timer: NodeJS.Timeout;
  readonly #known = new Map<string, Warning>();
  readonly #lockHolders = new LockHolders();
  readonly #loopedAwaits = new LoopedAwaits();
  readonly #retries: Array<{ readonly at: number; readonly count: number }> = [];
  #newest = 0;
  #isLooking = false;

  constructor(observer: Observer, limits: WarningLimits) {
    this.#observer = observer;
    this.#limits = limits;
    const shortest = Math.min(
      limits.cancelledMs,
      limits.lockHeldMs,
      limits.foreignMs,
      limits.noDeadlineMs,
      limits.cycleMs,
      limits.loopedAwaitsMs,
      limits.queueStuckMs,
      limits.poolExhaustedMs,
    );
    this.#timer = setInterval(() => void this.#look(), Math.min(LOOK_MS, Math.max(SHORTEST_LOOK_MS, shortest / 2)));
    observer.listeners.add({ block: (block) => this.#addBlock(block), warning: () => {} });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** A coroutine was never awaited: the runtime has said so. */
  addForgotten(message: string, detail: string): void {
    const [text, remedy = "write `await` before the call"] = splitRemedy(message);
    const [place = null] = stackPlaces(detail);
    this.#found(
      placedFinding({
        kind: "never-awaited",
        message: text,
        remedy,
        place,
        tasks: [],
        sinceMs: this.#observer.options.clock(),
      }),
    );
  }

  #addBlock(block: Block): void {
    const [place = null] = block.stack;
    if (place === null) return;
    const [message, remedy = ""] = splitRemedy(block.message);
    const tasks = block.task === null ? [] : [block.task.id];
    const finding = placedFinding({ kind: "loop-blocked", message, remedy, place, tasks, sinceMs: block.startedAtMs });
    // Told when it begins and when it ends: that is one block.
    if (block.ongoing || this.#known.get(finding.key)?.sinceMs !== block.startedAtMs) this.#found(finding);
    if (!block.ongoing) this.#end(finding.key, block.startedAtMs + block.durationMs);
  }

  async #look(): Promise<void> {
    const { watchdog, reader, program } = this.#observer.options;
    // A program that does not turn cannot be asked, and has one trouble already.
    if (this.#isLooking || watchdog.ongoing !== null) return;
    this.#isLooking = true;
    try {
      const { memory, at } = reader.readOwn();
      const look: Look = { memory, rows: taskRows(memory), now: at, limits: this.#limits, program };
      const found = [
        ...cancelledButRunning(look),
        ...manyChildren(look),
        ...this.#retryStorm(look),
        ...(await longWaits(look)),
        ...(await this.#loopedAwaits.look(look)),
        ...(await stuckResources(look, this.#lockHolders)),
        ...(await waitCycles(look, (waiting) => this.#observer.cyclesIn(waiting))),
      ];
      this.#update(found, look.now);
    } finally {
      this.#isLooking = false;
    }
  }

  #retryStorm({ memory, now, limits }: Look): Finding[] {
    let count = 0;
    for (let row = 0; row < memory.capacities.targets; row++) {
      const waits = memory.targets[row * TARGET.words + TARGET.waits] as number;
      if (waits > 0 && labelOf(memory, row) === RETRY_LABEL) count += waits;
    }
    this.#retries.push({ at: now, count });
    while ((this.#retries[0]?.at ?? now) < now - RETRY_WINDOW_MS) this.#retries.shift();
    const repeated = count - (this.#retries[0]?.count ?? 0);
    if (repeated <= limits.retries) return [];
    return [
      {
        key: "retries",
        kind: "retry-storm",
        severity: "warning",
        message: `${repeated} attempts were repeated within 10 s`,
        remedy: "wait longer between them, with exponential() and jitter; give up earlier; limit how many run at once",
        tasks: [],
        place: null,
        resource: null,
        sinceMs: now,
      },
    ];
  }

  #update(found: readonly Finding[], now: number): void {
    const keys = new Set(found.map(({ key }) => key));
    for (const [key, { kind, overAtMs }] of this.#known) {
      const isLooked = !TOLD_BY_OTHERS.has(kind);
      if (isLooked && overAtMs === null && !keys.has(key)) this.#end(key, now);
    }
    for (const finding of found) if (this.#known.get(finding.key)?.overAtMs !== null) this.#found(finding);
  }

  #found({ key, ...finding }: Finding): void {
    const known = this.#known.get(key);
    const warning: Warning = {
      id: known?.id ?? (this.#newest += 1),
      ...finding,
      count: (known?.count ?? 0) + 1,
      overAtMs: null,
    };
    this.#remember(key, warning);
  }

  #end(key: string, now: number): void {
    const known = this.#known.get(key);
    if (known !== undefined) this.#remember(key, { ...known, overAtMs: now });
  }

  #remember(key: string, warning: Warning): void {
    this.#known.delete(key);
    this.#known.set(key, warning);
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value as string);
    this.#observer.addWarning(warning);
  }
}

/** What is the case, and what to do. The last part is ours; a name in the first one may be anything. */
function splitRemedy(message: string): [text: string, remedy?: string] {
  const at = message.lastIndexOf("; ");
  return at === -1 ? [message] : [message.slice(0, at), message.slice(at + 2)];
}
