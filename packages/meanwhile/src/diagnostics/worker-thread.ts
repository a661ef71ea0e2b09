// The diagnostics worker as the program sees it: started, listened to, and lost without harm.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import { InternalError } from "../errors.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./link.ts";
import { NUMBER, type SharedMemory, WORD } from "./shared-memory.ts";

const { performance } = globalThis;

/** How long the end of the process waits for a recording: its worker may just be starting. */
const FINISH_MS = 5_000;

/** How long one may take to end that records nothing. */
const STOP_MS = 100;

/** More than this, and something is wrong with it: it ends, the program does not. */
const MOST_HEAP_MB = 1_024;

/** What the program is told. */
export interface WorkerEvents {
  message(message: Exclude<FromWorker, number>): void;
  /** It has ended without being told to. */
  lost(why: string): void;
}

/** The worker, from its start to its end. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #memory: SharedMemory;
  readonly #exited: Promise<void>;
  readonly #patienceMs: number;
  #isStopping = false;
  #holders = 0;

  constructor(memory: SharedMemory, setup: WorkerSetup, events: WorkerEvents, file: URL = workerFile()) {
    this.#memory = memory;
    this.#patienceMs = setup.record === null ? STOP_MS : FINISH_MS;
    this.#worker = new Worker(file, {
      name: "meanwhile diagnostics",
      workerData: setup,
      // Neither the flags of the program nor what they load: this thread runs nothing of the program's.
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MB },
    });
    this.#worker.on("message", (message: FromWorker) => {
      if (typeof message === "number") this.#answerPing(message);
      else events.message(message);
    });
    // Not before: to listen to its messages holds the process.
    this.#worker.unref();
    let reason = "its worker has ended";
    this.#worker.on("error", (error) => {
      reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        if (!this.#isStopping) events.lost(reason);
        resolve();
      });
    });
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** Ends it: in order if that takes no time, else at once. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.send({ kind: "stop" });
    setTimeout(() => void this.#worker.terminate(), this.#patienceMs).unref();
  }

  /** For the end of the process: ends it in order, and waits until what it records is written, or 5 s. */
  finish(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.send({ kind: "stop" });
    Atomics.wait(this.#memory.header, WORD.finished, 0, FINISH_MS);
  }

  /** When it has ended. Holds the process until then. */
  ended(): Promise<void> {
    return this.hold(this.#exited);
  }

  /** Holds the process until the promise has settled: somebody waits for this thread. */
  hold<T>(promise: Promise<T>): Promise<T> {
    if (this.#holders++ === 0) this.#worker.ref();
    return promise.finally(() => {
      if (--this.#holders === 0) this.#worker.unref();
    });
  }

  // The beat of the heart: two numbers and a word.
  #answerPing(ping: number): void {
    const { numbers, header } = this.#memory;
    numbers[NUMBER.pongAt] = performance.now();
    numbers[NUMBER.pongIdle] = performance.eventLoopUtilization().idle;
    (header[WORD.turn] as number)++;
    Atomics.store(header, WORD.pong, ping);
  }
}

/** Our files may stand as they were written, one by one or in few: the worker is beside them in each case. */
function workerFile(): URL {
  const files = ["./worker/worker.ts", "./worker/worker.js", "./diagnostics/worker/worker.js"];
  const found = files.map((file) => new URL(file, import.meta.url)).find((file) => existsSync(fileURLToPath(file)));
  if (found === undefined) throw new InternalError("the diagnostics worker is not beside the diagnostics");
  return found;
}
