// What a trace tells of the program as a whole: blocks of its event loop, warnings, and counters.

import type { Block, Counts, LoopStatistics, TimeMs, Warning } from "../protocol.ts";
import { ROWS, type TraceEvents } from "./trace-events.ts";

/** Numbers that change more often than this are not shown each time. */
const COUNT_EVERY_MS = 1;

/** Makes the events. */
export class LoopEvents {
  readonly #events: TraceEvents;
  readonly #blocks = new Map<number, Block>();
  readonly #warned = new Set<number>();
  #countedAt = -Infinity;

  constructor(events: TraceEvents) {
    this.#events = events;
  }

  /** Those that are known so far, each as it was told last. */
  get blocks(): readonly Block[] {
    return [...this.#blocks.values()];
  }

  /** The loop was blocked; told again when more is known. */
  block(block: Block): void {
    this.#blocks.set(block.id, block);
  }

  /** Something is probably a mistake; shown where it began, once. */
  warning({ id, kind, message, remedy, tasks, sinceMs, severity }: Warning, edge: TimeMs): void {
    if (this.#warned.has(id)) return;
    this.#warned.add(id);
    const args = { severity, message, remedy, tasks };
    this.#events.instant(Math.max(sinceMs, edge), { name: `warning: ${kind}`, cat: "warning", args });
  }

  /** How many tasks there are now. */
  count(atMs: TimeMs, live: number, waiting: number): void {
    if (atMs - this.#countedAt < COUNT_EVERY_MS) return;
    this.#countedAt = atMs;
    this.#events.counter("tasks", atMs, { waiting, "not waiting": live - waiting });
  }

  /** How the loop has fared. */
  loop(atMs: TimeMs, { p99Ms }: LoopStatistics, { live }: Counts): void {
    this.#events.counter("loop delay", atMs, { "p99 ms": p99Ms });
    this.#events.counter("live tasks", atMs, { tasks: live });
  }

  /** Hands over the blocks, of which only now everything is known. */
  end(edge: TimeMs): void {
    let lastEnd = edge;
    for (const block of this.blocks.toSorted((a, b) => a.startedAtMs - b.startedAtMs)) {
      const { message, task, stack, startedAtMs, durationMs } = block;
      // Slices of a row must not overlap.
      const from = Math.max(lastEnd, startedAtMs);
      const until = Math.max(from, startedAtMs + durationMs);
      if (until === from) continue;
      lastEnd = until;
      const places = stack.map(({ function: name, file, line, column }) => `${name} (${file}:${line}:${column})`);
      const args = { message, task: task?.id ?? 0, stack: places };
      this.#events.slice(ROWS.loop, from, until, { name: `blocked by ${task?.name ?? "?"}`, cat: "block", args });
    }
  }
}
