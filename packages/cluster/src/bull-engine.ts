// Queues that BullMQ keeps, on whichever server. Jobs and their ends are BullMQ's; what BullMQ has no words for goes over a
// channel beside it (control.ts): that jobs have ended, that they are to end, and which clients are there.
//
// BullMQ's own events are not used. On PostgreSQL some were lost when jobs ran at the same time, and everywhere each client
// would read the events of all others.

import {
  type Job,
  type JobsOptions,
  type Queue,
  type QueueOptions,
  UnrecoverableError,
  WaitingError,
  type Worker,
  type WorkerOptions,
} from "bullmq";

import { type Control, inTime } from "./control.ts";
import {
  type ClientPort,
  type Engine,
  EVERYBODY,
  type Found,
  type KeepSettings,
  type QueueSettings,
  type Submission,
  type Taken,
  type Verdict,
  type WorkerListener,
  type WorkerPort,
  type WorkerSettings,
} from "./engine.ts";

const { setTimeout } = globalThis;

/** How BullMQ is made on a server. */
export interface BullServer {
  control(settings: QueueSettings, listener: { gap(): void }): Promise<Control>;
  queue(name: string, options: Omit<QueueOptions, "connection">, control: Control): AnyQueue;
  worker(
    name: string,
    processor: (job: AnyJob, token?: string) => Promise<string>,
    options: Omit<WorkerOptions, "connection">,
    control: Control,
  ): AnyWorker;
}

// oxlint-disable-next-line typescript/no-explicit-any -- the types of BullMQ differ by server in what nobody here touches
export type AnyQueue = Queue<string, string, string, string, string, string, any, any>;
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type AnyWorker = Worker<string, string, string, any, any, any>;
type AnyJob = Job<string, string>;

/** How long a server may take to say goodbye. */
const GOODBYE_MS = 2_000;
const WORKERS = "workers";

/** The queues of a server. */
export function bullEngine(server: BullServer): Engine {
  return {
    async openClient(settings, client, listener) {
      const control = await server.control(settings, listener);
      const queue = server.queue(settings.queue, queueOptions(settings), control);
      queue.on("error", ignore);
      const port = new BullClient(queue, control, client);
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
function queueOptions(settings: KeepSettings): Omit<QueueOptions, "connection"> {
  return { defaultJobOptions: jobOptions(settings), streams: { events: { maxLen: 1 } } };
}

function jobOptions({ keepMs, keepJobs }: KeepSettings): JobsOptions {
  const keep = {
    age: Math.min(Math.ceil(keepMs / 1_000), 2 ** 31),
    ...(keepJobs === Infinity ? {} : { count: keepJobs }),
  };
  // Function errors are the caller's to retry: with its policy, and its idea of which are worth it.
  return { attempts: 1, removeOnComplete: keep, removeOnFail: keep };
}

class BullClient implements ClientPort {
  readonly maxTextBytes: number;
  readonly #queue: AnyQueue;
  readonly #control: Control;
  readonly #id: string;

  constructor(queue: AnyQueue, control: Control, id: string) {
    this.maxTextBytes = control.maxTextBytes;
    this.#queue = queue;
    this.#control = control;
    this.#id = id;
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
    await within(GOODBYE_MS, () => this.#control.unlease(this.#id));
    await within(GOODBYE_MS, () => this.#queue.close());
    await this.#control.close();
  }

  isPassing(error: unknown): boolean {
    return this.#control.isPassing(error);
  }
}

function foundOf(job: AnyJob | undefined): Found {
  if (job === undefined) return { state: "unknown" };
  if (job.finishedOn === undefined || job.finishedOn === null)
    return { state: job.processedOn ? "running" : "waiting" };
  if (typeof job.returnvalue === "string") return { state: "ended", text: job.returnvalue };
  const text = job.stacktrace?.at(-1);
  // What BullMQ itself says of a job that lost its workers has a stack that is one.
  if (text === undefined || text === null || /^\w*Error/.test(text)) return { state: "lost", why: job.failedReason };
  return { state: "ended", text };
}

class BullWorker implements WorkerPort {
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
    await within(GOODBYE_MS, () => this.#worker.close());
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

/** What a server can keep of a text that is only looked at. */
function shown(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\\0");
}

/** BullMQ does so with its `close`, but only after all that needs the server; it has no other word for it. */
async function endLocks(worker: AnyWorker): Promise<void> {
  const { lockManager } = worker as unknown as { lockManager: { close(): Promise<void> } };
  await lockManager.close();
}

/** Waits for something that needs the server, but not for ever. */
async function within(ms: number, work: () => Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work().then(ignore, ignore), late]);
  clearTimeout(timer);
}

function ignore(): void {}
