// What is told on `node:diagnostics_channel`, for tools that know nothing of meanwhile.

import { channel } from "node:diagnostics_channel";

import { addInstrument, type TaskNode } from "../lowlevel.ts";
import type { Block, Warning } from "./protocol.ts";

/** The message of `meanwhile:task`. */
export interface TaskChannelMessage {
  /** What has happened to it. */
  readonly event: "created" | "ended";
  /** Its id, unique in the process. */
  readonly id: number;
  /** Its name. */
  readonly name: string;
  /** The task it belongs to; null for the main and the background tasks of a run. */
  readonly parent: number | null;
  /** How it has ended; null if it has only been created. */
  readonly outcome: "succeeded" | "failed" | "cancelled" | null;
}

const tasks = channel("meanwhile:task");
const blocks = channel("meanwhile:blocked");
const warnings = channel("meanwhile:warning");

/** Tells of tasks until the result is disposed. */
export function publishTasks(): Disposable {
  return addInstrument({
    taskCreated: (task) => {
      if (tasks.hasSubscribers) publish(task, "created", null);
    },
    taskEnded: (task) => {
      if (tasks.hasSubscribers) publish(task, "ended", task.state.kind as TaskChannelMessage["outcome"]);
    },
  });
}

function publish(task: TaskNode, event: TaskChannelMessage["event"], outcome: TaskChannelMessage["outcome"]): void {
  const { id, name, scope } = task;
  tasks.publish({ event, id, name, parent: scope.parent?.task?.id ?? null, outcome } satisfies TaskChannelMessage);
}

/** Tells of a block, as the loop turns again. */
export function publishBlock(block: Block): void {
  if (blocks.hasSubscribers) blocks.publish(block);
}

/** Tells of a warning. */
export function publishWarning(warning: Warning): void {
  if (warnings.hasSubscribers) warnings.publish(warning);
}
