// Runs a program, statement by statement, and looks at everything that comes out of meanwhile.

import {
  type CancelScope,
  coroutine,
  currentTask,
  DeadlockError,
  isCancelled,
  type Job,
  moveOnAfter,
  now,
  type Task,
  type TaskGroup,
} from "meanwhile";
import { cancellationOf, currentScopeNode, type Runner } from "meanwhile/lowlevel";

import { FLOW } from "./flow-statements.ts";
import { errorsIn, type Family, Fault, type Ledger } from "./ledger.ts";
import { SCOPES } from "./scope-statements.ts";
import { type Body, headOf, type Kind, type Program, type Statement } from "./statements.ts";
import { SYNC } from "./sync-statements.ts";
import { Things } from "./things.ts";

/** How long a guarded program takes at most, but for its cleanups. */
const GUARD_MS = 1_000;

/** A group that statements can add tasks to. */
export interface OpenGroup {
  readonly group: TaskGroup;
  readonly family: Family;
  /** What is around its tasks. */
  readonly around: Around;
}

/** What is around a statement, innermost last. */
export interface Around {
  /** The scopes it can cancel. */
  readonly scopes: readonly CancelScope[];
  readonly groups: readonly OpenGroup[];
}

const NOTHING: Around = { scopes: [], groups: [] };

/** A statement that is being run. */
export interface Step {
  readonly machine: Machine;
  readonly around: Around;
  /** One of its numbers. */
  readonly number: (index: number) => number;
  /** One of its bodies. */
  readonly body: (index: number) => Body;
  readonly bodies: readonly Body[];
}

/** Runs one kind of statement. */
export type Handler = (step: Step) => Promise<void>;

/** The statements of one topic. */
export type Handlers<Some extends Kind> = Readonly<Record<Some, Handler>>;

const HANDLERS: Handlers<Kind> = { ...SCOPES, ...FLOW, ...SYNC };

/** How a job is made. */
export interface JobOptions {
  readonly family: Family;
  readonly around: Around;
  /** Whether the job is a coroutine. */
  readonly lazy?: boolean;
  /** Told what the body threw, in the job. */
  readonly onError?: (error: unknown) => void;
  /** Told in the job that the body has returned. */
  readonly onValue?: () => void;
}

