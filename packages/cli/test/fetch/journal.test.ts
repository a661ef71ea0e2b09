// What a run remembers for the next one.

import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";

import { Journal, journalKey, noteOf } from "../../src/fetch/journal.ts";
import type { FetchRecord } from "../../src/fetch/record.ts";
import { Target } from "../../src/fetch/target.ts";

const directory = mkdtempSync(join(tmpdir(), "meanwhile-journal-"));
after(() => rmSync(directory, { recursive: true }));

let count = 0;
function newPath(): string {
  count += 1;
  return join(directory, `state-${count}`);
}

const PLAN = { method: "GET" };
const keyFor = (url: string): string => journalKey(new Target(1, url, "http://a"), PLAN);
const ok = (url: string): string => `${keyFor(url)} 1 200\n`;
const failed = (url: string): string => `${keyFor(url)} 0 timeout\n`;

async function write(path: string, ...notes: string[]): Promise<void> {
  using journal = Journal.open(path);
  await journal.commit(notes, undefined);
}

describe("Journal", () => {
  it("knows what is finished, once for each time it was", async () => {
    const path = newPath();
    await write(path, ok("http://a/1"), ok("http://a/2"), ok("http://a/2"), failed("http://a/3"));
    using journal = Journal.open(path);
    const take = (url: string): unknown => journal.take(keyFor(url), { onlyFailed: false });
    assert.equal(journal.isEmpty, false);
    assert.deepEqual([take("http://a/1"), take("http://a/1")], ["finished", undefined]);
    assert.deepEqual([take("http://a/2"), take("http://a/2"), take("http://a/2")], ["finished", "finished", undefined]);
    assert.deepEqual([take("http://a/3"), take("http://a/4")], [undefined, undefined]);
  });

  it("knows what failed, until it is finished", async () => {
    const path = newPath();
    await write(path, failed("http://a/1"), failed("http://a/2"), ok("http://a/2"), ok("http://a/3"));
    using journal = Journal.open(path);
    const take = (url: string): unknown => journal.take(keyFor(url), { onlyFailed: true });
    assert.deepEqual(
      ["1", "2", "3", "4"].map((name) => take(`http://a/${name}`)),
      [undefined, "finished", "finished", "new"],
    );
  });

  it("drops a last line that is not complete, wherever it was cut, and goes on behind the one before", async () => {
    const path = newPath();
    await write(path, ok("http://a/1"), ok("http://a/2"));
    const whole = readFileSync(path);
    const lastLine = ok("http://a/2").length;
    for (let cut = 1; cut <= lastLine; cut++) {
      writeFileSync(path, whole.subarray(0, whole.length - cut));
      await write(path, ok("http://a/3"));
      assert.equal(readFileSync(path, "utf8"), `meanwhile-state 1\n${ok("http://a/1")}${ok("http://a/3")}`);
    }
  });

  it("begins anew where not even its first line is complete", async () => {
    const path = newPath();
    writeFileSync(path, "meanwhile-st");
    await write(path, ok("http://a/1"));
    assert.equal(readFileSync(path, "utf8"), `meanwhile-state 1\n${ok("http://a/1")}`);
  });

  it("passes over lines that are none", async () => {
    const path = newPath();
    await write(path, ok("http://a/1"));
    appendFileSync(path, `\0\0\0\0\nnonsense\n${ok("http://a/2")}`);
    using journal = Journal.open(path);
    assert.equal(journal.take(keyFor("http://a/2"), { onlyFailed: false }), "finished");
  });

  it("passes over a line that is longer than what is read at once", async () => {
    const path = newPath();
    await write(path, ok("http://a/1"));
    // As long as a piece: the next one begins with what would be a line.
    appendFileSync(path, `${"\0".repeat(2 ** 20)}${ok("http://a/2")}${ok("http://a/3")}`);
    const { size } = statSync(path);
    using journal = Journal.open(path);
    const take = (url: string): unknown => journal.take(keyFor(url), { onlyFailed: false });
    assert.deepEqual([take("http://a/1"), take("http://a/2"), take("http://a/3")], ["finished", undefined, "finished"]);
    assert.equal(statSync(path).size, size);
  });

  it("leaves a file alone that is something else", () => {
    const path = newPath();
    writeFileSync(path, "http://a/\nhttp://b/");
    assert.throws(() => Journal.open(path), { exitCode: 3 });
    assert.equal(readFileSync(path, "utf8"), "http://a/\nhttp://b/");
    assert.ok(!existsSync(`${path}.lock`));
  });

  it("remembers how long the file of records was, unless the run came to its end", async () => {
    const path = newPath();
    {
      using journal = Journal.open(path);
      await journal.commit([ok("http://a/1")], { file: "1-2", bytes: 345 });
    }
    {
      using journal = Journal.open(path);
      assert.deepEqual(journal.saved, { file: "1-2", bytes: 345 });
      await journal.end();
    }
    using journal = Journal.open(path);
    assert.equal(journal.saved, undefined);
  });

  it("is written anew when most of it is out of date", async () => {
    const path = newPath();
    const notes = Array.from({ length: 12_000 }, () => failed("http://a/1"));
    await write(path, ...notes, ok("http://a/2"), ok("http://a/2"));
    await write(path, ok("http://a/3"));
    assert.ok(readFileSync(path).length < 500);
    using journal = Journal.open(path);
    assert.equal(journal.take(keyFor("http://a/3"), { onlyFailed: true }), "finished");
    assert.equal(journal.take(keyFor("http://a/1"), { onlyFailed: true }), undefined);
    assert.equal(journal.take(keyFor("http://a/2"), { onlyFailed: true }), "finished");
    assert.equal(journal.take(keyFor("http://a/2"), { onlyFailed: true }), "finished");
  });

  it("is used by one process at a time, and taken over from one that is gone", async () => {
    const path = newPath();
    writeFileSync(`${path}.lock`, `${process.ppid}\n`);
    assert.throws(() => Journal.open(path), /is used by the process/);
    writeFileSync(`${path}.lock`, "2147483647\n"); // above every id there is
    await write(path, ok("http://a/1"));
    assert.ok(!existsSync(`${path}.lock`));
  });
});

describe("the key of a URL", () => {
  it("is another one for another method, body, id or header", () => {
    const keys = [
      {},
      { id: "a" },
      { method: "POST" },
      { body: Buffer.from("x") },
      { headers: [["a", "b"]] as const },
    ].map((request) => journalKey(new Target(1, "http://a/", "http://a", request), PLAN));
    assert.equal(new Set(keys).size, keys.length);
    assert.equal(journalKey(new Target(9, "http://a/", "http://a", { method: "GET" }), PLAN), keys[0]);
  });
});

describe("the note of a record", () => {
  const record: FetchRecord = { index: 1, url: "http://a/", ok: true, status: 200, bytes: 1, ms: 1, attempts: 1 };

  it("says how it ended", () => {
    const error = { code: "dns", message: "" } as const;
    assert.equal(noteOf("k", record), "k 1 200\n");
    assert.equal(noteOf("k", { ...record, ok: false, error }), "k 0 dns\n");
    assert.equal(noteOf("k", { ...record, status: undefined, skipped: "exists" }), "k 1 exists\n");
  });

  it("is not made of what must be requested again", () => {
    const error = { code: "cancelled", message: "" } as const;
    assert.equal(noteOf("k", { ...record, ok: false, error }), undefined);
    assert.equal(noteOf("k", { ...record, skipped: "finished" }), undefined);
    assert.equal(noteOf("", record), undefined);
  });
});
