// Queues that BullMQ keeps, on whichever server. Jobs and their ends are BullMQ's; what BullMQ has no words for goes over a
// channel beside it (control.ts): that jobs have ended, that they are to end, and which clients are there.
//
// BullMQ's own events are not used. On PostgreSQL some were lost when jobs ran at the same time, and everywhere each client
// would read the events of all others.

import type { JobsOptions, QueueOptions } from "bullmq";

import { type AnyJob, type AnyQueue, type BullServer, GOODBYE_MS, shown } from "./bull-server.ts";
import { BullWorker } from "./bull-worker.ts";
import type { Control } from "./control.ts";
import {
  type ClientPort,
  type Engine,
  EVERYBODY,
  type Found,
  type KeepSettings,
  type Submission,
  WORKERS,
} from "./engine.ts";
import { inTime, isInTime } from "./in-time.ts";
import { Trimming } from "./trimming.ts";

/** The queues of a server. */
export function bullEngine(server: BullServer): Engine {
  return {
    async openClient(settings, client, listener) {
      const control = await server.control(settings, listener);
      const queue = server.queue(settings.queue, queueOptions(settings, server), control);
      queue.on("error", ignore);
      const trimming = server.isCountCheap ? null : new Trimming(queue, settings.keepJobs);
      const port = new BullClient(queue, control, client, trimming);
      return await ready(port, settings.connectTimeoutMs, async () => {
        await queue.waitUntilReady();
        await control.subscribe([client, EVERYBODY], (text) => listener.received(text));
      });
    },
    async openWorker(settings, listener) {
      const control = await server.control(settings, { gap: ignore });
      const port = new BullWorker(server, settings, control, listener);
      return await ready(port, settings.connectTimeoutMs, async () => {
        await control.subscribe([WORKERS], (text) => listener.received(text));
        await port.ready();
      });
    },
  };
}

/** The port when it is ready; else it is closed. */
async function ready<P extends { close(): Promise<void> }>(port: P, ms: number, work: () => Promise<void>): Promise<P> {
  try {
    await inTime(ms, work());
    return port;
  } catch (error) {
    await port.close();
    throw error;
  }
}

/** Nobody here reads BullMQ's events, and each would keep a result in memory once more. */
function queueOptions(settings: KeepSettings, server: BullServer): Omit<QueueOptions, "connection"> {
  return { defaultJobOptions: jobOptions(settings, server), streams: { events: { maxLen: 1 } } };
}

function jobOptions({ keepMs, keepJobs }: KeepSettings, { isCountCheap }: BullServer): JobsOptions {
  const keep = {
    age: Math.min(Math.ceil(keepMs / 1_000), 2 ** 31),
    ...(keepJobs === Infinity || !isCountCheap ? {} : { count: keepJobs }),
  };
  // Function errors are the caller's to retry: with its policy, and its idea of which are worth it.
  return { attempts: 1, removeOnComplete: keep, removeOnFail: keep };
}

class BullClient implements ClientPort {
  readonly maxTextBytes: number;
  readonly #queue: AnyQueue;
  readonly #control: Control;
  readonly #id: string;
  readonly #trimming: Trimming | null;

  constructor(queue: AnyQueue, control: Control, id: string, trimming: Trimming | null) {
    this.maxTextBytes = control.maxTextBytes;
    this.#queue = queue;
    this.#control = control;
    this.#id = id;
    this.#trimming = trimming;
  }

  async submit(jobs: readonly Submission[]): Promise<void> {
    await this.#queue.addBulk(
      jobs.map(({ id, name, text }) => ({ name: shown(name), data: text, opts: { jobId: id } })),
    );
  }

  look(ids: readonly string[]): Promise<Found[]> {
    return Promise.all(ids.map(async (id) => foundOf(await this.#queue.getJob(id))));
  }

  // BullMQ removes what has ended, too: one that runs may have ended by the time that it is asked to.
  async withdraw(id: string): Promise<boolean> {
    const state = await this.#queue.getJobState(id);
    if (state === "active" || state === "completed" || state === "failed") return false;
    return (await this.#queue.remove(id)) === 1;
  }

  // Whoever has begun it meanwhile may have either text.
  async replace(id: string, text: string): Promise<boolean> {
    if ((await this.#queue.getJobState(id)) !== "waiting") return false;
    await (await this.#queue.getJob(id))?.updateData(text);
    return (await this.#queue.getJobState(id)) === "waiting";
  }

  async forget(id: string): Promise<void> {
    await this.#queue.remove(id);
  }

  publish(texts: readonly string[]): Promise<void> {
    return this.#control.publish(texts.map((text) => [WORKERS, text]));
  }

  beat(ttlMs: number): Promise<number> {
    return this.#control.lease(this.#id, ttlMs);
  }

  async close(): Promise<void> {
    this.#trimming?.stop();
    await isInTime(GOODBYE_MS, this.#control.unlease(this.#id)).catch(ignore);
    await isInTime(GOODBYE_MS, this.#queue.close()).catch(ignore);
    await this.#control.close();
  }

  isPassing(error: unknown): boolean {
    return this.#control.isPassing(error);
  }
}

function foundOf(job: AnyJob | undefined): Found {
  if (job === undefined) return { state: "unknown" };
  if (job.finishedOn === undefined || job.finishedOn === null)
    return job.processedOn ? { state: "running", worker: job.processedBy } : { state: "waiting" };
  if (typeof job.returnvalue === "string") return { state: "ended", text: job.returnvalue };
  const text = job.stacktrace?.at(-1);
  // What BullMQ itself says of a job that lost its workers has a stack that is one.
  if (text === undefined || text === null || /^\w*Error/.test(text)) return { state: "lost", why: job.failedReason };
  return { state: "ended", text };
}

function ignore(): void {}
