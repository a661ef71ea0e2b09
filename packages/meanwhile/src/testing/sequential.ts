// Compares a primitive with a model of it: several actors make random calls, some are cancelled, and what each call returned
// must be explained by some order of calls, one after the other.

import { TestError } from "../errors.ts";
import { cancelScope, type CancelScope, currentScopeNode, taskGroup, type TaskNode } from "../lowlevel.ts";
import { sleep } from "../time/sleep.ts";
import { shield } from "../time/timeouts.ts";
import { badArgument } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import { explore } from "./explore.ts";
import { linearize, type Model, type SeenCall } from "./linearize.ts";
import { isStuck, QuietWatch, STUCK } from "./quiet.ts";
import { Random } from "./random.ts";
import { activeResources } from "./resources.ts";
import {
  type Call as TestCall,
  checkCount,
  checkFunction,
  checkTestOptions,
  type TestOptions,
} from "./test-options.ts";

const CALL: TestCall = {
  name: "checkSequentially",
  act: "check sequentially",
  options: ["actors", "callsEach", "schedules", "seed"],
};

/** A primitive and its model, for {@link checkSequentially}. */
export interface SequentialSpec<Subject, State, Call> extends Model<State, Call> {
  /** Makes the primitive, in its first state. */
  readonly create: () => Subject;
  /** The calls that are made, at random. */
  readonly calls: readonly Call[];
  /** Makes a call; what it returns, or resolves with, is compared with the model. An error is none of its results. */
  readonly perform: (subject: Subject, call: Call, actor: number) => unknown;
}

/** Options of {@link checkSequentially}. */
export interface SequentialOptions extends TestOptions {
  /** How many tasks make calls; an integer >= 1. Default: 3. */
  readonly actors?: number | undefined;
  /** How many calls each of them makes; an integer >= 1. Default: 3. */
  readonly callsEach?: number | undefined;
  /** How many programs are tried; an integer >= 1. Default: 1 000. */
  readonly schedules?: number | undefined;
  /** The seed of the first program; each one after it takes the next integer. Default: 1. */
  readonly seed?: number | undefined;
}

/**
 * Checks that a primitive behaves as if its calls happened one after the other, each between its start and its end, and none
 * that was cancelled: every program of a few tasks that make a few random calls, under a random schedule and with random
 * cancellations, has to be explained by some order of its calls in the model. When nothing moves any more, the calls that
 * wait must be those that have to wait in the model: a wake-up that was lost shows.
 *
 * Cancellation: reaches the calls, if a scope around it is cancelled.
 *
 * @throws {@link TestError} `MW_ERR_NOT_SEQUENTIAL` with the calls that no order explains; its `seed` gives the program again
 * @throws whatever a call throws
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 * @see {@link https://github.com/JetBrains/lincheck}
 *
 * @example
 * ```ts
 * import { Queue } from "meanwhile";
 * import { checkSequentially } from "meanwhile/testing";
 *
 * await checkSequentially<Queue<number>, readonly number[], "put" | "get">(
 *   {
 *     create: () => new Queue({ maxSize: 1 }),
 *     calls: ["put", "get"],
 *     perform: (queue, call, actor) => (call === "put" ? queue.put(actor) : queue.get()),
 *     initial: [],
 *     step: (items, call, actor) => {
 *       if (call === "put") return items.length < 1 ? { state: [...items, actor], result: undefined } : null;
 *       return items.length > 0 ? { state: items.slice(1), result: items[0] } : null;
 *     },
 *   },
 *   { schedules: 100 },
 * );
 * ```
 */
export async function checkSequentially<Subject, State, Call>(
  spec: SequentialSpec<Subject, State, Call>,
  options: SequentialOptions = {},
): Promise<void> {
  checkTestOptions(CALL, options);
  checkSpec(spec);
  const { actors = 3, callsEach = 3, schedules = 1_000, ...rest } = options;
  for (const [name, value] of Object.entries({ actors, callsEach, schedules })) checkCount(CALL.act, name, value);
  // Inside of the first run, which may have a timer of its own; later the primitives may have left some.
  let usual: readonly string[] | null = null;
  const test = async (seed: number): Promise<void> => {
    usual ??= activeResources();
    using quiet = new QuietWatch(usual);
    await tryProgram(spec, { actors, callsEach }, seed, quiet);
  };
  // A call that cancellation cannot end may wait for ever for what another one holds; so it is abandoned.
  await explore(test, { ...rest, schedules }, true);
}

function checkSpec<Subject, State, Call>(spec: SequentialSpec<Subject, State, Call>): void {
  if (typeof spec !== "object" || spec === null) throw badArgument(CALL.act, "spec", spec, "an object");
  const { create, perform, step, calls } = spec;
  for (const [name, value] of Object.entries({ create, perform, step })) checkFunction(CALL.act, name, value ?? null);
  if (!Array.isArray(calls) || calls.length === 0) throw badArgument(CALL.act, "calls", calls, "an array of calls");
}

/** How large a program is. */
export interface ProgramSize {
  readonly actors: number;
  readonly callsEach: number;
}

