// Runs a function on the items of a source, a few at a time: what `map` and `forEach` share.

import { UsageError } from "../errors.ts";
import {
  CapturedContext,
  Children,
  disown,
  enterCheckpoint,
  type Job,
  ParkingLot,
  showJob,
  type SignalOption,
  type TaskNode,
} from "../lowlevel.ts";
import { badArgument, checkOptions } from "../util/arguments.ts";
import { generatorError, isGeneratorFunction } from "../util/generators.ts";
import { AsyncItems, type Source } from "./items.ts";
import { type JobHandler, JobRunner, tellHandler, type Work, type WorkOptions } from "./job-runner.ts";
import { isConcurrency } from "./jobs.ts";

/** What `map` and `forEach` call for each item; `index` counts the items from 0. */
export type ItemFunction<T, R> = (item: T, index: number) => R | PromiseLike<R>;

/** Options of `forEach`. */
export interface ForEachOptions extends SignalOption {
  /** How many items may be in work at once; an integer >= 1, or `Infinity`. Required. */
  readonly concurrency: number;
}

/** What is fed: a source, a function for its items, and how many at once. */
export interface Feed<T> {
  readonly call: string;
  readonly source: Source<T>;
  readonly fn: ItemFunction<T, unknown>;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
}

/** Checks the arguments of `map` and `forEach`, before anything is started. */
export function checkFeed<T>(
  call: string,
  source: Source<T>,
  fn: ItemFunction<T, unknown>,
  options: ForEachOptions,
): Feed<T> {
  if (!isSource(source)) {
    disown(source);
    const like = typeof source === "function" ? ": call the function" : "";
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot ${call} ${showJob(source)}; pass an iterable of items${like}`,
    );
  }
  if (typeof fn !== "function") {
    disown(fn);
    throw new UsageError("MW_ERR_INVALID_ARGUMENT", `Cannot ${call} with ${showJob(fn)}; pass a function of an item`);
  }
  if (isGeneratorFunction(fn)) throw generatorError(fn, `${call} with`, "");
  if (options !== undefined) checkOptions(call, options, "{ concurrency: 10 }");
  const concurrency: unknown = options?.concurrency;
  if (!isConcurrency(concurrency)) throw badArgument(call, "concurrency", concurrency, "an integer >= 1, or Infinity");
  return { call, source, fn, concurrency, signal: options.signal };
}

function isSource(value: unknown): value is Source<unknown> {
  if (typeof value === "string") return true;
  return typeof value === "object" && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** Makes the jobs of a feed; the handler is told how each ended. */
export function openWork<T>(feed: Feed<T>, handler: JobHandler, keepsPlaces: boolean): Work {
  const { source, fn } = feed;
  const options = { ...feed, keepsPlaces, name: fn.name === "" ? undefined : fn.name };
  return isAsync(source)
    ? new Feeder(source, fn, handler, options)
    : new JobRunner({ [Symbol.iterator]: () => jobsOf(source, fn) }, handler, options);
}

function isAsync<T>(source: Source<T>): source is AsyncIterable<T> {
  return typeof source === "object" && Symbol.asyncIterator in source;
}

function* jobsOf<T>(source: Iterable<T>, fn: ItemFunction<T, unknown>): Generator<Job<unknown>> {
  let count = 0;
  for (const item of source) {
    const index = count++;
    yield () => fn(item, index);
  }
}

/** The number of the task that pulls; those of the jobs count from 0. */
const PULLING = -1;

// One task pulls, so that a wait of the source is cancelled and joined like that of a job. It passes a checkpoint for each
// item: a long list of short jobs cannot starve timers and sockets.
class Feeder<T> implements Work {
  readonly children: Children;
  incomplete = false;
  readonly #source: AsyncIterable<T>;
  readonly #fn: ItemFunction<T, unknown>;
  readonly #handler: JobHandler;
  readonly #options: WorkOptions;
  readonly #room: ParkingLot;
  readonly #callersContext = new CapturedContext();
  #free: number;
  #next = 0;

  constructor(source: AsyncIterable<T>, fn: ItemFunction<T, unknown>, handler: JobHandler, options: WorkOptions) {
    const { call, concurrency = Infinity, signal } = options;
    this.#source = source;
    this.#fn = fn;
    this.#handler = handler;
    this.#options = options;
    this.#free = concurrency;
    this.#room = new ParkingLot({ describe: () => `one of the ${concurrency} jobs of ${call}` });
    this.children = new Children(call, (task) => this.#ended(task), signal);
  }

  start(): void {
    this.children.create(() => this.#pullAll(), `source of ${this.#options.call}`, PULLING).start();
  }

  stop(reason: string): void {
    this.children.cancel(reason);
  }

  freePlace(): void {
    this.#free += 1;
    this.#room.unpark();
  }

  async #pullAll(): Promise<void> {
    const items = new AsyncItems(this.#source);
    try {
      await this.#startAll(items);
    } catch (error) {
      // What the source throws while it cleans up goes before the cancellation that made it.
      await items.close((item) => this.#startJob(item));
      throw error;
    }
  }

  async #startAll(items: AsyncItems<T>): Promise<void> {
    for (;;) {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      if (this.#free === 0) await this.#room.park();
      const { done, value } = await items.next();
      if (done === true) return;
      this.#startJob(value);
    }
  }

  // Also if it was cancelled meanwhile: the source has let go of the item, so only its job can still do something about it.
  #startJob(item: T): void {
    const index = this.#next++;
    this.#free -= 1;
    const task = this.children.create(() => this.#fn(item, index), this.#options.name, index);
    this.#handler.starting?.(task);
    task.start(this.#callersContext);
  }

  #ended(task: TaskNode): void {
    if (task.index !== PULLING || task.state.kind !== "succeeded") {
      const part = task.index === PULLING ? "source" : "job";
      if (!tellHandler(this.#handler, task, this.children, part)) this.incomplete = true;
      if (this.#options.keepsPlaces !== true) this.freePlace();
    }
    // The pulling task lives longer than the last item, so nothing can follow the last task.
    if (this.children.alive > 1) return;
    this.children.close();
    this.#handler.finished?.();
  }
}
