// What the program and its diagnostics worker say to each other.
//
// A number is a ping, from the worker: the program answers it in the shared memory. So a program with nothing to tell costs
// one word for each look at its loop.

import type { RemoteJob } from "../lowlevel.ts";
import type { Block, DiagnosticsLevel, Program, Warning } from "./protocol.ts";
import type { Capacities } from "./shared-memory.ts";
import type { WarningLimits } from "./warning-limits.ts";

/** Where the program keeps what tells its current task, for the worker to call while the program is paused. */
export const CURRENT_TASK = "meanwhile.diagnostics.currentTask";

/** What the worker is started with. */
export interface WorkerSetup {
  readonly buffer: SharedArrayBuffer;
  readonly capacities: Capacities;
  readonly program: Program;
  readonly level: DiagnosticsLevel;
  readonly sampling: number;
  /** What is taken from the time of the machine, in milliseconds, for the clock of the program. */
  readonly clockOrigin: number;
  /** How long the loop may be blocked; null for no watchdog. */
  readonly blockedAfterMs: number | null;
  /** Whether blocks are told on stderr. */
  readonly reports: boolean;
  /** Where to listen; null for nowhere. */
  readonly socket: string | null;
  /** What whoever asks may do beyond looking. */
  readonly allow: ReadonlyArray<"cancel">;
  /** The file to record to; null for none. */
  readonly record: string | null;
  /** When to warn of what; null for never. */
  readonly limits: WarningLimits | null;
  /** The thread that is looked at, if it is not the main one. */
  readonly thread: number;
}

/** From the worker. */
export type FromWorker =
  | number
  | { readonly kind: "ready"; readonly socket: string | null; readonly problem: string | null }
  | { readonly kind: "problem"; readonly problem: string }
  | { readonly kind: "block"; readonly block: Block }
  | { readonly kind: "warning"; readonly warning: Warning }
  | { readonly kind: "ask"; readonly ask: number; readonly question: Question }
  | { readonly kind: "askRemotes"; readonly ask: number; readonly ids: readonly number[] }
  | { readonly kind: "reply"; readonly ask: number; readonly text: string };

/** To the worker. */
export type ToWorker =
  | { readonly kind: "place"; readonly id: number; readonly place: string }
  | { readonly kind: "stack"; readonly id: number; readonly stack: string }
  | { readonly kind: "calls"; readonly id: number; readonly places: readonly number[] }
  | { readonly kind: "answer"; readonly ask: number; readonly answer: Answer }
  | { readonly kind: "remotes"; readonly ask: number; readonly remotes: readonly ToldRemote[] }
  | { readonly kind: "forgotten"; readonly message: string; readonly detail: string }
  | { readonly kind: "fetch"; readonly ask: number; readonly what: "snapshot" }
  | { readonly kind: "stop" };

/** What only the program itself can tell, or do. */
export type Question =
  /** What these tasks wait for. As many as can be told in half a millisecond; the rest is asked again. */
  | { readonly about: "tasks"; readonly ids: Float64Array }
  /** Through which calls they wait, and how often these have waited. */
  | { readonly about: "frames"; readonly ids: Float64Array }
  /** What these resources say of themselves; as many as can be told. */
  | { readonly about: "resources"; readonly rows: Float64Array }
  /** Cancels a task. Nothing is looked at if there is none. */
  | { readonly about: "cancel"; readonly id: number };

/** How many tasks a resource names that hold it. */
export const MOST_HOLDERS = 100;

/** What stands in {@link Answer.words} for a task: first this, then its scopes, then its waits. */
export const TOLD_TASK = { id: 0, steps: 1, hasDeadline: 2, scopes: 3, waits: 4, words: 5 } as const;

/** What stands there for a scope that its code has opened. `deadline` is in the time of the program; Infinity for none. */
export const TOLD_SCOPE = { flags: 0, deadline: 1, words: 2 } as const;

/** Bits of the flags of a scope. */
export const TOLD_SCOPE_FLAG = { shielded: 1, cancelled: 2 } as const;

/**
 * What stands there for a wait, before the ids of its holders. `row` is that of its target, 0 if it has none; `text` is an
 * index into {@link Answer.texts}, -1 where the row tells it; `calls` are the functions that wait, told before.
 */
export const TOLD_WAIT = { row: 0, task: 1, flags: 2, text: 3, calls: 4, holders: 5, words: 6 } as const;

/** Bits of the flags of a wait: for something that is not of meanwhile; for one task of several; for what runs elsewhere. */
export const TOLD_WAIT_FLAG = { foreign: 1, needsOne: 2, remote: 4 } as const;

/** What stands in {@link Answer.words} for a call that waits: its task, which call it is, its waits so far, its place. */
export const TOLD_FRAME = { task: 0, age: 1, waits: 2, place: 3, words: 4 } as const;

/** A resource as the program tells it. */
export interface ToldResource {
  readonly row: number;
  readonly description: string;
  readonly holders: readonly number[];
}

/** What a task waits for that runs elsewhere. Told later than anything else: others had to be asked. */
export interface ToldRemote {
  readonly task: number;
  /** How many waits it had begun. */
  readonly steps: number;
  /** One for each of its waits, in their order; null for what runs here. */
  readonly jobs: ReadonlyArray<RemoteJob | null>;
}

/** The answer to a {@link Question}. */
export interface Answer {
  /** What is told of tasks, as numbers: to send objects would take longer than to make them. */
  readonly words: Float64Array;
  readonly texts: readonly string[];
  readonly resources: readonly ToldResource[];
  /** How many of the ids or rows were looked at. */
  readonly looked: number;
}