/** Runs one random program and compares it with the model. */
export async function tryProgram<Subject, State, Call>(
  spec: SequentialSpec<Subject, State, Call>,
  { actors, callsEach }: ProgramSize,
  seed: number,
  quiet: QuietWatch,
): Promise<void> {
  const program = new Program(spec, callsEach, seed);
  await program.run(actors, quiet);
  const counted = program.seen.filter(({ wasCancelled }) => !wasCancelled);
  if (linearize(counted, spec) !== null) return;
  throw new TestError(
    "MW_ERR_NOT_SEQUENTIAL",
    `Cannot explain what the calls returned by any order of calls:\n${program.seen.map(describeCall).join("\n")}`,
  );
}

/** A call while it is made, and after. */
class Made<Call> implements SeenCall<Call> {
  readonly actor: number;
  readonly call: Call;
  readonly start: number;
  end: number = Infinity;
  result: unknown;
  wasCancelled = false;
  /** Cancels the call; null when it has ended. */
  scope: CancelScope | null = null;
  readonly task: TaskNode | null = currentScopeNode().task;

  constructor(actor: number, call: Call, start: number) {
    this.actor = actor;
    this.call = call;
    this.start = start;
  }
}

function describeCall({ actor, call, start, end, result, wasCancelled }: Made<unknown>): string {
  const what = `  actor ${actor}, from ${start}: ${render(call)}`;
  if (wasCancelled) return `${what} was cancelled`;
  return end === Infinity ? `${what} waits` : `${what} returned ${render(result)} at ${end}`;
}

function render(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? show(value));
}

/** One time in so many somebody is cancelled in the turn in which a call is made: before it, or after it. */
const CANCEL_ONE_IN = 8;

/** How often somebody is cancelled in between, at most. */
const DISTURBANCES = 4;

class Program<Subject, State, Call> {
  readonly #spec: SequentialSpec<Subject, State, Call>;
  readonly #subject: Subject;
  readonly #callsEach: number;
  readonly #random: Random;
  readonly seen: Made<Call>[] = [];
  #time = 0;
  // Set when nothing moves any more: what is cancelled from then on has waited for ever.
  #isOver = false;

  constructor(spec: SequentialSpec<Subject, State, Call>, callsEach: number, seed: number) {
    this.#spec = spec;
    this.#subject = spec.create();
    this.#callsEach = callsEach;
    this.#random = new Random(seed);
  }

  /** Runs until every call has ended or waits for ever. */
  async run(actors: number, quiet: QuietWatch): Promise<void> {
    const failures: unknown[] = [];
    const abandoned = Promise.withResolvers<void>();
    await taskGroup(async (group) => {
      for (let actor = 0; actor < actors; actor++) {
        const plan = this.#plan();
        group.createTask(() => Promise.race([this.#act(actor, plan, failures), abandoned.promise]));
      }
      for (let left = this.#random.below(DISTURBANCES + 1); left > 0; left--) {
        await sleep(0);
        this.#cancelSomebody("between two calls");
      }
      await quiet.settle();
      this.#isOver = true;
      group.cancel("checkSequentially ends what waits, as nothing moves any more");
      await shield(() => quiet.settle());
      const stuck = this.seen.find(({ scope, task }) => scope !== null && isStuck(task));
      if (stuck !== undefined) failures.push(doesNotEnd(stuck));
      abandoned.resolve();
    });
    if (failures.length > 0) throw failures[0];
  }

  async #act(actor: number, plan: readonly Call[], failures: unknown[]): Promise<void> {
    try {
      for (const call of plan) {
        await this.#pause();
        await this.#make(call, actor);
      }
    } catch (error) {
      if (!this.#isOver) failures.push(error);
    }
  }

  #plan(): Call[] {
    const { calls } = this.#spec;
    const plan: Call[] = [];
    while (plan.length < this.#callsEach) plan.push(...calls.slice(this.#random.below(calls.length)).slice(0, 1));
    return plan;
  }

  // Calls that never wait would follow each other in one go.
  async #pause(): Promise<void> {
    if (this.#random.below(2) === 0) await sleep(0);
  }

  async #make(call: Call, actor: number): Promise<void> {
    const what = `${render(call)} of actor ${actor}`;
    if (this.#random.below(CANCEL_ONE_IN) === 0) this.#cancelSomebody(`before the ${what}`);
    const made = new Made(actor, call, this.#time++);
    await cancelScope(async (scope) => {
      const pending = this.#spec.perform(this.#subject, call, actor);
      // Only now it can be cancelled by itself: until here it has not been made.
      this.seen.push(made);
      if (this.#random.below(CANCEL_ONE_IN) === 0) this.#cancelSomebody(`after the ${what}`);
      made.scope = scope;
      made.result = await pending;
      made.end = this.#time++;
    });
    made.scope = null;
    made.wasCancelled = made.end === Infinity;
  }

  #cancelSomebody(when: string): void {
    const active = this.seen.filter(({ scope }) => scope !== null);
    const one = active[this.#random.below(active.length)];
    if (one === undefined) return;
    const which = `the ${render(one.call)} of actor ${one.actor}`;
    one.scope?.cancel(`checkSequentially cancels ${which} at step ${this.#time}, ${when}`);
  }
}

function doesNotEnd({ call, actor }: Made<unknown>): TestError {
  return new TestError("MW_ERR_NOT_SEQUENTIAL", `Cannot end the ${render(call)} of actor ${actor}: ${STUCK}`);
}
