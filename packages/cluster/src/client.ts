// The heart of a client: the books of the jobs that are under way.
//
//   open ──close()──▶ closing (no new jobs) ──nothing under way, or nobody answers──▶ closed
//
// Invariants
// - A job is in #jobs from `add` until it is done. Its end comes from what workers publish, or from looking at the queue:
//   whichever is first counts, the other finds no job in the books.
// - What is published may be lost; so is nothing else. A job that is not heard of is looked at, a cancellation that is not
//   confirmed is said again.

import { ParkingLot } from "meanwhile/lowlevel";

import { Again } from "./again.ts";
import { Answered } from "./answered.ts";
import { Belief } from "./belief.ts";
import { Canceller } from "./canceller.ts";
import { resultTooLarge, unreadableEnd, workerLost } from "./client-errors.ts";
import { ClientJob, type JobListener, type JobTerms } from "./client-job.ts";
import { ClientLooks } from "./client-looks.ts";
import { decodeValue } from "./decode.ts";
import type { ClientListener, ClientPort, Found } from "./engine.ts";
import type { ClientSettings } from "./options.ts";
import { remoteError } from "./remote-error.ts";
import type { Seal } from "./seal.ts";
import { Sender } from "./sender.ts";
import { ServerClock } from "./server-clock.ts";
import { HEAD_BYTES, type Outcome, readToClient } from "./wire.ts";

const { performance } = globalThis;

/** What has become of jobs. */
export interface Tally {
  completed: number;
  failed: number;
  cancelled: number;
  /** How many ends were found by looking: what was published of them was lost, or late. */
  polled: number;
  /** How many jobs were put into the queue again. */
  resent: number;
}

/** A client of a queue. */
export class Client implements ClientListener {
  readonly id: string;
  readonly settings: ClientSettings;
  readonly seal: Seal;
  readonly tally: Tally = { completed: 0, failed: 0, cancelled: 0, polled: 0, resent: 0 };
  /** Who waits for room. */
  readonly room: ParkingLot;
  /** Who waits until nothing is under way. */
  readonly ending: ParkingLot;
  state: "open" | "closing" | "closed" = "open";
  /** It is read with each word that this client is there. */
  readonly clock: ServerClock;
  /** When the server was last heard of. */
  heardAt: number = -Infinity;
  /** Has the queue looked at. */
  lookSoon: () => void = ignore;
  /** Says that this client is there; whether the server has answered. */
  sayThere: () => Promise<boolean> = async () => true;
  readonly sender: Sender;
  readonly canceller: Canceller;
  readonly again: Again = new Again(this);
  readonly looks: ClientLooks = new ClientLooks(this);
  readonly answered: Answered = new Answered(() => this.port);
  readonly #belief: Belief;
  readonly #jobs = new Map<string, ClientJob>();
  #port: ClientPort | null = null;

  constructor(id: string, settings: ClientSettings) {
    this.id = id;
    this.settings = settings;
    this.clock = new ServerClock(() => this.port.beat(settings.lostAfterMs));
    this.#belief = new Belief(settings, this.clock);
    this.seal = this.#belief.seal;
    this.sender = new Sender(this);
    this.canceller = new Canceller(this);
    this.room = new ParkingLot({ describe: () => `room in cluster ${settings.name}`, foreign: true });
    this.ending = new ParkingLot({ describe: () => `the end of cluster ${settings.name}`, foreign: true });
  }

  /** The way to the queue, once there is one. */
  get port(): ClientPort {
    return this.#port as ClientPort;
  }

  connected(port: ClientPort): void {
    this.#port = port;
  }

