// What combinators are given, and how they take it over.

import { UsageError } from "../errors.ts";
import {
  cancellable,
  checkJob,
  currentScopeNode,
  disown,
  isCoroutine,
  type Job,
  showJob,
  type SignalOption,
  TaskNode,
  waitersOn,
} from "../lowlevel.ts";
import { badArgument, checkOptions } from "../util/arguments.ts";
import { generatorError, isGeneratorFunction } from "../util/generators.ts";

/**
 * What combinators take: a job, which they start and can cancel, or a promise that is already running, which they can
 * wait for but not stop.
 */
export type Input<T> = Job<T> | PromiseLike<T>;

/** Options of combinators that can run a few jobs at a time. */
export interface ConcurrencyOptions extends SignalOption {
  /** How many jobs may run at once; an integer >= 1. Default: all. With a limit, an iterable is read as jobs end. */
  readonly concurrency?: number | undefined;
}

/** Jobs to be started: those of an array exist already, others are made when they are asked for. */
export type Jobs = Iterable<Job<unknown>>;

/**
 * Takes over everything that was given, synchronously: no coroutine is forgotten, no promise rejects unhandled, also if
 * something is refused.
 */
export function takeOver(call: string, jobs: Iterable<Input<unknown>>, options: ConcurrencyOptions): Jobs {
  if (typeof jobs?.[Symbol.iterator] !== "function" || typeof jobs === "string") {
    disown(jobs);
    throw new UsageError(
      "MW_ERR_INVALID_ARGUMENT",
      `Cannot ${call} ${showJob(jobs)}; pass an array or another iterable of jobs`,
    );
  }
  // What an array or a set holds exists already; any other iterable may make its jobs when they are asked for.
  const isMade = Array.isArray(jobs) || jobs instanceof Set;
  if (!isMade && checkConcurrency(call, options) !== Infinity) {
    return { [Symbol.iterator]: () => takeLazily(call, jobs) };
  }
  const taken: Job<unknown>[] = [];
  let bad: { readonly error: unknown } | null = null;
  for (const input of jobs) {
    try {
      taken.push(takeOne(call, input));
    } catch (error) {
      bad ??= { error };
    }
  }
  checkConcurrency(call, options);
  if (bad !== null) throw bad.error;
  return taken;
}

function* takeLazily(call: string, jobs: Iterable<Input<unknown>>): Iterator<Job<unknown>> {
  for (const input of jobs) yield takeOne(call, input);
}

function takeOne(call: string, input: Input<unknown>): Job<unknown> {
  if (typeof input === "function") {
    if (isGeneratorFunction(input)) throw generatorError(input, "start", ` with ${call}`);
    return input;
  }
  if (isCoroutine(input)) {
    input.handOver();
    return input;
  }
  if (typeof (input as PromiseLike<unknown> | undefined)?.then !== "function") checkJob(input, call);
  const running = input as PromiseLike<unknown>;
  // A task is awaited as one; any other promise as something foreign.
  if (running instanceof TaskNode) {
    if (running === currentScopeNode().task) throw awaitSelf(call, running);
    return () => running;
  }
  // Other thenables may be lazy: they start when their turn comes.
  if (running instanceof Promise) waitersOn(running);
  return () => cancellable(running);
}

/** The error for a task that would wait for itself. */
export function awaitSelf(call: string, task: TaskNode): UsageError {
  return new UsageError(
    "MW_ERR_AWAIT_SELF",
    `Cannot ${call} task "${task.name}": it is the task that waits, so it would wait for ever; leave it out of the list`,
  );
}

/** Rejects bad options; returns how many jobs may run at once. */
function checkConcurrency(call: string, options: ConcurrencyOptions): number {
  checkOptions(call, options, "{ concurrency: 10 }");
  const { concurrency = Infinity } = options;
  if (isConcurrency(concurrency)) return concurrency;
  throw badArgument(call, "concurrency", concurrency, "an integer >= 1, or Infinity");
}

/** Whether `value` says how many jobs may run at once. */
export function isConcurrency(value: unknown): value is number {
  return value === Infinity || (typeof value === "number" && Number.isInteger(value) && value >= 1);
}
