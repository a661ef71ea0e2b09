// What the engine of a worker works with.

import type { TaskNode } from "../lowlevel.ts";
import type { KnownFunction } from "./known-function.ts";
import type { Ledger } from "./ledger.ts";
import type { Post } from "./outbox.ts";
import type { Inbox } from "./port-reader.ts";

/** What a worker is connected to its pool by. */
export interface EngineConnection {
  readonly ledger: Ledger;
  readonly post: Post;
  /** Holds the thread until a message has come, and hands it on; at most so long. */
  readonly lookOut: (inbox: Inbox, ms: number) => void;
}

/** A job that was sent and not begun. */
export interface WaitingJob {
  readonly slot: number;
  readonly known: KnownFunction;
  readonly body: () => unknown;
  /** How many calls it is. */
  readonly calls: number;
  /** When the caller's time is up, on the scale of `now()`. */
  readonly deadline: number;
}

/** A job that runs. */
export interface RunningJob {
  readonly slot: number;
  readonly known: KnownFunction;
  readonly task: TaskNode;
  readonly calls: number;
  readonly startedAt: number;
}
