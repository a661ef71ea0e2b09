// The heart of a worker: takes jobs from the queue, has them run in a pool, and says how they ended.
//
//   open ──drain──▶ draining (no new jobs) ──all recorded──▶ closed
//
// Invariants
// - A job is in #running from its start in the pool to its end there; what is asked of it meanwhile is asked there. If this
//   worker is given the same job again, because the queue had lost it, the former run counts no more and is ended.
// - Only names go to the pool: it calls what its module exports, and no name loads anything.

import { moveOnAfter } from "meanwhile";
import { cancellable, ParkingLot } from "meanwhile/lowlevel";

import { type Grounds, msLeft, readArguments, readHead, whyNot } from "./admission.ts";
import { encodeValue } from "./encode.ts";
import { EVERYBODY, type Taken, type Verdict, type WorkerListener, type WorkerPort } from "./engine.ts";
import type { WorkerIdentity } from "./errors.ts";
import { Hints } from "./hints.ts";
import { isInTime } from "./in-time.ts";
import { Owners } from "./owners.ts";
import { type AnyPool, RunningJob } from "./running-job.ts";
import { sealWith } from "./seal.ts";
import type { ServeSettings } from "./serve-options.ts";
import { ServerClock } from "./server-clock.ts";
import { isCancellation, Verdicts } from "./verdicts.ts";
import { type JobHead, readToWorkers, writeProgress } from "./wire.ts";
import { warnOfListener } from "./worker-errors.ts";
import { WorkerLooks } from "./worker-looks.ts";

const { clearInterval, clearTimeout, setInterval, setTimeout } = globalThis;

const TICK_MS = 1_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** How long the server may take to take note of the last ends. */
const LAST_MS = 4_000;
/** What has become of jobs. */
export interface WorkerTally {
  completed: number;
  failed: number;
  cancelled: number;
  returned: number;
}

