// Locks of files, whatever has left them.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";

import { EXIT } from "../../src/errors.ts";
import { LockFile } from "../../src/fetch/lock-file.ts";

let directory = "";
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "meanwhile-locks-"))));
afterEach(() => rmSync(directory, { recursive: true }));

describe("a lock", () => {
  it("says who has it from the moment it is there, and leaves nothing behind", () => {
    const lock = LockFile.take(join(directory, "file"));
    assert.deepEqual(readdirSync(directory), ["file.lock"]);
    assert.match(readFileSync(join(directory, "file.lock"), "utf8"), new RegExp(`^${process.pid} \\d*\\n$`));
    lock[Symbol.dispose]();
    assert.deepEqual(readdirSync(directory), []);
  });

  it("is refused where a link leads to nothing, and does not try for ever", () => {
    symlinkSync("nothing", join(directory, "file.lock"));
    const wanted = { exitCode: EXIT.notStarted, message: /remove what is there/ };
    assert.throws(() => LockFile.take(join(directory, "file")), wanted);
  });

  it("is refused while its process lives", () => {
    writeFileSync(join(directory, "file.lock"), `${process.ppid}\n`);
    const wanted = { exitCode: EXIT.notStarted, message: /is used by the process/ };
    assert.throws(() => LockFile.take(join(directory, "file")), wanted);
  });

  it("is taken over from a process whose id another one has now", { skip: process.platform !== "linux" }, () => {
    writeFileSync(join(directory, "file.lock"), `${process.ppid} 1\n`);
    LockFile.take(join(directory, "file"))[Symbol.dispose]();
    assert.deepEqual(readdirSync(directory), []);
  });
});
