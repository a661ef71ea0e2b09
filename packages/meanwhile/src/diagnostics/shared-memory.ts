// The memory that the program writes and the diagnostics worker reads, also while the program is blocked. Fixed in size.
//
//   header │ tasks │ ended │ targets │ names │ events
//
// One writer. What it changes it changes between `beginChange` and `endChange`, which make `SEQ` odd and even again: a
// reader that finds the same even number before and after has read one state. See shared-reader.ts.

/** Words of 32 bits in the header. */
export const WORD = {
  /** Odd while something is being changed. */
  seq: 0,
  /** The number of the newest ping that was answered. */
  pong: 1,
  /** How many turns of the event loop were seen to begin. */
  turn: 2,
  /** Where the next ended task goes. */
  endedHead: 3,
  /** How many targets were ever used. */
  targetCount: 4,
  /** 1 when the worker has written everything that it had to. */
  finished: 5,
  /** 1 from the first task on: the program has loaded its modules, and runs. */
  started: 6,
  /** How many names were ever in use: the places behind them are empty. */
  nameCount: 7,
  /** How many rows of tasks. */
  rowCount: 8,
} as const;

/** Numbers of 64 bits in the header; the words stand before them. */
export const NUMBER = {
  /** Events written since the beginning. */
  events: 8,
  /** When the newest ping was answered. */
  pongAt: 9,
  /** Milliseconds that the loop has been idle, at that moment. */
  pongIdle: 10,
  created: 11,
  succeeded: 12,
  failed: 13,
  cancelled: 14,
  live: 15,
  unrecorded: 16,
  waits: 17,
  ended: 18,
  /** The time, written by the worker every few milliseconds. */
  coarseTime: 19,
} as const;

/** What stands before the tables. */
const HEADER_BYTES = 256;

/** A row of the table of tasks: 64-bit numbers first, then words. */
export const TASK = {
  bytes: 80,
  numbers: 10,
  words: 20,
  /** 64-bit. When it was made. */
  createdAt: 0,
  /** 64-bit. Since when it does what it does. */
  since: 1,
  /** 64-bit. When its code was cancelled; 0 if it was not. Of an ended task also. */
  cancelledAt: 2,
  /** 64-bit. How long it has waited in waits that have ended. */
  waited: 3,
  /** The id; 0 in a row that was never used, -1 in one that is free again. */
  id: 8,
  parent: 9,
  /** A reference into the names; 0 for a task without one. */
  name: 10,
  flags: 11,
  openWaits: 12,
  steps: 13,
  /** The row of what it waits for. */
  target: 14,
  /** The task it waits for; 0 if it waits for none. */
  other: 15,
  /** The stack of its creation; 0 if it was not taken. */
  stack: 16,
  /** Live children. */
  children: 17,
  /** The turn in which it became able to run. */
  turn: 18,
} as const;

/** Bits of {@link TASK.flags}. */
export const FLAG = {
  /** It has begun. */
  started: 1,
  /** Its waits are recorded as events. */
  sampled: 2,
  /** Its own scope, or one around it, is cancelled. */
  cancelled: 4,
} as const;

/** A row of the table of ended tasks. */
export const ENDED = {
  bytes: 64,
  numbers: 8,
  words: 16,
  createdAt: 0,
  endedAt: 1,
  cancelledAt: 2,
  waited: 3,
  id: 8,
  parent: 9,
  name: 10,
  /** 1 succeeded, 2 failed, 3 cancelled. */
  outcome: 11,
  steps: 12,
} as const;

/** A row of the table of what is waited for. */
export const TARGET = {
  bytes: 32,
  words: 8,
  /** A reference into the names. */
  label: 0,
  flags: 1,
  waiters: 2,
  mostWaiters: 3,
  waits: 4,
  /** Counts up when the row is used for something else. */
  generation: 5,
} as const;

/** Bits of {@link TARGET.flags}. */
export const TARGET_FLAG = {
  foreign: 1,
  /** It has a row of its own, and can be asked about. */
  resource: 2,
  used: 4,
  /** Those of its kind know who could end the wait. */
  holders: 8,
  /** It is the end of all tasks of a group. */
  joins: 16,
} as const;

