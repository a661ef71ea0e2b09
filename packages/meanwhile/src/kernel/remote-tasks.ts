// The remote side of a question: the tasks of a job that runs here, for somebody who waits for it elsewhere.

import { awaitStacksOf } from "./await-stacks.ts";
import type { RemoteTask } from "./remote-job.ts";
import { Scope } from "./scope.ts";
import type { WaitTarget } from "./suspend.ts";
import { walkTasks } from "./task-tree.ts";
import type { TaskNode } from "./task.ts";

/** How many tasks are told, how many waits of each, how many calls of each wait, and how long a text may be. */
const MOST_TASKS = 200;
const MOST_WAITS = 4;
const MOST_CALLS = 10;
const LONGEST_TEXT = 200;
/** How long all of it may be as JSON, about. */
const MOST_CHARACTERS = 48_000;

/** The tasks of a job, as far as they are told. */
export interface ToldTasks {
  /** Parents before their children. */
  readonly tasks: readonly RemoteTask[];
  /** How many more there are. */
  readonly leftOut: number;
}

/** The task and those below it, parents first, in a bounded number and length. Costs nothing unless it is called. */
export function tellRemoteTasks(root: TaskNode): ToldTasks {
  const tasks: RemoteTask[] = [tellTask(root, null)];
  let characters = JSON.stringify(tasks).length;
  let leftOut = 0;
  const parents: TaskNode[] = [];
  for (const { task, depth } of walkTasks(root.scope)) {
    parents[depth] = task;
    if (tasks.length === MOST_TASKS || characters > MOST_CHARACTERS) {
      leftOut += 1;
      continue;
    }
    const told = tellTask(task, parents[depth - 1] ?? root);
    tasks.push(told);
    characters += JSON.stringify(told).length;
  }
  return { tasks, leftOut };
}

function tellTask(task: TaskNode, parent: TaskNode | null): RemoteTask {
  const { id } = task;
  const common = { id, name: textOf(() => task.name), parent: parent?.id ?? null };
  if (task.state.kind === "new") return { ...common, activity: "new", waits: [] };
  const waits = waitsOf(task);
  // Whoever asks is answered between the steps of tasks: one that waits for nothing of ours waits for something foreign.
  return { ...common, activity: "waiting", waits: waits.length === 0 ? [FOREIGN] : waits };
}

const FOREIGN = { for: "a promise that is not one of meanwhile", stack: [] } as const;

function waitsOf(task: TaskNode): RemoteTask["waits"] {
  try {
    return awaitStacksOf(task)
      .slice(0, MOST_WAITS)
      .map(({ waitsFor, calls }) => ({
        for: clip(waitsFor),
        stack: calls
          .slice(0, MOST_CALLS)
          .map((call) => ({ ...call, function: clip(call.function), file: clip(call.file) })),
      }));
  } catch {
    return [{ for: "something", stack: [] }]; // the text is the program's
  }
}

function textOf(tell: () => string): string {
  try {
    return clip(tell());
  } catch {
    return "task"; // a job may be a proxy of the program's
  }
}

function clip(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}

/** The first wait in the scope or below that goes on elsewhere; null if there is none. */
export function remoteWaitIn(root: Scope): (WaitTarget & Required<Pick<WaitTarget, "remote">>) | null {
  const ahead: Scope[] = [root];
  for (let scope = ahead.pop(); scope !== undefined; scope = ahead.pop()) {
    for (let member = scope.first; member !== null; member = member.next) {
      if (member instanceof Scope) ahead.push(member);
      else if (isRemote(member.target)) return member.target;
    }
  }
  return null;
}

function isRemote(target: WaitTarget | undefined): target is WaitTarget & Required<Pick<WaitTarget, "remote">> {
  return target?.remote !== undefined;
}
