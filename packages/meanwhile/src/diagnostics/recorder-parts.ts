// What the hooks of a recorder share.

import type { TaskNode } from "../lowlevel.ts";
import type { CreationStacks } from "./creation-stacks.ts";
import type { WriteEvent } from "./event-writer.ts";
import type { NameTable } from "./name-table.ts";
import type { RecorderClock } from "./recorder-clock.ts";
import type { SharedMemory } from "./shared-memory.ts";
import type { TargetTable } from "./target-table.ts";
import type { TaskTable } from "./task-table.ts";

/** The tables, and what writes to them. */
export interface RecorderParts {
  readonly memory: SharedMemory;
  readonly clock: RecorderClock;
  readonly names: NameTable;
  readonly tasks: TaskTable;
  readonly targets: TargetTable;
  /** Null at a level without events. */
  readonly writeEvent: WriteEvent | null;
  /** Null at a level without stacks. */
  readonly stacks: CreationStacks | null;
  /** Of how many tasks the waits become events. */
  readonly sampling: number;
  /** The task of each row. */
  readonly nodes: Array<TaskNode | undefined>;
}
