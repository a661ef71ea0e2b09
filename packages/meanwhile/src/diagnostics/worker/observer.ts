// What the worker knows of the program, for all who ask: snapshots, changes, blocks, warnings.

import type { WorkerSetup } from "../link.ts";
import type {
  Block,
  DeltaMessage,
  Hello,
  LoopStatistics,
  RemoteMessage,
  Snapshot,
  TaskRecord,
  Warning,
} from "../protocol.ts";
import { PROTOCOL_VERSION } from "../protocol.ts";
import { NUMBER, type SharedMemory } from "../shared-memory.ts";
import type { ProgramClock } from "./clock.ts";
import { type LoopDelay, round } from "./loop-delay.ts";
import type { ProgramLink } from "./program.ts";
import type { Remotes } from "./remotes.ts";
import type { Cut, SharedReader } from "./shared-reader.ts";
import { countsIn, endedTasks, resourcesIn, taskRecord, type TaskRow, taskRows } from "./state.ts";
import { findCycles, stillWaiting, type Waiting } from "./wait-cycles.ts";
import type { Watchdog } from "./watchdog.ts";

/** How many blocks and warnings are kept. */
const MOST_KEPT = 200;

/** What an observer is made of. */
export interface ObserverOptions {
  readonly setup: WorkerSetup;
  readonly clock: ProgramClock;
  readonly reader: SharedReader;
  readonly memory: SharedMemory;
  readonly program: ProgramLink;
  readonly remotes: Remotes;
  readonly watchdog: Watchdog;
  readonly delay: LoopDelay;
}

/** What is asked of a snapshot. */
export interface SnapshotOptions {
  readonly stacks: boolean;
  readonly ended: boolean;
  /** Whether to ask for what runs elsewhere. That may take a second. */
  readonly remote?: boolean;
}

/** Somebody who is told of blocks and warnings. */
export interface Listener {
  block(block: Block): void;
  warning(warning: Warning): void;
}

/** Answers all questions about the program. */
export class Observer {
  readonly options: ObserverOptions;
  readonly listeners: Set<Listener> = new Set();
  readonly #blocks = new Map<number, Block>();
  readonly #warnings = new Map<number, Warning>();
  #cycles: ReadonlyArray<readonly number[]> = [];

  constructor(options: ObserverOptions) {
    this.options = options;
  }

