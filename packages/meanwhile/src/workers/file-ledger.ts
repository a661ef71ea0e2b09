// The ledger of a process: a file that parent and child have open, gone from its directory as soon as it is. It outlives the
// child, however that ends, because its pages are the system's.
//
// There is no atomic exchange on a file. Each side writes its own cell and then reads that of the other: of a pool that takes
// a job back and a worker that begins it at the same moment at least one sees the other and gives in.

import { closeSync, fstatSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BEGUN, FINISHED, type Ledger, REVOKED, SENT } from "./ledger.ts";
import { SLOTS } from "./wire.ts";

// What the pool wants of a job.
const NOTHING = 0;
const CANCEL = 1;
const TAKE_BACK = 2;

const WISHES = SLOTS;
/** Where begins what a worker leaves: its length, then the bytes. */
const LEFT = 2 * SLOTS;
const { performance } = globalThis;
const cell = new Uint8Array(1);

/** A ledger in a file; see {@link Ledger}. */
export class FileLedger implements Ledger {
  /** The open file. */
  readonly fd: number;
  // No part of the file, where each would cost a call of the system.
  #carried: number[] = [];
  readonly #unreadable = new Map<number, number>();
  #askedSlot = -1;
  #askedAt = 0;
  #answer = false;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Opens a new one, and once more for the child: Bun closes what it gives to a child. */
  static open(): { readonly ledger: FileLedger; readonly forChild: number } {
    const path = join(tmpdir(), `meanwhile-ledger-${process.pid}-${crypto.randomUUID()}`);
    const fd = openSync(path, "wx+", 0o600);
    writeSync(fd, new Uint8Array(2 * SLOTS));
    const forChild = openSync(path, "r+");
    try {
      rmSync(path);
    } catch {
      // Windows keeps what is open; the directory is for temporary files.
    }
    return { ledger: new FileLedger(fd), forChild };
  }

  send(slot: number): void {
    this.#write(WISHES + slot, NOTHING);
    this.#write(slot, SENT);
  }

  revoke(slot: number): boolean {
    const before = this.#read(WISHES + slot);
    this.#write(WISHES + slot, TAKE_BACK);
    if (this.#read(slot) === SENT) return true;
    this.#write(WISHES + slot, before);
    return false;
  }

  requestCancel(slot: number): void {
    this.#write(WISHES + slot, CANCEL);
  }

  stateOf(slot: number): number {
    return this.#read(slot);
  }

  announce(): void {}

  carry(slot: number): void {
    this.#carried.push(slot);
  }

  carriedBy(slot: number): number {
    return this.#unreadable.get(slot) ?? 0;
  }

  /** Either side: the slots of the message that is posted now, to go along with it. */
  takeCarried(): number[] {
    const carried = this.#carried;
    this.#carried = [];
    return carried;
  }

  /** Either side: the message with this number, as {@link carry} has it, had these slots, and cannot be read. */
  noteUnreadable(slots: readonly number[], message: number): void {
    for (const slot of slots) this.#unreadable.set(slot, message);
  }

  begin(slot: number): boolean {
    this.#askedSlot = -1;
    this.#write(slot, BEGUN);
    if (this.#read(WISHES + slot) === NOTHING) return true;
    this.#write(slot, REVOKED);
    return false;
  }

  finish(slot: number): void {
    this.#write(slot, FINISHED);
  }

  /** Asked in loops that compute, so the file is read at most once in a millisecond. */
  isCancelRequested(slot: number): boolean {
    const time = performance.now();
    if (slot === this.#askedSlot && time - this.#askedAt < 1) return this.#answer;
    this.#askedSlot = slot;
    this.#askedAt = time;
    this.#answer = this.#read(WISHES + slot) === CANCEL;
    return this.#answer;
  }

  /** Pool: the worker has ended, and everything was read. */
  close(): void {
    closeSync(this.fd);
  }

  /** Worker: leaves bytes for the pool, once. */
  leave(bytes: Uint8Array): void {
    const length = new Float64Array([bytes.length]);
    for (const [part, at] of [
      [bytes, LEFT + length.byteLength],
      [new Uint8Array(length.buffer), LEFT], // last: if it is there, all of it is
    ] as const) {
      for (let done = 0; done < part.length;) done += writeSync(this.fd, part, done, part.length - done, at + done);
    }
  }

  /** Pool: the bytes that an ended worker has left; null if there are none. */
  left(): Uint8Array | null {
    if (fstatSync(this.fd).size <= LEFT) return null;
    const length = new Float64Array(1);
    readSync(this.fd, length, 0, length.byteLength, LEFT);
    if (length[0] === 0) return null;
    const bytes = new Uint8Array(length[0] as number);
    for (let done = 0; done < bytes.length;) {
      done += readSync(this.fd, bytes, done, bytes.length - done, LEFT + length.byteLength + done);
    }
    return bytes;
  }

  #write(at: number, value: number): void {
    cell[0] = value;
    writeSync(this.fd, cell, 0, 1, at);
  }

  #read(at: number): number {
    readSync(this.fd, cell, 0, 1, at);
    return cell[0] ?? 0;
  }
}