/** A worker of a queue. */
export class WorkerCore implements WorkerListener {
  readonly identity: WorkerIdentity;
  readonly tally: WorkerTally = { completed: 0, failed: 0, cancelled: 0, returned: 0 };
  readonly #settings: ServeSettings;
  readonly #pool: AnyPool;
  readonly #grounds: Grounds;
  readonly #looks: WorkerLooks;
  readonly #running = new Set<RunningJob>();
  /** The newest run of each. */
  readonly #jobs = new Map<string, RunningJob>();
  readonly #idle = new ParkingLot({ describe: () => "the end of jobs of a worker", foreign: true });
  readonly #heads = new WeakMap<Taken, JobHead>();
  readonly #told = new WeakSet<Verdict>();
  readonly #hints = new Hints(
    () => this.#port as WorkerPort,
    () => this.#running.size,
  );
  #timer: ReturnType<typeof setInterval> | undefined;
  #port: WorkerPort | null = null;
  #isLeaving = false;
  #lastGrace: ReturnType<typeof setTimeout> | undefined;
  #ticks = 0;

  constructor(settings: ServeSettings, pool: AnyPool) {
    const { id, host } = settings;
    this.identity = { id, host, pid: process.pid };
    this.#settings = settings;
    this.#pool = pool;
    const seal = sealWith(settings.secret);
    this.#looks = new WorkerLooks({
      identity: this.identity,
      queue: settings.queue,
      seal,
      port: () => this.#port as WorkerPort,
    });
    const clock = new ServerClock(() => (this.#port as WorkerPort).serverTime());
    const verdicts = new Verdicts(this.identity, settings, seal, clock);
    const owners = new Owners(() => this.#port as WorkerPort);
    this.#grounds = { settings, seal, owners, clock, verdicts };
  }

  async connected(port: WorkerPort): Promise<void> {
    this.#port = port;
    await this.#grounds.clock.read();
  }

  /** Begins to take jobs. */
  start(): void {
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    this.#timer.unref();
    this.#port?.start();
  }

  /** How many jobs run. */
  get running(): number {
    return this.#running.size;
  }

  async run(taken: Taken): Promise<Verdict> {
    try {
      const { head, args } = readHead(this.#grounds, taken);
      this.#heads.set(taken, head);
      const values = readArguments(args);
      return (await whyNot(this.#grounds, head, taken)) ?? (await this.#carryOut(head, values, taken));
    } catch (error) {
      return this.#grounds.verdicts.failed(taken.id, error);
    }
  }

  #tell({ id }: Taken, { isShared, client }: JobHead, verdict: Verdict): void {
    if (verdict.kind === "back") return;
    this.#told.add(verdict);
    this.#hints.tell(isShared ? EVERYBODY : client, { kind: "ended", id, text: verdict.text });
  }

  async #carryOut(head: JobHead, args: unknown, taken: Taken): Promise<Verdict> {
    const { id } = taken;
    const job = new RunningJob(head, taken.losses);
    this.#jobs.get(id)?.lose();
    this.#jobs.set(id, job);
    this.#running.add(job);
    if (this.#isLeaving) job.giveBack("the worker is leaving");
    try {
      const ending = await job.run(
        this.#pool,
        args,
        () => msLeft(this.#grounds, head),
        (value) => this.#progressed(id, head, value),
      );
      const verdict = this.#grounds.verdicts.of(id, job, ending);
      // Before it is on record: that takes a way to the server and back. Of one that is shared the next who asks would find it
      // still running, and of one that somebody else has there is nothing to tell.
      if (!head.isShared && !job.isLost) this.#tell(taken, head, verdict);
      return verdict;
    } finally {
      if (this.#jobs.get(id) === job) this.#jobs.delete(id);
      this.#running.delete(job);
      if (this.#running.size === 0) this.#idle.unparkAll();
    }
  }

  #progressed(id: string, head: JobHead, value: unknown): void {
    const text = this.#grounds.seal.close(
      `progress ${this.#settings.queue} ${id}`,
      writeProgress(encodeValue(value, "progress")),
    );
    this.#hints.tell(head.isShared ? EVERYBODY : head.client, { kind: "progress", id, text });
  }

  recorded(taken: Taken, verdict: Verdict): void {
    this.#count(verdict);
    const head = this.#heads.get(taken);
    if (head !== undefined && !this.#told.has(verdict)) this.#tell(taken, head, verdict);
  }

  #count(verdict: Verdict): void {
    if (verdict.kind === "value") this.tally.completed += 1;
    else if (verdict.kind === "back") this.tally.returned += 1;
    else if (isCancellation(verdict)) this.tally.cancelled += 1;
    else this.tally.failed += 1;
  }

  lost(id: string): void {
    this.#jobs.get(id)?.lose();
  }

  received(text: string): void {
    if (this.#running.size === 0) return;
    try {
      const { cancel, looks } = readToWorkers(this.#grounds.seal.open(`workers ${this.#settings.queue}`, text));
      for (const [id, why] of cancel) this.#jobs.get(id)?.cancel(why);
      if (looks !== null) this.#looks.answer(looks, this.#jobs);
    } catch (error) {
      this.trouble(error);
    }
  }

  trouble(error: unknown): void {
    try {
      this.#settings.onError(error);
    } catch (failure) {
      warnOfListener(failure);
    }
  }

  async #tick(): Promise<void> {
    for (const job of this.#running) {
      const { isOwned, client } = job.head;
      if (isOwned && !(await this.#grounds.owners.isThere(client))) job.orphan();
    }
    this.#ticks += 1;
    if (this.#ticks % 5 !== 0) return;
    this.#grounds.owners.trim();
    await this.#grounds.clock.read().catch((error: unknown) => this.trouble(error));
  }

  /** Takes no more jobs, waits for those that run, for at most so long, and gives back the rest. */
  async drain(timeoutMs: number): Promise<void> {
    const port = this.#port as WorkerPort;
    const draining = port.drain();
    const isDone = await moveOnAfter(timeoutMs, () => this.#untilDrained(draining));
    if (isDone !== true) {
      this.leaveNow();
      await this.#untilDrained(draining);
    }
    await isInTime(LAST_MS, this.#hints.flush());
  }

  // When no job runs here any more there is only the server to wait for, and it may be away: then what has ended is not on
  // record, and begins again elsewhere.
  async #untilDrained(draining: Promise<void>): Promise<true> {
    for (;;) {
      while (this.#running.size > 0) await this.#idle.park();
      if ((await cancellable(isInTime(LAST_MS, draining))) || this.#running.size === 0) return true;
    }
  }

  /** Gives back what runs. What does not end for that is ended, when this side has waited long enough. */
  leaveNow(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    for (const job of this.#running) job.giveBack("the worker is leaving");
    const { leaveGraceMs } = this.#settings;
    if (leaveGraceMs > LONGEST_TIMER_MS) return;
    this.#lastGrace = setTimeout(() => void this.#pool.terminate(), leaveGraceMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#lastGrace);
    await this.#port?.close();
  }
}
