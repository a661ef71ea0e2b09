// What runs elsewhere, below the task that waits for it: who runs it, and its tasks there. Pure text.

import { readRemoteJob, type RemoteJob, type RemoteTask, type TaskRecord } from "meanwhile/diagnostics";

import { formatMs, plural } from "../output/format.ts";
import { labelOf, waitsOf, whichOf } from "./describe.ts";
import { safe } from "./paper.ts";
import { type Branch, type BranchInOrder, branchesOf, inOrder } from "./task-tree.ts";

/** Of tasks that stand at the same place so many are followed. */
const MOST_FOLLOWED = 3;

const ORDER: ReadonlyArray<RemoteJob["state"]> = ["running", "unknown", "queued"];

/** A line, and whether it matters less. */
export interface RemoteLine {
  readonly text: string;
  readonly isDim: boolean;
}

/**
 * The lines below a wait of tasks that stand at the same place; none if it is for something that runs here.
 *
 * @param index - which of their waits
 */
export function remoteLines(
  tasks: readonly TaskRecord[],
  index: number,
  options: { readonly all: boolean; readonly stacks: boolean },
): RemoteLine[] {
  const jobs = tasks
    .flatMap(({ waits }) => waits[index]?.remote ?? [])
    .map(readRemoteJob)
    // Those of which there is something to see.
    .toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
  const lines = jobs.slice(0, MOST_FOLLOWED).flatMap((job) => linesOfJob(job, options));
  if (jobs.length <= MOST_FOLLOWED) return lines;
  return [...lines, { text: `and ${jobs.length - MOST_FOLLOWED} more like it elsewhere: see --all`, isDim: true }];
}

function linesOfJob(
  job: RemoteJob,
  { all, stacks }: { readonly all: boolean; readonly stacks: boolean },
): RemoteLine[] {
  const branches = inOrder(branchesOf(job.tasks.map(asRecord), { all }));
  const more = job.leftOut === 0 ? [] : [`   … and ${plural(job.leftOut, "more task")}`];
  const note = job.note === null ? [] : [`   ${safe(job.note)}`];
  return [
    { text: headOf(job), isDim: false },
    ...note.map((text) => ({ text, isDim: false })),
    ...branches.flatMap((branch) => linesOfBranch(branch, stacks)),
    ...more.map((text) => ({ text, isDim: true })),
  ];
}

/** Like `→ "crunch" runs for 2 s in thread 3 of process 4242 on box (job box-1-2-3, attempt 1)`. */
function headOf(job: RemoteJob): string {
  const name = job.function === "" ? "what is waited for" : `"${safe(job.function)}"`;
  const ms = job.runningMs === null ? "" : ` for ${formatMs(job.runningMs)}`;
  const state = { queued: "waits for a worker", running: `runs${ms}`, unknown: "is elsewhere" }[job.state];
  const id = job.id === "" ? "" : `job ${safe(job.id)}, `;
  const facts = job.function === "" ? "" : ` (${id}attempt ${job.attempt})`;
  return `→ ${name} ${state}${whereOf(job)}${facts}`;
}

function whereOf({ worker }: RemoteJob): string {
  if (worker === null) return "";
  const { id, host, pid, thread } = worker;
  if (pid === 0) return ` in worker ${safe(id)}`;
  const place = thread === null || thread === 0 ? `process ${pid}` : `thread ${thread} of process ${pid}`;
  return ` in ${place}${host === "" ? "" : ` on ${safe(host)}`}`;
}

/** In the terms of the tasks that are here, so that they are drawn like them. */
function asRecord({ id, name, parent, activity, waits }: RemoteTask): TaskRecord {
  const nothing = { createdAtMs: 0, createdAt: [], sinceMs: 0, scopes: [], cancelledAtMs: null, steps: 0, waitedMs: 0 };
  const here = { resource: null, task: null, foreign: false, sinceMs: 0 };
  return { ...nothing, id, name, parent, activity, waits: waits.map((wait) => ({ ...here, ...wait })) };
}

function linesOfBranch(drawn: BranchInOrder, stacks: boolean): RemoteLine[] {
  const { branch, depth, isLast, rails } = drawn;
  const start = depth === 0 ? "   " : `   ${rails}${isLast ? "└─ " : "├─ "}`;
  const below = depth === 0 ? "" : `${rails}${isLast ? "   " : "│  "}`;
  const under = `   ${below}${branch.children.length > 0 ? "│  " : "   "}`;
  const [first, ...others] = waitsOf(branch.tasks);
  const callLines = (calls: readonly string[] = []): RemoteLine[] =>
    (stacks ? calls : []).map((call) => ({ text: `${under}  ${call}`, isDim: true }));
  return [
    { text: `${start}${textOf(branch)}${first === undefined ? "" : `: ${first.text}`}`, isDim: false },
    ...callLines(first?.calls),
    ...others.flatMap(({ text, calls }) => [{ text: `${under}and for ${text}`, isDim: false }, ...callLines(calls)]),
  ];
}

function textOf({ tasks }: Branch): string {
  return `${whichOf(tasks)} ${labelOf(tasks)}  ${tasks[0]?.activity ?? ""}`;
}
