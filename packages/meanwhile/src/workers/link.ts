// A worker as the pool is connected to it, be it a thread or a process.

import type { WorkerExit } from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import type { Inbox } from "./port-reader.ts";
import type { WorkerSetup } from "./wire.ts";

/** What a worker tells its pool; no message comes after its end. */
export interface LinkListener extends Inbox {
  /** The worker has ended, and all its messages were handed on. Called once. */
  ended(exit: WorkerExit): void;
}

/** A worker that was started. */
export interface WorkerLink {
  readonly ledger: Ledger;
  /** Its process, and its thread there: 0 for the main one. */
  readonly place: { readonly pid: number; readonly thread: number };
  /** Sends a message; throws, having sent nothing, if something in it cannot be cloned. */
  post(message: unknown[], transfer: object[]): void;
  /** Ends the worker, whatever it does. */
  kill(): void;
}

/** Starts a worker. It does not keep the process alive. */
export type StartWorker = (setup: WorkerSetup, listener: LinkListener) => WorkerLink;
