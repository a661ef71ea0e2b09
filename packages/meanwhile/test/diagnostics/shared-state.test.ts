// What the worker reads while the program writes, and where lines come from.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";

import { gather, run, sleep } from "meanwhile";
import { startDiagnostics } from "meanwhile/diagnostics";

import { eventWriter } from "../../src/diagnostics/event-writer.ts";
import { NameTable, readName } from "../../src/diagnostics/name-table.ts";
import { EVENT_KIND, makeMemory } from "../../src/diagnostics/shared-memory.ts";
import { TaskTable } from "../../src/diagnostics/task-table.ts";
import { EventReader } from "../../src/diagnostics/worker/event-reader.ts";
import { LoopDelay } from "../../src/diagnostics/worker/loop-delay.ts";
import { SharedReader } from "../../src/diagnostics/worker/shared-reader.ts";
import { SourceMaps } from "../../src/diagnostics/worker/source-maps.ts";
import { snapshotFrom } from "./asking.ts";

const memoryFor = (): ReturnType<typeof makeMemory> =>
  makeMemory({ tasks: 64, ended: 16, targets: 16, names: 16, events: 64 });

describe("The shared memory", () => {
  it("is read as of one moment, while the program makes and ends tasks all the time", async () => {
    await using diagnostics = startDiagnostics({ report: false, warnings: false, blockedAfterMs: Infinity });
    const socket = await diagnostics.ready;
    let exact = 0;
    await run(async () => {
      const busy = { done: false };
      await gather([
        async () => {
          while (!busy.done) await gather(Array.from({ length: 50 }, () => () => sleep(0)));
        },
        async () => {
          for (let i = 0; i < 30; i++) {
            const { cut, counts, tasks } = await snapshotFrom(socket, "?stacks=0");
            for (const { waits, activity } of tasks) assert.equal(waits.length > 0, activity === "waiting");
            assert.equal(new Set(tasks.map(({ id }) => id)).size, tasks.length);
            if (cut !== "exact") continue;
            exact += 1;
            const { created, succeeded, failed, cancelled, live } = counts;
            assert.equal(tasks.length, live);
            assert.equal(created - succeeded - failed - cancelled, live);
          }
          busy.done = true;
        },
      ]);
    });
    assert.ok(exact > 0, "no snapshot was exact");
  });

  it("has rows one by one if the program is never idle, and never waits for one that was stopped", () => {
    const memory = memoryFor();
    memory.header[0] = 1; // in the middle of a change, for ever
    assert.equal(new SharedReader(memory, () => performance.now()).read().cut, "rows");
    memory.header[0] = 2;
    assert.equal(new SharedReader(memory, () => performance.now()).read().cut, "exact");
  });

  it("forgets the names that nobody uses, and says so to whoever still refers to them", () => {
    const memory = memoryFor();
    const names = new NameTable(memory);
    const kept = names.use("kept");
    const old = names.use("old");
    names.release(old);
    for (let i = 0; i < 40; i++) names.release(names.use(`short ${i}`));
    assert.equal(readName(memory, kept), "kept");
    assert.equal(readName(memory, old), null);
    assert.equal(names.use(""), 0);
    const long = "ä".repeat(200);
    assert.ok(long.startsWith(readName(memory, names.use(long)) ?? "?"));
  });

  it("has room for new names as long as any is free, however long the others are in use", () => {
    const memory = makeMemory({ tasks: 1, ended: 1, targets: 1, names: 100, events: 1 });
    const names = new NameTable(memory);
    const kept = Array.from({ length: 97 }, (_, i) => names.use(`kept ${i}`));
    for (let i = 0; i < 500; i++) {
      const reference = names.use(`short ${i}`);
      assert.equal(readName(memory, reference), `short ${i}`);
      names.release(reference);
    }
    assert.deepEqual(
      kept.map((reference) => readName(memory, reference)),
      kept.map((_, i) => `kept ${i}`),
    );
  });

  it("refuses a name when all are in use", () => {
    const memory = memoryFor();
    const names = new NameTable(memory);
    const used = Array.from({ length: 20 }, (_, i) => names.use(`name ${i}`));
    assert.equal(used.filter((reference) => reference === 0).length, 5);
  });

  it("finds tasks by id, whatever the order in which they come and go", () => {
    const table = new TaskTable(makeMemory({ tasks: 256, ended: 1, targets: 1, names: 2, events: 1 }));
    const rows = new Map<number, number>();
    for (let id = 1; id < 5_000; id++) {
      // Some live for long, most do not.
      const row = table.insert(id);
      if (row === -1) continue;
      assert.equal(table.find(id), row);
      rows.set(id, row);
      for (const old of rows.keys())
        if (old < id - 20 && old % 50 !== 0) {
          table.remove(table.find(old));
          rows.delete(old);
        }
    }
    for (const [id, row] of rows) assert.equal(table.find(id), row);
    assert.equal(table.find(9_999), -1);
    assert.ok(rows.size > 100);
  });

  it("tells which events were overwritten before they were read", () => {
    const memory = memoryFor();
    const write = eventWriter(memory);
    const reader = new EventReader(memory, 0);
    for (let i = 1; i <= 10; i++) write(i, EVENT_KIND.resume, i, 0, 0, 0);
    assert.deepEqual(
      reader.read().events.map(([seq, at, , task]) => [seq, at, task]),
      Array.from({ length: 10 }, (_, i) => [i + 1, i + 1, i + 1]),
    );
    for (let i = 11; i <= 210; i++) write(i, EVENT_KIND.resume, i, 0, 0, 0);
    const { gap, events } = reader.read();
    assert.equal(gap?.from, 11);
    assert.equal(events[0]?.[0], gap.to + 1);
    assert.equal(events.at(-1)?.[0], 210);
  });
});

