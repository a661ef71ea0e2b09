// A recording of what happens, written while it happens.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { run, sleep, taskGroup } from "meanwhile";
import { parseMessage, startDiagnostics, type StreamMessage } from "meanwhile/diagnostics";

import { expectWarning } from "../../../../tools/test-setup.ts";

const execute = promisify(execFile);

let directory: string;
const file = (name: string): string => join(directory, name);

before(() => {
  directory = mkdtempSync(join(tmpdir(), "meanwhile-recording-"));
});
after(() => rmSync(directory, { recursive: true }));

async function main(): Promise<void> {
  await taskGroup(async (group) => {
    group.createTask(() => sleep(1), { name: "recorded" });
  });
}

function messagesIn(path: string): StreamMessage[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => parseMessage(line) ?? []);
}

describe("A recording", () => {
  it("has what happened from the first task on, and can be read by its user only", async () => {
    {
      await using _diagnostics = startDiagnostics({ level: 2, socket: false, record: file("run.jsonl") });
      await run(main);
    }
    const messages = messagesIn(file("run.jsonl"));
    assert.equal(messages.at(0)?.type, "hello");
    assert.equal(messages.at(-1)?.type, "bye");
    const events = messages.flatMap((message) => (message.type === "events" ? message.events : []));
    const id = events.find((event) => event[2] === "created" && event[5] === "recorded")?.[3];
    assert.deepEqual(
      events.filter((event) => event[3] === id).map(([, , kind]) => kind),
      ["created", "wait", "resume", "ended"],
    );
    assert.equal(statSync(file("run.jsonl")).mode & 0o777, 0o600);
  });

  it("tells which tasks were cancelled with a group, also of those that end last", async () => {
    {
      await using _diagnostics = startDiagnostics({ level: 2, socket: false, record: file("cancelled.jsonl") });
      await run(() =>
        taskGroup(async (group) => {
          for (let i = 0; i < 3; i++) group.createTask(() => sleep(60_000));
          await sleep(1);
          group.cancel();
        }),
      );
    }
    const ended = messagesIn(file("cancelled.jsonl")).flatMap((one) => (one.type === "delta" ? one.ended : []));
    assert.equal(ended.filter(({ cancelledAtMs }) => cancelledAtMs !== null).length, 3);
  });

  it("that cannot be written is one warning, and the program goes on", async () => {
    writeFileSync(file("there.jsonl"), "mine");
    for (const path of [file("there.jsonl"), join(directory, "no", "run.jsonl")]) {
      await using warnings = expectWarning("MW_WARN_DIAGNOSTICS");
      await using diagnostics = startDiagnostics({ level: 2, socket: false, record: path });
      await diagnostics.ready;
      await run(main);
      assert.match((await warnings.first()).message, /Cannot record to .*; the program goes on without a recording/);
      assert.equal(warnings.seen.length, 1);
      await diagnostics.snapshot();
    }
    assert.equal(readFileSync(file("there.jsonl"), "utf8"), "mine");
  });

  // A limit of the size of files: the disk of the one who runs this is not filled.
  it(
    "that fills the disk is one warning, and the program goes on",
    { skip: process.platform === "win32" },
    async () => {
      const fixture = fileURLToPath(new URL("fixtures/fills-the-disk.ts", import.meta.url));
      const command = [process.execPath, "--conditions=@meanwhile/source", fixture, file("large.jsonl")];
      const { stdout } = await execute("sh", ["-c", 'ulimit -f 64; exec "$@"', "sh", ...command], {
        env: { ...process.env, NODE_V8_COVERAGE: "" }, // that would not fit either
      });
      assert.match(stdout, /Cannot record to .*EFBIG.*; the program goes on without a recording/);
      assert.match(stdout, /went on 1 snapshot/);
    },
  );

  it("needs a level that has events", () => {
    assert.throws(() => startDiagnostics({ record: file("x"), level: 1 }), { code: "MW_ERR_INVALID_ARGUMENT" });
  });
});
