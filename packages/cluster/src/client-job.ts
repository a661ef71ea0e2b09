// A job as its client sees it, from the call to its end.
//
//   new ──▶ sending ──▶ sent ──▶ done
//    └─────────┴──────────┴────────▲
//
// Invariants
// - Whoever makes it done tells every listener, once, and takes the job out of the books (client.ts).
// - A job that is `cancelling` is cancelled only when its end is known; but who has asked for it is let go before that, if
//   nobody confirms it.

import { inspect } from "node:util";

/** Who waits for a job. */
export interface JobListener {
  /**
   * @param ms - how long the function took
   * @param bytes - how long its result was on the way
   */
  succeeded(value: unknown, ms: number, bytes: number): void;
  /** @param makeError - makes the error where the caller goes on: `site` is a stack of there */
  failed(makeError: (site?: Error) => unknown): void;
  cancelled(why: string): void;
  progressed(value: unknown): void;
}

/** What is asked of a job. */
export interface JobTerms {
  readonly isEach: boolean;
  readonly isIdempotent: boolean;
  readonly graceMs: number;
  readonly wantsProgress: boolean;
  /** Makes it one with every job of the same key; null for a job of its own. */
  readonly key: string | null;
}

/** That a job is to end. */
export interface Cancelling {
  readonly why: string;
  readonly at: number;
  /** How often it was looked whether the server has said anything since, and it had not. */
  unheard: number;
  /** Who has asked for it, and still waits; null for nobody. Others who came later want the job all the same. */
  by: JobListener | null;
}

/** How long a job that is not heard of is left alone at most. */
const LONGEST_MS = 30_000;

/** A job of a client. */
export class ClientJob {
  readonly id: string;
  readonly name: string;
  /** As it goes into the queue. */
  readonly text: string;
  readonly terms: JobTerms;
  listeners: JobListener[] = [];
  state: "new" | "sending" | "sent" | "done" = "new";
  cancelling: Cancelling | null = null;
  sentAt = 0;
  /** When the queue last said something of it. */
  heardAt = 0;
  /** How often it was put into the queue again. */
  resent = 0;
  /** Whether the queue did not know it when it was last asked. */
  isMissed = false;

  constructor(id: string, name: string, text: string, terms: JobTerms) {
    this.id = id;
    this.name = name;
    this.text = text;
    this.terms = terms;
  }

  /** Whether it is time to look what has become of it: the longer it takes, the less often. */
  isToBeLookedAt(now: number, pollMs: number): boolean {
    if (this.state !== "sent") return false;
    const longestMs = this.cancelling === null ? LONGEST_MS : 0;
    return now - this.heardAt >= Math.max(pollMs, Math.min(longestMs, this.heardAt - this.sentAt));
  }
}

/** The reason of a cancellation in words. */
export function showReason(reason: unknown): string {
  if (reason === undefined || reason === null) return "";
  const text = reason instanceof Error ? reason.message : reason;
  return (typeof text === "string" ? text : inspect(text, { depth: 0, breakLength: Infinity })).slice(0, 300);
}