/** A name: its generation, its length, its bytes. */
export const NAME = {
  bytes: 96,
  words: 24,
  generation: 0,
  length: 1,
  text: 8,
  capacity: 88,
} as const;

/** An event: 32 bytes. */
export const EVENT = {
  bytes: 32,
  numbers: 4,
  words: 8,
  /** 64-bit. */
  at: 0,
  kind: 2,
  task: 3,
  a: 4,
  b: 5,
  c: 6,
  /** The low bits of the number of the event. */
  seq: 7,
} as const;

/** The kinds of events in the ring. */
export const EVENT_KIND = {
  created: 1,
  wait: 2,
  resume: 3,
  ended: 4,
  cancelled: 5,
  scopeOpened: 6,
  scopeClosed: 7,
} as const;

/** How many of each there is room for. */
export interface Capacities {
  /** A power of two. */
  readonly tasks: number;
  readonly ended: number;
  readonly targets: number;
  readonly names: number;
  /** A power of two. */
  readonly events: number;
}

/** Views of one memory. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  readonly capacities: Capacities;
  readonly header: Int32Array;
  readonly numbers: Float64Array;
  readonly taskWords: Int32Array;
  readonly taskNumbers: Float64Array;
  readonly endedWords: Int32Array;
  readonly endedNumbers: Float64Array;
  readonly targets: Int32Array;
  readonly nameWords: Int32Array;
  readonly nameBytes: Uint8Array;
  readonly eventWords: Int32Array;
  readonly eventNumbers: Float64Array;
}

/** How large a memory is. */
export function bytesFor({ tasks, ended, targets, names, events }: Capacities): number {
  const tables = tasks * TASK.bytes + ended * ENDED.bytes + targets * TARGET.bytes + names * NAME.bytes;
  return HEADER_BYTES + tables + events * EVENT.bytes;
}

/** Makes a memory with nothing in it. */
export function makeMemory(capacities: Capacities): SharedMemory {
  return viewMemory(new SharedArrayBuffer(bytesFor(capacities)), capacities);
}

/** Views of a memory that somebody has made. */
export function viewMemory(buffer: SharedArrayBuffer | ArrayBuffer, capacities: Capacities): SharedMemory {
  const shared = buffer as SharedArrayBuffer;
  const { tasks, ended, targets, names, events } = capacities;
  const tasksAt = HEADER_BYTES;
  const endedAt = tasksAt + tasks * TASK.bytes;
  const targetsAt = endedAt + ended * ENDED.bytes;
  const namesAt = targetsAt + targets * TARGET.bytes;
  const eventsAt = namesAt + names * NAME.bytes;
  return {
    buffer: shared,
    capacities,
    header: new Int32Array(shared, 0, 16),
    numbers: new Float64Array(shared, 0, HEADER_BYTES / 8),
    taskWords: new Int32Array(shared, tasksAt, tasks * TASK.words),
    taskNumbers: new Float64Array(shared, tasksAt, tasks * TASK.numbers),
    endedWords: new Int32Array(shared, endedAt, ended * ENDED.words),
    endedNumbers: new Float64Array(shared, endedAt, ended * ENDED.numbers),
    targets: new Int32Array(shared, targetsAt, targets * TARGET.words),
    nameWords: new Int32Array(shared, namesAt, names * NAME.words),
    nameBytes: new Uint8Array(shared, namesAt, names * NAME.bytes),
    eventWords: new Int32Array(shared, eventsAt, events * EVENT.words),
    eventNumbers: new Float64Array(shared, eventsAt, events * EVENT.numbers),
  };
}

/**
 * Whether other threads see plain writes in their order. An atomic one takes as long as all the others of a change
 * together, so it is taken only where the machine needs it.
 */
const KEEPS_ORDER = process.arch === "x64" || process.arch === "ia32";

/** From here on readers see that something is changing. */
export function beginChange({ header }: SharedMemory): void {
  if (KEEPS_ORDER) (header[WORD.seq] as number)++;
  else Atomics.add(header, WORD.seq, 1);
}

/** What was changed is whole again. */
export function endChange({ header }: SharedMemory): void {
  if (KEEPS_ORDER) (header[WORD.seq] as number)++;
  else Atomics.add(header, WORD.seq, 1);
}
