// All seeded bugs.

import type { Mutation } from "./mutation.ts";
import { RUNS } from "./runs.ts";
import { SCOPES } from "./scopes.ts";
import { SYNC } from "./sync.ts";
import { TASKS } from "./tasks.ts";

export const MUTATIONS: readonly Mutation[] = [...SCOPES, ...TASKS, ...RUNS, ...SYNC];
