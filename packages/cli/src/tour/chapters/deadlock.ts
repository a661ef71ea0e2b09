// Two tasks that wait for each other: the run ends and says who waits for whom.

import { Barrier, gather, Lock } from "meanwhile";

import type { Chapter } from "../chapter.ts";
import { runAsProgram } from "../child.ts";
import { codeOf } from "../source.ts";
import type { Stage } from "../stage.ts";

/** Can never finish. */
async function transferBothWays(): Promise<void> {
  const ada = new Lock();
  const grace = new Lock();
  const both = new Barrier(2);
  const transfer = async (from: Lock, to: Lock): Promise<void> => {
    using _from = await from.acquire();
    await both.wait(); // the other task has its first lock, too
    using _to = await to.acquire(); // the other task has this one
  };
  await gather([
    async function adaToGrace() {
      await transfer(ada, grace);
    },
    async function graceToAda() {
      await transfer(grace, ada);
    },
  ]);
}

async function play(stage: Stage): Promise<void> {
  stage.say(
    "Each of two tasks holds the lock the other one needs. Plain Node would give up with exit code 13 and not say why:",
  );
  stage.code(codeOf(import.meta.url, ["transferBothWays"]));
  const { stderr, exitCode } = await runAsProgram(import.meta.url, "deadlock");
  stage.quote(messageOf(stderr));
  stage.result(`The program ended by itself, with exit code ${exitCode}, and named the cycle.`);
}

/** The error's text, without the stack and the frame that Node prints around it. */
function messageOf(stderr: string): string {
  const [, message = stderr] = /^(DeadlockError[^]*?)(?=\n {4}at )/m.exec(stderr) ?? [];
  return message;
}

/** A chapter about a program that cannot go on. */
export const deadlock: Chapter = {
  title: "A deadlock, caught",
  moduleUrl: import.meta.url,
  program: transferBothWays,
  play,
};
