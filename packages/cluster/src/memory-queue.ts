// A queue inside this process: its jobs, and who has joined it.

import type { ClientListener, KeepSettings, Submission, WorkerListener, WorkerSettings } from "./engine.ts";

const { performance, queueMicrotask } = globalThis;

/** A job, and what has become of it. */
export interface MemoryJob extends Submission {
  state: "waiting" | "running" | "ended" | "lost";
  losses: number;
  holder: MemoryHolder | null;
  /** How often it was taken. */
  takes: number;
  text: string;
  outcome: string;
  endedAt: number;
  readonly keep: KeepSettings;
}

/** Who is told of what comes for a client. */
interface Member {
  readonly listener: ClientListener;
}

/** Who takes jobs. */
export interface MemoryHolder {
  readonly listener: WorkerListener;
  /** How many jobs it has. */
  readonly load: number;
  readonly hasRoom: boolean;
  take(job: MemoryJob): void;
  /** It is as if it were not heard of any more. */
  lose(): void;
}

/** One queue. It is there as long as somebody is connected to it. */
export class MemoryQueue {
  readonly jobs: Map<string, MemoryJob> = new Map();
  readonly waiting: Set<MemoryJob> = new Set();
  /** In the order in which they have ended. */
  readonly ended: Set<MemoryJob> = new Set();
  readonly clients: Map<string, Member> = new Map();
  readonly workers: Set<MemoryHolder> = new Set();
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
  lose(worker: MemoryHolder, settings: WorkerSettings): void {
    for (const job of this.jobs.values()) {
      if (job.holder !== worker) continue;
      job.losses += 1;
      if (job.losses > settings.maxLosses) this.end(job, "lost", `${job.losses} workers were lost with it`);
      else this.wait(job);
      worker.listener.lost(job.id);
    }
  }
}

const queues: Map<string, MemoryQueue> = new Map<string, MemoryQueue>();

/** The queue of a name, held until `leave` is called. */
export function join(name: string): { queue: MemoryQueue; leave: () => void } {
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
