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

const { performance, queueMicrotask } = globalThis;

interface MemoryJob extends Submission {
  state: "waiting" | "running" | "ended" | "lost";
  losses: number;
  holder: MemoryWorker | null;
  /** How often it was taken. */
  takes: number;
  text: string;
  outcome: string;
  endedAt: number;
  readonly keep: KeepSettings;
}

/** One queue. It is there as long as somebody is connected to it. */
class MemoryQueue {
  readonly jobs: Map<string, MemoryJob> = new Map();
  readonly waiting: Set<MemoryJob> = new Set();
  /** In the order in which they have ended. */
  readonly ended: Set<MemoryJob> = new Set();
  readonly clients: Map<string, MemoryClient> = new Map();
  readonly workers: Set<MemoryWorker> = new Set();
  /** How many have joined and not left: more than the clients and the workers, as those come in later. */
  members = 0;
  /** Whether messages get lost. */
  isLossy = false;
  #isAsked = false;

  /** Gives jobs to workers that have room, a little later. */
  ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    queueMicrotask(() => {
      this.#isAsked = false;
      this.#give();
    });
  }

  #give(): void {
    for (const job of this.waiting) {
      // Whoever has the least to do, so that all have something.
      const worker = [...this.workers].filter((one) => one.hasRoom).toSorted((one, other) => one.load - other.load)[0];
      if (worker === undefined) return;
      this.waiting.delete(job);
      worker.take(job);
    }
  }

  wait(job: MemoryJob): void {
    job.state = "waiting";
    job.holder = null;
    this.waiting.add(job);
    this.ask();
  }

  /** The job has ended; what has ended too long ago, and what is too much, is forgotten. */
  end(job: MemoryJob, state: "ended" | "lost", outcome: string): void {
    const { keepMs, keepJobs } = job.keep;
    Object.assign(job, { state, outcome, holder: null, endedAt: performance.now() });
    this.ended.add(job);
    for (const oldest of this.ended) {
      if (this.ended.size <= keepJobs && performance.now() - oldest.endedAt < keepMs) return;
      this.forget(oldest);
    }
  }

  forget(job: MemoryJob): void {
    this.waiting.delete(job);
    this.ended.delete(job);
    this.jobs.delete(job.id);
  }

  /** What happens when a worker is not heard of any more. */
  lose(worker: MemoryWorker, settings: WorkerSettings): void {
    for (const job of this.jobs.values()) {
      if (job.holder !== worker) continue;
      job.losses += 1;
      if (job.losses > settings.maxLosses) this.end(job, "lost", `${job.losses} workers were lost with it`);
      else this.wait(job);
      worker.listener.lost(job.id);
    }
  }
}

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

class MemoryWorker implements WorkerPort {
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

const queues = new Map<string, MemoryQueue>();

function join(name: string): { queue: MemoryQueue; leave: () => void } {
  const queue = queues.get(name) ?? new MemoryQueue();
  queues.set(name, queue);
  queue.members += 1;
  const leave = (): void => {
    queue.members -= 1;
    if (queue.members === 0) queues.delete(name);
  };
  return { queue, leave };
}

/** Cuts off all workers of a queue for a moment; for tests. */
export function loseWorkers(name: string): void {
  for (const worker of queues.get(name)?.workers ?? []) worker.lose();
}

/** Has the messages of a queue get lost, or not any more; for tests. */
export function loseMessages(name: string, isLossy: boolean): void {
  const queue = queues.get(name);
  if (queue !== undefined) queue.isLossy = isLossy;
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
