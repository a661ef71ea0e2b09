// What pool and worker both know of the jobs that were sent, whatever happens to the worker.
//
//   free ──pool sends──▶ SENT ──worker begins──▶ BEGUN ──▶ FINISHED ──pool has the reply──▶ free
//                          └──pool takes back──▶ REVOKED ──pool has the reply──────────────▲
//
// Each move out of SENT is atomic, so a job is begun by its worker or taken back by the pool, never both. After the death of
// a worker the ledger tells which jobs were never begun (they go elsewhere), which had begun, and which had finished though
// the reply was lost.

import { SLOTS } from "./wire.ts";

/** The job waits in the worker. */
export const SENT = 1;
/** The worker runs it. */
export const BEGUN = 2;
/** It has ended; the reply may be on its way. */
export const FINISHED = 3;
/** The pool took it back. */
export const REVOKED = 4;

/** The ledger of one worker. */
export interface Ledger {
  /** Pool: the slot holds a job that is being sent. */
  send(slot: number): void;
  /** Pool: takes a job back; false if the worker has begun it, or is just about to decide. */
  revoke(slot: number): boolean;
  /** Pool: the job in the slot should end. */
  requestCancel(slot: number): void;
  /** Pool: where the job in the slot is. */
  stateOf(slot: number): number;
  /** Pool: a message was posted. */
  announce(): void;
  /**
   * Either side: the newest record of the slot goes out in the message with this number. Those of the pool count up from 1,
   * those of the worker down from -1. A message that cannot be read is known by its number alone.
   */
  carry(slot: number, message: number): void;
  /** Either side: which message carried the newest record of the slot; 0 if nobody says. */
  carriedBy(slot: number): number;
  /** Worker: begins the job in the slot; false if the pool took it back. */
  begin(slot: number): boolean;
  /** Worker: the job in the slot has ended. */
  finish(slot: number): void;
  /** Worker: whether the job in the slot should end. */
  isCancelRequested(slot: number): boolean;
}

const NEWS = 0;
const STATES = 1;
const CANCELS = STATES + SLOTS;
const CARRIED = CANCELS + SLOTS;

/** A ledger in memory that both threads see. */
export class SharedLedger implements Ledger {
  /** What the other side is made of. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array<SharedArrayBuffer>;
  #seen = 0;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer((CARRIED + SLOTS) * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  send(slot: number): void {
    Atomics.store(this.#cells, CANCELS + slot, 0);
    Atomics.store(this.#cells, STATES + slot, SENT);
  }

  revoke(slot: number): boolean {
    return Atomics.compareExchange(this.#cells, STATES + slot, SENT, REVOKED) === SENT;
  }

  requestCancel(slot: number): void {
    Atomics.store(this.#cells, CANCELS + slot, 1);
  }

  stateOf(slot: number): number {
    return Atomics.load(this.#cells, STATES + slot);
  }

  announce(): void {
    Atomics.add(this.#cells, NEWS, 1);
    Atomics.notify(this.#cells, NEWS);
  }

  carry(slot: number, message: number): void {
    Atomics.store(this.#cells, CARRIED + slot, message);
  }

  carriedBy(slot: number): number {
    return Atomics.load(this.#cells, CARRIED + slot);
  }

  begin(slot: number): boolean {
    return Atomics.compareExchange(this.#cells, STATES + slot, SENT, BEGUN) === SENT;
  }

  finish(slot: number): void {
    Atomics.store(this.#cells, STATES + slot, FINISHED);
  }

  isCancelRequested(slot: number): boolean {
    return Atomics.load(this.#cells, CANCELS + slot) === 1;
  }

  /** Worker: holds the thread until the pool has posted something since the last call, at most so long. */
  waitForNews(ms: number): boolean {
    Atomics.wait(this.#cells, NEWS, this.#seen, ms);
    const news = Atomics.load(this.#cells, NEWS);
    const isNew = news !== this.#seen;
    this.#seen = news;
    return isNew;
  }
}