/** What one run of a program needs. */
export class Machine {
  readonly ledger: Ledger;
  readonly things: Things;
  /** Tasks of the program that others can await and cancel, in the order they were made. */
  readonly tasks: Task<unknown>[] = [];
  /** What all scopes of the run share; null before it has begun. */
  runner: Runner | null = null;
  /** Whether somebody waited for others, and not for time, when a deadlock was declared. */
  sawDeadlock = false;
  #main: Task<unknown> | null = null;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
    this.things = new Things(ledger);
  }

  /** Runs the program in the current task. */
  async main({ guarded, main }: Program): Promise<void> {
    this.runner = currentScopeNode().runner;
    this.#main = currentTask();
    const run = (): Promise<void> => this.run(main, NOTHING);
    if (guarded) await moveOnAfter(GUARD_MS, run);
    else await run();
  }

  /** Runs a body, which is a block with a cleanup. */
  async run(body: Body, around: Around): Promise<void> {
    const block = this.ledger.enter();
    try {
      for (const statement of body) await this.#step(statement, around);
    } finally {
      this.ledger.leave(block);
    }
  }

  /** Others can await and cancel this task, unless it is the program itself. */
  addTask(task: Task<unknown>): void {
    if (task !== this.#main) this.tasks.push(task);
  }

  async #step(statement: Statement, around: Around): Promise<void> {
    const { kind, numbers, bodies } = statement;
    this.#note(statement, "");
    try {
      await HANDLERS[kind]({
        machine: this,
        around,
        number: (index) => numbers[index] ?? 0,
        body: (index) => bodies[index] ?? [],
        bodies,
      });
      this.#note(statement, " has ended");
    } catch (error) {
      this.#note(statement, " has thrown", error);
      this.ledger.caught(kind, error, isCancelled(error));
      throw error;
    } finally {
      this.things.look();
    }
  }

  #note(statement: Statement, what: string, error?: unknown): void {
    const { log } = this.ledger;
    if (log === null) return;
    // A message may tell the number of a task in the process, which is another one each time.
    const text = error instanceof Error ? ` ${error instanceof Fault ? error.message : error.name}` : "";
    // The number that the task has in the events of the test: nobody else makes tasks meanwhile.
    const task = currentTask().id - (this.#main?.id ?? 0) + 1;
    log.push(`${now()} ms:   task ${task}: ${headOf(statement)}${what}${text}`);
  }

  /**
   * A call that is a checkpoint: in a cancelled scope it has to throw the cancellation.
   *
   * @param waitsFor - whether only time or others too can end the wait
   */
  async perform<T>(call: string, go: () => PromiseLike<T>, waitsFor: "time" | "others" = "others"): Promise<T> {
    const { ledger } = this;
    const wasCancelled = ledger.isCancelledHere();
    try {
      const value = await go();
      if (wasCancelled) ledger.violated(`${call} returned although its scope was cancelled before`);
      return value;
    } catch (error) {
      const cancellation = cancellationOf(error);
      if (wasCancelled && cancellation === null) ledger.violated(`${call} did not throw the cancellation of its scope`);
      ledger.caught(call, error, isCancelled(error));
      if (!wasCancelled && cancellation?.reason instanceof DeadlockError) this.#deadlocked(call, waitsFor);
      throw error;
    }
  }

  #deadlocked(call: string, waitsFor: "time" | "others"): void {
    if (waitsFor === "others") this.sawDeadlock = true;
    else this.ledger.violated(`a deadlock was declared during ${call}, which ends by itself`);
  }

  /** A job that runs a body and returns its place. */
  job(body: Body, place: number, { family, around, lazy = false, onError, onValue }: JobOptions): Job<number> {
    const job = async (): Promise<number> => {
      this.addTask(currentTask());
      family.begin();
      try {
        await this.run(body, around);
        onValue?.();
        return place;
      } catch (error) {
        onError?.(error);
        throw error;
      } finally {
        family.end();
      }
    };
    return lazy ? coroutine(job)() : job;
  }

  /** Runs a call that owns the jobs of a family and is a checkpoint. */
  async together<T>(call: string, family: Family, go: () => PromiseLike<T>): Promise<T> {
    const wasCancelled = this.ledger.isCancelledHere();
    try {
      return await this.perform(call, go);
    } finally {
      family.over();
      if (wasCancelled && family.started > 0) this.ledger.violated(`${call} started jobs in a cancelled scope`);
    }
  }

  /** Nothing runs any more. */
  close(outcome: { readonly error: unknown } | null, { guarded }: Program): void {
    const { ledger, runner } = this;
    if (outcome !== null) {
      ledger.told(outcome.error);
      this.#checkEnd(outcome.error, guarded);
    }
    ledger.close();
    this.things.check();
    if (runner?.deadlines.earliest !== undefined) ledger.violated("the clock of the run would still wake somebody");
    if (runner?.root.closed !== true) ledger.violated("the scope of the run was not left");
    if (runner?.root.first != null) ledger.violated("something is left in the scope of the run");
  }

  #checkEnd(error: unknown, guarded: boolean): void {
    if (cancellationOf(error) !== null)
      this.ledger.violated("the run ended with a cancellation, and nobody cancelled it");
    for (const part of errorsIn(error)) {
      if (part instanceof DeadlockError && (guarded || !this.sawDeadlock)) {
        this.ledger.violated("a deadlock was declared that there cannot be");
      }
      if (!EXPECTED.has((part as { name?: string }).name ?? "")) this.ledger.violated(`it ended with ${String(part)}`);
    }
  }
}

/** What a program can end with. */
const EXPECTED = new Set([
  "AggregateError",
  "BrokenBarrierError",
  "CancelledError",
  "DeadlockError",
  "Fault",
  "QueueClosedError",
  "SuppressedError",
  "TaskCancelledError",
  "TaskGroupError",
  "TimeoutError",
]);