describe("The delay of the loop", () => {
  it("is that of the last minute", () => {
    const delay = new LoopDelay();
    delay.add(0, 5_000);
    for (let i = 1; i <= 100; i++) delay.add(100_000, i);
    assert.deepEqual(delay.statistics(100_000), { maxMs: 100, meanMs: 50.5, p50Ms: 51, p99Ms: 100 });
    assert.equal(delay.statistics(200_000).maxMs, 0);
  });
});

describe("A place in a script", () => {
  const frame = (url: string): never =>
    ({ functionName: "f", url, location: { scriptId: "1", lineNumber: 1, columnNumber: 0 } }) as never;

  it("is that in the source, by a map in the script or beside it", () => {
    const folder = mkdtempSync(join(tmpdir(), "meanwhile-test-"));
    try {
      // The second line comes from line 10 of app.ts.
      const map = { version: 3, sources: ["app.ts"], names: [], mappings: ";AASA" };
      const url = pathToFileURL(join(folder, "app.js")).href;
      writeFileSync(join(folder, "app.js.map"), JSON.stringify(map));
      const inline = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString("base64")}`;
      for (const sourceMapURL of ["app.js.map", inline]) {
        const maps = new SourceMaps();
        maps.add({ scriptId: "1", url, sourceMapURL } as never);
        assert.deepEqual(maps.placeOf(frame(url)), {
          function: "f",
          file: join(folder, "app.ts"),
          line: 10,
          column: 1,
        });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has no function, if that has no name but what it is called in code that was instrumented", () => {
    const called: object = { ...(frame("file:///app.js") as object), functionName: "__mw.t.group.createTask.name" };
    assert.equal(new SourceMaps().placeOf(called as never).function, "");
  });

  it("is the line that runs, if there is no map or none that can be read", () => {
    for (const sourceMapURL of ["", "missing.js.map", "data:application/json,{"]) {
      const maps = new SourceMaps();
      maps.add({ scriptId: "1", url: "file:///app.js", sourceMapURL } as never);
      assert.deepEqual(maps.placeOf(frame("file:///app.js")), { function: "f", file: "/app.js", line: 2, column: 1 });
    }
  });
});
