import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

import { gather, run, sleep, taskGroup } from "meanwhile";
import { type Block, type Place, startDiagnostics, watchEventLoop } from "meanwhile/diagnostics";

import { blockMessage } from "../../src/diagnostics/worker/block-message.ts";
import { KnownSites } from "../../src/diagnostics/worker/known-sites.ts";
import { block, listenTo, outputOf } from "./asking.ts";

const QUIET = { level: 0, socket: false, report: false, blockedAfterMs: 50 } as const;

describe("the watchdog", () => {
  it("names the task and the line of each block, and says what to do", async () => {
    await using diagnostics = startDiagnostics(QUIET);
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    await run(async () => {
      for (const culprit of [first, second]) {
        const before = blocks.seen.length;
        await gather([culprit]);
        await blocks.until((one) => blocks.seen.indexOf(one) >= before && !one.ongoing);
        const told = blocks.seen.at(-1);
        assert.equal(told?.stack[1]?.function, culprit.name);
        assert.equal(told.stack[1].file, fileURLToPath(import.meta.url));
        assert.equal(told.task?.name, culprit.name);
        assert.ok(told.durationMs >= 100, `told ${told.durationMs} ms`);
        assert.match(
          told.message,
          /^The event loop was blocked for \d+ ms by task \d+ "(first|second)" at .*checkpoint\(\)/,
        );
      }
    });
  });

  it("says nothing of a loop that turns, however busy", async () => {
    await using diagnostics = startDiagnostics({ ...QUIET, blockedAfterMs: 250 });
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    await run(async () => {
      for (let i = 0; i < 100; i++) {
        block(2);
        await sleep(1);
      }
    });
    assert.deepEqual(blocks.seen, []);
  });

  it("names a call of Node that blocks, when it returns, and the form that does not block", async () => {
    await using diagnostics = startDiagnostics(QUIET);
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    execFileSync(process.execPath, ["-e", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)"]);
    const told = await blocks.until(({ ongoing, stack }) => !ongoing && stack.length > 0);
    assert.equal(told.stack[0]?.file, fileURLToPath(import.meta.url));
    assert.equal(told.task, null);
    assert.match(told.message, /; use the form of execFileSync\(\) that does not block/);
  });

  it("names a wait for another thread", async () => {
    await using diagnostics = startDiagnostics(QUIET);
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    const told = await blocks.until(({ ongoing }) => !ongoing);
    assert.equal(told.stack[0]?.file, fileURLToPath(import.meta.url));
  });

  it("takes one look at a place that blocks again and again, and counts the rest", async () => {
    await using diagnostics = startDiagnostics(QUIET);
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    for (let i = 0; i < 20 && !blocks.seen.some(({ noStack }) => noStack === "limited"); i++) {
      await run(() => block(120));
      await blocks.until(({ id, ongoing }) => id === i + 1 && !ongoing);
    }
    const ended = blocks.seen.filter(({ ongoing }) => !ongoing).slice(0, 4);
    assert.deepEqual(
      ended.map(({ stack, noStack }) => (stack.length > 0 ? "seen" : noStack)),
      ["seen", "seen", "seen", "seen"],
    );
    assert.equal(blocks.seen.at(-1)?.noStack, "limited");
  });

  it("names each of several places that block in turns, and blames none for the blocks of another", () => {
    const sites = new KnownSites();
    const at = (line: number): Place => ({ function: "", file: "app.ts", line, column: 1 });
    let now = 0;
    const seen = [1, 1, 2, 2, 3, 3, 3, 3, 3, 4].map((line) => {
      now += 250;
      return sites.mayLook(now) ? sites.rate(at(line), now) : "unseen";
    });
    const fresh = { repeated: 0, unseen: 0 };
    const after = { repeated: 0, unseen: 2 };
    assert.deepEqual(seen, [fresh, null, fresh, null, fresh, null, null, "unseen", "unseen", after]);
    now += 10_000;
    assert.equal(sites.mayLook(now), true);
    assert.deepEqual(sites.rate(at(3), now), { repeated: 2, unseen: 0 });
    assert.equal(blockMessage({ ...BLOCK, repeated: 0 }, { inside: null, unseen: 0 }).includes("("), false);
    assert.match(
      blockMessage({ ...BLOCK, repeated: 2 }, { inside: null, unseen: 3 }),
      / \(2 more there .*, and 3 more /,
    );
  });

  it("names the task also of a block at which it did not look, if events are recorded", async () => {
    await using diagnostics = startDiagnostics({ ...QUIET, level: 2, warnings: false });
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    await run(async () => {
      for (let i = 0; i < 20 && !blocks.seen.some(({ noStack }) => noStack === "limited"); i++) {
        await taskGroup(async (group) => void group.createTask(first));
        await blocks.until(({ id, ongoing }) => id === i + 1 && !ongoing);
      }
    });
    const ended = blocks.seen.filter(({ ongoing }) => !ongoing);
    assert.equal(ended.at(-1)?.noStack, "limited");
    assert.deepEqual([...new Set(ended.map(({ task }) => task?.name))], ["first"]);
  });

  it("says nothing of the time in which Node loads the program, and tells what its modules do themselves", async () => {
    const { text } = await outputOf("loads-slowly.ts");
    const told = JSON.parse(text) as Block[];
    const places = told.map(({ stack: [top] }) => basename(top?.file ?? "?"));
    assert.deepEqual([...new Set(places)], ["asking.ts"], text);
  });

  it("leaves a program alone that a debugger has stopped", async () => {
    await using diagnostics = startDiagnostics(QUIET);
    await diagnostics.ready;
    using blocks = listenTo<Block>("meanwhile:blocked");
    const debuggerThread = new Worker(DEBUGGER, { eval: true, execArgv: [] });
    await once(debuggerThread, "message");
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    debuggerThread.postMessage("pause");
    await once(debuggerThread, "message"); // it was paused for 300 ms, and has gone on
    await debuggerThread.terminate();
    await diagnostics[Symbol.asyncDispose]();
    assert.deepEqual(blocks.seen, []);
  });

  it("names the line and the task also in a worker thread, which has a socket of its own", async () => {
    const thread = new Worker(new URL("fixtures/blocks-in-a-thread.ts", import.meta.url), {
      execArgv: ["--conditions=@meanwhile/source"],
    });
    const { threadId } = thread;
    const [{ socket, block: told }] = (await once(thread, "message")) as [{ socket: string; block: Block }];
    await once(thread, "exit");
    assert.match(socket, new RegExp(`${process.pid}-${threadId}\\.sock$`));
    assert.equal(told.stack[0]?.function, "spinInThread");
    assert.equal(told.task?.name, "main");
  });

  it("tells on stderr while the loop is blocked, also under --inspect", async () => {
    const fixture = fileURLToPath(new URL("fixtures/blocks-for-ever.ts", import.meta.url));
    for (const flags of [[], ["--inspect=127.0.0.1:0"]]) {
      const child = spawn(process.execPath, [...process.execArgv, ...flags, fixture], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      let text = "";
      for await (const part of child.stderr.setEncoding("utf8")) {
        text += String(part);
        if (text.includes("(meanwhile)")) child.kill("SIGKILL");
      }
      assert.match(
        text,
        /The event loop has been blocked for \d+ ms by task 1 "main" at spinForEver \(.*blocks-for-ever\.ts:\d+:\d+\)/,
      );
    }
  });

  it("tells of a block with which a program in debug mode begins, in the main thread and in others", async () => {
    for (const flag of ["main", "thread", "offered"]) {
      const { text } = await outputOf("blocks-at-once.ts", [], [flag]);
      assert.match(text, /\(meanwhile\) The event loop .* by task 1 "main" at spinAtOnce \(.*blocks-at-once\.ts:/);
    }
  });

  it("shows what a name would do to a terminal, and does not do it", async () => {
    const { text } = await outputOf("blocks-at-once.ts", [], ["named"]);
    assert.match(text, /by task 1 "\\u001b\[2Jgnp\\u202e" at/);
    assert.equal(text.includes("\u001b"), false);
  });

  it("is on in debug mode, and gives way to diagnostics", async () => {
    using blocks = listenTo<Block>("meanwhile:blocked");
    watchEventLoop();
    watchEventLoop();
    await using diagnostics = startDiagnostics(QUIET);
    await diagnostics.ready;
    await run(() => block(150));
    await blocks.until(({ ongoing }) => !ongoing);
    assert.equal(blocks.seen.filter(({ ongoing }) => !ongoing).length, 1);
  });
});

const BLOCK = { startedAtMs: 0, durationMs: 100, ongoing: false, task: null, stack: [], repeated: 0 } as const;

function first(): Promise<void> {
  block(250);
  return Promise.resolve();
}

function second(): Promise<void> {
  block(250);
  return Promise.resolve();
}

// Stops the main thread as a person with a debugger does, and lets it go on after a while.
const DEBUGGER = `
const { Session } = require("node:inspector");
const { parentPort } = require("node:worker_threads");
const session = new Session();
session.connectToMainThread();
session.post("Debugger.enable", () => parentPort.postMessage("ready"));
session.on("Debugger.paused", () => setTimeout(() => {
  session.post("Debugger.resume", () => parentPort.postMessage("over"));
}, 300));
parentPort.on("message", () => session.post("Debugger.pause"));
`;
