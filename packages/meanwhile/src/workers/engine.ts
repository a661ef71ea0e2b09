// The inside of a worker: takes the jobs of a message one after the other, runs each as a task, sends back what came of them.
//
//   inbox ──begin──▶ running (at most `concurrency`) ──▶ outbox ──flush──▶ pool
//     └──taken back by the pool: skipped──────────────────▲
//
// Invariant: a job is entered in the ledger as begun before any of its code runs, and as finished before its reply is flushed.
// Replies of a slice go out together: after FLUSH_MS, when nothing is left to do, and before a job begins that may take long, by
// what those of its function have taken. One that takes long against all experience holds up the replies before it.

import { CapturedContext, Children, suspend, type TaskNode, throwIfCancelled, type Waiter } from "../lowlevel.ts";
import { now } from "../time/sleep.ts";
import { Deque } from "../util/deque.ts";
import { callEach } from "./each.ts";
import type { EngineConnection, RunningJob, WaitingJob } from "./engine-jobs.ts";
import type { Surroundings } from "./inside.ts";
import { bodyOf, isQuick, type KnownFunction, type ModuleFunctions, newlyKnown, note } from "./known-function.ts";
import type { Ledger } from "./ledger.ts";
import { tellLook } from "./look.ts";
import type { Inbox } from "./port-reader.ts";
import type { Replies } from "./replies.ts";
import * as wire from "./wire.ts";

const { setImmediate, performance } = globalThis;

/** How long a reply may wait for others. */
const FLUSH_MS = 1;
/** How long jobs may follow each other before the event loop of the worker gets a turn. */
const SLICE_MS = 5;

/**
 * How long an idle worker holds its thread for the next job, which as a rule comes within microseconds, instead of waiting in
 * the event loop. No shorter: a wait that may end before the next tick of the system has it set a timer, and a call one at a
 * time takes twice as long (measured: row workers-turns).
 */
const LOOKOUT_MS = 4;

/** Runs the jobs of one worker, inside of a run. */
export class Engine implements Inbox, Surroundings {
  readonly #ledger: Ledger;
  readonly #concurrency: number;
  readonly #replies: Replies;
  // Holds the thread until a message comes, which it hands on, or the time is over.
  readonly #lookOut: (ms: number) => void;
  readonly #functions: KnownFunction[];
  readonly #children: Children;
  readonly #context = new CapturedContext();
  readonly #inbox = new Deque<WaitingJob>();
  readonly #running = new Map<number, RunningJob>();
  readonly #slots = new WeakMap<TaskNode, number>();
  #leaving: Waiter<void> | null = null;
  #isTurnAsked = false;
  #sliceStartedAt = 0;

  constructor(connection: EngineConnection, replies: Replies, concurrency: number, functions: ModuleFunctions) {
    const { ledger, lookOut } = connection;
    this.#ledger = ledger;
    this.#replies = replies;
    this.#concurrency = concurrency;
    this.#lookOut = (ms) => lookOut(this, ms);
    this.#functions = functions.map(([name, call], index) => newlyKnown(index, name, call));
    this.#children = new Children("worker", (task) => this.#ended(task));
  }

  /** Serves until the pool says that it is enough. */
  async serve(): Promise<void> {
    this.#replies.ready(this.#functions);
    await suspend<void>((waiter) => void (this.#leaving = waiter), {
      describe: () => "jobs of the pool",
      foreign: true,
    });
    await this.#children.join();
    this.#replies.flush();
    this.#children.close();
  }

  /** Takes a message of the pool. */
  receive(message: readonly unknown[]): void {
    for (let at = 0; at < message.length;) {
      const mark = message[at];
      if (mark === wire.CALL) at = this.#takeCall(message, at, at + 3, Infinity);
      else if (mark === wire.CALL_WITHIN) at = this.#takeCall(message, at, at + 4, message[at + 3] as number);
      else if (mark === wire.CALL_EACH) at = this.#takeEach(message, at);
      else if (mark === wire.CANCEL) at = this.#takeCancel(message, at);
      else if (mark === wire.LOOK) at = this.#takeLook(message, at);
      else {
        this.#leaving?.wake();
        at += 1;
      }
    }
    this.#pump();
  }

  unreadable(number: number): void {
    this.#replies.unreadable(number);
  }

