// Switches diagnostics on and off in a running program.

import { UsageError, warn } from "../errors.ts";
import { watchOtherThreads } from "../lowlevel.ts";
import { decideOptions, type DiagnosticsOptions } from "./options.ts";
import { type Diagnostics, RunningDiagnostics } from "./running.ts";
import { makeSocketFolder } from "./socket-path.ts";

const isNode = !("bun" in process.versions || "deno" in process.versions);

// Those that are on in this thread.
let active: RunningDiagnostics | null = null;

// Those that only look after the event loop, until others do.
let standIn: RunningDiagnostics | null = null;

/**
 * Records what the tasks of this thread do, watches its event loop, and lets the program be asked: by `meanwhile ps`,
 * `pstree`, `top`, `trace` and `inspect`, over a Unix socket. A worker thread does all of it, so the program answers also
 * while its event loop is blocked. It opens no port, takes a fixed amount of memory, and does not keep the process alive.
 *
 * A blocked loop is told on stderr while it is blocked: how long, which task, which line, and what to do. Blocks, warnings
 * and tasks are also published on `node:diagnostics_channel` as `meanwhile:blocked`, `meanwhile:warning` and
 * `meanwhile:task`.
 *
 * If the diagnostics fail, there is one warning `MW_WARN_DIAGNOSTICS`, and the program goes on.
 *
 * @throws {@link UsageError} `MW_ERR_DIAGNOSTICS_ON` if they are on in this thread, `MW_ERR_DIAGNOSTICS_HOST` on other hosts
 * than Node, `MW_ERR_INVALID_ARGUMENT` for a bad option, `MW_ERR_SOCKET_FOLDER` if somebody else could look into the folder of
 * the sockets
 *
 * @example
 * ```ts
 * import { run, sleep, taskGroup } from "meanwhile";
 * import { startDiagnostics } from "meanwhile/diagnostics";
 *
 * await using diagnostics = startDiagnostics({ socket: false });
 * await run(() =>
 *   taskGroup(async (group) => {
 *     group.createTask(() => sleep(60_000));
 *     await sleep(1);
 *     const { tasks } = await diagnostics.snapshot();
 *     console.log(tasks.some(({ waits }) => waits[0]?.for.startsWith("sleep"))); //> true
 *     group.cancel();
 *   }),
 * );
 * ```
 */
export function startDiagnostics(options: DiagnosticsOptions = {}): Diagnostics {
  const decided = decideOptions(options);
  if (!isNode) {
    throw new UsageError(
      "MW_ERR_DIAGNOSTICS_HOST",
      "Cannot start diagnostics: they need the inspector and the threads of Node; run the program with Node, or call printCallGraph()",
    );
  }
  if (active !== null) {
    throw new UsageError("MW_ERR_DIAGNOSTICS_ON", "Cannot start diagnostics: they are on; dispose the others first");
  }
  const socket = decided.socket && canListen();
  if (standIn !== null) {
    standIn[Symbol.dispose]();
    watchOtherThreads(false);
  }
  standIn = null;
  active = new RunningDiagnostics({ ...decided, socket }, forget, 0);
  return active;
}

/**
 * Looks after the event loop of this thread from now on, unless diagnostics are on that do: a blocked loop is told on
 * stderr, while it is blocked. `run({ debug: true })`, `MEANWHILE_DEBUG=1` and `meanwhile run` do this.
 */
export function watchEventLoop(): void {
  offerDiagnostics({ level: 0, socket: false });
}

/**
 * As {@link startDiagnostics}, on behalf of a program that may start its own: if it has, nothing happens, and if it does
 * later, its own take the place of these. What cannot be done, like a folder for the socket, is a warning, not an error; on
 * other hosts than Node nothing happens.
 *
 * In the threads that this one starts a blocked loop is told, too, from their first `run()` on.
 *
 * @param loaderTasks - how many tasks are made before the program is loaded: until it has one of its own, or waits, what
 * blocks the loop is told only if it is its code. Default: 0.
 * @throws {@link UsageError} `MW_ERR_INVALID_ARGUMENT` for a bad option
 *
 * @example
 * ```ts
 * import { offerDiagnostics } from "meanwhile/diagnostics";
 *
 * offerDiagnostics({ level: 1, socket: false });
 * ```
 */
export function offerDiagnostics(options: DiagnosticsOptions, loaderTasks = 0): void {
  const decided = decideOptions(options);
  if (!isNode || active !== null || standIn !== null) return;
  const socket = decided.socket && canListenSafely();
  standIn = new RunningDiagnostics({ ...decided, socket }, forget, loaderTasks);
  watchOtherThreads(decided.report && decided.blockedAfterMs !== null);
}

function forget(ended: RunningDiagnostics): void {
  if (active === ended) active = null;
  if (standIn === ended) standIn = null;
}

/** Whether there is a folder for the socket. Without one the program goes on and cannot be asked. */
function canListen(): boolean {
  const problem = makeSocketFolder();
  if (problem !== null) warnOf(problem);
  return problem === null;
}

function canListenSafely(): boolean {
  try {
    return canListen();
  } catch (error) {
    warnOf(error instanceof Error ? error.message : String(error));
    return false;
  }
}

function warnOf(problem: string): void {
  warn("MW_WARN_DIAGNOSTICS", `${problem}; the program cannot be asked`);
}