  /** How many jobs are under way. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Whether somebody waits for one of them; not for those that were cancelled, and whose end nobody could tell in time. */
  get isWaitedFor(): boolean {
    for (const { listeners } of this.#jobs.values()) if (listeners.length > 0) return true;
    return false;
  }

  get isFull(): boolean {
    return this.size >= this.settings.maxQueued;
  }

  /** The jobs under way, the oldest first. */
  jobs(): IterableIterator<ClientJob> {
    return this.#jobs.values();
  }

  /** Takes a job, or joins one of the same id. The client must be open. */
  add(id: string, name: string, makeText: () => string, terms: JobTerms, listener: JobListener): ClientJob {
    const known = this.#jobs.get(id);
    if (known !== undefined) {
      known.listeners.push(listener);
      return known;
    }
    const job = new ClientJob(id, name, makeText(), terms);
    job.listeners.push(listener);
    this.#jobs.set(id, job);
    this.sender.send(job);
    return job;
  }

  /** Somebody does not want to wait any more. True if that has an end at once. */
  leave(job: ClientJob, listener: JobListener, reason: unknown): boolean {
    if (job.listeners.length === 1) return this.canceller.cancel(job, reason, listener);
    job.listeners = job.listeners.filter((other) => other !== listener);
    return true;
  }

  /** The server has answered. */
  heard(): void {
    this.heardAt = performance.now();
  }

  received(text: string): void {
    this.heard();
    for (const message of readToClient(text)) {
      if (message.kind === "look") {
        this.looks.received(message);
        continue;
      }
      const job = this.#jobs.get(message.id);
      if (job === undefined) continue;
      if (message.kind === "progress") this.#progressed(job, message.text);
      else if (message.text === null) this.#lookAt(job);
      else this.#hinted(job, message.text);
    }
  }

  #hinted(job: ClientJob, text: string): void {
    const outcome = this.#belief.end(job, text);
    if (outcome === null || this.#belief.isExpired(job, outcome)) this.#lookAt(job);
    else this.#ended(job, outcome, text);
  }

  #lookAt(job: ClientJob): void {
    job.heardAt = -Infinity;
    this.lookSoon();
  }

  #progressed(job: ClientJob, text: string): void {
    job.heardAt = performance.now();
    try {
      const table = this.#belief.progress(job, text);
      for (const listener of job.listeners) listener.progressed(decodeValue(table));
    } catch {
      // As if it had not come.
    }
  }

  gap(): void {
    for (const job of this.#jobs.values()) job.heardAt = -Infinity;
    // It may have been away for so long that it counts as lost.
    this.sayThere().catch(ignore);
    this.lookSoon();
  }

  /** What a look at the queue has found. */
  found(job: ClientJob, found: Found): void {
    if (job.state !== "sent") return;
    job.heardAt = performance.now();
    if (found.state === "unknown") return this.again.forgotten(job);
    job.isMissed = false;
    if (found.state === "lost") return this.failed(job, () => workerLost(job.name, this.#belief.reason(found.why)));
    if (found.state !== "ended") return;
    this.tally.polled += 1;
    const outcome = this.#belief.end(job, found.text);
    if (outcome === null) this.failed(job, () => unreadableEnd(job.name));
    else if (this.#belief.isExpired(job, outcome)) this.again.expired(job);
    else this.#ended(job, outcome, found.text);
  }

  #ended(job: ClientJob, outcome: Outcome, text: string): void {
    if (outcome.kind === "value") this.#succeeded(job, outcome, Buffer.byteLength(text));
    else if (outcome.kind === "failure") {
      this.failed(job, (site = new Error()) => remoteError(outcome.value, outcome.worker, site));
    } else this.again.endedEarly(job, outcome);
    if (job.state === "done" && job.terms.key === null) this.answered.add(job.id, job.text.length + text.length);
  }

  #succeeded(job: ClientJob, { value, ms }: Extract<Outcome, { kind: "value" }>, bytes: number): void {
    const { maxResultBytes } = this.settings;
    if (bytes > maxResultBytes + HEAD_BYTES) return this.failed(job, () => resultTooLarge(job.name, maxResultBytes));
    if (!this.#done(job, "completed")) return;
    for (const listener of job.listeners) {
      try {
        listener.succeeded(decodeValue(value), ms, bytes);
      } catch (error) {
        listener.failed(() => error);
      }
    }
  }

  /** The job has ended with an error. */
  failed(job: ClientJob, makeError: (site?: Error) => unknown): void {
    if (!this.#done(job, "failed")) return;
    for (const listener of job.listeners) listener.failed(makeError);
  }

  /** The job has ended because it was cancelled. @param except - who is not told */
  cancelled(job: ClientJob, why: string, except: JobListener | null = null): void {
    const by = job.cancelling?.by ?? except;
    const others = job.listeners.filter((listener) => listener !== by);
    if (by !== null && others.length > 0 && this.again.mayBegin(job)) {
      job.listeners = others;
      job.cancelling = null;
      if (by !== except) by.cancelled(why);
      return this.again.startOver(job);
    }
    if (!this.#done(job, "cancelled")) return;
    for (const listener of job.listeners) if (listener !== except) listener.cancelled(why);
  }

  #done(job: ClientJob, how: "completed" | "failed" | "cancelled"): boolean {
    if (job.state === "done") return false;
    job.state = "done";
    this.#jobs.delete(job.id);
    this.tally[how] += 1;
    if (!this.isFull && this.room.size > 0) this.room.unpark();
    if (this.ending.size > 0 && !this.isWaitedFor) this.ending.unparkAll();
    return true;
  }
}

function ignore(): void {}
