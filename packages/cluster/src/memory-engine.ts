// Queues inside this process: for tests, for examples, and for programs that have not left their machine yet. It keeps what
// the engines with a server keep, and loses what they may lose: see engine.ts.

import {
  type ClientListener,
  type ClientPort,
  type Engine,
  EVERYBODY,
  type Found,
  type KeepSettings,
  type Submission,
  type Taken,
  type WorkerListener,
  type WorkerPort,
  type WorkerSettings,
} from "./engine.ts";
import { join, type MemoryHolder, type MemoryJob, type MemoryQueue } from "./memory-queue.ts";

const { performance, queueMicrotask } = globalThis;

class MemoryClient implements ClientPort {
  readonly maxTextBytes = Infinity;
  readonly #queue: MemoryQueue;
  readonly #id: string;
  readonly #keep: KeepSettings;
  readonly listener: ClientListener;
  readonly #leave: () => void;

  constructor(queue: MemoryQueue, keep: KeepSettings, id: string, listener: ClientListener, leave: () => void) {
    this.#queue = queue;
    this.#keep = keep;
    this.#id = id;
    this.listener = listener;
    this.#leave = leave;
    queue.clients.set(id, this);
  }

  async submit(jobs: readonly Submission[]): Promise<void> {
    for (const submission of jobs) {
      if (this.#queue.jobs.has(submission.id)) continue;
      const fresh = { state: "waiting", losses: 0, holder: null, takes: 0, outcome: "", endedAt: 0 } as const;
      const job: MemoryJob = { ...submission, ...fresh, keep: this.#keep };
      this.#queue.jobs.set(job.id, job);
      this.#queue.wait(job);
    }
  }

  async look(ids: readonly string[]): Promise<Found[]> {
    return ids.map((id) => {
      const job = this.#queue.jobs.get(id);
      if (job === undefined) return { state: "unknown" };
      if (job.state === "lost") return { state: "lost", why: job.outcome };
      return job.state === "ended" ? { state: "ended", text: job.outcome } : { state: job.state };
    });
  }

  async withdraw(id: string): Promise<boolean> {
    const job = this.#queue.jobs.get(id);
    if (job?.state !== "waiting") return false;
    this.#queue.forget(job);
    return true;
  }

  async replace(id: string, text: string): Promise<boolean> {
    const job = this.#queue.jobs.get(id);
    if (job?.state !== "waiting") return false;
    job.text = text;
    return true;
  }

  async forget(id: string): Promise<void> {
    const job = this.#queue.jobs.get(id);
    if (job !== undefined && job.state !== "running") this.#queue.forget(job);
  }

  async publish(texts: readonly string[]): Promise<void> {
    if (this.#queue.isLossy) return;
    for (const text of texts)
      for (const worker of this.#queue.workers) queueMicrotask(() => worker.listener.received(text));
  }

  async beat(): Promise<number> {
    return performance.now();
  }

  async close(): Promise<void> {
    this.#queue.clients.delete(this.#id);
    this.#leave();
  }

  isPassing(): boolean {
    return false;
  }
}

class MemoryWorker implements MemoryHolder, WorkerPort {
  readonly maxTextBytes = Infinity;
  readonly #queue: MemoryQueue;
  readonly #settings: WorkerSettings;
  readonly listener: WorkerListener;
  readonly #leave: () => void;
  readonly #running = new Set<Promise<void>>();
  #isDraining = false;

  constructor(queue: MemoryQueue, settings: WorkerSettings, listener: WorkerListener, leave: () => void) {
    this.#queue = queue;
    this.#settings = settings;
    this.listener = listener;
    this.#leave = leave;
  }

  start(): void {
    this.#queue.workers.add(this);
    this.#queue.ask();
  }

  get load(): number {
    return this.#running.size;
  }

  get hasRoom(): boolean {
    return !this.#isDraining && this.load < this.#settings.concurrency;
  }

  take(job: MemoryJob): void {
    job.state = "running";
    job.holder = this;
    job.takes += 1;
    const done = this.#run(job).finally(() => {
      this.#running.delete(done);
      this.#queue.ask();
    });
    this.#running.add(done);
  }

  async #run(job: MemoryJob): Promise<void> {
    const taken: Taken = { id: job.id, text: job.text, losses: job.losses };
    const { takes } = job;
    const verdict = await this.listener.run(taken);
    // Somebody else may have it by now.
    if (job.holder !== this || job.takes !== takes) return;
    if (verdict.kind === "back") this.#queue.wait(job);
    else this.#queue.end(job, "ended", verdict.text);
    this.listener.recorded(taken, verdict);
  }

  async publish(messages: ReadonlyArray<readonly [client: string, text: string]>): Promise<void> {
    if (this.#queue.isLossy) return;
    for (const [to, text] of messages) {
      for (const [id, { listener }] of this.#queue.clients) {
        if (to === EVERYBODY || to === id) queueMicrotask(() => listener.received(text));
      }
    }
  }

  async alive(clients: readonly string[]): Promise<boolean[]> {
    return clients.map((id) => this.#queue.clients.has(id));
  }

  async serverTime(): Promise<number> {
    return performance.now();
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    this.#queue.workers.delete(this);
    this.lose();
    this.#leave();
  }

  /** It is as if its process had been killed, or cut off: its jobs go elsewhere. */
  lose(): void {
    this.#queue.lose(this, this.#settings);
  }
}

/** The queues of this process. */
export const memoryEngine: Engine = {
  async openClient(settings, client, listener) {
    const { queue, leave } = join(settings.queue);
    return new MemoryClient(queue, settings, client, listener, leave);
  },
  async openWorker(settings, listener) {
    const { queue, leave } = join(settings.queue);
    return new MemoryWorker(queue, settings, listener, leave);
  },
};
