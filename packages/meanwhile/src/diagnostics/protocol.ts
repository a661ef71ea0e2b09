// What a program under diagnostics answers on its socket, and what a recording consists of. Types only.
//
// HTTP/1.1 on a Unix socket (a named pipe on Windows):
//
//   GET /v1/hello      → Hello
//   GET /v1/snapshot   → Snapshot                      ?stacks=0 leaves the stacks out, ?ended=1 adds ended tasks,
//                                                      ?remote=1 asks for what runs elsewhere, for a second at most
//   GET /v1/remote     → RemoteMessage                 ?task=ID: the same of one task
//   GET /v1/stream     → StreamMessage, one a line     ?events=1 adds events, ?from=SEQ those after a seq, ?stacks=1 stacks
//   GET /v1/trace      → a recording                   ?seconds=N of the past (what the ring still has), &follow=1 of the future
//   POST /v1/cancel    → Cancelled                     ?task=ID; refused unless the program allows it, see Hello.allowed
//   anything else      → Refusal, with the status 400, 403, 404, 405, 413 or 503
//
// A recording is the answer of /v1/stream?events=1, saved: a file of StreamMessages, one JSON text a line, the first of them
// the hello. A last line without its end was being written when the program ended: leave it out.

import type { RemoteJob } from "../lowlevel.ts";

/** The version of this protocol. A reader refuses a newer one; fields may be added within a version. */
export const PROTOCOL_VERSION = 1;

/**
 * Every time in the protocol, in milliseconds of the program's own clock: `performance.now()` of its main thread. Add
 * {@link Program.timeOriginMs} for the time of day.
 */
export type TimeMs = number;

/** The program that is looked at. */
export interface Program {
  /** The process. */
  readonly pid: number;
  /** The script, without its arguments: these may hold secrets. */
  readonly script: string;
  /** The version of Node, like `v26.1.0`. */
  readonly node: string;
  /** What is added to a {@link TimeMs} for milliseconds since 1970. */
  readonly timeOriginMs: number;
}

/** How much is recorded; see `startDiagnostics`. */
export type DiagnosticsLevel = 0 | 1 | 2 | 3;

/** The answer of `/v1/hello`, and the first line of a stream and of a recording. */
export interface Hello {
  /** Tells it from other lines. */
  readonly type: "hello";
  /** See {@link PROTOCOL_VERSION}. */
  readonly protocol: number;
  /** The program that is looked at. */
  readonly program: Program;
  /** How much is recorded. */
  readonly level: DiagnosticsLevel;
  /** Of how many tasks waits are recorded as events: one of so many. */
  readonly sampling: number;
  /** How many events are kept in the program. */
  readonly eventCapacity: number;
  /** What may be asked for beyond looking; empty unless it was allowed. */
  readonly allowed: readonly string[];
  /** When it was asked. */
  readonly atMs: TimeMs;
}

/** What a task does. `ended` ones are in {@link Snapshot.ended} only. */
export type TaskActivity =
  /** It has not started. */
  | "new"
  /** It can go on, or does: while the loop is blocked the one that blocks it is in {@link Block.task}. */
  | "running"
  /** It waits for something. */
  | "waiting";

