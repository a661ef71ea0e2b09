// What diagnostics can be told, and its defaults.

import { UsageError } from "../errors.ts";
import { checkOptions } from "../util/arguments.ts";
import { show } from "../util/show.ts";
import { MOST_NAMES } from "./name-table.ts";
import type { DiagnosticsLevel } from "./protocol.ts";
import type { Capacities } from "./shared-memory.ts";
import { WARNING_LIMITS, type WarningLimits } from "./warning-limits.ts";

/** Options of `startDiagnostics`. */
export interface DiagnosticsOptions {
  /**
   * How much is recorded. 0: nothing, only the watchdog looks after the event loop. 1: the state of all tasks and of what
   * they wait for. 2: also the newest events. 3: also where tasks were created. Default: 1.
   */
  readonly level?: DiagnosticsLevel | undefined;
  /**
   * Milliseconds without a turn of the event loop after which the watchdog finds out why; `Infinity` for no watchdog.
   * Default: 50, and 250 if `NODE_ENV` is `production`.
   */
  readonly blockedAfterMs?: number | undefined;
  /** Whether a blocked loop is told on stderr, while it is blocked. Default: true. */
  readonly report?: boolean | undefined;
  /** Whether the program can be asked on a Unix socket that only its user can open. Default: true. */
  readonly socket?: boolean | undefined;
  /**
   * What whoever asks on the socket may do beyond looking: `cancel` lets them cancel a task. Default: `[]`.
   */
  readonly allow?: ReadonlyArray<"cancel"> | undefined;
  /**
   * A file to write a recording to: everything that happens, for `meanwhile trace FILE` and `meanwhile inspect FILE`. It must
   * not exist, and only its user can read it. Needs level 2 or 3. Default: none.
   */
  readonly record?: string | undefined;
  /** From when on to warn of what, where it is not the default; false for no warnings. Default: `{}`. */
  readonly warnings?: Partial<WarningLimits> | false | undefined;
  /** Of how many tasks the waits become events: of one in so many. Starts, ends and cancellations always do. Default: 1. */
  readonly sampling?: number | undefined;
  /** Of how many tasks the stack of their creation is taken at level 3: of one in so many. Default: 16. */
  readonly stackSampling?: number | undefined;
  /** How many live tasks there is room for, 80 bytes each; made a power of two. Default: 65 536. */
  readonly maxTasks?: number | undefined;
  /** How many events are kept, 32 bytes each; made a power of two. Default: 65 536. */
  readonly maxEvents?: number | undefined;
}

/** The options with everything decided. */
export interface DecidedOptions {
  readonly level: DiagnosticsLevel;
  readonly blockedAfterMs: number | null;
  readonly report: boolean;
  readonly socket: boolean;
  readonly allow: ReadonlyArray<"cancel">;
  readonly record: string | null;
  readonly limits: WarningLimits | null;
  readonly sampling: number;
  readonly stackSampling: number;
  readonly capacities: Capacities;
}

const MOST_TASKS = 1 << 22;
const MOST_TARGETS = 4_096;

/** Checks the options and adds the defaults. */
export function decideOptions(options: DiagnosticsOptions): DecidedOptions {
  checkOptions("startDiagnostics", options, "{ level: 2 }");
  const { level = 1, report = true, socket = true, warnings = {}, sampling = 1, stackSampling = 16 } = options;
  const { blockedAfterMs = process.env["NODE_ENV"] === "production" ? 250 : 50 } = options;
  const { maxTasks = 65_536, maxEvents = 65_536 } = options;
  if (![0, 1, 2, 3].includes(level)) throw bad("level", level, "0, 1, 2 or 3");
  if (!(typeof blockedAfterMs === "number" && blockedAfterMs >= 10)) {
    throw bad("blockedAfterMs", blockedAfterMs, "milliseconds >= 10, or Infinity");
  }
  const { record = null, allow = [] } = options;
  if (!Array.isArray(allow) || allow.some((action) => action !== "cancel"))
    throw bad("allow", allow, '["cancel"], or []');
  if (record !== null && (typeof record !== "string" || level < 2)) {
    throw bad("record", record, "the path of a file, with level 2 or 3");
  }
  for (const [name, value] of Object.entries({ sampling, stackSampling, maxTasks, maxEvents })) {
    if (!(Number.isInteger(value) && value >= 1 && value <= MOST_TASKS)) {
      throw bad(name, value, `an integer from 1 to ${MOST_TASKS}`);
    }
  }
  return {
    level,
    blockedAfterMs: blockedAfterMs === Infinity ? null : blockedAfterMs,
    report,
    socket,
    allow,
    record,
    limits: warnings === false || level === 0 ? null : { ...WARNING_LIMITS, ...warnings },
    sampling,
    stackSampling,
    capacities: capacitiesFor(level, maxTasks, maxEvents),
  };
}

function capacitiesFor(level: DiagnosticsLevel, maxTasks: number, maxEvents: number): Capacities {
  if (level === 0) return { tasks: 1, ended: 1, targets: 2, names: 2, events: 1 };
  const tasks = powerOfTwo(maxTasks);
  return {
    tasks,
    ended: 10_000,
    targets: MOST_TARGETS,
    // Each task may have a name of its own.
    names: Math.min(MOST_NAMES, tasks + MOST_TARGETS),
    events: level >= 2 ? Math.max(1_024, powerOfTwo(maxEvents)) : 1,
  };
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}

function bad(name: string, value: unknown, wanted: string): UsageError {
  return new UsageError(
    "MW_ERR_INVALID_ARGUMENT",
    `Cannot start diagnostics with '${name}' ${show(value)}; pass ${wanted}`,
  );
}
