// BullMQ alone, on either server.

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

import { createPostgresBackend, Queue, QueueEvents, Worker, withBackend } from "bullmq";

/** How often those are looked at of which no event has told. */
const LOOK_MS = 100;
const BATCH = 500;

const onPostgres = withBackend(createPostgresBackend);
const AGE = { age: 3_600 };
const KEPT = { defaultJobOptions: { removeOnComplete: { ...AGE, count: 100_000 } } };
/** On PostgreSQL a count would be compared with all that are kept, for each job. */
const KEPT_FOR_AN_HOUR = { defaultJobOptions: { removeOnComplete: AGE } };

type Work = (job: { readonly name: string; readonly data: number }) => Promise<number>;
type AnyQueue = ReturnType<typeof queueOn>;
type AnyEvents = ReturnType<typeof eventsOn>;

function isRedis(url: string): boolean {
  return url.startsWith("redis:");
}

function redisAt(url: string): { host: string; port: number; maxRetriesPerRequest: null } {
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port), maxRetriesPerRequest: null };
}

function queueOn(url: string, name: string) {
  return isRedis(url)
    ? new Queue<number, number>(name, { ...KEPT, connection: redisAt(url) })
    : new onPostgres.Queue<number, number>(name, { ...KEPT_FOR_AN_HOUR, connection: { connectionString: url } });
}

function eventsOn(url: string, name: string) {
  return isRedis(url)
    ? new QueueEvents(name, { connection: redisAt(url) })
    : new onPostgres.QueueEvents(name, { connection: { connectionString: url } });
}

/** A worker of a queue, when it takes jobs. */
export async function serveBare(url: string, name: string, concurrency: number, work: Work): Promise<void> {
  const worker = isRedis(url)
    ? new Worker<number, number>(name, work, { connection: redisAt(url), concurrency })
    : new onPostgres.Worker<number, number>(name, work, { connection: { connectionString: url }, concurrency });
  await worker.waitUntilReady();
}

/** The least that answers calls: jobs in batches, and one listener for the results of all. */
export class BareClient implements AsyncDisposable {
  readonly #queue: AnyQueue;
  readonly #events: AnyEvents;
  readonly #waiting = new Map<string, (value: number) => void>();
  #isOpen = true;
  readonly #looking: Promise<void>;

  private constructor(queue: AnyQueue, events: AnyEvents) {
    this.#queue = queue;
    this.#events = events;
    events.on("completed", ({ jobId, returnvalue }) => this.#completed(jobId, Number(returnvalue)));
    this.#looking = this.#look();
  }

  static async open(url: string, name: string): Promise<BareClient> {
    const [queue, events] = [queueOn(url, name), eventsOn(url, name)];
    await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
    return new BareClient(queue, events);
  }

  /** Has the function called with each of the values, and gives its results. */
  async call(name: string, values: readonly number[]): Promise<readonly number[]> {
    const jobs = values.map((data) => ({ name, data, opts: { jobId: randomUUID() } }));
    const results = jobs.map(
      ({ opts: { jobId } }) =>
        new Promise<number>((resolve) => {
          this.#waiting.set(jobId, resolve);
        }),
    );
    for (let at = 0; at < jobs.length; at += BATCH) await this.#queue.addBulk(jobs.slice(at, at + BATCH));
    return await Promise.all(results);
  }

  #completed(id: string, value: number): void {
    this.#waiting.get(id)?.(value);
    this.#waiting.delete(id);
  }

  // On PostgreSQL some events are lost when jobs run at the same time; without this the calls would wait for ever.
  async #look(): Promise<void> {
    let before = new Set<string>();
    while (this.#isOpen) {
      await pause(LOOK_MS);
      const waiting = new Set(this.#waiting.keys());
      const late = [...waiting].filter((id) => before.has(id));
      before = waiting;
      for (const id of late) {
        const job = await this.#queue.getJob(id);
        if (typeof job?.finishedOn === "number") this.#completed(id, job.returnvalue);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    await this.#looking;
    await this.#events.close();
    await this.#queue.close();
  }
}
