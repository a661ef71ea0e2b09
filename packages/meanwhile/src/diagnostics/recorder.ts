// Writes down what the runtime tells its instruments: the state of all tasks, and what has happened last. Called at every
// wait, so everything here is numbers in the shared memory.

import {
  activeRunners,
  addInstrument,
  type Instrument,
  type Scope,
  type TaskNode,
  type Waiter,
  waitsOf,
  walkTasks,
} from "../lowlevel.ts";
import { CreationStacks } from "./creation-stacks.ts";
import { copyToEnded } from "./ended-table.ts";
import { EventWriter } from "./event-writer.ts";
import { depthOf, idOfTarget, nameOf, otherOf, parentOf, tasksReached } from "./facts.ts";
import { NameTable } from "./name-table.ts";
import type { DiagnosticsLevel } from "./protocol.ts";
import {
  beginChange,
  endChange,
  EVENT_KIND,
  FLAG,
  NUMBER,
  type SharedMemory,
  TARGET,
  TASK,
  WORD,
} from "./shared-memory.ts";
import { TargetTable } from "./target-table.ts";
import { TaskTable } from "./task-table.ts";
import { WaitWriter } from "./wait-writer.ts";

const { performance } = globalThis;

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

const OUTCOMES = { succeeded: 1, failed: 2, cancelled: 3 } as const;

/** One recorder, from its start to its disposal. */
export class Recorder implements Disposable {
  readonly memory: SharedMemory;
  /** The targets, for who is asked about them. */
  readonly targets: TargetTable;
  readonly #names: NameTable;
  readonly #tasks: TaskTable;
  readonly #waits: WaitWriter;
  readonly #events: EventWriter | null;
  readonly #stacks: CreationStacks | null;
  readonly #sampling: number;
  readonly #nodes: Array<TaskNode | undefined>;
  #listening: Disposable | null = null;
  #isCoarse = false;

  constructor(memory: SharedMemory, options: RecorderOptions) {
    this.memory = memory;
    this.#names = new NameTable(memory);
    this.#tasks = new TaskTable(memory);
    this.targets = new TargetTable(memory, this.#names);
    this.#waits = new WaitWriter(memory, this.targets);
    this.#events = options.level >= 2 ? new EventWriter(memory) : null;
    this.#stacks = options.level >= 3 ? new CreationStacks(options.stackSampling, options.onStack) : null;
    this.#sampling = options.sampling;
    this.#nodes = Array.from({ length: memory.capacities.tasks });
  }

  /** Writes down the tasks there are, and from here on what happens. */
  start(): void {
    beginChange(this.memory);
    for (const { root } of activeRunners) for (const { task } of walkTasks(root)) this.#addFound(task);
    endChange(this.memory);
    this.#listening = addInstrument(this.#instrument());
  }

  /** Stops writing. What was written stays. */
  [Symbol.dispose](): void {
    this.#listening?.[Symbol.dispose]();
    this.#listening = null;
    this.#nodes.length = 0;
  }

  /**
   * Takes the time from the worker from now on, which writes it down every few milliseconds, also while this thread is
   * blocked: for states that is enough, and it costs nothing. Events have the exact time.
   */
  useCoarseTime(): void {
    this.#isCoarse = this.#events === null;
  }

  #now(): number {
    return this.#isCoarse ? (this.memory.numbers[NUMBER.coarseTime] as number) : performance.now();
  }

  /** The live task with the id. */
  taskWith(id: number): TaskNode | undefined {
    return this.#nodes[this.#tasks.find(id)];
  }

  /** How many waits the task had begun when its row was written last; with that one can tell whether two looks agree. */
  stepsOf(id: number): number {
    const row = this.#tasks.find(id);
    return row === -1 ? -1 : (this.memory.taskWords[row * TASK.words + TASK.steps] as number);
  }

  // Only what the level needs: who does not listen costs nothing.
  #instrument(): Instrument {
    const always: Instrument = {
      taskCreated: (task) => this.#taskCreated(task),
      taskEnded: (task) => this.#taskEnded(task),
      suspended: (waiter) => this.#suspended(waiter),
      resumed: (waiter) => this.#resumed(waiter),
      scopeCancelled: (scope) => this.#scopeCancelled(scope),
      scopeClosed: (scope) => this.#scopeClosed(scope),
    };
    if (this.#events === null) return always;
    return { ...always, scopeOpened: (scope) => this.#scopeChanged(scope, EVENT_KIND.scopeOpened) };
  }

  #taskCreated(task: TaskNode): void {
    const now = this.#now();
    beginChange(this.memory);
    (this.memory.numbers[NUMBER.created] as number)++;
    const row = this.#add(task, now);
    if (row !== -1 && this.#stacks !== null) {
      this.memory.taskWords[row * TASK.words + TASK.stack] = this.#stacks.take(task);
    }
    if (this.#events !== null) {
      const { taskWords } = this.memory;
      const name = row === -1 ? 0 : (taskWords[row * TASK.words + TASK.name] as number);
      this.#events.write(now, EVENT_KIND.created, task.id, parentOf(task), name, 0);
    }
    endChange(this.memory);
  }

