// What an exchange is about, and what it brings back.

import type { RequestLine } from "./errors.ts";
import type { Heed } from "./host-pauses.ts";
import type { Settled } from "./options.ts";
import type { SentPayload } from "./request-body.ts";
import type { RequestTrace } from "./trace.ts";

/** What an exchange is about. */
export interface ExchangePlan {
  readonly request: RequestLine;
  readonly settled: Settled;
  readonly payload: SentPayload;
  readonly maxHeaderCount: number;
  /** When the whole attempt must be over, on the clock of the scope. */
  readonly deadline: number;
  /** Told of each head, before the slot is free for anybody else. */
  readonly heed: Heed | null;
  /** Null if nobody listens. */
  readonly trace: RequestTrace | null;
}

/** Header fields as undici parsed them: lower-case names; several values as a list. */
export type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;