  #takeCall(message: readonly unknown[], at: number, countAt: number, ms: number): number {
    const known = this.#functions[message[at + 2] as number] as KnownFunction;
    const end = countAt + 1 + (message[countAt] as number);
    const body = bodyOf(known.call, message, countAt + 1, end);
    this.#inbox.push({ slot: message[at + 1] as number, known, body, calls: 1, deadline: deadlineIn(ms) });
    return end;
  }

  #takeEach(message: readonly unknown[], at: number): number {
    const [slot, index, ms] = message.slice(at + 1, at + 4) as [number, number, number];
    const known = this.#functions[index] as KnownFunction;
    const items = message[at + 4] as ArrayLike<unknown>;
    const body = (): unknown => callEach(known.call, items, () => this.#throwIfCancelRequested(slot));
    this.#inbox.push({ slot, known, body, calls: items.length, deadline: deadlineIn(ms) });
    return at + 5;
  }

  #takeCancel(message: readonly unknown[], at: number): number {
    const [slot, request, reason] = message.slice(at + 1, at + 4) as [number, number, string | null];
    this.#running.get(slot)?.task.cancel(reason ?? undefined);
    this.#replies.cancelSeen(request);
    return at + 4;
  }

  #takeLook(message: readonly unknown[], at: number): number {
    const [slot, question] = message.slice(at + 1, at + 3) as [number, number];
    const job = this.#running.get(slot);
    this.#replies.looked(question, job === undefined ? null : tellLook(job));
    return at + 3;
  }

  // The event loop was blocked by the job itself, so the message is still on its way.
  #throwIfCancelRequested(slot: number): void {
    if (!this.#ledger.isCancelRequested(slot)) return;
    this.#running.get(slot)?.task.cancel("the caller was cancelled");
    throwIfCancelled();
  }

  #pump(): void {
    if (this.#isDying) return;
    while (this.#inbox.size > 0 && this.#running.size < this.#concurrency) {
      if (this.#isSliceOver()) break;
      this.#begin(this.#inbox.shift());
    }
    this.#askForTurn();
    if (this.#inbox.size > 0 || this.#running.size > 0) return;
    // Somebody may be waiting for just this one, and have the next one ready.
    this.#replies.flush();
    if (!this.#isSliceOver()) this.#lookOut(LOOKOUT_MS);
  }

  // A run that ends by itself has failed, and takes the worker with it: the pool is told by that. What has not begun goes
  // elsewhere.
  get #isDying(): boolean {
    return this.#children.scope.effective !== null;
  }

  #isSliceOver(): boolean {
    const time = performance.now();
    if (this.#sliceStartedAt === 0) this.#sliceStartedAt = time;
    if (time - this.#replies.flushedAt >= FLUSH_MS) this.#replies.flush();
    return time - this.#sliceStartedAt >= SLICE_MS;
  }

  #begin(job: WaitingJob): void {
    const { slot, known, calls } = job;
    if (!this.#ledger.begin(slot)) {
      this.#replies.skipped(slot);
      return;
    }
    if (!isQuick(known, FLUSH_MS)) this.#replies.flush();
    const task = this.#children.create(job.body, known.name, slot);
    if (job.deadline !== Infinity) task.scope.noteDeadline(job.deadline);
    this.#running.set(slot, { slot, known, task, calls, startedAt: performance.now() });
    this.#slots.set(task, slot);
    if (this.#ledger.isCancelRequested(slot)) task.cancel("the caller was cancelled");
    task.start(this.#context);
  }

  #ended(task: TaskNode): void {
    const slot = task.index;
    const { known, calls, startedAt } = this.#running.get(slot) as RunningJob;
    this.#running.delete(slot);
    note(known, calls, performance.now() - startedAt);
    this.#ledger.finish(slot);
    if (!this.#isDying) this.#replies.ended(task, slot);
    this.#pump();
  }

  #askForTurn(): void {
    if (this.#isTurnAsked) return;
    this.#isTurnAsked = true;
    setImmediate(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#isTurnAsked = false;
    this.#sliceStartedAt = 0;
    this.#replies.flush();
    if (this.#inbox.size > 0) this.#pump();
    else if (this.#running.size === 0) this.#lookOut(LOOKOUT_MS);
  }

  slotOf(task: TaskNode): number | undefined {
    return this.#slots.get(task);
  }

  report(slot: number, value: unknown): void {
    this.#replies.progress(slot, value);
  }

  isCancelRequested(slot: number): boolean {
    return this.#ledger.isCancelRequested(slot);
  }
}

function deadlineIn(ms: number): number {
  return ms === Infinity ? Infinity : now() + ms;
}
