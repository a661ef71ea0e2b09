// Answers clients that look at their jobs: who runs them, and what their tasks wait for in the thread that does.
//
// Invariants
// - What the tasks wait for is told only while diagnostics are on in this process. Who runs a job any result tells anyhow.
// - A question costs a bounded amount: only so many are answered at once, and what is more is not answered. Whoever asks has
//   a way to live with that, as messages can be lost.

import { areDiagnosticsOn, type RemoteJob, remoteWaitIn } from "meanwhile/lowlevel";

import type { WorkerPort } from "./engine.ts";
import type { WorkerIdentity } from "./errors.ts";
import { type Looks, MOST_LOOK_TEXT, useOfLook, writeLookParts } from "./look-wire.ts";
import type { RunningJob } from "./running-job.ts";
import type { Seal } from "./seal.ts";
import { writeLook } from "./wire.ts";

/** How many questions are answered at once. */
const MOST_OPEN = 64;

const NO_DIAGNOSTICS =
  "its worker has no diagnostics on; start it with meanwhile worker --diagnostics to see its tasks";

/** What answers are given with. */
export interface WorkerLooksOptions {
  readonly identity: WorkerIdentity;
  readonly queue: string;
  readonly seal: Seal;
  readonly port: () => WorkerPort;
}

/** The answers of a worker. */
export class WorkerLooks {
  readonly #options: WorkerLooksOptions;
  #open = 0;

  constructor(options: WorkerLooksOptions) {
    this.#options = options;
  }

  /** Answers for those of the jobs that run here. */
  answer({ client, jobs }: Looks, running: ReadonlyMap<string, RunningJob>): void {
    for (const [question, id] of jobs) {
      const job = running.get(id);
      if (job === undefined || this.#open >= MOST_OPEN) continue;
      this.#open += 1;
      // What fails here the client does without.
      this.#answerOne(client, question, id, job)
        .catch(ignore)
        .finally(() => (this.#open -= 1));
    }
  }

  async #answerOne(client: string, question: string, id: string, job: RunningJob): Promise<void> {
    const { queue, seal, port } = this.#options;
    const text = seal.close(useOfLook(queue, id, question), shortened(await this.#lookAt(id, job)));
    const parts = writeLookParts(question, text, port().maxTextBytes);
    await port().publish(parts.map((part) => [client, part]));
  }

  async #lookAt(id: string, job: RunningJob): Promise<RemoteJob> {
    const { identity } = this.#options;
    const { head, losses, runningMs } = job;
    const worker = { ...identity, thread: null };
    const known = { function: head.name, id, attempt: losses + 1, state: "running", worker, runningMs } as const;
    const nothing = { ...known, tasks: [], leftOut: 0 };
    if (!areDiagnosticsOn()) return { ...nothing, note: NO_DIAGNOSTICS };
    const wait = job.scope === null ? null : remoteWaitIn(job.scope);
    if (wait === null) return { ...nothing, note: "it is just beginning or ending" };
    const { state, worker: thread, note, tasks, leftOut } = await wait.remote();
    if (thread === null) return { ...nothing, note };
    return { ...known, state, worker: { ...worker, pid: thread.pid, thread: thread.thread }, note, tasks, leftOut };
  }
}

/** The text of an answer, with as many tasks as there is room for. */
function shortened(job: RemoteJob): string {
  let text = writeLook(job);
  for (let kept = job.tasks.length; text.length > MOST_LOOK_TEXT && kept > 0;) {
    kept = Math.floor(kept / 2);
    text = writeLook({ ...job, tasks: job.tasks.slice(0, kept), leftOut: job.leftOut + job.tasks.length - kept });
  }
  return text;
}

function ignore(): void {}
