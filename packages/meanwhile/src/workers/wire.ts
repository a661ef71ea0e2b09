// What pool and worker say to each other. A message is one flat list of records; each begins with its mark, and how many
// values follow is told by the mark. Flat because every nested array of a message costs as much as a small job.

/** From the pool: run a function. */
export const CALL = 0; // slot, function, count of arguments, the arguments
/** From the pool: run a function for a caller that has so many milliseconds left. It is told; the pool cancels it. */
export const CALL_WITHIN = 1; // slot, function, milliseconds, count of arguments, the arguments
/** From the pool: run a function once for each item. */
export const CALL_EACH = 2; // slot, function, milliseconds (Infinity: no end), items
/** From the pool: cancel a job that may have begun. */
export const CANCEL = 3; // slot, number of the request, text of the reason or null
/** From the pool: begin nothing more and leave. */
export const LEAVE = 4;
/** From the pool: tell what a job does; somebody looks. */
export const LOOK = 5; // slot, number of the question

/** From the worker: the module is loaded. */
export const READY = 10; // names of its functions
/** From the worker: the module could not be loaded, or its initializer failed. */
export const BROKEN = 11; // encoded error
/** From the worker: a job has returned. */
export const VALUE = 12; // slot, value
/** From the worker: a job has thrown. */
export const FAILURE = 13; // slot, encoded error
/** From the worker: what a job has returned or thrown cannot be sent. */
export const UNSENDABLE = 14; // slot, where and what it is
/** From the worker: a job ended by its cancellation. */
export const CANCELLED = 15; // slot
/** From the worker: a job had been taken back before it began. */
export const SKIPPED = 16; // slot
/** From the worker: a job tells how far it is. */
export const PROGRESS = 17; // slot, value
/** From the worker: something was written to stdout (1) or stderr (2). */
export const OUTPUT = 18; // 1 or 2, bytes
/** From the worker: how long calls of a function took. */
export const COST = 19; // function, count, milliseconds in all
/** From the worker: it has seen a request to cancel, so its event loop runs. */
export const CANCEL_SEEN = 20; // number of the request

/** From a process: it is about to die of an error nobody caught. */
export const LAST_WORDS = 21; // encoded error
/** From the worker: what a job does, or null if it does not run. */
export const LOOKED = 22; // number of the question, the answer

/** What a message of a process begins with: the module may send messages of its own. */
export const ENVELOPE = "meanwhile/workers"; // the parcel

/** A message on its way from a process, the first being number 1; and the slots it is about, in case it cannot be read. */
export type Parcel = readonly [number: number, slots: readonly number[], bytes: Uint8Array];

/** The jobs a worker can have been sent at once. */
export const SLOTS = 1_024;

/** What a worker is started with. */
export interface WorkerSetup {
  /** The URL of the module whose functions are called. */
  readonly module: string;
  /** The function of the module that is called first. */
  readonly initializer: { readonly name: string; readonly args: readonly unknown[] } | null;
  /** How many jobs run at once. */
  readonly concurrency: number;
  /** The name of the worker, for dumps. */
  readonly name: string;
}

/** One record of a message: its mark and its values. */
export type MessageRecord = readonly [mark: number, ...values: unknown[]];

// How many values follow a mark, without the arguments of a call.
const LENGTHS: Readonly<Record<number, number>> = {
  [CALL]: 3,
  [CALL_WITHIN]: 4,
  [CALL_EACH]: 4,
  [CANCEL]: 3,
  [LEAVE]: 0,
  [LOOK]: 2,
  [READY]: 1,
  [BROKEN]: 1,
  [VALUE]: 2,
  [FAILURE]: 2,
  [UNSENDABLE]: 2,
  [CANCELLED]: 1,
  [SKIPPED]: 1,
  [PROGRESS]: 2,
  [OUTPUT]: 2,
  [COST]: 3,
  [CANCEL_SEEN]: 1,
  [LAST_WORDS]: 1,
  [LOOKED]: 2,
};

// Those that begin a job, or are about one that was begun.
const OF_JOBS: ReadonlySet<number> = new Set([
  CALL,
  CALL_WITHIN,
  CALL_EACH,
  VALUE,
  FAILURE,
  UNSENDABLE,
  CANCELLED,
  SKIPPED,
  PROGRESS,
]);

/** The slot of the job that a record sends, or tells something of; null if it does neither. */
export function slotOf([mark, slot]: MessageRecord): number | null {
  return OF_JOBS.has(mark) ? (slot as number) : null;
}

/** Takes a message apart. For where speed does not matter. */
export function splitRecords(message: readonly unknown[]): MessageRecord[] {
  const records: MessageRecord[] = [];
  for (let at = 0; at < message.length;) {
    const mark = message[at] as number;
    let length = LENGTHS[mark] ?? 0;
    if (mark === CALL || mark === CALL_WITHIN) length += message[at + length] as number;
    records.push([mark, ...message.slice(at + 1, at + 1 + length)]);
    at += 1 + length;
  }
  return records;
}
