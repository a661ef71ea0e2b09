// One worker as its pool sees it: what it was sent, and what it said.
//
//   starting ──READY──▶ ready ──retire()──▶ retiring ──▶ ended
//      └──BROKEN, or its end────────────────────────────▲
//
// A retiring worker is sent nothing more; it leaves, or is killed, when the jobs it had begun have ended.

import type { EncodedError } from "./encode-error.ts";
import type { WorkerExit } from "./errors.ts";
import { JobReplies } from "./job-replies.ts";
import { BEGUN, FINISHED } from "./ledger.ts";
import type { LinkListener, StartWorker, WorkerLink } from "./link.ts";
import { type Look, Looks, type NoLook } from "./look.ts";
import { Outbox, type Refusal } from "./outbox.ts";
import { notCloneable } from "./pool-errors.ts";
import type { PoolJob } from "./pool-job.ts";
import { decodeError } from "./remote-error.ts";
import { Slots } from "./slots.ts";
import * as wire from "./wire.ts";
import type { WorkerOwner } from "./worker-owner.ts";

const { performance } = globalThis;

/** A worker of a pool. */
export class PoolWorker implements LinkListener {
  state: "starting" | "ready" | "retiring" | "ended" = "starting";
  /** How many jobs it was sent in all. */
  taken = 0;
  /** When it last said something, or was sent its first job after a rest. */
  heardAt = 0;
  /** The newest request to cancel that it has seen. */
  cancelSeen = 0;
  readonly #owner: WorkerOwner;
  readonly #link: WorkerLink;
  readonly #outbox: Outbox;
  readonly #slots = new Slots();
  readonly #replies: JobReplies;
  readonly #looks = new Looks();
  #names: readonly string[] = [];
  #functions = new Map<string, number>();
  #cancels = 0;
  #lastWords: EncodedError | null = null;

