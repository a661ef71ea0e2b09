// Tasks that stand at the same place as one entry: thousands of stacks cannot be read.

import { groupAlike, shapeOf, type TaskRecord } from "meanwhile/diagnostics";
import { useEffect, useMemo } from "preact/hooks";

import { durationText } from "../../../src/timeline/time-scale.ts";
import type { Model } from "../data/model.ts";
import { Stack } from "./stack.tsx";
import { TaskLinks } from "./task-link.tsx";

/** How many groups are listed. */
const MOST = 200;

/** The live tasks in groups, the largest first. */
export function GroupList({ model, text }: { model: Model; text: string }) {
  useEffect(() => {
    model.readStacks({ insists: false });
  }, [model]);
  const groups = useMemo(() => groupsOf(model, text.trim().toLowerCase()), [model.version, text]);
  if (groups.length === 0) return <p class="empty">No task is alive that is like that.</p>;
  return (
    <div class="scrolls">
      {model.asksForStacks && (
        <p>
          <button type="button" onClick={() => model.readStacks({ insists: true })}>
            Read the stacks of all tasks
          </button>
        </p>
      )}
      <ol class="cards">
        {groups.slice(0, MOST).map((group) => (
          <Group key={group[0]?.id} group={group} nowMs={model.history.nowMs} />
        ))}
      </ol>
    </div>
  );
}

function Group({ group, nowMs }: { group: readonly TaskRecord[]; nowMs: number }) {
  const [first] = group;
  if (first === undefined) return null;
  const oldest = group.reduce((sum, { sinceMs }) => Math.min(sum, sinceMs), Infinity);
  return (
    <li class="card">
      <h2>
        <span class="badge">{group.length.toLocaleString("en")} ×</span>{" "}
        <bdi>{group.length > 1 && isUnnamed(first) ? "without a name" : shapeOf(first.name)}</bdi>
        <span class="when muted">up to {durationText(Math.max(0, nowMs - oldest))}</span>
      </h2>
      {first.waits.length === 0 && <p class="message">{first.activity === "new" ? "has not started" : "runs"}</p>}
      {first.waits.map((wait, at) => (
        <div key={at}>
          <p class="message">waits for {group.length > 1 ? wait.for.replace(/ \(.*$/su, "") : wait.for}</p>
          <Stack places={wait.stack} />
        </div>
      ))}
      <p>
        <TaskLinks ids={group.map(({ id }) => id)} />
      </p>
    </li>
  );
}

/** It has the name that a task without one has. */
function isUnnamed({ id, name }: TaskRecord): boolean {
  return name === `task ${id}`;
}

function groupsOf(model: Model, text: string): TaskRecord[][] {
  const all = [...model.state.tasks.keys()].flatMap((id) => model.recordOf(id) ?? []);
  return groupAlike(text === "" ? all : all.filter((task) => isLike(task, text)));
}

function isLike({ name, id, waits }: TaskRecord, text: string): boolean {
  return (
    name.toLowerCase().includes(text) ||
    String(id) === text ||
    waits.some((wait) => wait.for.toLowerCase().includes(text))
  );
}
