// What runs elsewhere of what tasks wait for: asked for when somebody looks, and remembered for when nobody can be asked.
//
// Only the program can ask, as it is the program that has the way there. While its event loop is blocked the last that was
// told is given, with a note that says so.

import type { RemoteJob } from "../../lowlevel.ts";
import type { FromWorker, ToldRemote, ToWorker } from "../link.ts";
import type { TaskRecord, Wait } from "../protocol.ts";
import type { ToldTask } from "./told.ts";

/** How long the program may take: a little longer than it waits for others. */
const REMOTES_MS = 1_200;

/** How many tasks are asked about at once. */
const MOST_ASKED = 100;

/** Of how many tasks it is remembered. */
const MOST_REMEMBERED = 500;

interface Remembered extends ToldRemote {
  readonly atMs: number;
}

/** Asks the program, and remembers what it has said. */
export class Remotes {
  readonly #send: (message: FromWorker) => void;
  readonly #clock: () => number;
  readonly #open = new Map<number, (remotes: readonly ToldRemote[]) => void>();
  // The one that was told of last is the last one.
  readonly #remembered = new Map<number, Remembered>();
  #asked = 0;

  constructor(send: (message: FromWorker) => void, clock: () => number) {
    this.#send = send;
    this.#clock = clock;
  }

  /** Takes what the program has sent, if it is about this. */
  receive(message: ToWorker): void {
    if (message.kind !== "remotes") return;
    this.#open.get(message.ask)?.(message.remotes);
    for (const told of message.remotes) this.#remember(told);
  }

  #remember(told: ToldRemote): void {
    this.#remembered.delete(told.task);
    if (told.jobs.every((job) => job === null)) return;
    this.#remembered.set(told.task, { ...told, atMs: this.#clock() });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** What these tasks wait for elsewhere; of those that are not in it nobody has said anything. */
  async ask(ids: readonly number[]): Promise<ReadonlyMap<number, ToldRemote>> {
    if (ids.length === 0) return new Map();
    const ask = (this.#asked += 1);
    const { promise, resolve } = Promise.withResolvers<readonly ToldRemote[]>();
    this.#open.set(ask, resolve);
    this.#send({ kind: "askRemotes", ask, ids: ids.slice(0, MOST_ASKED) });
    const timer = setTimeout(resolve, REMOTES_MS, []);
    const told = await promise;
    clearTimeout(timer);
    this.#open.delete(ask);
    return new Map(told.map((one) => [one.task, one]));
  }

  /** The tasks of a snapshot with what they wait for elsewhere. @param told - null if the program could not be asked */
  async addTo(
    tasks: readonly TaskRecord[],
    told: ReadonlyMap<number, ToldTask> | null,
  ): Promise<readonly TaskRecord[]> {
    if (told === null) return tasks.map((task) => this.#withMemories(task));
    const isRemote = ({ id }: TaskRecord): boolean => told.get(id)?.waits.some(({ remote }) => remote) === true;
    const fresh = await this.ask(tasks.filter(isRemote).map(({ id }) => id));
    return tasks.map((task) => {
      const one = fresh.get(task.id);
      if (one !== undefined) return withJobs(task, one);
      return isRemote(task) ? this.#withMemories(task) : task;
    });
  }

  #withMemories(task: TaskRecord): TaskRecord {
    const known = this.#remembered.get(task.id);
    if (known === undefined || task.activity !== "waiting") return task;
    const seconds = Math.round((this.#clock() - known.atMs) / 1_000);
    const note = `as it was ${seconds} s ago: the program cannot ask now`;
    return withJobs(task, { ...known, jobs: known.jobs.map((job) => (job === null ? null : { ...job, note })) });
  }
}

/** A task that has begun another wait since waits for something else. */
function withJobs(task: TaskRecord, { steps, jobs }: ToldRemote): TaskRecord {
  const { waits } = task;
  if (task.steps !== steps) return task;
  // Without stacks only the newest wait is known.
  const ofWaits = jobs.length === waits.length ? jobs : [jobs.find((job) => job !== null) ?? null];
  if (ofWaits.length !== waits.length) return task;
  return { ...task, waits: waits.map((wait, index) => withJob(wait, ofWaits[index] ?? null)) };
}

function withJob(wait: Wait, job: RemoteJob | null): Wait {
  return job === null ? wait : { ...wait, remote: job };
}
