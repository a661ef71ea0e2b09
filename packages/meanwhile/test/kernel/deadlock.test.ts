// Deadlocks of real processes: what the user sees, what still runs, and the exit code.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { createTask, moveOnAfter, run, sleepForever } from "meanwhile";
import { untilIdle } from "meanwhile/lowlevel";

import { type Ended, runFixture } from "./child.ts";

async function deadlock(scenario: string): Promise<Ended & { readonly text: string }> {
  const ended = await runFixture("deadlocks.ts", scenario);
  // Task numbers and places differ; the text of the error is what is compared.
  const text = /DeadlockError: ([^]*?)\n +at /.exec(ended.stderr)?.[1] ?? "";
  return { ...ended, text };
}

const HEAD = "Cannot go on: nothing in the process is left that could wake any task";
const HINT = "Hint: timers and handles that were unref'd do not count";

describe("Who waits for the end of everything else", () => {
  it("goes on when nothing is left, which is then no deadlock", async () => {
    const ended = run(async () => {
      await untilIdle();
      return "went on";
    });
    await new Promise((resolve) => void setImmediate(resolve));
    process.emit("beforeExit", 0);
    assert.equal(await ended, "went on");
  });

  it("does not go on while another task of the run waits: that is a deadlock", async () => {
    const ended = run(async () => {
      createTask(() => sleepForever(), { name: "other" });
      await untilIdle();
    });
    await new Promise((resolve) => void setImmediate(resolve));
    process.emit("beforeExit", 0);
    await assert.rejects(ended, {
      name: "DeadlockError",
      message: /"main" waits for the end of everything else|"other" waits/,
    });
  });

  it("can be cancelled", async () => {
    const ended = run(() => moveOnAfter(1, () => untilIdle()));
    assert.equal(await ended, undefined);
  });
});

