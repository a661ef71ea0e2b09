// What a worker has to say to its pool, in the order in which it came to be said. What is said of a slice of jobs leaves
// together; see engine.ts.

import type { TaskNode } from "../lowlevel.ts";
import { encodeError } from "./encode-error.ts";
import type { EngineConnection } from "./engine-jobs.ts";
import type { KnownFunction } from "./known-function.ts";
import type { Ledger } from "./ledger.ts";
import { takeMoved } from "./moved.ts";
import { Outbox, type Refusal } from "./outbox.ts";
import * as wire from "./wire.ts";

const { performance } = globalThis;

/** What goes from a worker to its pool. */
export class Replies {
  /** When it last left, on the scale of `performance.now()`. */
  flushedAt = 0;
  readonly #ledger: Ledger;
  readonly #outbox: Outbox;
  #functions: readonly KnownFunction[] = [];

  constructor({ ledger, post }: Pick<EngineConnection, "ledger" | "post">) {
    this.#ledger = ledger;
    this.#outbox = new Outbox(
      post,
      (refusal) => this.#refused(refusal),
      (record) => this.#sentAlone(record),
    );
  }

  /** The module is loaded. */
  ready(functions: readonly KnownFunction[]): void {
    this.#functions = functions;
    this.#outbox.records.push(
      wire.READY,
      functions.map(({ name }) => name),
    );
    this.flush();
  }

  /** The module could not be loaded. */
  broken(error: unknown): void {
    this.#outbox.records.push(wire.BROKEN, encodeError(error));
    this.flush();
  }

  /** The job in the slot has ended. */
  ended({ state }: TaskNode, slot: number): void {
    if (state.kind !== "cancelled") this.#outbox.keepApart([state.kind === "succeeded" ? state.value : state]);
    this.#carry(slot);
    const { records } = this.#outbox;
    if (state.kind === "succeeded") {
      records.push(wire.VALUE, slot, state.value);
      this.#outbox.move(takeMoved(state.value));
    } else if (state.kind === "failed") records.push(wire.FAILURE, slot, encodeError(state.error));
    else records.push(wire.CANCELLED, slot);
  }

  /** The job in the slot had been taken back. */
  skipped(slot: number): void {
    this.#carry(slot);
    this.#outbox.records.push(wire.SKIPPED, slot);
  }

  /** The request to cancel was seen. */
  cancelSeen(request: number): void {
    this.#outbox.records.push(wire.CANCEL_SEEN, request);
  }

  /** What a job does that somebody looks at: at once, as that does not wait for long. */
  looked(question: number, answer: unknown): void {
    this.#outbox.records.push(wire.LOOKED, question, answer);
    this.flush();
  }

  /** A message of the pool cannot be read: the jobs in it have failed. */
  unreadable(number: number): void {
    for (let slot = 0; slot < wire.SLOTS; slot++) {
      if (this.#ledger.carriedBy(slot) !== number || !this.#ledger.begin(slot)) continue;
      this.#ledger.finish(slot);
      this.#unsendable(slot, "the arguments are nested too deep to be read");
    }
    this.flush();
  }

  /** How far the job in the slot is. Throws what the clone does. */
  progress(slot: number, value: unknown): void {
    this.flush(); // alone in its message, so that a refusal concerns nothing else
    this.#carry(slot);
    this.#outbox.records.push(wire.PROGRESS, slot, value);
    this.#outbox.move(takeMoved(value));
    this.#outbox.flush();
  }

  /** What was written to stdout (1) or stderr (2): it leaves in its place among the results. */
  output(stream: 1 | 2, chunk: unknown): void {
    this.#outbox.records.push(wire.OUTPUT, stream, chunk);
    this.flush();
  }

  /** Sends what there is, and what the jobs have taken. */
  flush(): void {
    const { records } = this.#outbox;
    this.flushedAt = performance.now();
    if (records.length === 0) return;
    for (const known of this.#functions) {
      if (known.count === 0) continue;
      records.push(wire.COST, known.index, known.count, known.ms);
      known.count = 0;
      known.ms = 0;
    }
    this.#outbox.flush();
  }

  // To be called just before the record of the slot is added.
  #carry(slot: number): void {
    this.#ledger.carry(slot, -this.#outbox.next);
  }

  #sentAlone(record: wire.MessageRecord): void {
    const slot = wire.slotOf(record);
    if (slot !== null) this.#carry(slot);
  }

  #refused({ record, describe, error }: Refusal): void {
    const [mark, slot, value] = record;
    if (mark === wire.PROGRESS) throw error; // to who reports it
    const at = "the result";
    this.#unsendable(slot as number, describe(value, at) ?? `${at} cannot be cloned: ${String(error)}`);
    this.#outbox.flush();
  }

  #unsendable(slot: number, what: string): void {
    this.#carry(slot);
    this.#outbox.records.push(wire.UNSENDABLE, slot, what);
  }
}
