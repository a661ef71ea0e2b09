// Who waits for what, and through which calls: all tasks of the process, as data and as text.

import {
  activeRunners,
  type AwaitStack,
  awaitStacksOf,
  currentFrame,
  currentScopeNode,
  runningStackOf,
  showCall,
  type TaskNode,
  walkTasks,
  type Scope,
  type SuspendedCall,
} from "../lowlevel.ts";

/** A task in the call graph. */
export interface TaskInGraph {
  /** Unique in the process. */
  readonly id: number;
  /** The name of the task. */
  readonly name: string;
  /** `new` has not started, `running` is the task that asks, `waiting` is every other one. */
  readonly state: "new" | "running" | "waiting";
  /**
   * What it waits for, and through which calls; several if it has begun several things. Empty for what cannot be seen:
   * a promise that is not of meanwhile in code that is not instrumented. Of the running task, where it is.
   */
  readonly stacks: readonly AwaitStack[];
  /** The tasks that belong to it, in the order they were made. */
  readonly children: readonly TaskInGraph[];
}

/** A run and its tasks. */
export interface RunInGraph {
  /** The name of the run. */
  readonly name: string;
  /** Its main task, then the background tasks. */
  readonly tasks: readonly TaskInGraph[];
}

/**
 * A snapshot of all runs of the process: which tasks there are, what each waits for, and the stack of suspended functions
 * that wait, with file, line and column. The functions are known of code that runs under `@meanwhile/instrument`;
 * elsewhere `calls` is empty.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-graph.html#asyncio.capture_call_graph}
 *
 * @example
 * ```ts
 * import { captureCallGraph } from "meanwhile/diagnostics";
 * import { Event, run, sleep, taskGroup } from "meanwhile";
 *
 * await run(() =>
 *   taskGroup(async (group) => {
 *     const ready = new Event();
 *     group.createTask(() => ready.wait(), { name: "waiter" });
 *     while (ready.statistics().tasksWaiting === 0) await sleep(1);
 *     const [main] = captureCallGraph()[0]?.tasks ?? [];
 *     console.log(main?.children.map(({ name, stacks }) => `${name} waits for ${stacks[0]?.waitsFor}`)); //> [ 'waiter waits for Event.wait' ]
 *     ready.set();
 *   }),
 * );
 * ```
 */
export function captureCallGraph(): RunInGraph[] {
  return Array.from(activeRunners, ({ name, root }) => ({ name, tasks: captureIn(root) }));
}

function captureIn(root: Scope): TaskInGraph[] {
  const top: TaskInGraph[] = [];
  // The newest task at each depth, with the list its children go to.
  const path: TaskInGraph[][] = [top];
  for (const { task, depth } of walkTasks(root)) {
    const children: TaskInGraph[] = [];
    path[depth]?.push({ id: task.id, name: task.name, ...stateOf(task), children });
    path[depth + 1] = children;
  }
  return top;
}

function stateOf(task: TaskNode): Pick<TaskInGraph, "state" | "stacks"> {
  if (task.state.kind === "new") return { state: "new", stacks: [] };
  const stacks = awaitStacksOf(task);
  // A timer or a listener that the task has made runs in its scope too, while the task itself waits.
  const asks = stacks.length === 0 && task === currentScopeNode().task;
  return asks ? { state: "running", stacks: runningStackOf(currentFrame()) } : { state: "waiting", stacks };
}

/**
 * The call graph as text: a line for each task, children indented below their parents, each with its stack.
 *
 * @example
 * ```ts
 * import { captureCallGraph, formatCallGraph } from "meanwhile/diagnostics";
 *
 * console.log(formatCallGraph(captureCallGraph())); //> no run is active
 * ```
 */
export function formatCallGraph(runs: readonly RunInGraph[]): string {
  if (runs.length === 0) return "no run is active";
  return runs.flatMap(({ name, tasks }) => [`run "${name}"`, ...linesOf(tasks)]).join("\n");
}

// Not recursive: tasks may be nested deeper than the stack is.
function linesOf(tasks: readonly TaskInGraph[]): string[] {
  const lines: string[] = [];
  const ahead = tasks.map((task) => ({ task, indent: "  " })).toReversed();
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    const { task, indent } = next;
    lines.push(...linesOfTask(task, indent));
    for (const child of task.children.toReversed()) ahead.push({ task: child, indent: `${indent}  ` });
  }
  return lines;
}

function linesOfTask({ id, name, state, stacks }: TaskInGraph, indent: string): string[] {
  const head = `${indent}task ${id} "${name}"`;
  if (state === "new") return [`${head} has not started`];
  if (state === "running") return [`${head} is running`, ...stacks.flatMap(({ calls }) => callsAt(calls, indent))];
  const [first, ...others] = stacks;
  if (first === undefined) return [`${head} waits for a promise that is not one of meanwhile`];
  return [
    `${head} waits for ${first.waitsFor}`,
    ...callsAt(first.calls, indent),
    ...others.flatMap(({ waitsFor, calls }) => [`${indent}  and for ${waitsFor}`, ...callsAt(calls, indent)]),
  ];
}

function callsAt(calls: readonly SuspendedCall[], indent: string): string[] {
  return calls.map((call) => `${indent}    at ${showCall(call)}`);
}

/**
 * Prints the call graph of the process to stderr.
 *
 * @see {@link https://docs.python.org/3/library/asyncio-graph.html#asyncio.print_call_graph}
 *
 * @example
 * ```ts no-run
 * import { printCallGraph } from "meanwhile/diagnostics";
 *
 * process.on("SIGUSR2", printCallGraph);
 * ```
 */
export function printCallGraph(): void {
  process.stderr.write(`${formatCallGraph(captureCallGraph())}\n`);
}