  /** A block has begun, was looked at, or has ended. */
  addBlock(block: Block): void {
    keep(this.#blocks, block);
    for (const listener of this.listeners) listener.block(block);
  }

  /** A warning is new, or has changed. */
  addWarning(warning: Warning): void {
    keep(this.#warnings, warning);
    for (const listener of this.listeners) listener.warning(warning);
  }

  hello(): Hello {
    const { setup, clock } = this.options;
    return {
      type: "hello",
      protocol: PROTOCOL_VERSION,
      program: setup.program,
      level: setup.level,
      sampling: setup.sampling,
      eventCapacity: setup.level >= 2 ? setup.capacities.events : 0,
      allowed: setup.allow,
      atMs: round(clock()),
    };
  }

  /** The state now, with what the program tells of it if it is asked and answers. */
  async snapshot({ stacks, ended, remote = false }: SnapshotOptions): Promise<Snapshot> {
    const { reader, program, remotes, watchdog } = this.options;
    // Asking takes time in which the next reader reads: the copy has to be ours.
    const cut = reader.readOwn();
    const { memory } = cut;
    const rows = taskRows(memory);
    const told = stacks && watchdog.turns ? await program.tell(memory, rows) : program.untold();
    const cycles = told.answered
      ? await this.cyclesIn({ memory, rows, resources: told.resources, told: told.tasks })
      : stillWaiting(this.#cycles, rows, reader.read().memory);
    const tasks = rows.map((row) => taskRecord(memory, row, told.details));
    return {
      type: "snapshot",
      seq: memory.numbers[NUMBER.events] as number,
      atMs: round(cut.at),
      cut: cut.cut,
      answered: told.answered,
      ...this.#now(cut),
      tasks: remote && stacks ? await remotes.addTo(tasks, told.answered ? told.tasks : null) : tasks,
      ended: ended ? endedTasks(memory, 0) : [],
      resources: resourcesIn(memory, rows, told.resources),
      cycles,
      warnings: [...this.#warnings.values()],
      blocks: [...this.#blocks.values()],
    };
  }

  /** What a task waits for elsewhere, now. */
  async remotesOf(task: number): Promise<RemoteMessage> {
    const told = (await this.options.remotes.ask([task])).get(task);
    return { type: "remote", task, jobs: told?.jobs.filter((job) => job !== null) ?? [] };
  }

  /** Circles of waits, remembered for deltas and for the time in which the program cannot be asked. */
  async cyclesIn(waiting: Waiting): Promise<ReadonlyArray<readonly number[]>> {
    const { program, reader } = this.options;
    const found = await findCycles(waiting, program);
    // What was told is younger than the rows: a circle is one if its tasks wait for the same still.
    const cycles = found.length === 0 ? found : stillWaiting(found, waiting.rows, reader.read().memory);
    if (JSON.stringify(cycles) !== JSON.stringify(this.#cycles)) this.#cycles = cycles;
    return cycles;
  }

  #now({ memory }: Cut): Pick<Snapshot, "blocked" | "loop" | "counts"> {
    const { watchdog } = this.options;
    return { blocked: watchdog.ongoing, loop: this.loop(), counts: countsIn(memory) };
  }

  /** How late the loop is. */
  loop(): LoopStatistics {
    return this.options.delay.statistics(this.options.clock());
  }

  /** The state now as a delta to an earlier one. Nobody is asked. */
  delta(before: DeltaBase): { readonly message: DeltaMessage; readonly base: DeltaBase } {
    const { reader, program } = this.options;
    const cut = reader.read();
    const rows = taskRows(cut.memory);
    const { details } = program.untold();
    const base = baseOf(cut, rows, this.#cycles);
    const ended = endedTasks(cut.memory, before.ended);
    const isOver = new Set(ended.map(({ id }) => id));
    const tasks: TaskRecord[] = [];
    for (const row of rows)
      if (before.rows.get(row.id) !== base.rows.get(row.id)) tasks.push(taskRecord(cut.memory, row, details));
    const gone = [...before.rows.keys()].filter((id) => !base.rows.has(id) && !isOver.has(id));
    const resources = resourcesIn(cut.memory, rows, new Map());
    const message: DeltaMessage = {
      type: "delta",
      seq: cut.memory.numbers[NUMBER.events] as number,
      atMs: round(cut.at),
      cut: cut.cut,
      ...this.#now(cut),
      tasks,
      ended,
      gone,
      resources: base.waits === before.waits ? null : resources,
      cycles: base.cycles === before.cycles ? null : base.cycles,
    };
    return { message, base };
  }

  /** What the first delta is made against. */
  base(): DeltaBase {
    const cut = this.options.reader.read();
    return baseOf(cut, taskRows(cut.memory), this.#cycles);
  }
}

/** What was sent last: enough to see what has changed. */
export interface DeltaBase {
  readonly rows: ReadonlyMap<number, string>;
  readonly ended: number;
  readonly waits: number;
  readonly cycles: ReadonlyArray<readonly number[]>;
}

function baseOf({ memory }: Cut, rows: readonly TaskRow[], cycles: DeltaBase["cycles"]): DeltaBase {
  const marks = rows.map(
    (row) => [row.id, `${row.activity} ${row.steps} ${row.openWaits} ${row.cancelledAtMs}`] as const,
  );
  const { numbers } = memory;
  const [ended, waits] = [numbers[NUMBER.ended] as number, numbers[NUMBER.waits] as number];
  return { rows: new Map(marks), ended, waits, cycles };
}

function keep<T extends { readonly id: number }>(kept: Map<number, T>, one: T): void {
  kept.set(one.id, one);
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value as number);
}
