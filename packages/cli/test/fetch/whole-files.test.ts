// Small bodies are saved in one go: what stands on the disk then is the same.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";

import { Directory, type DirectoryOptions } from "../../src/fetch/files.ts";
import { DiskPace } from "../../src/fetch/whole-file.ts";

const TEXT = Buffer.from("content");

async function inDirectory(body: (path: string) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), "meanwhile-files-"));
  try {
    await body(path);
  } finally {
    await rm(path, { recursive: true });
  }
}

async function saveInPieces(directory: Directory, name: string): Promise<string> {
  const part = await directory.create(name);
  await part.write(TEXT.subarray(0, 3));
  assert.equal(part.writeNow(TEXT.subarray(3)), true);
  return part.finish();
}

const saveAtOnce = (directory: Directory, name: string): Promise<string> => directory.save(name, TEXT);

/** What there is after saving the same name three times, where there was a file of it, and a folder. */
async function outcomeOf(save: typeof saveAtOnce, options: DirectoryOptions): Promise<unknown[]> {
  const outcome: unknown[] = [];
  await inDirectory(async (path) => {
    await writeFile(join(path, "a"), "there before");
    await mkdir(join(path, "b"));
    const directory = await Directory.open(path, options);
    for (const name of ["a", "a", "b", "b", "a.txt"]) outcome.push(await save(directory, name));
    for (const name of (await readdir(path)).toSorted()) {
      outcome.push([name, name === "b" ? "a folder" : await readFile(join(path, name), "utf8")]);
    }
  });
  return outcome;
}

describe("A small body", () => {
  it("gets the name, and leaves the files, that it would if it came in pieces", async () => {
    for (const options of [{}, { overwrite: true }, { fsync: true }, { overwrite: true, fsync: true }]) {
      const expected = await outcomeOf(saveInPieces, options);
      assert.deepEqual(await outcomeOf(saveAtOnce, options), expected, JSON.stringify(options));
    }
  });

  it("goes the other way for a while where the disk is slow", async () => {
    await inDirectory(async (path) => {
      const directory = await Directory.open(path);
      directory.pace.time(() => blockFor(10));
      for (let count = 0; count < 3; count++) await saveAtOnce(directory, "a");
      assert.equal(directory.pace.isQuick(), false);
      assert.deepEqual((await readdir(path)).toSorted(), ["a", "a-1", "a-2"]);
    });
  });

  it("leaves nothing when it cannot be saved", async () => {
    await inDirectory(async (path) => {
      const directory = await Directory.open(path);
      await assert.rejects(directory.save("a", { length: 5 } as Uint8Array), TypeError);
      await assert.rejects(directory.save("no/such/folder", TEXT), { code: "ENOENT" });
      assert.deepEqual(await readdir(path), []);
    });
  });
});

describe("The pace of a disk", () => {
  it("is tried again after a hundred files", () => {
    const pace = new DiskPace();
    assert.equal(pace.isQuick(), true);
    pace.time(() => blockFor(10));
    for (let count = 0; count < 100; count++) assert.equal(pace.isQuick(), false);
    assert.equal(pace.isQuick(), true);
  });
});

/** Keeps the processor busy, as a disk does that lets one wait. */
function blockFor(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