describe("A deadlock", { concurrency: 2 }, () => {
  it("is an error that names the circle, all tasks and what each waits for", async () => {
    const { text, code, lines } = await deadlock("two locks");
    assert.equal(
      text,
      `${HEAD}
They wait in a circle:
  task 2 "left first" waits for Lock.acquire (held by task 3 "right first")
  task 3 "right first" waits for Lock.acquire (held by task 2 "left first")
All tasks:
task 1 "main" waits for 2 of its tasks (taskGroup)
  task 2 "left first" waits for Lock.acquire (held by task 3 "right first")
  task 3 "right first" waits for Lock.acquire (held by task 2 "left first")
${HINT}`,
    );
    assert.equal(code, 1);
    assert.deepEqual(lines, []);
  });

  it("shows the line that awaits the run, and its code", async () => {
    const { stderr } = await deadlock("two locks");
    assert.match(stderr, /\n +at async .*two locks.*deadlocks\.ts/);
    assert.match(stderr, /code: 'MW_ERR_DEADLOCK'/);
    assert.doesNotMatch(stderr, /deadlockError|onBeforeExit/);
  });

  it("names a circle through a gather that waits for its tasks", async () => {
    const { text } = await deadlock("lock held around a gather");
    assert.match(text, /They wait in a circle:\n {2}task 1 "main" waits for 1 of its tasks \(gather\)\n {2}task 3/);
  });

  it("names a circle of tasks that await each other", async () => {
    const { text } = await deadlock("tasks that await each other");
    assert.match(
      text,
      /circle:\n {2}task 3 "second" waits for task "first"\n {2}task 2 "first" waits for task "second"\n/,
    );
  });

  it("names who runs a coroutine that is awaited, and shows no circle where there is none", async () => {
    const { text } = await deadlock("a coroutine");
    assert.match(text, /^[^]*task 1 "main" waits for coroutine "never"\n/);
    assert.doesNotMatch(text, /circle/);
  });

  it("is also a promise that never settles, behind which no code can run", async () => {
    const { text, code, lines } = await deadlock("a promise");
    assert.match(text, /"never" waits for a promise that is not one of meanwhile/);
    assert.deepEqual(lines, []);
    assert.equal(code, 1);
  });

  it("is also to wait for a handle that was unref'd, which the text hints at", async () => {
    const { text, code } = await deadlock("unref");
    assert.equal(text.endsWith(HINT), true);
    assert.equal(code, 1);
  });

  it("cancels everything, so that finally blocks run, also those that wait", async () => {
    const { lines, code, text } = await deadlock("cleanup");
    assert.deepEqual(lines, ["cleaned up true true"]);
    assert.equal(code, 1);
    assert.match(text, /circle:\n {2}task 1 "main" waits for Lock\.acquire \(held by task 1 "main"\)\n/);
  });

  it("ends the run all the same if the cleanup deadlocks again", async () => {
    const { lines, code, text } = await deadlock("cleanup that deadlocks");
    assert.deepEqual(lines, ["cleaning up true", "exit callback"]);
    assert.equal(text.startsWith(HEAD), true);
    assert.equal(code, 1);
  });

  it("ends the run all the same if an exit callback deadlocks", async () => {
    const { code, text } = await deadlock("exit callback that deadlocks");
    assert.match(text, /task 2 "exit callbacks" waits for a promise/);
    assert.equal(code, 1);
  });

  it("can be caught, whatever main makes of the cancellation, and the program goes on", async () => {
    const { lines, code, stderr } = await deadlock("caught");
    assert.deepEqual(lines, ["cancelled", "MW_ERR_DEADLOCK", "MW_ERR_DEADLOCK", "0"]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
  });

  it("goes before the errors it caused, which are reported", async () => {
    const { lines, text, code } = await deadlock("beside an error");
    assert.deepEqual(lines, [
      'The run of "main" failed: another error is thrown, beside it there was RangeError: of main',
    ]);
    assert.equal(text.startsWith(HEAD), true);
    assert.equal(code, 1);
  });

  it("does not hide errors that come after the run has given up", async () => {
    const { lines, code } = await deadlock("errors of what was given up");
    assert.equal(lines[0], "MW_ERR_DEADLOCK");
    const late = 'The run of "main" had ended: another error is thrown, beside it there was RangeError: late';
    assert.deepEqual(lines.slice(1), [late, late, late]);
    assert.equal(code, 0);
  });

  it("ends every run that is going on", async () => {
    const { lines } = await deadlock("two runs");
    assert.deepEqual(lines, ["MW_ERR_DEADLOCK MW_ERR_DEADLOCK"]);
  });

  it("names a circle through a run inside a run", async () => {
    const { text, code } = await deadlock("a run inside");
    assert.match(
      text,
      /circle:\n {2}task 1 "outer" waits for the end of a run inside it\n {2}task 2 "inner" waits for Lock/,
    );
    assert.equal(code, 1);
  });

  it("is found however deep the tasks are nested, and is cut in print", async () => {
    const { text, code } = await deadlock("deep");
    assert.equal(text.startsWith(HEAD), true);
    assert.match(text, /\.\.\. more tasks are not shown/);
    assert.equal(code, 1);
  });

  it("is not to sleep for ever", async () => {
    const { code, stderr } = await deadlock("sleepForever");
    assert.equal(code, 143);
    assert.match(stderr, /CancelledError: Cancelled: SIGTERM/);
  });

  it("is not to wait for the signal given to run", async () => {
    const { lines, code, stderr } = await deadlock("signal");
    assert.deepEqual(lines, ["in time"], stderr);
    assert.equal(code, 0);
  });

  it("is to go on waiting when that signal has come, or can no longer reach anything", async () => {
    const codes = await Promise.all(
      ["signal that has come", "signal and a background task"].map(async (scenario) => (await deadlock(scenario)).code),
    );
    assert.deepEqual(codes, [1, 1]);
  });
});
