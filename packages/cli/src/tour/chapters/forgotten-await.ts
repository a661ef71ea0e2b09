// A forgotten await is caught, with the line that forgot it.

import { coroutine, run, sleep } from "meanwhile";

import type { Chapter } from "../chapter.ts";
import { runAsProgram } from "../child.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

const saveUser = coroutine(async function saveUser(name: string) {
  await sleep(1);
  process.stdout.write(`saved ${name}\n`);
});

/** Forgets to save Ada. */
async function forgetful(): Promise<void> {
  // oxlint-disable-next-line typescript/no-floating-promises -- the mistake this chapter is about
  saveUser("Ada");
  await saveUser("Grace");
}

async function play(stage: Stage): Promise<void> {
  stage.say(
    "Calling a coroutine starts nothing; awaiting it does. So a forgotten await is work that is never done. The linter flags it, and so does the run, as a program of its own:",
  );
  stage.code(codeOf(import.meta.url, ["saveUser", "forgetful"]));
  const { stderr } = await runAsProgram(import.meta.url, "forgottenAwait");
  stage.quote(firstFrameOf(stderr));
  // Seen on the page only if it is this program that forgets it; the end of a run tells what was forgotten in it.
  if (stage.isInspected) await run(forgetful);
  stage.result("Grace is saved, Ada is not, and you know which line to mend.");
}

/** The warning with the line it is about, without the frames of the runtime below it. */
function firstFrameOf(warning: string): string {
  return warning
    .replace(/^\(node:\d+\) /, "")
    .split("\n")
    .slice(0, 2)
    .join("\n");
}

/** A chapter about the most common mistake. */
export const forgottenAwait: Chapter = {
  title: "A forgotten await, caught",
  moduleUrl: import.meta.url,
  program: forgetful,
  play,
};
