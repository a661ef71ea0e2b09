// The state of a program as a stream tells it: the snapshot, and every change since.

import type {
  Block,
  Counts,
  DeltaMessage,
  Hello,
  LoopStatistics,
  Resource,
  Snapshot,
  StreamMessage,
  TaskRecord,
  TimeMs,
  Warning,
} from "../protocol.ts";

/** How many blocks and warnings are remembered. */
const MOST_REMEMBERED = 1_000;

/**
 * Keeps the state of a program up to date with the messages of its stream. A gap needs no care: a snapshot follows it.
 *
 * @example
 * ```ts
 * import { LiveState } from "meanwhile/diagnostics";
 *
 * const state = new LiveState();
 * state.apply({ type: "bye", atMs: 12 });
 * console.log(state.isOver, state.tasks.size); //> true 0
 * ```
 */
export class LiveState {
  #hello: Hello | null = null;
  #atMs: TimeMs = 0;
  #loop: LoopStatistics | null = null;
  #counts: Counts | null = null;
  #blocked: Block | null = null;
  #resources: readonly Resource[] = [];
  #cycles: ReadonlyArray<readonly number[]> = [];
  #isOver = false;
  readonly #tasks = new Map<number, TaskRecord>();
  readonly #warnings = new Map<number, Warning>();
  readonly #blocks = new Map<number, Block>();

  /** The program; null until it has said hello. */
  get hello(): Hello | null {
    return this.#hello;
  }

  /** The moment that is known. */
  get atMs(): TimeMs {
    return this.#atMs;
  }

  /** How late the event loop was; null until it is known. */
  get loop(): LoopStatistics | null {
    return this.#loop;
  }

  /** What was counted; null until it is known. */
  get counts(): Counts | null {
    return this.#counts;
  }

  /** The ongoing block of the event loop. */
  get blocked(): Block | null {
    return this.#blocked;
  }

  /** What tasks wait for, or have waited for. */
  get resources(): readonly Resource[] {
    return this.#resources;
  }

  /** Circles of waits, as they were found last. */
  get cycles(): ReadonlyArray<readonly number[]> {
    return this.#cycles;
  }

  /** Whether the program, or its diagnostics, has ended in order. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The live tasks by id. */
  get tasks(): ReadonlyMap<number, TaskRecord> {
    return this.#tasks;
  }

  /** The newest warnings, each as it is now. */
  get warnings(): readonly Warning[] {
    return [...this.#warnings.values()];
  }

  /** The newest blocks, each as it is known now. */
  get blocks(): readonly Block[] {
    return [...this.#blocks.values()];
  }

  /** Takes the next message of the stream. */
  apply(message: StreamMessage): void {
    if (message.type === "hello") this.#hello = message;
    else if (message.type === "snapshot") this.#takeSnapshot(message);
    else if (message.type === "delta") this.#takeDelta(message);
    else if (message.type === "warning") remember(this.#warnings, message.warning);
    else if (message.type === "block") this.#takeBlock(message.block);
    else if (message.type === "bye") this.#isOver = true;
  }

  #takeSnapshot(snapshot: Snapshot): void {
    this.#takeLoop(snapshot);
    this.#resources = snapshot.resources;
    this.#cycles = snapshot.cycles;
    this.#tasks.clear();
    for (const task of snapshot.tasks) this.#tasks.set(task.id, task);
    for (const warning of snapshot.warnings) remember(this.#warnings, warning);
    for (const block of snapshot.blocks) remember(this.#blocks, block);
  }

  #takeDelta(delta: DeltaMessage): void {
    this.#takeLoop(delta);
    this.#resources = delta.resources ?? this.#resources;
    this.#cycles = delta.cycles ?? this.#cycles;
    for (const task of delta.tasks) this.#tasks.set(task.id, task);
    for (const { id } of delta.ended) this.#tasks.delete(id);
    for (const id of delta.gone) this.#tasks.delete(id);
  }

  #takeLoop({ atMs, loop, counts, blocked }: Snapshot | DeltaMessage): void {
    this.#atMs = atMs;
    this.#loop = loop;
    this.#counts = counts;
    this.#blocked = blocked;
  }

  #takeBlock(block: Block): void {
    remember(this.#blocks, block);
    if (block.ongoing) this.#blocked = block;
    else if (this.#blocked?.id === block.id) this.#blocked = null;
  }
}

function remember<T extends { readonly id: number }>(known: Map<number, T>, news: T): void {
  known.delete(news.id);
  known.set(news.id, news);
  const [oldest] = known.keys();
  if (known.size > MOST_REMEMBERED && oldest !== undefined) known.delete(oldest);
}