  #add(task: TaskNode, now: number): number {
    const { numbers, taskWords, taskNumbers, header } = this.memory;
    const { id } = task;
    const row = this.#tasks.insert(id);
    if (row === -1) {
      (numbers[NUMBER.unrecorded] as number)++;
      return row;
    }
    (numbers[NUMBER.live] as number)++;
    this.#nodes[row] = task;
    const at = row * TASK.words;
    const parent = parentOf(task);
    taskWords[at + TASK.parent] = parent;
    taskWords[at + TASK.name] = this.#names.use(nameOf(task));
    taskWords[at + TASK.flags] = this.#sampling === 1 || id % this.#sampling === 0 ? FLAG.sampled : 0;
    taskWords[at + TASK.turn] = header[WORD.turn] as number;
    const numbersAt = row * TASK.numbers;
    taskNumbers[numbersAt + TASK.createdAt] = now;
    taskNumbers[numbersAt + TASK.since] = now;
    if (task.scope.effective !== null) this.#mark(row, now);
    if (parent !== 0) this.#addChildren(parent, 1);
    return row;
  }

  #addChildren(parent: number, count: 1 | -1): void {
    const row = this.#tasks.find(parent);
    if (row !== -1) (this.memory.taskWords[row * TASK.words + TASK.children] as number) += count;
  }

  // One that was made before we listened.
  #addFound(task: TaskNode): void {
    const row = this.#add(task, this.#now());
    if (row === -1 || task.state.kind === "new") return;
    this.memory.taskWords[row * TASK.words + TASK.flags]! |= FLAG.started;
    for (const waiter of waitsOf(task)) this.#waits.begin(row, waiter, this.#now());
  }

  #taskEnded(task: TaskNode): void {
    const now = this.#now();
    const outcome = task.state.kind as keyof typeof OUTCOMES;
    beginChange(this.memory);
    const { numbers } = this.memory;
    (numbers[NUMBER[outcome]] as number)++;
    const row = this.#tasks.find(task.id);
    if (row === -1) (numbers[NUMBER.unrecorded] as number)--;
    else this.#moveToEnded(row, OUTCOMES[outcome], now);
    this.#events?.write(now, EVENT_KIND.ended, task.id, OUTCOMES[outcome], 0, 0);
    endChange(this.memory);
  }

  #moveToEnded(row: number, outcome: number, now: number): void {
    const { taskWords, numbers } = this.memory;
    copyToEnded(this.memory, row, outcome, now);
    (numbers[NUMBER.live] as number)--;
    const at = row * TASK.words;
    // Its name stays where it is until another one needs the room; a reader finds that out.
    this.#names.release(taskWords[at + TASK.name] as number);
    const parent = taskWords[at + TASK.parent] as number;
    if (parent !== 0) this.#addChildren(parent, -1);
    this.#nodes[row] = undefined;
    this.#tasks.remove(row);
  }

  #suspended(waiter: Waiter<never>): void {
    const task = (waiter.scope as Scope).task;
    if (task === null) return;
    const now = this.#now();
    beginChange(this.memory);
    (this.memory.numbers[NUMBER.waits] as number)++;
    const row = this.#tasks.find(task.id);
    if (row !== -1) {
      const target = this.#waits.begin(row, waiter, now);
      if (this.#events !== null && this.#isSampled(row)) {
        const { targets } = this.memory;
        const label = targets[target * TARGET.words + TARGET.label] as number;
        this.#events.write(now, EVENT_KIND.wait, task.id, label, idOfTarget(targets, target), otherOf(waiter));
      }
    }
    endChange(this.memory);
  }

  #isSampled(row: number): boolean {
    return ((this.memory.taskWords[row * TASK.words + TASK.flags] as number) & FLAG.sampled) !== 0;
  }

  #resumed(waiter: Waiter<never>): void {
    const task = (waiter.scope as Scope).task;
    if (task === null) return;
    const row = this.#tasks.find(task.id);
    if (row === -1) return;
    const now = this.#now();
    beginChange(this.memory);
    const left = this.#waits.end(row, task, waiter, now);
    if (this.#events !== null && this.#isSampled(row)) {
      this.#events.write(now, EVENT_KIND.resume, task.id, left, 0, 0);
    }
    endChange(this.memory);
  }

  #scopeCancelled(scope: Scope): void {
    const now = this.#now();
    beginChange(this.memory);
    const { task } = scope;
    const isWhole = task !== null && task.scope === scope;
    for (const reached of tasksReached(scope)) {
      const row = this.#tasks.find(reached.id);
      if (row !== -1) this.#mark(row, now);
    }
    const by = { call: 1, deadline: 2, signal: 3 }[scope.own?.by ?? "call"];
    this.#events?.write(now, EVENT_KIND.cancelled, task?.id ?? 0, by, isWhole ? 1 : 0, 0);
    endChange(this.memory);
  }

  #mark(row: number, now: number): void {
    const numbersAt = row * TASK.numbers + TASK.cancelledAt;
    this.memory.taskWords[row * TASK.words + TASK.flags]! |= FLAG.cancelled;
    if ((this.memory.taskNumbers[numbersAt] as number) === 0) this.memory.taskNumbers[numbersAt] = now;
  }

  #scopeClosed(scope: Scope): void {
    const { task } = scope;
    if (scope.own !== null && task !== null && task.scope !== scope && task.scope.effective === null) {
      beginChange(this.memory);
      this.#unmark(this.#tasks.find(task.id));
      endChange(this.memory);
    }
    if (this.#events !== null) this.#scopeChanged(scope, EVENT_KIND.scopeClosed);
  }

  #unmark(row: number): void {
    if (row === -1) return;
    this.memory.taskWords[row * TASK.words + TASK.flags]! &= ~FLAG.cancelled;
    this.memory.taskNumbers[row * TASK.numbers + TASK.cancelledAt] = 0;
  }

  #scopeChanged(scope: Scope, kind: number): void {
    const { task } = scope;
    // The scope of a task that is being made has no task that knows it yet.
    if (task === null || task.scope === undefined || task.scope === scope) return;
    beginChange(this.memory);
    this.#events?.write(this.#now(), kind, task.id, depthOf(scope), 0, 0);
    endChange(this.memory);
  }
}
