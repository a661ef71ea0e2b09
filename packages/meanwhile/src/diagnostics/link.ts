// What the program and its diagnostics worker say to each other.
//
// A number is a ping, from the worker: the program answers it in the shared memory. So a program with nothing to tell costs
// one word for each look at its loop.

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
  | { readonly kind: "reply"; readonly ask: number; readonly text: string };

/** To the worker. */
export type ToWorker =
  | { readonly kind: "place"; readonly id: number; readonly place: string }
  | { readonly kind: "stack"; readonly id: number; readonly stack: string }
  | { readonly kind: "answer"; readonly ask: number; readonly answer: Answer }
  | { readonly kind: "forgotten"; readonly message: string; readonly detail: string }
  | { readonly kind: "fetch"; readonly ask: number; readonly what: "snapshot" }
  | { readonly kind: "stop" };

/** What only the program itself can tell, or do. */
export type Question =
  /** What these tasks wait for, in full. As many as can be told in a millisecond; the rest is asked again. */
  | { readonly about: "tasks"; readonly ids: readonly number[] }
  /** What these resources say of themselves. */
  | { readonly about: "resources"; readonly rows: readonly number[] }
  /** Circles of waits that these tasks are in. */
  | { readonly about: "cycles"; readonly ids: readonly number[] }
  /** Cancels a task. Nothing is looked at if there is none. */
  | { readonly about: "cancel"; readonly id: number };

/** A wait as the program tells it; places are numbers that were told before. */
export interface ToldWait {
  readonly for: string;
  /** The row of the target; 0 if it has none of its own. */
  readonly row: number;
  readonly task: number;
  readonly foreign: boolean;
  readonly places: readonly number[];
}

/** A task as the program tells it. */
export interface ToldTask {
  readonly id: number;
  /** How many waits it had begun: agrees with its row if nothing has happened since. */
  readonly steps: number;
  /** Whether there is a deadline that ends its waits. */
  readonly hasDeadline: boolean;
  readonly waits: readonly ToldWait[];
}

/** A resource as the program tells it. */
export interface ToldResource {
  readonly row: number;
  readonly description: string;
  readonly holders: readonly number[];
}

/** The answer to a {@link Question}. */
export interface Answer {
  readonly tasks: readonly ToldTask[];
  readonly resources: readonly ToldResource[];
  readonly cycles: ReadonlyArray<readonly number[]>;
  /** How many of the ids or rows were looked at. */
  readonly looked: number;
}
