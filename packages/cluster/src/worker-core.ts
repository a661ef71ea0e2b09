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

import { decodeValue } from "./decode.ts";
import { encodeValue, type Entry, KIND } from "./encode.ts";
import { EVERYBODY, type Taken, type Verdict, type WorkerListener, type WorkerPort } from "./engine.ts";
import { define } from "./error-classes.ts";
import { ClusterError, type WorkerIdentity } from "./errors.ts";
import { Hints } from "./hints.ts";
import { Owners } from "./owners.ts";
import { type AnyPool, GONE, type JobEnding, RunningJob } from "./running-job.ts";
import { type Seal, sealWith } from "./seal.ts";
import type { ServeSettings } from "./serve-options.ts";
import { withoutOurEnd } from "./stacks.ts";
import { HEAD_BYTES, type JobHead, type Outcome, readJob, readToWorkers, writeOutcome, writeProgress } from "./wire.ts";
import { leftBehind, lostBefore, notServed, tooLarge } from "./worker-errors.ts";

const { clearInterval, clearTimeout, performance, setInterval, setTimeout } = globalThis;

const TICK_MS = 1_000;
/** How long the server may take to take note of the last ends. */
const LAST_MS = 4_000;
/** How long after its deadline a job is cancelled here: it is the client that does it, if it can. */
const BELT_MS = 250;

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
  readonly #seal: Seal;
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
  readonly #owners = new Owners(() => this.#port as WorkerPort);
  #timer: ReturnType<typeof setInterval> | undefined;
  #port: WorkerPort | null = null;
  #clockOffset = 0;
  #isLeaving = false;
  #ticks = 0;

  constructor(settings: ServeSettings, pool: AnyPool) {
    const { id, host } = settings;
    this.identity = { id, host, pid: process.pid };
    this.#settings = settings;
    this.#pool = pool;
    this.#seal = sealWith(settings.secret);
  }

  async connected(port: WorkerPort): Promise<void> {
    this.#port = port;
    await this.#compareClocks();
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
      const { head, args } = this.#read(taken);
      const refusal = await this.#whyNot(head, taken);
      if (refusal !== null) return refusal;
      return await this.#carryOut(head, args, taken);
    } catch (error) {
      return this.#failed(taken.id, error);
    }
  }

  #tell({ id }: Taken, { isShared, client }: JobHead, verdict: Verdict): void {
    if (verdict.kind === "back") return;
    this.#told.add(verdict);
    this.#hints.tell(isShared ? EVERYBODY : client, { kind: "ended", id, text: verdict.text });
  }

  #read(taken: Taken): { head: JobHead; args: unknown } {
    const { id, text } = taken;
    const { queue, maxPayloadBytes } = this.#settings;
    if (Buffer.byteLength(text) > maxPayloadBytes + HEAD_BYTES)
      throw tooLarge("run a job", "maxPayloadBytes", maxPayloadBytes);
    const { head, args } = readJob(this.#seal.open(`job ${queue} ${id}`, text));
    this.#heads.set(taken, head);
    // A list with holes may be longer than anything that is there.
    if ((args as Entry[] | undefined)?.[0]?.[0] !== KIND.array)
      throw new ClusterError("MW_ERR_CLUSTER_REFUSED", "Cannot run a job: its arguments are no list");
    return { head, args: decodeValue(args) };
  }

  async #whyNot(head: JobHead, { id, losses }: Taken): Promise<Verdict | null> {
    const { functions } = this.#settings;
    if (functions !== null && !functions.includes(head.name))
      return this.#failed(id, notServed(head.name, this.identity));
    if (losses > 0 && !head.isIdempotent) return this.#failed(id, lostBefore(head.name));
    if (head.isOwned && !(await this.#owners.isThere(head.client))) return this.#cancelled(id, GONE, true);
    if (this.#timeLeft(head) <= 0) return this.#cancelled(id, "its time was up before it began", false);
    return null;
  }

  #timeLeft({ deadline }: JobHead): number {
    return deadline === null ? Infinity : deadline + BELT_MS - (performance.now() + this.#clockOffset);
  }

  async #carryOut(head: JobHead, args: unknown, taken: Taken): Promise<Verdict> {
    const { id } = taken;
    const job = new RunningJob(head);
    this.#jobs.get(id)?.lose();
    this.#jobs.set(id, job);
    this.#running.add(job);
    if (this.#isLeaving) job.giveBack("the worker is leaving");
    try {
      const ending = await job.run(this.#pool, args, this.#timeLeft(head), (value) =>
        this.#progressed(id, head, value),
      );
      const verdict = this.#verdict(id, job, ending);
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

  #verdict(id: string, { head, why, isGivenBack, isOrphan }: RunningJob, ending: JobEnding): Verdict {
    // What a function returns after it was asked to end may be half of it: that is for whoever has asked, and for nobody else.
    const isForOthers = isGivenBack || isOrphan || (head.isShared && why !== null);
    if (ending.kind === "value" && !isForOthers) return this.#succeeded(id, head, ending);
    if (ending.kind === "failure" && !isForOthers)
      return this.#failed(id, notServedIfUnknown(ending.error, head.name, this.identity));
    if (!isGivenBack) return this.#cancelled(id, why ?? "", isOrphan);
    return head.isIdempotent ? { kind: "back" } : this.#failed(id, leftBehind(head.name));
  }

  #succeeded(id: string, { name }: JobHead, ending: Extract<JobEnding, { kind: "value" }>): Verdict {
    const { maxResultBytes } = this.#settings;
    const value = encodeValue(ending.value, `the result of "${name}"`);
    if (Buffer.byteLength(value) > maxResultBytes)
      throw tooLarge(`send the result of "${name}"`, "maxResultBytes", maxResultBytes);
    const outcome = { kind: "value", worker: this.identity, ms: ending.ms, value: null } as const;
    return { kind: "value", text: this.#close(id, outcome, value) };
  }

  #failed(id: string, error: unknown): Verdict {
    const message =
      error instanceof Error ? `${error.name}: ${error.message}` : "something was thrown that is no error";
    const text = this.#close(id, { kind: "failure", worker: this.identity, value: null }, encodeThrown(error));
    return { kind: "failure", text, message: message.slice(0, 1_000) };
  }

  #cancelled(id: string, why: string, isOrphan: boolean): Verdict {
    const text = this.#close(id, { kind: "cancelled", worker: this.identity, why, isOrphan }, null);
    return { kind: "failure", text, message: `cancelled: ${why}` };
  }

  #close(id: string, outcome: Outcome, value: string | null): string {
    return this.#seal.close(`end ${this.#settings.queue} ${id}`, writeOutcome(outcome, value));
  }

  #progressed(id: string, head: JobHead, value: unknown): void {
    const text = this.#seal.close(
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
    else if (verdict.message.startsWith("cancelled: ")) this.tally.cancelled += 1;
    else this.tally.failed += 1;
  }

  lost(id: string): void {
    this.#jobs.get(id)?.lose();
  }

  received(text: string): void {
    if (this.#running.size === 0) return;
    try {
      const { cancel } = readToWorkers(this.#seal.open(`workers ${this.#settings.queue}`, text));
      for (const [id, why] of cancel) this.#jobs.get(id)?.cancel(why);
    } catch (error) {
      this.trouble(error);
    }
  }

  trouble(error: unknown): void {
    this.#settings.onError(error);
  }

  async #tick(): Promise<void> {
    for (const job of this.#running) {
      const { isOwned, client } = job.head;
      if (isOwned && !(await this.#owners.isThere(client))) job.orphan();
    }
    this.#ticks += 1;
    if (this.#ticks % 5 !== 0) return;
    this.#owners.trim();
    await this.#compareClocks().catch((error: unknown) => this.trouble(error));
  }

  async #compareClocks(): Promise<void> {
    const before = performance.now();
    const serverTime = await (this.#port as WorkerPort).serverTime();
    this.#clockOffset = serverTime - (before + performance.now()) / 2;
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
    await isWithin(LAST_MS, this.#hints.flush());
  }

  // When no job runs here any more there is only the server to wait for, and it may be away: then what has ended is not on
  // record, and begins again elsewhere.
  async #untilDrained(draining: Promise<void>): Promise<true> {
    for (;;) {
      while (this.#running.size > 0) await this.#idle.park();
      if ((await cancellable(isWithin(LAST_MS, draining))) || this.#running.size === 0) return true;
    }
  }

  /** Gives back what runs. */
  leaveNow(): void {
    this.#isLeaving = true;
    for (const job of this.#running) job.giveBack("the worker is leaving");
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#port?.close();
  }
}

/** Whether something has ended in time. */
async function isWithin(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const isDone = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isDone;
}

function notServedIfUnknown(error: unknown, name: string, worker: WorkerIdentity): unknown {
  const isUnknown = error instanceof Error && "code" in error && error.code === "MW_ERR_WORKER_UNKNOWN_FUNCTION";
  return isUnknown ? notServed(name, worker) : error;
}

/** What was thrown; if that cannot be sent, that it could not. */
function encodeThrown(error: unknown): string {
  if (Error.isError(error)) define(error, "stack", withoutOurEnd(String(error.stack)), false);
  try {
    return encodeValue(error, "what was thrown");
  } catch (refusal) {
    return encodeValue(refusal, "the error");
  }
}
