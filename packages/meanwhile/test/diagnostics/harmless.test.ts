// Diagnostics never take the program down.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { run, sleep, taskGroup } from "meanwhile";
import { startDiagnostics, type TaskChannelMessage } from "meanwhile/diagnostics";

import { expectWarning } from "../../../../tools/test-setup.ts";
import type { WorkerSetup } from "../../src/diagnostics/link.ts";
import { makeMemory } from "../../src/diagnostics/shared-memory.ts";
import { WorkerThread } from "../../src/diagnostics/worker-thread.ts";
import { ask, listenTo, outputOf } from "./asking.ts";

const OPTIONS = { report: false, blockedAfterMs: Infinity, warnings: false } as const;

describe("Diagnostics", () => {
  it("do not keep the process alive, nor change its exit code, also after a block", async () => {
    const { code, text } = await outputOf("ends-by-itself.ts");
    assert.equal(code, 3);
    assert.match(text, /the program has ended/);
  });

  it("do not hide a deadlock", async () => {
    const { code, text } = await outputOf("deadlocked.ts");
    assert.equal(code, 1);
    assert.match(text, /DeadlockError/);
  });

  it("end with one warning if their worker fails, and can be started again", async () => {
    const { code, text } = await outputOf("loses-its-worker.ts");
    assert.equal(code, 0, text);
    assert.equal(text.match(/MW_WARN_DIAGNOSTICS/g)?.length, 1, text);
    assert.match(text, /went on, and again/);
  });

  it("tell why a worker was lost", async () => {
    const lost = Promise.withResolvers<string>();
    const memory = makeMemory({ tasks: 1, ended: 1, targets: 2, names: 2, events: 1 });
    const worker = new WorkerThread(
      memory,
      {} as WorkerSetup,
      { message: () => {}, lost: lost.resolve },
      new URL("fixtures/throws.ts", import.meta.url),
    );
    assert.equal(await lost.promise, "RangeError: on purpose");
    await worker.ended();
  });

  it("go on without a socket if they cannot listen", async () => {
    const folder = mkdtempSync(join(tmpdir(), "meanwhile-test-"));
    const before = process.env["XDG_RUNTIME_DIR"];
    process.env["XDG_RUNTIME_DIR"] = folder;
    try {
      // A folder stands where the socket should be.
      mkdirSync(join(folder, "meanwhile", `${process.pid}.sock`, "taken"), { recursive: true, mode: 0o700 });
      await using warnings = expectWarning("MW_WARN_DIAGNOSTICS");
      await using diagnostics = startDiagnostics(OPTIONS);
      assert.equal(await diagnostics.ready, null);
      assert.match((await warnings.first()).message, /^Cannot listen for questions: /);
      assert.equal((await diagnostics.snapshot()).type, "snapshot");
    } finally {
      if (before === undefined) delete process.env["XDG_RUNTIME_DIR"];
      else process.env["XDG_RUNTIME_DIR"] = before;
      rmSync(folder, { recursive: true });
    }
  });

  it("take the connections they can, and answer the rest later", async () => {
    await using diagnostics = startDiagnostics(OPTIONS);
    const socket = (await diagnostics.ready) ?? "";
    const clients = Array.from({ length: 50 }, () => connect(socket).on("error", () => {}));
    await Promise.all(clients.map((client) => Promise.race([once(client, "connect"), once(client, "close")])));
    for (const client of clients) client.destroy();
    assert.equal((await askUntilAnswered(socket)).status, 200);
  });

  it("take no more memory the longer the program runs, whatever it names and locks", async () => {
    const { text } = await outputOf("keeps-its-memory.ts", ["--expose-gc"]);
    const megabytes = JSON.parse(text) as number[];
    // Only the names of the 60 000 tasks between these two would be more.
    const [, second = 0] = megabytes;
    assert.ok((megabytes.at(-1) ?? Infinity) - second < 2.5, text);
  });

  it("tell other tools of tasks", async () => {
    await using diagnostics = startDiagnostics({ ...OPTIONS, socket: false });
    await diagnostics.ready;
    using tasks = listenTo<TaskChannelMessage>("meanwhile:task");
    await run(() => taskGroup(async (group) => void group.createTask(() => sleep(1), { name: "child" })), {
      name: "main",
    });
    const told = tasks.seen.map(({ event, name, outcome }) => [event, name, outcome]);
    assert.deepEqual(told, [
      ["created", "main", null],
      ["created", "child", null],
      ["ended", "child", "succeeded"],
      ["ended", "main", "succeeded"],
    ]);
    assert.equal(tasks.seen[1]?.parent, tasks.seen[0]?.id);
  });
});

async function askUntilAnswered(socket: string): ReturnType<typeof ask> {
  for (;;) {
    const answered = await ask(socket, "/v1/hello").catch(() => null);
    if (answered !== null) return answered;
  }
}