/** A place in a source file; source-mapped where a map is known. */
export interface Place {
  /** The function; `""` for code outside of any. */
  readonly function: string;
  /** A path or URL, as the program knows it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** One thing that a task waits for. */
export interface Wait {
  /** Like `Lock.acquire (held by task 3 "writer")`; without what stands in parentheses where nobody could be asked. */
  readonly for: string;
  /** The resource that is waited for, if it is one: see {@link Resource.id}. */
  readonly resource: number | null;
  /** The task that is waited for, if it is one. */
  readonly task: number | null;
  /** Whether it is for something that is not of meanwhile: I/O, a plain promise. */
  readonly foreign: boolean;
  /** Since when. */
  readonly sinceMs: TimeMs;
  /** The functions that wait, innermost first; empty if they are not known. */
  readonly stack: readonly Place[];
  /**
   * What it is that is waited for, where that runs elsewhere: in a thread, another process, another machine. Absent unless
   * it was asked for, and of what runs here. It is of a moment later than the snapshot.
   */
  readonly remote?: RemoteJob;
}

/** A scope that the code of a task has opened around what it waits for: a time limit, a shield, one that was cancelled. */
export interface OpenScope {
  /** Whether it holds back cancellation from outside. */
  readonly shielded: boolean;
  /** Whether it was cancelled itself. */
  readonly cancelled: boolean;
  /** When it cancels itself; null for never. */
  readonly deadlineAtMs: TimeMs | null;
}

/** A live task. */
export interface TaskRecord {
  /** Unique in the process, and never used again. */
  readonly id: number;
  /** Given by its creator, else that of its function. */
  readonly name: string;
  /** The task it belongs to; null for the main and the background tasks of a run. A parent may have ended or be unrecorded. */
  readonly parent: number | null;
  /** What it does. */
  readonly activity: TaskActivity;
  /** When it was made. */
  readonly createdAtMs: TimeMs;
  /** Where it was created; empty unless the level is 3 and the task was sampled. */
  readonly createdAt: readonly Place[];
  /** When it began to do what it does: for a waiting task since when it waits. */
  readonly sinceMs: TimeMs;
  /** What it waits for, the first begun first; several if it has begun several things. Empty unless it waits. */
  readonly waits: readonly Wait[];
  /** The scopes around what it waits for, the outermost first; empty if it could not be asked. */
  readonly scopes: readonly OpenScope[];
  /** When its code was cancelled, if it was and has not ended. */
  readonly cancelledAtMs: TimeMs | null;
  /** How many times it has begun to wait. */
  readonly steps: number;
  /** How long it has waited in all, up to the last wait that has ended. */
  readonly waitedMs: number;
}

/** How a task has ended. */
export type TaskOutcome = "succeeded" | "failed" | "cancelled";

/** A task that has ended. */
export interface EndedTask {
  /** Unique in the process. */
  readonly id: number;
  /** Its name. */
  readonly name: string;
  /** The task it belonged to. */
  readonly parent: number | null;
  /** When it was made. */
  readonly createdAtMs: TimeMs;
  /** When it ended. */
  readonly endedAtMs: TimeMs;
  /** How it ended. */
  readonly outcome: TaskOutcome;
  /** When it was cancelled, if it was. */
  readonly cancelledAtMs: TimeMs | null;
  /** How many times it has begun to wait. */
  readonly steps: number;
  /** How long it has waited in all. */
  readonly waitedMs: number;
}

/** Something that tasks wait for: a lock, a queue, a pool. Only those are known that somebody has waited for. */
export interface Resource {
  /** Unique in the process. */
  readonly id: number;
  /** What is done with it, like `Lock.acquire` or `Queue.get`. */
  readonly kind: string;
  /** The same with what is true now, like `Lock.acquire (held by task 3 "writer")`; equal to the kind if it is not known. */
  readonly description: string;
  /** The tasks that hold it, as far as it can tell. */
  readonly holders: readonly number[];
  /** The tasks that wait for it, the longest first. */
  readonly waiters: readonly number[];
  /** The most that have waited at once. */
  readonly mostWaiters: number;
  /** How many waits there have been. */
  readonly waits: number;
}

/** A time in which the event loop did not turn. */
export interface Block {
  /** Counts up from 1. */
  readonly id: number;
  /** When it began. */
  readonly startedAtMs: TimeMs;
  /** How long it lasted; so far, if `ongoing`. */
  readonly durationMs: number;
  /** Whether the loop is blocked still. A block is told again when it has ended. */
  readonly ongoing: boolean;
  /** The task that blocked it; null outside of tasks, and if it is not known. */
  readonly task: { readonly id: number; readonly name: string } | null;
  /** The running functions, innermost first; empty if they could not be captured. */
  readonly stack: readonly Place[];
  /**
   * Why there is no stack: `native` (a call of native code that can be looked at only when it returns), `limited` (the same
   * place was seen just before), `debugger`, `over` (it was too short), `failed`.
   */
  readonly noStack?: "native" | "limited" | "debugger" | "over" | "failed";
  /** How many blocks there were here since this place was told last. */
  readonly repeated: number;
  /** The whole of it for people, with the remedy. */
  readonly message: string;
}

/** What a {@link Warning} is about. */
export type WarningKind =
  | "loop-blocked"
  | "never-awaited"
  | "cancelled-but-running"
  | "no-deadline"
  | "lock-held"
  | "queue-stuck"
  | "pool-exhausted"
  | "wait-cycle"
  | "many-children"
  | "retry-storm"
  | "foreign-pending"
  | "awaits-in-a-loop";

/** Something that is probably a mistake. */
export interface Warning {
  /** Counts up from 1; the same one is told again when it changes. */
  readonly id: number;
  /** What it is about. */
  readonly kind: WarningKind;
  /** `error` for what cannot get better by itself, `warning` for what is most likely wrong, `info` for what may be meant. */
  readonly severity: "error" | "warning" | "info";
  /** What is the case. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
  /** The tasks concerned, the main one first; at most 20. */
  readonly tasks: readonly number[];
  /** Where, if that is known. */
  readonly place: Place | null;
  /** The resource concerned. */
  readonly resource: number | null;
  /** Since when it is the case. */
  readonly sinceMs: TimeMs;
  /** How often it was found. */
  readonly count: number;
  /** When it was the case no longer; null while it is. */
  readonly overAtMs: TimeMs | null;
}

/** How late the event loop was, over the last minute at most. */
export interface LoopStatistics {
  /** The longest delay, in milliseconds. */
  readonly maxMs: number;
  /** On average. */
  readonly meanMs: number;
  /** Half of the time it was less. */
  readonly p50Ms: number;
  /** In 99 of 100 cases it was less. */
  readonly p99Ms: number;
}

/** What is counted from the start of diagnostics. */
export interface Counts {
  /** Tasks that were made. */
  readonly created: number;
  /** Tasks that ended with a value. */
  readonly succeeded: number;
  /** Tasks that ended with an error. */
  readonly failed: number;
  /** Tasks that ended because they were cancelled. */
  readonly cancelled: number;
  /** Tasks with a record that have not ended. */
  readonly live: number;
  /** Live tasks without a record: made before diagnostics began and not seen since, or beyond the capacity. */
  readonly unrecorded: number;
  /** Waits that were begun. */
  readonly waits: number;
  /** Events written, and of these gone from the ring by now. */
  readonly events: number;
}

/** The answer of `/v1/snapshot`: the state at one moment. */
export interface Snapshot {
  /** Tells it from other lines. */
  readonly type: "snapshot";
  /** The number of the last event this state contains: `/v1/stream?from=` goes on from here. */
  readonly seq: number;
  /** The moment it is of. */
  readonly atMs: TimeMs;
  /**
   * `exact`: one moment, everything fits together. `rows`: the program was never idle while it was read; each task is
   * true by itself, and two of them may be of moments a few milliseconds apart.
   */
  readonly cut: "exact" | "rows";
  /** Whether the program could be asked for stacks and holders: not while its loop is blocked. */
  readonly answered: boolean;
  /** The ongoing block; null if the loop turns. */
  readonly blocked: Block | null;
  /** How late the event loop was. */
  readonly loop: LoopStatistics;
  /** What was counted so far. */
  readonly counts: Counts;
  /** Parents need not come before children; ids are ascending. */
  readonly tasks: readonly TaskRecord[];
  /** The newest ended tasks; empty unless asked for. */
  readonly ended: readonly EndedTask[];
  /** What tasks wait for or have waited for. */
  readonly resources: readonly Resource[];
  /** Circles of tasks each of which waits for the next one, the last for the first. */
  readonly cycles: ReadonlyArray<readonly number[]>;
  /** Those that are the case, and the newest that no longer are. */
  readonly warnings: readonly Warning[];
  /** The newest blocks, the oldest first. */
  readonly blocks: readonly Block[];
}

/**
 * An event: `[seq, atMs, kind, task, ...what the kind has]`. Lists, because a recording has millions. `task` is 0 outside of
 * tasks. Of a task that was not sampled there are no `wait` and `resume`.
 */
export type TaskEvent =
  /** A task was made: its parent (0 for none) and its name. */
  | readonly [seq: number, atMs: TimeMs, kind: "created", task: number, parent: number, name: string]
  /** A wait begins: for what, the resource and the task that are waited for (0 for none). Until here the task was running. */
  | readonly [seq: number, atMs: TimeMs, kind: "wait", task: number, waitsFor: string, resource: number, other: number]
  /** A wait has ended; how many more of the task's go on. At 0 it can go on, as soon as the code before it lets it. */
  | readonly [seq: number, atMs: TimeMs, kind: "resume", task: number, left: number]
  | readonly [seq: number, atMs: TimeMs, kind: "ended", task: number, outcome: TaskOutcome]
  /** A scope was cancelled, the task's own if `whole`; by what: `call`, `deadline` or `signal`. */
  | readonly [seq: number, atMs: TimeMs, kind: "cancelled", task: number, by: string, whole: boolean]
  /** A scope that is not a task's own was opened or left. */
  | readonly [seq: number, atMs: TimeMs, kind: "scope-opened" | "scope-closed", task: number, depth: number];

/** Events of a stream, in order. */
export interface EventsMessage {
  /** Tells it from other lines. */
  readonly type: "events";
  /** The oldest first. */
  readonly events: readonly TaskEvent[];
}

/** What has changed since the snapshot or delta before; at most four in a second. */
export interface DeltaMessage {
  /** Tells it from other lines. */
  readonly type: "delta";
  /** See {@link Snapshot.seq}. */
  readonly seq: number;
  /** The moment it is of. */
  readonly atMs: TimeMs;
  /** See {@link Snapshot.cut}. */
  readonly cut: "exact" | "rows";
  /** The ongoing block; null if the loop turns. */
  readonly blocked: Block | null;
  /** How late the event loop was. */
  readonly loop: LoopStatistics;
  /** What was counted so far. */
  readonly counts: Counts;
  /** New tasks and those that changed, as they are now. */
  readonly tasks: readonly TaskRecord[];
  /** Those that have ended. */
  readonly ended: readonly EndedTask[];
  /** Those that are gone without an end that was seen. */
  readonly gone: readonly number[];
  /** All of them, if any has changed; else null. */
  readonly resources: readonly Resource[] | null;
  /** See {@link Snapshot.cycles}: those that were found last, at most a second ago; null if they are the same. */
  readonly cycles: ReadonlyArray<readonly number[]> | null;
}

/** A warning that is new, or has changed. */
export interface WarningMessage {
  /** Tells it from other lines. */
  readonly type: "warning";
  /** The warning, as it is now. */
  readonly warning: Warning;
}

/** A block that has begun, was captured, or has ended. */
export interface BlockMessage {
  /** Tells it from other lines. */
  readonly type: "block";
  /** The block, as it is known now. */
  readonly block: Block;
}

/** The reader was too slow, or the program too fast: these events are lost. A snapshot follows. */
export interface GapMessage {
  /** Tells it from other lines. */
  readonly type: "gap";
  /** The first event that is lost. */
  readonly from: number;
  /** The last event that is lost. */
  readonly to: number;
}

/** The last line: the program, or its diagnostics, has ended in order. */
export interface ByeMessage {
  /** Tells it from other lines. */
  readonly type: "bye";
  /** When it ended. */
  readonly atMs: TimeMs;
}

/** A line of a stream or of a recording. Readers leave out what they do not know. */
export type StreamMessage =
  | Hello
  | Snapshot
  | DeltaMessage
  | EventsMessage
  | WarningMessage
  | BlockMessage
  | GapMessage
  | ByeMessage;

/** The answer of `/v1/remote`: what a task waits for that runs elsewhere. */
export interface RemoteMessage {
  /** Tells it from other answers. */
  readonly type: "remote";
  /** Its id. */
  readonly task: number;
  /** One for each such wait, the first begun first; empty if there is none. */
  readonly jobs: readonly RemoteJob[];
}

/** The answer of `/v1/cancel`: the task was there, and is cancelled. It ends when its code does. */
export interface Cancelled {
  /** Tells it from other answers. */
  readonly type: "cancelled";
  /** Its id. */
  readonly task: number;
}

/** The answer to a request that is refused. */
export interface Refusal {
  /** Tells it from answers. */
  readonly type: "refusal";
  /** Cannot do what, what is true now, what to do. */
  readonly error: string;
}
