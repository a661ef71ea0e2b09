// Ends the children of a process that has died without saying so: by a signal that nobody handles, by `kill -9`, of lack of
// memory. A child that computes would not see it, and go on for ever.
//
// A small shell knows their ids. It reads them from a pipe that only this process holds, so the pipe ends with it, however it
// dies; then the shell kills those that are left. It is no member of the process group, so Ctrl+C does not reach it.

import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import type { Socket } from "node:net";

// "+ID" adds one, "-ID" takes one off: cuts it out of " 1 2 3 ".
const GUARD = `
ids=" "
while read -r sign id; do
  case $sign in
    +) ids="$ids$id " ;;
    -) ids="\${ids%% $id *} \${ids#* $id }" ;;
  esac
done
[ -z "\${ids## }" ] || kill -9 $ids
`;

const guarded = new Set<ChildProcess>();
let guard: ChildProcess | null = null;

/** The child ends with this process, even if it computes. On Windows only if this process ends in order. */
export function endWithUs(child: ChildProcess): void {
  if (child.pid === undefined) return; // it could not be started
  if (guarded.size === 0) process.on("exit", endAll);
  guarded.add(child);
  tell("+", child.pid);
  child.once("exit", () => release(child));
}

function release(child: ChildProcess): void {
  guarded.delete(child);
  tell("-", child.pid as number);
  if (guarded.size > 0) return;
  process.off("exit", endAll);
  guard?.stdin?.end();
  guard = null;
}

function tell(sign: "+" | "-", id: number): void {
  guard ??= startGuard();
  guard?.stdin?.write(`${sign} ${id}\n`);
}

function startGuard(): ChildProcess | null {
  if (process.platform === "win32") return null;
  const options: SpawnOptions = { stdio: ["pipe", "ignore", "ignore"], detached: true };
  const started = spawn("/bin/sh", ["-c", GUARD], options);
  // Without it children are ended by an orderly end, and when they look up from what they compute.
  started.on("error", ignore);
  started.unref();
  // Not there if the process has no file descriptors left.
  started.stdin?.on("error", ignore);
  (started.stdin as Partial<Socket> | null)?.unref?.();
  return started;
}

function ignore(): void {}

function endAll(): void {
  for (const child of guarded) child.kill("SIGKILL");
}
