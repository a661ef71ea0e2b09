// The heart of both pools: a queue of jobs, and workers that are sent them.
//
//   open ──close()──▶ closing (no new jobs) ──nothing pending──▶ workers leave ──last one ended──▶ closed
//    └──terminate()──▶ closing: every worker is killed, every job fails ──────────────────────────▲
//
// Invariants
// - A job is in the queue, in exactly one worker, or done: PoolJob.state. Whoever makes it done tells its listener, once.
// - A job that has begun is never sent again, unless it is idempotent; one that has not is never lost: when its worker retires
//   or dies it goes back to the head of the queue. Whether it has begun is read from the ledger (ledger.ts).
// - #pending counts the jobs that are not done. While it is not 0 the process is kept alive: workers and ports are unref'd.
// - There is a worker for every job that could run at once, up to `threads`; one that dies is replaced when it is needed.

import { ParkingLot } from "../lowlevel.ts";
import { cancelJob } from "./cancelling.ts";
import { Costs } from "./costs.ts";
import { Crew } from "./crew.ts";
import type { EncodedError } from "./encode-error.ts";
import type { WorkerExit } from "./errors.ts";
import { Hold } from "./hold.ts";
import { JobQueue } from "./job-queue.ts";
import type { StartWorker } from "./link.ts";
import {
  afterDeath,
  brokenModule,
  closedError,
  notCloneable,
  crashBeforeReady,
  terminatedError,
  unknownFunction,
  unstartable,
} from "./pool-errors.ts";
import type { JobTerms, PoolJob } from "./pool-job.ts";
import type { PoolWorker } from "./pool-worker.ts";
import { Rebalancer } from "./rebalancer.ts";
import { sendJobs } from "./sending.ts";
import type { PoolSettings } from "./settings.ts";
import type { Ends, WorkerOwner } from "./worker-owner.ts";

const { queueMicrotask } = globalThis;

/** How many jobs are collected before they are sent in the middle of a turn. */
const EAGER = 128;

/** A queue of jobs and the workers that run them. */
export class PoolCore implements WorkerOwner {
  readonly settings: PoolSettings;
  readonly ends: Ends = { completed: 0, failed: 0, cancelled: 0 };
  /** How many workers have died that were not sent away. */
  crashes = 0;
  readonly costs: Costs = new Costs();
  readonly crew: Crew;
  /** Who waits for a worker to be ready, or broken. */
  readonly starting: ParkingLot;
  /** Who waits until nothing is pending, or no worker is left. */
  readonly ending: ParkingLot;
  /** Who waits for room in the queue. */
  readonly room: ParkingLot;
  state: "open" | "closing" | "closed" = "open";
  /** The terms of most calls. */
  readonly termsOfCall: JobTerms;
  /** The terms of most calls for each item. */
  readonly termsOfEach: JobTerms;
  readonly #queue = new JobQueue();
  readonly #rebalancer: Rebalancer;
  #pending = 0;
  readonly #hold = new Hold();
  #isTerminated = false;
  #isDispatchAsked = false;
  #submitted = 0;

  constructor(settings: PoolSettings, start: StartWorker) {
    const { name, graceMs } = settings;
    this.termsOfCall = { isEach: false, transfer: [], deadline: Infinity, isIdempotent: false, graceMs };
    this.termsOfEach = { ...this.termsOfCall, isEach: true };
    this.settings = settings;
    this.crew = new Crew(settings, start, this);
    this.#rebalancer = new Rebalancer(this.crew, settings.concurrency, (job) => this.notBegun(job));
    this.starting = new ParkingLot({ describe: () => `the start of a worker of ${name}`, foreign: true });
    this.ending = new ParkingLot({ describe: () => `the end of ${name}`, foreign: true });
    this.room = new ParkingLot({ describe: () => `room in the queue of ${name}`, foreign: true });
  }

  /** How many jobs are not done. */
  get pending(): number {
    return this.#pending;
  }

  /** How many jobs wait for a worker. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Whether the queue has no room. */
  get isFull(): boolean {
    return this.queued >= this.settings.maxQueued;
  }

