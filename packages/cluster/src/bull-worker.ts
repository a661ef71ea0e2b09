// A worker whose queue BullMQ keeps.

import { UnrecoverableError, WaitingError } from "bullmq";

import { type AnyJob, type AnyWorker, type BullServer, GOODBYE_MS, shown } from "./bull-server.ts";
import type { Control } from "./control.ts";
import type { Taken, Verdict, WorkerListener, WorkerPort, WorkerSettings } from "./engine.ts";
import { isInTime } from "./in-time.ts";

/** The way of a worker to its queue. */
export class BullWorker implements WorkerPort {
  readonly maxTextBytes: number;
  readonly #worker: AnyWorker;
  readonly #control: Control;
  readonly #listener: WorkerListener;
  readonly #ends = new WeakMap<AnyJob, { readonly taken: Taken; readonly verdict: Verdict }>();

  constructor(server: BullServer, settings: WorkerSettings, control: Control, listener: WorkerListener) {
    this.maxTextBytes = control.maxTextBytes;
    this.#control = control;
    this.#listener = listener;
    const { id, queue, lostAfterMs, concurrency, maxLosses } = settings;
    const options = {
      autorun: false,
      concurrency,
      lockDuration: lostAfterMs,
      lockRenewTime: lostAfterMs / 3,
      stalledInterval: lostAfterMs / 2,
      maxStalledCount: maxLosses,
      name: id,
      runRetryDelay: 500,
    };
    this.#worker = server.worker(queue, (job, token) => this.#process(job, token), options, control);
    this.#worker.on("completed", (job: AnyJob) => this.#recorded(job));
    this.#worker.on("failed", (job: AnyJob | undefined) => this.#recorded(job));
    this.#worker.on("error", (error: Error) => listener.trouble(error));
    this.#worker.on("lockRenewalFailed", (ids: string[]) => ids.forEach((lost) => listener.lost(lost)));
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  start(): void {
    this.#worker.run().catch((error: unknown) => this.#listener.trouble(error));
  }

  async #process(job: AnyJob, token: string | undefined): Promise<string> {
    const taken: Taken = { id: String(job.id), text: job.data, losses: job.stalledCounter ?? 0 };
    const verdict = await this.#listener.run(taken);
    this.#ends.set(job, { taken, verdict });
    if (verdict.kind === "value") return verdict.text;
    if (verdict.kind === "failure") throw failureOf(verdict);
    await job.moveToWait(token);
    this.#listener.recorded(taken, verdict);
    throw new WaitingError();
  }

  #recorded(job: AnyJob | undefined): void {
    const end = job === undefined ? undefined : this.#ends.get(job);
    if (end !== undefined) this.#listener.recorded(end.taken, end.verdict);
  }

  publish(messages: ReadonlyArray<readonly [client: string, text: string]>): Promise<void> {
    return this.#control.publish(messages);
  }

  alive(clients: readonly string[]): Promise<boolean[]> {
    return this.#control.alive(clients);
  }

  serverTime(): Promise<number> {
    return this.#control.time();
  }

  async drain(): Promise<void> {
    await this.#worker.close();
  }

  async close(): Promise<void> {
    await isInTime(GOODBYE_MS, this.#worker.close()).catch(ignore);
    await this.#control.close();
    // If the server is away it has not closed, and goes on renewing locks: the process would not end.
    await endLocks(this.#worker);
  }
}

/** BullMQ keeps the message and the stack of an error. Those who look into the queue see the message. */
function failureOf({ message, text }: Extract<Verdict, { kind: "failure" }>): Error {
  const error = new UnrecoverableError(shown(message));
  error.stack = text;
  return error;
}

/** BullMQ does so with its `close`, but only after all that needs the server; it has no other word for it. */
async function endLocks(worker: AnyWorker): Promise<void> {
  const { lockManager } = worker as unknown as { lockManager: { close(): Promise<void> } };
  await lockManager.close();
}

function ignore(): void {}
