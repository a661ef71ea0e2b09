// Looks at a job of a pool from outside: who runs it, and what its tasks wait for there. Asked only when somebody looks.
//
// The worker is asked by a message, and answers when its event loop turns: one that computes does not, and that is told.

import { hostname } from "node:os";

import { type RemoteJob, tellRemoteTasks, type ToldTasks } from "../lowlevel.ts";
import type { RunningJob } from "./engine-jobs.ts";
import type { Outbox } from "./outbox.ts";
import type { PoolJob } from "./pool-job.ts";
import * as wire from "./wire.ts";

const { clearTimeout, performance, setTimeout } = globalThis;

/** How long a worker may take to answer; it computes if it takes longer. */
const LOOK_MS = 400;

/** What a worker tells of a job that runs. */
export interface Look extends ToldTasks {
  readonly runningMs: number;
}

/** In the worker: what the job does. */
export function tellLook({ task, startedAt }: RunningJob): Look {
  return { ...tellRemoteTasks(task), runningMs: performance.now() - startedAt };
}

/** Why there is no {@link Look}: the job is not running there, or nobody has said anything in time. */
export type NoLook = "not running" | "no answer";

/** In the pool: the questions to one worker that are open. */
export class Looks {
  readonly #open = new Map<number, (look: Look | NoLook) => void>();
  #asked = 0;

  /** Asks about the job in a slot. Resolves with the answer, in any case after a while. */
  ask(outbox: Outbox, slot: number): Promise<Look | NoLook> {
    const question = (this.#asked += 1);
    const { promise, resolve } = Promise.withResolvers<Look | NoLook>();
    const end = (look: Look | NoLook): void => {
      clearTimeout(timer);
      this.#open.delete(question);
      resolve(look);
    };
    const timer = setTimeout(end, LOOK_MS, "no answer");
    timer.unref();
    this.#open.set(question, end);
    outbox.records.push(wire.LOOK, slot, question);
    outbox.flush();
    return promise;
  }

  /** Takes an answer. One that comes too late is nobody's. */
  answered(question: number, look: Look | null): void {
    this.#open.get(question)?.(look ?? "not running");
  }
}

/** In the pool: what is known of a job, and what its worker says of it. Never rejects. */
export async function lookAt(job: PoolJob): Promise<RemoteJob> {
  const { worker } = job;
  const known = { function: job.functionName, id: "", attempt: job.deaths + 1, tasks: [], leftOut: 0, runningMs: null };
  if (worker === null) {
    const note = job.state === "done" ? "it has ended" : "it waits for a worker of the pool";
    return { ...known, state: job.state === "done" ? "unknown" : "queued", worker: null, note };
  }
  const running = { ...known, state: "running", worker: { id: "", host: hostname(), ...worker.place } } as const;
  const look = await worker.look(job);
  if (look === "no answer") return { ...running, note: noAnswer(job, worker.place.thread) };
  if (look !== "not running") return { ...running, ...look, note: null };
  return { ...running, state: "queued", note: "it waits behind other jobs of its worker, or has just ended" };
}

function noAnswer(job: PoolJob, thread: number): string {
  const who = thread === 0 ? "its process" : "its thread";
  const isBegun = job.worker?.fateOf(job) === "running";
  return `${who} does not answer: ${isBegun ? "it computes, or is stopped" : "it is busy with other jobs"}`;
}
