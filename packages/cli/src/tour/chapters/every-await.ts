// Plain code over a library that knows nothing of cancellation: stopped at its await, with cleanup, and seen while it waits.

import { setTimeout as wait } from "node:timers/promises";

import { timeout } from "meanwhile";
import { printCallGraph } from "meanwhile/diagnostics";

import type { Chapter } from "../chapter.ts";
import { runAsProgram } from "../child.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

async function download(name: string): Promise<void> {
  try {
    await new Promise(() => {}); // a library that never answers
  } finally {
    await wait(20); // closing takes a moment
    say(`${name} closed`);
  }
}

async function downloadBoth(): Promise<void> {
  setTimeout(printCallGraph, 50);
  try {
    await timeout(100, () => Promise.all([download("a"), download("b")]));
  } catch (error) {
    say(String(error));
  }
}

// The program of the chapter is heard on stderr.
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function play(stage: Stage): Promise<void> {
  stage.say(
    "Promises of other libraries cannot be cancelled, and Promise.all walks away from what it has begun. This is plain code over both; meanwhile run instruments it:",
  );
  stage.code(codeOf(import.meta.url, ["download", "downloadBoth"]));
  const { stderr } = await runAsProgram(import.meta.url, "everyAwait", { instrumented: true });
  stage.quote(stderr.trimEnd());
  stage.result("The timeout reached both awaits, leaves first, and every function that waited knew its line.");
}

/** A chapter about instrumented code. */
export const everyAwait: Chapter = {
  title: "Every await: meanwhile run",
  moduleUrl: import.meta.url,
  program: downloadBoth,
  play,
};
