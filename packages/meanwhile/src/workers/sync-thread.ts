// The side of runSync that waits: a thread of its own for one module, started with the first call and kept.
//
//   none ──call──▶ idle ⇄ calling ──▶ dead (ended by itself, or terminated because it did not keep its time) ──call──▶ idle
//             idle for too long ──▶ none

import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Worker,
  type WorkerOptions,
} from "node:worker_threads";

import { describeNotCloneable } from "./cloneable.ts";
import { entryUrl } from "./entry-url.ts";
import { WorkerError } from "./errors.ts";
import { refuseGone } from "./gone-values.ts";
import { mustMove, takeMoved } from "./moved.ts";
import { newThread } from "./new-thread.ts";
import { isOtherEndGone } from "./port-end.ts";
import { ANSWERED, BEGUN, DEAD, sharedNow, type SyncAnswer, type SyncCall, type SyncSetup } from "./sync-wire.ts";

/** What the thread runs. */
export const ENTRY: URL = entryUrl("sync-entry", import.meta.url);

type Received = { readonly message: SyncAnswer } | undefined;

const GONE: SyncAnswer = { kind: "dead", exitCode: null, error: null };

// How often who waits looks whether the thread is still there: one that ran out of memory cannot say that it dies.
const LOOK_AGAIN_MS = 100;

/** How a call ended; `lost` if the thread did not answer in time. */
export type SyncOutcome = SyncAnswer | { readonly kind: "lost" };

/** A thread and the line to it. */
export class SyncThread {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #words = new Int32Array(new SharedArrayBuffer(8));
  #calls = 0;

  constructor(module: string, options: WorkerOptions) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const setup: SyncSetup = { kind: "meanwhile.sync", module, port: port2, words: this.#words };
    this.#worker = newThread(ENTRY, { ...options, workerData: setup, transferList: [port2] });
    // What ends it is told to who waits; nobody else has to know.
    this.#worker.on("error", () => {});
    this.#worker.unref();
  }

  /**
   * Makes a call and stops this thread until it has ended.
   *
   * @param timeoutMs - after which the call is cancelled
   * @param graceMs - how long it may clean up after that
   */
  call(name: string, args: readonly unknown[], timeoutMs: number, graceMs: number): SyncOutcome {
    const number = ++this.#calls;
    const deadline = sharedNow() + timeoutMs;
    this.#send({ number, name, args, deadline });
    for (;;) {
      const left = deadline + graceMs - sharedNow();
      const before = Atomics.load(this.#words, ANSWERED);
      if (before === number || before === DEAD) return this.#look() ?? GONE;
      if (left <= 0) return { kind: "lost" };
      if (Atomics.wait(this.#words, ANSWERED, before, Math.min(left, LOOK_AGAIN_MS)) !== "timed-out") continue;
      const found = this.#look();
      if (found !== null) return found;
    }
  }

  #send(call: SyncCall): void {
    const transfer: object[] = takeMoved(call.args);
    try {
      refuseGone(call.args);
      // As such: ports and streams are rare, and finding them means to look at everything.
      this.#port.postMessage(call, transfer as never);
    } catch (error) {
      this.#sendAgain(call, mustMove(call.args, new Set(transfer)), error);
    }
  }

  #sendAgain(call: SyncCall, transfer: object[], first: unknown): void {
    try {
      refuseGone(call.args);
      this.#port.postMessage(call, transfer as never);
    } catch {
      const found = call.args.map((arg, index) => describeNotCloneable(arg, `args[${index}]`, transfer));
      const what = found.find((text) => text !== null) ?? `the arguments ${whyRefused(first)}`;
      throw new WorkerError("MW_ERR_WORKER_NOT_CLONEABLE", `Cannot call "${call.name}": ${what}; pass plain data`, {
        cause: first,
      });
    }
  }

  /** What has come, or that nothing will come any more; null if it is still at work. */
  #look(): SyncAnswer | null {
    let received: Received;
    try {
      received = receiveMessageOnPort(this.#port);
    } catch {
      // The thread has a larger stack, so it can write what cannot be read here.
      return { kind: "unsendable", what: "the value is nested too deep to be read" };
    }
    return received?.message ?? (isOtherEndGone(this.#port) ? GONE : null);
  }

  /** Whether it has come to its end. */
  get isDead(): boolean {
    return Atomics.load(this.#words, ANSWERED) === DEAD;
  }

  /** Whether the last call was begun. */
  get hasBegun(): boolean {
    return Atomics.load(this.#words, BEGUN) === this.#calls;
  }

  terminate(): void {
    this.#port.close();
    this.#worker.terminate().catch(() => {});
  }
}

/** Of what the clone has refused though nothing in it is to blame. */
function whyRefused(error: unknown): string {
  if (error instanceof RangeError) return "are nested too deep to be sent";
  return `cannot be sent: ${error instanceof Error ? error.message : String(error)}`;
}