  constructor(owner: WorkerOwner, start: StartWorker, setup: wire.WorkerSetup) {
    this.#owner = owner;
    this.#replies = new JobReplies(this.#slots, owner);
    this.#link = start(setup, this);
    this.#outbox = new Outbox(
      (message, transfer) => this.#link.post(message, transfer),
      (refusal) => this.#refused(refusal),
      (record, hasMoved) => this.#sentAlone(record, hasMoved),
    );
  }

  /** How many jobs it has, those included that were taken back and that it has not met yet. */
  get load(): number {
    return this.#slots.load;
  }

  /** The jobs it was sent that have not ended. */
  get jobs(): PoolJob[] {
    return this.#slots.jobs;
  }

  /** What the module exports. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Whether it can run the function. */
  knows(name: string): boolean {
    return this.#functions.has(name);
  }

  /** Sends the job with the next {@link flush}. There must be room, and it must know the function. */
  take(job: PoolJob): void {
    if (this.load === 0) this.heardAt = performance.now();
    const slot = this.#slots.take(job);
    this.taken += 1;
    job.become("sent");
    job.worker = this;
    job.slot = slot;
    job.isMoved = job.terms.transfer.length > 0;
    this.#link.ledger.send(slot);
    this.#write(job, slot);
  }

  #write({ name, args, terms }: PoolJob, slot: number): void {
    this.#outbox.keepApart(args);
    const { records } = this.#outbox;
    this.#link.ledger.carry(slot, this.#outbox.next);
    const { isEach, deadline, transfer } = terms;
    const known = this.#functions.get(name) as number;
    const ms = deadline === Infinity ? Infinity : deadline - performance.now();
    if (isEach) records.push(wire.CALL_EACH, slot, known, ms, args[0]);
    else {
      if (ms === Infinity) records.push(wire.CALL, slot, known, args.length);
      else records.push(wire.CALL_WITHIN, slot, known, ms, args.length);
      for (const arg of args) records.push(arg);
    }
    if (transfer.length > 0) this.#outbox.move(transfer);
  }

  /** Sends what was taken. */
  flush(): void {
    this.#outbox.flush();
  }

  #sentAlone(record: wire.MessageRecord, hasMoved: boolean): void {
    const slot = wire.slotOf(record);
    if (slot === null) return;
    this.#link.ledger.carry(slot, this.#outbox.next);
    const job = this.#slots.at(slot);
    if (job !== null && hasMoved) job.isMoved = true;
  }

  /** Takes a job back, if it has not begun. It is then no job of this worker any more. */
  revoke(job: PoolJob): boolean {
    if (!this.#link.ledger.revoke(job.slot)) return false;
    this.#slots.giveUp(job.slot);
    return true;
  }

  /** What comes of the job is nobody's business any more. */
  forget(job: PoolJob): void {
    this.#slots.giveUp(job.slot);
  }

  /** Asks a job to end. Returns the number of the request. */
  requestCancel(job: PoolJob, reason: string | null): number {
    this.#link.ledger.requestCancel(job.slot);
    this.#outbox.records.push(wire.CANCEL, job.slot, ++this.#cancels, reason);
    this.#outbox.flush();
    return this.#cancels;
  }

  /** Its process and its thread. */
  get place(): WorkerLink["place"] {
    return this.#link.place;
  }

  /** Asks what a job does that it was sent. Never rejects. */
  look({ slot }: PoolJob): Promise<Look | NoLook> {
    return this.#looks.ask(this.#outbox, slot);
  }

  /** Sends nothing more: what has not begun goes elsewhere. */
  retire(): void {
    if (this.state === "ended") return;
    this.state = "retiring";
    for (const job of this.jobs) if (!job.isMoved && this.revoke(job)) this.#owner.notBegun(job);
  }

  /** Lets it leave by itself; it must have nothing to do. */
  dismiss(): void {
    this.state = "retiring";
    this.#outbox.records.push(wire.LEAVE);
    this.#outbox.flush();
  }

  /** Ends it, whatever it does. */
  kill(): void {
    if (this.state !== "ended") this.#link.kill();
  }

  receive(message: readonly unknown[]): void {
    for (let at = 0; at < message.length;) {
      const next = this.#replies.take(message, at);
      at = next === -1 ? this.#receiveOwn(message, at) : next;
    }
    this.#heard();
  }

  unreadable(number: number): void {
    const { ledger } = this.#link;
    for (let slot = 0; slot < wire.SLOTS; slot++) {
      if (ledger.carriedBy(slot) === -number) this.#replies.lost(slot, ledger.stateOf(slot));
    }
    this.#heard();
  }

  #heard(): void {
    this.heardAt = performance.now();
    this.#owner.workerReplied(this);
  }

  // What it says of itself. Returns where the next record is.
  #receiveOwn(message: readonly unknown[], at: number): number {
    const [mark, first, second, third] = message.slice(at, at + 4);
    switch (mark) {
      case wire.COST:
        this.#owner.learned(this.#names[first as number] as string, second as number, third as number);
        return at + 4;
      case wire.OUTPUT:
        this.#owner.output(first as 1 | 2, second as Uint8Array);
        return at + 3;
      case wire.LOOKED:
        this.#looks.answered(first as number, second as Look | null);
        return at + 3;
      case wire.READY:
        this.#becomeReady(first as string[]);
        break;
      case wire.BROKEN:
        this.#owner.workerBroken(this, first as EncodedError);
        break;
      case wire.LAST_WORDS:
        this.#lastWords = first as EncodedError;
        break;
      default:
        this.cancelSeen = first as number; // CANCEL_SEEN
    }
    return at + 2;
  }

  #becomeReady(names: readonly string[]): void {
    this.#names = names;
    this.#functions = new Map(names.map((name, index) => [name, index]));
    if (this.state !== "starting") return;
    this.state = "ready";
    this.#owner.workerReady(this);
  }

  #refused({ record, describe, error }: Refusal): void {
    const job = this.#slots.close(record[1] as number);
    this.taken -= 1;
    this.#owner.roomAgain();
    if (job === null) return;
    const { name, args, terms } = job;
    const what = describe(terms.isEach ? args[0] : args, terms.isEach ? "items" : "args") ?? showRefusal(error);
    this.#owner.settled(job, "failed", () => job.listener.failed(job, () => notCloneable(name, what)));
  }

  ended(exit: WorkerExit): void {
    const before = this.state;
    this.state = "ended";
    const said = this.#lastWords;
    this.#owner.workerEnded(this, said === null ? exit : { ...exit, error: decodeError(said, new Error()) }, before);
  }

  /** Whether the job has begun, and whether it has ended too. */
  fateOf({ slot }: PoolJob): "never begun" | "running" | "finished" {
    const state = this.#link.ledger.stateOf(slot);
    if (state === FINISHED) return "finished";
    return state === BEGUN ? "running" : "never begun";
  }
}

function showRefusal(error: unknown): string {
  return error instanceof Error ? `it cannot be cloned: ${error.message}` : "it cannot be cloned";
}
