// Asks where the waits of tasks go on elsewhere. Everybody is asked at once, only because somebody looks, and nobody for long.

import { type RemoteJob, type TaskNode, waitMembersOf, type WaitTarget } from "../lowlevel.ts";
import type { ToldRemote } from "./link.ts";
import { readRemoteJob } from "./reading/remote-job.ts";
import type { Recorder } from "./recorder.ts";

const { clearTimeout, setTimeout } = globalThis;

/** How long whoever is asked may take. */
const REMOTE_MS = 1_000;

/** How many waits are asked about at once. */
const MOST_ASKED = 100;

/** What these tasks wait for elsewhere, as far as anybody says. Never rejects; takes a second at most. */
export async function tellRemotes(recorder: Recorder, ids: readonly number[]): Promise<ToldRemote[]> {
  let left = MOST_ASKED;
  const asked: Array<Promise<ToldRemote>> = [];
  for (const id of ids) {
    const task = recorder.taskWith(id);
    if (task === undefined || left <= 0) continue;
    const targets = waitMembersOf(task).map(({ target }) => target);
    left -= targets.filter((target) => target?.remote !== undefined).length;
    asked.push(tellRemote(task, recorder.stepsOf(id), targets));
  }
  return await Promise.all(asked);
}

async function tellRemote(
  { id }: TaskNode,
  steps: number,
  targets: ReadonlyArray<WaitTarget | undefined>,
): Promise<ToldRemote> {
  const jobs = await Promise.all(targets.map(async (target) => await askOne(target)));
  return { task: id, steps, jobs };
}

// What answers is the program's, or whoever it has asked: it may throw, be silent, or say anything.
async function askOne(target: WaitTarget | undefined): Promise<RemoteJob | null> {
  if (target?.remote === undefined) return null;
  const { promise: late, resolve } = Promise.withResolvers<RemoteJob>();
  const timer = setTimeout(() => resolve(unknown(`nobody has answered in ${REMOTE_MS / 1_000} s`)), REMOTE_MS);
  timer.unref();
  try {
    return readRemoteJob(await Promise.race([target.remote(), late]));
  } catch {
    return unknown("it cannot be asked");
  } finally {
    clearTimeout(timer);
  }
}

function unknown(note: string): RemoteJob {
  return readRemoteJob({ note });
}
