// What is waited for here and runs elsewhere, as those who look at the wait are told. Types only; what comes from another
// machine is not trusted before `meanwhile/diagnostics` has read it.

/** A function that is suspended at an `await`, elsewhere. */
export interface RemotePlace {
  /** Its name; `""` for code outside of any. */
  readonly function: string;
  /** A path or URL, as it is known there. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** One thing that a task waits for, elsewhere. */
export interface RemoteWait {
  /** Like `Lock.acquire (held by task 3 "writer")`. */
  readonly for: string;
  /** The functions that wait, innermost first; empty if they are not known. */
  readonly stack: readonly RemotePlace[];
}

/** A task of a job, elsewhere. */
export interface RemoteTask {
  /** Unique in its thread. */
  readonly id: number;
  /** Given by its creator, else that of its function. */
  readonly name: string;
  /** The task it belongs to; null for that of the job itself. */
  readonly parent: number | null;
  /** What it does. */
  readonly activity: "new" | "running" | "waiting";
  /** What it waits for; empty unless it waits. */
  readonly waits: readonly RemoteWait[];
}

/** Who runs a job. */
export interface RemoteWorker {
  /** Its own name; `""` if it has none. */
  readonly id: string;
  /** The machine; `""` if it is not known. */
  readonly host: string;
  /** The process; 0 if it is not known. */
  readonly pid: number;
  /** The thread of that process, 0 for the main one; null if it is not known. */
  readonly thread: number | null;
}

/** A job that runs elsewhere: in a thread, another process, another machine. */
export interface RemoteJob {
  /** The function that was called. */
  readonly function: string;
  /** Its id, where it has one; else `""`. */
  readonly id: string;
  /** Which attempt it is, from 1. */
  readonly attempt: number;
  /** Whether it waits for a worker, runs, or nobody could tell. */
  readonly state: "queued" | "running" | "unknown";
  /** Who runs it; null if that is not known. */
  readonly worker: RemoteWorker | null;
  /** For how many milliseconds it has run; null if that is not known. */
  readonly runningMs: number | null;
  /** Why less is known than could be: a sentence without its full stop; null if nothing is missing. */
  readonly note: string | null;
  /** Its tasks, parents before their children. */
  readonly tasks: readonly RemoteTask[];
  /** How many more there are. */
  readonly leftOut: number;
}