  /** Takes a new job. The pool must be open. */
  submit(job: PoolJob): void {
    this.#queue.push(job);
    this.#pending += 1;
    if (this.#pending === 1) this.#hold.take();
    this.#submitted += 1;
    if (this.#submitted >= EAGER) this.#dispatch();
    else this.#askForDispatch();
  }

  #askForDispatch(): void {
    if (this.#isDispatchAsked) return;
    this.#isDispatchAsked = true;
    queueMicrotask(() => {
      this.#isDispatchAsked = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    this.#submitted = 0;
    sendJobs(this, this.#queue, (job, { names }) => {
      this.#fail(job, () => unknownFunction(job.name, this.settings.module, names));
    });
    this.#letIn();
    this.#grow();
    if (this.queued === 0) this.#rebalancer.watch();
  }

  #letIn(): void {
    for (let free = this.settings.maxQueued - this.queued; free > 0 && this.room.size > 0; free--) this.room.unpark();
  }

  #grow(): void {
    if (this.#isTerminated) return;
    try {
      this.crew.growTo(Math.ceil(this.#pending / this.settings.concurrency));
    } catch (error) {
      this.#failStart(() => unstartable(this.settings, error));
    }
  }

  /** Starts all workers the pool may have. */
  growFully(): void {
    try {
      this.crew.growTo(Infinity);
    } catch (error) {
      throw unstartable(this.settings, error);
    }
  }

  /** The job was cancelled before it began. */
  drop(job: PoolJob): void {
    this.#queue.remove(job);
    this.#done(job, "cancelled");
    this.roomAgain();
  }

  roomAgain(): void {
    if (this.queued > 0 || this.room.size > 0) this.#askForDispatch();
  }

  /** Whether there is room for a job, when all are sent that can be. */
  hasRoom(): boolean {
    if (this.isFull) this.#dispatch();
    return !this.isFull;
  }

  settled(job: PoolJob, how: keyof Ends, tell: () => void): void {
    const { spoilt } = job;
    this.#done(job, spoilt === null ? how : "failed");
    if (spoilt === null) tell();
    else job.listener.failed(job, () => notCloneable(job.name, spoilt));
  }

  mustEnd(job: PoolJob, why: string): void {
    cancelJob(this, job, why);
  }

  #done(job: PoolJob, how: keyof Ends): void {
    job.become("done");
    this.ends[how] += 1;
    this.#pending -= 1;
    if (this.#pending > 0) return;
    this.#hold.release();
    this.ending.unparkAll();
  }

  #fail(job: PoolJob, makeError: () => unknown): void {
    this.settled(job, "failed", () => job.listener.failed(job, makeError));
  }

  notBegun(job: PoolJob): void {
    if (job.cancel !== null) {
      this.settled(job, "cancelled", () => job.listener.cancelled(job));
      return;
    }
    if (this.#isTerminated) {
      this.#fail(job, () => terminatedError(job.name));
      return;
    }
    job.become("queued");
    this.#queue.giveBack(job);
    this.#askForDispatch();
  }

  learned(name: string, count: number, ms: number): void {
    this.costs.learn(name, count, ms);
  }

  output(stream: 1 | 2, chunk: Uint8Array): void {
    (stream === 1 ? process.stdout : process.stderr).write(chunk);
  }

  workerReady(): void {
    this.crew.startSucceeded();
    this.starting.unparkAll();
    this.#rebalancer.watch();
    this.#askForDispatch();
  }

  workerReplied(worker: PoolWorker): void {
    if (worker.state === "retiring") this.crew.release(worker);
    else if (worker.state === "ready" && worker.load === 0) this.crew.becameIdle(worker);
    if (this.queued > 0 || this.room.size > 0) this.#dispatch();
    else if (worker.load < this.settings.concurrency) this.#rebalancer.watch();
  }

  workerBroken(worker: PoolWorker, error: EncodedError): void {
    worker.state = "retiring"; // it leaves by itself
    this.#failStart(() => brokenModule(this.settings, error));
  }

  // Nobody can say whether the next worker would start. As long as one works, or may yet, it goes on with that.
  #failStart(makeError: () => unknown): void {
    this.starting.failAll(makeError);
    if (this.crew.ready.length === 0 && !this.crew.isStarting) this.#failQueued(makeError);
    else if (this.state === "open") this.crew.startFailed(makeError);
  }

  #failQueued(makeError: (job: PoolJob) => unknown): void {
    for (const job of this.#queue.drain()) this.#fail(job, () => makeError(job));
    this.#letIn();
  }

  workerEnded(worker: PoolWorker, exit: WorkerExit, before: PoolWorker["state"]): void {
    this.crew.remove(worker);
    if (before === "starting") this.#failStart(this.#whyNotReady(exit));
    if (before === "ready") this.crashes += 1;
    const { jobs } = worker;
    const hasSuspect = jobs.some((job) => worker.fateOf(job) !== "never begun");
    for (const job of jobs) this.#bury(job, worker, exit, hasSuspect);
    if (this.crew.all.size === 0) this.ending.unparkAll();
    if (this.queued > 0) this.#askForDispatch();
  }

  #whyNotReady(exit: WorkerExit): () => unknown {
    const isSentAway = this.state !== "open" && this.#pending === 0;
    return () => (isSentAway ? closedError(this.settings.name) : crashBeforeReady(this.settings, exit));
  }

  // A job that only waited behind another one has nothing to do with it. If none had begun, reading one may have been deadly.
  #bury(job: PoolJob, worker: PoolWorker, exit: WorkerExit, hasSuspect: boolean): void {
    const fate = worker.fateOf(job);
    if (fate !== "never begun" || !hasSuspect) job.deaths += 1;
    const error = afterDeath(job, fate, exit);
    if (job.cancel !== null) this.settled(job, "cancelled", () => job.listener.cancelled(job));
    else if (error === null || this.#isTerminated) this.notBegun(job);
    else this.#fail(job, error);
  }

  /** Takes no new jobs; those who wait for room are told. */
  stopTaking(): void {
    if (this.state === "open") this.state = "closing";
    this.room.unparkAll();
  }

  /** Everything has ended. */
  close(): void {
    this.state = "closed";
    this.#rebalancer.close();
    this.#hold.close();
  }

  /** Every job that is not done. */
  list(): PoolJob[] {
    return [...[...this.crew.all].flatMap(({ jobs }) => jobs), ...this.#queue.list()];
  }

  /** Kills every worker; every job fails. */
  terminate(): void {
    this.#isTerminated = true;
    this.stopTaking();
    this.starting.failAll(() => closedError(this.settings.name));
    this.#failQueued(({ name }) => terminatedError(name));
    this.crew.killAll();
  }
}
