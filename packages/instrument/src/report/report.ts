// Switches the report on: counts from now on, and prints when the process ends.

import { basename } from "node:path";
import { isMainThread, threadId } from "node:worker_threads";

import { activeRunners, awaitStacksOf, showCall, walkTasks } from "meanwhile/lowlevel";

import { runtime } from "../runtime.ts";
import { Profile } from "./profile.ts";
import { renderReport } from "./render.ts";

/** Counts what instrumented code does, and tells on stderr at the end of the process. */
export function reportAtExit(): void {
  const profile = new Profile();
  // Before any instrumented code is loaded, which looks its functions up here each time.
  Object.assign(runtime, profile.watch({ ...runtime }));
  const started = performance.now();
  const forgotten: string[] = [];
  process.on("warning", (warning) => {
    if ("code" in warning && warning.code === "MW_WARN_NEVER_AWAITED") forgotten.push(warning.message);
  });
  // Looked at before a run ends and cancels what it finds; one that does not come to its end is still there.
  let waiting: string[] = [];
  const look = (): void => {
    if (activeRunners.size > 0) waiting = waitsLeft();
  };
  process.prependListener("beforeExit", look);
  process.once("exit", () => {
    look();
    const ending = {
      program: programName(),
      ranMs: performance.now() - started,
      leftBehind: [...waiting, ...forgotten],
    };
    process.stderr.write(`${renderReport(profile, ending)}\n`);
  });
}

/** Workers and processes that the program starts report too. */
function programName(): string {
  const thread = isMainThread ? "" : `, thread ${threadId}`;
  return `${basename(process.argv[1] ?? "the program")} (process ${process.pid}${thread})`;
}

/** What still waits, of all runs. */
function waitsLeft(): string[] {
  return [...activeRunners].flatMap(({ root }) =>
    [...walkTasks(root)].flatMap(({ task }) =>
      awaitStacksOf(task).flatMap(({ waitsFor, calls: [innermost] }) =>
        innermost === undefined ? [] : [`${showCall(innermost)} still waits for ${waitsFor}`],
      ),
    ),
  );
}
