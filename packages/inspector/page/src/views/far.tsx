// What a task waits for that runs elsewhere: who runs it, and its tasks there. Asked for while it is looked at, and no longer.

import type { RemoteJob, RemoteTask, TaskRecord } from "meanwhile/diagnostics";
import { useEffect, useState } from "preact/hooks";

import { durationText } from "../../../src/timeline/time-scale.ts";
import type { Model } from "../data/model.ts";
import { useModel } from "../data/use-model.ts";
import { Stack } from "./stack.tsx";

/** How often it is asked for. */
const AGAIN_MS = 2_000;

/** How far a task is indented at most. */
const DEEPEST = 8;

/** The jobs that a task waits for; nothing if all of it runs here. */
export function Far({ record }: { record: TaskRecord }) {
  const jobs = useRemoteJobs(useModel(), record);
  if (jobs.length === 0) return null;
  return (
    <section class="far" aria-label="Runs elsewhere">
      <h3>Runs elsewhere</h3>
      {jobs.map((job, at) => (
        <Job key={at} job={job} />
      ))}
    </section>
  );
}

/** Those of another wait are gone at once. */
function useRemoteJobs(model: Model, { id, sinceMs, activity }: TaskRecord): readonly RemoteJob[] {
  const [jobs, setJobs] = useState<readonly RemoteJob[]>([]);
  const isLive = model.status.kind === "live";
  useEffect(() => {
    let timer = 0;
    let isOver = false;
    const take = (found: readonly RemoteJob[]): void => {
      if (isOver) return;
      setJobs(found);
      // What runs here is not asked about again.
      if (found.length > 0) timer = window.setTimeout(look, AGAIN_MS);
    };
    const look = (): void => void model.remoteJobs(id).then(take, () => {});
    setJobs([]);
    if (isLive && activity === "waiting") look();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [model, id, sinceMs, activity, isLive]);
  return jobs;
}

function Job({ job }: { job: RemoteJob }) {
  const { id, attempt, note, tasks, leftOut } = job;
  return (
    <div class="wait">
      <p>
        <bdi>{job.function || "what is waited for"}</bdi> <span class="muted">{stateOf(job)}</span>
      </p>
      <dl class="facts">
        {id !== "" && <Fact name="job" text={id} />}
        <Fact name="attempt" text={String(attempt)} />
        <Fact name="worker" text={workerOf(job)} />
      </dl>
      {note !== null && <p class="message">{note}</p>}
      {tasks.length > 0 && <Tasks tasks={tasks} />}
      {leftOut > 0 && <p class="muted">and {leftOut.toLocaleString("en")} more tasks</p>}
    </div>
  );
}

function Fact({ name, text }: { name: string; text: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{text}</dd>
    </div>
  );
}

function stateOf({ state, runningMs }: RemoteJob): string {
  if (state === "queued") return "waits for a worker";
  if (state === "unknown") return "is elsewhere";
  return runningMs === null ? "runs" : `runs for ${durationText(runningMs)}`;
}

function workerOf({ worker }: RemoteJob): string {
  if (worker === null) return "not known";
  const { id, host, pid, thread } = worker;
  if (pid === 0) return id;
  const place = thread === null || thread === 0 ? `process ${pid}` : `thread ${thread} of process ${pid}`;
  return host === "" ? place : `${place} on ${host}`;
}

/** Its tasks, each below that it belongs to; parents come before their children. */
function Tasks({ tasks }: { tasks: readonly RemoteTask[] }) {
  const depths = new Map<number, number>();
  for (const { id, parent } of tasks) depths.set(id, parent === null ? 0 : (depths.get(parent) ?? 0) + 1);
  return (
    <ul class="far-tasks">
      {inOrder(tasks).map((task) => (
        <li key={task.id} style={{ paddingLeft: `${Math.min(depths.get(task.id) ?? 0, DEEPEST) * 12}px` }}>
          <bdi>{task.name}</bdi> <span class="muted">#{task.id}</span>
          {task.activity !== "waiting" && <p class="message">{task.activity === "new" ? "has not started" : "runs"}</p>}
          {task.waits.map((wait, at) => (
            <div key={at}>
              <p class="message">waits for {wait.for}</p>
              <Stack places={wait.stack} />
            </div>
          ))}
        </li>
      ))}
    </ul>
  );
}

/** Each task before those below it, and those before its next sibling. */
function inOrder(tasks: readonly RemoteTask[]): RemoteTask[] {
  const below = new Map<number | null, RemoteTask[]>();
  for (const task of tasks) {
    const siblings = below.get(task.parent);
    if (siblings === undefined) below.set(task.parent, [task]);
    else siblings.push(task);
  }
  const order: RemoteTask[] = [];
  const ahead = (below.get(null) ?? []).toReversed();
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    order.push(next);
    for (const child of (below.get(next.id) ?? []).toReversed()) ahead.push(child);
  }
  return order;
}
