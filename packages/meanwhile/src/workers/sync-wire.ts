// What a thread that waits and its worker say to each other. One call at a time; the answer is posted first, then the word
// that is waited on gets the number of the call.

import type { MessagePort } from "node:worker_threads";

import type { EncodedError } from "./encode-error.ts";

/** What the worker of a module is started with. */
export interface SyncSetup {
  readonly kind: "meanwhile.sync";
  /** The URL of the module. */
  readonly module: string;
  /** Where answers go, and calls come from. */
  readonly port: MessagePort;
  /** At {@link ANSWERED} and {@link BEGUN}, the number of a call each. */
  readonly words: Int32Array<SharedArrayBuffer>;
}

/** Which call was answered, or {@link DEAD}. It is waited on. */
export const ANSWERED = 0;
/** Which call was begun. */
export const BEGUN = 1;

/** In place of the number of a call: the worker has come to its end. */
export const DEAD = -1;

/** A call. */
export interface SyncCall {
  readonly number: number;
  readonly name: string;
  readonly args: readonly unknown[];
  /** When it has to end, by {@link sharedNow}; `Infinity` for never. */
  readonly deadline: number;
}

/** How it ended. */
export type SyncAnswer =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: EncodedError }
  /** Its time was up, and it has cleaned up. */
  | { readonly kind: "late"; readonly waits: string | undefined }
  | { readonly kind: "unknown"; readonly names: readonly string[] }
  | { readonly kind: "module"; readonly error: EncodedError }
  /** What it returned cannot be sent: where, and what it is. */
  | { readonly kind: "unsendable"; readonly what: string }
  /** The worker ends; without an exit code if it could not tell. */
  | { readonly kind: "dead"; readonly exitCode: number | null; readonly error: EncodedError | null };

/** A time in milliseconds that all threads of a process agree on. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
