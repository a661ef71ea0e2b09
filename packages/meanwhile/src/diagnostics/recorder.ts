// Writes down what the runtime tells its instruments: the state of all tasks, and what has happened last. It is told of
// every wait, so all it writes are numbers in the shared memory.

import { activeRunners, addInstrument, type TaskNode, waitsOf, walkTasks } from "../lowlevel.ts";
import { CreationStacks } from "./creation-stacks.ts";
import { eventWriter } from "./event-writer.ts";
import { NameTable } from "./name-table.ts";
import type { DiagnosticsLevel } from "./protocol.ts";
import { coarseClock, exactClock } from "./recorder-clock.ts";
import type { RecorderParts } from "./recorder-parts.ts";
import { scopeHooks } from "./scope-hooks.ts";
import { beginChange, endChange, FLAG, type SharedMemory, TASK } from "./shared-memory.ts";
import { TargetTable } from "./target-table.ts";
import { type TaskHooks, taskHooks } from "./task-hooks.ts";
import { TaskTable } from "./task-table.ts";
import { type WaitHooks, waitHooks } from "./wait-hooks.ts";

/** What a recorder is told. */
export interface RecorderOptions {
  readonly level: DiagnosticsLevel;
  /** Of how many tasks the waits are recorded as events. */
  readonly sampling: number;
  /** Of how many tasks the stack of their creation is taken. */
  readonly stackSampling: number;
  /** Told of each stack once, before a row refers to it. */
  readonly onStack: (id: number, stack: string) => void;
}

/** One recorder, from its start to its disposal. */
export class Recorder implements Disposable {
  readonly memory: SharedMemory;
  /** The targets, for who is asked about them. */
  readonly targets: TargetTable;
  readonly #parts: RecorderParts;
  readonly #taskHooks: TaskHooks;
  readonly #waitHooks: WaitHooks;
  #listening: Disposable | null = null;

  constructor(memory: SharedMemory, { level, sampling, stackSampling, onStack }: RecorderOptions) {
    const names = new NameTable(memory);
    this.memory = memory;
    this.targets = new TargetTable(memory, names);
    this.#parts = {
      memory,
      names,
      targets: this.targets,
      clock: level >= 2 ? exactClock(memory) : coarseClock(memory),
      tasks: new TaskTable(memory),
      writeEvent: level >= 2 ? eventWriter(memory) : null,
      stacks: level >= 3 ? new CreationStacks(stackSampling, onStack) : null,
      sampling,
      nodes: Array.from({ length: memory.capacities.tasks }),
    };
    this.#taskHooks = taskHooks(this.#parts);
    this.#waitHooks = waitHooks(this.#parts);
  }

  /** Writes down the tasks there are, and from here on what happens. */
  start(): void {
    const { taskCreated, taskEnded, mark } = this.#taskHooks;
    const { suspended, resumed } = this.#waitHooks;
    beginChange(this.memory);
    for (const { root } of activeRunners) for (const { task } of walkTasks(root)) this.#addFound(task);
    endChange(this.memory);
    const scopes = scopeHooks(this.#parts, mark);
    this.#listening = addInstrument({ taskCreated, taskEnded, suspended, resumed, ...scopes });
  }

  /** Stops writing. What was written stays. */
  [Symbol.dispose](): void {
    this.#listening?.[Symbol.dispose]();
    this.#listening = null;
    this.#parts.nodes.length = 0;
  }

  /** The live task with the id. */
  taskWith(id: number): TaskNode | undefined {
    return this.#parts.nodes[this.#parts.tasks.find(id)];
  }

  /** How many waits the task had begun when its row was written last; with that one can tell whether two looks agree. */
  stepsOf(id: number): number {
    const row = this.#parts.tasks.find(id);
    return row === -1 ? -1 : (this.memory.taskWords[row * TASK.words + TASK.steps] as number);
  }

  // One that was made before we listened.
  #addFound(task: TaskNode): void {
    const now = this.#parts.clock.now();
    const row = this.#taskHooks.add(task, now);
    if (row === -1 || task.state.kind === "new") return;
    this.memory.taskWords[row * TASK.words + TASK.flags]! |= FLAG.started;
    for (const waiter of waitsOf(task)) this.#waitHooks.beginWait(row, waiter, now);
  }
}
