// Files that several runs append records to.

import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";

import { EXIT } from "../../src/errors.ts";
import type { FieldName } from "../../src/fetch/fields.ts";
import { Journal } from "../../src/fetch/journal.ts";
import { RecordsFile } from "../../src/fetch/records-file.ts";
import { cli, startCli } from "../support/cli.ts";
import { TestServer } from "../support/server.ts";

const RECORD = '{"index":1,"url":"http://a/","ok":true,"bytes":0}\n';
const NOT_STARTED = { exitCode: EXIT.notStarted };

let directory = "";
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "meanwhile-records-"))));
afterEach(() => rmSync(directory, { recursive: true }));

function opened(text: string, fields?: readonly FieldName[]): string {
  const path = join(directory, "records");
  writeFileSync(path, text);
  RecordsFile.open(path, { saved: undefined, fields, journal: undefined }).close(true);
  return readFileSync(path, "utf8");
}

describe("a file of records", () => {
  it("is appended to behind its last whole record", () => {
    assert.equal(opened(RECORD), RECORD);
    assert.equal(opened(`${RECORD}{"index":2,"ur`), RECORD);
    assert.equal(opened(RECORD.trimEnd()), RECORD);
    assert.equal(opened('{"index":1,"ur'), "");
    assert.equal(opened('{"ind'), "");
  });

  it("may have the fields of --fields only", () => {
    assert.equal(opened('{"status":200}\n{"stat', ["status"]), '{"status":200}\n');
    assert.throws(() => opened('{"status":200}\n'), NOT_STARTED);
  });

  for (const [what, text] of Object.entries({
    "JSON of somebody else": '{"name":"mine","scripts":{}}',
    "JSON of somebody else in lines": '{\n  "name": "mine"\n}\n',
    "lines of JSON of somebody else": '{"id":1}\n{"id":2}\n{"id":',
    "something else behind records": `${RECORD}notes\n`,
    "something else behind records, and no last line": `${RECORD}notes\nmore no`,
    "a field that no record has": '{"index":1,"url":"http://a/","ok":true,"mine":1}\n',
  })) {
    it(`is left as it is if it is ${what}`, () => {
      assert.throws(() => opened(text), NOT_STARTED);
      assert.equal(readFileSync(join(directory, "records"), "utf8"), text);
    });
  }

  it("is written by one run at a time, whatever name that calls it by, and says whose it is", () => {
    const path = join(directory, "records");
    writeFileSync(path, RECORD);
    symlinkSync(path, join(directory, "other-name"));
    // Of a process that lives: the one that runs the tests.
    writeFileSync(`${path}.lock`, `${process.ppid} \n`);
    for (const name of ["records", "other-name"]) {
      const options = { saved: undefined, fields: undefined, journal: undefined };
      assert.throws(() => RecordsFile.open(join(directory, name), options), {
        ...NOT_STARTED,
        message: new RegExp(`used by the process ${process.ppid}`),
      });
    }
    assert.equal(readFileSync(path, "utf8"), RECORD);
  });

  it("is free again after a run without a journal, however that has ended", () => {
    const path = join(directory, "records");
    for (const isComplete of [true, false]) {
      const file = RecordsFile.open(path, { saved: undefined, fields: undefined, journal: undefined });
      assert.equal(existsSync(`${path}.lock`), true);
      file.close(isComplete);
      assert.equal(existsSync(`${path}.lock`), false);
    }
    writeFileSync(`${path}.lock`, "4194303 1\n"); // of one that was killed
    RecordsFile.open(path, { saved: undefined, fields: undefined, journal: undefined }).close(true);
    assert.deepEqual(readdirSync(directory), ["records"]);
  });

  it("is refused to the second of two runs at once", async () => {
    await using server = await TestServer.start();
    const path = join(directory, "records");
    const first = startCli(["fetch", `${server.origin}/stall`, "--jsonl", path, "--grace", "0"]);
    while (server.seen.length === 0) await setImmediate();
    const second = await cli(["fetch", `${server.origin}/ok`, "--jsonl", path]);
    assert.deepEqual([second.exit, second.stderr.includes(`used by the process ${first.child.pid}`)], [3, true]);
    first.child.kill("SIGINT");
    assert.equal((await first.ended).exit, 130);
    assert.deepEqual([server.seen.length, readdirSync(directory)], [1, ["records"]]);
  });

  it("loses nothing of another run to the journal of a run that was killed", async () => {
    const [path, state] = [join(directory, "records"), join(directory, "state")];
    writeFileSync(path, RECORD);
    const journal = Journal.open(state);
    const killed = RecordsFile.open(path, { saved: undefined, fields: undefined, journal: state });
    await journal.commit([], await killed.sync());
    appendFileSync(path, RECORD); // not noted any more
    killed.close(false);
    journal[Symbol.dispose]();
    // The process that the lock names is gone.
    writeFileSync(`${path}.lock`, readFileSync(`${path}.lock`, "utf8").replace(/^\d+ \d*/, "0"));

    const wanted = { exitCode: EXIT.notStarted, message: /that did not come to its end; repeat that run first, or/ };
    const others = [undefined, join(directory, "other")];
    for (const other of others) {
      if (other !== undefined) Journal.open(other)[Symbol.dispose]();
      const options = { saved: undefined, fields: undefined, journal: other };
      assert.throws(() => RecordsFile.open(path, options), wanted);
    }

    const again = Journal.open(state);
    RecordsFile.open(path, { saved: again.saved, fields: undefined, journal: state }).close(true);
    again[Symbol.dispose]();
    assert.equal(readFileSync(path, "utf8"), RECORD);
    assert.equal(existsSync(`${path}.lock`), false);
  });
});

describe("the files of fetch", () => {
  it("leave no state behind if another of them cannot be opened", async () => {
    const state = join(directory, "state");
    const { exit } = await cli(["fetch", "http://a/", "--state", state, "--jsonl", join(directory, "no", "records")]);
    assert.equal(exit, 3);
    assert.equal(existsSync(state), false);
    assert.equal(existsSync(`${state}.lock`), false);
    const theirs = join(directory, "theirs");
    writeFileSync(theirs, "theirs\n");
    assert.equal((await cli(["fetch", "http://a/", "--state", state, "--jsonl", theirs])).exit, 3);
    assert.deepEqual(readdirSync(directory), ["theirs"]);
  });
});
