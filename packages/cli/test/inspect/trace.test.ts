// meanwhile trace: files for a trace viewer.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";

import type { StreamMessage } from "meanwhile/diagnostics";

import { events, hello, snapshot, task } from "../../../meanwhile/test/diagnostics/reading/told.ts";
import { breachesIn, type WrittenTrace } from "../../../meanwhile/test/diagnostics/reading/trace-rules.ts";
import { SocketFolder } from "./fake-program.ts";

const PID = String(process.pid);
const TOLD: readonly StreamMessage[] = [
  hello(),
  snapshot({ seq: 1, atMs: 20, tasks: [task(1, "main")] }),
  events([2, 21, "resume", 1, 0], [3, 22, "ended", 1, "succeeded"]),
  { type: "gap", from: 4, to: 9 },
  { type: "bye", atMs: 30 },
];
const linesOf = (messages: readonly StreamMessage[]): string =>
  messages.map((message) => `${JSON.stringify(message)}\n`).join("");

let directory: string;
const file = (name: string): string => join(directory, name);

before(() => {
  directory = mkdtempSync(join(tmpdir(), "meanwhile-trace-"));
});
after(() => rmSync(directory, { recursive: true }));

function traceIn(name: string): WrittenTrace {
  const trace = JSON.parse(readFileSync(file(name), "utf8")) as WrittenTrace;
  assert.deepEqual(breachesIn(trace), []);
  return trace;
}

describe("meanwhile trace PID", () => {
  it("records for so many seconds, into a file that only its user can read", async () => {
    await using folder = new SocketFolder();
    await folder.start({ stream: TOLD });
    const { exit, stdout, stderr } = await folder.cli(["trace", PID, "--seconds", "2.5", "-o", file("new.json")]);
    assert.deepEqual(folder.asked, ["/v1/trace?seconds=2.5&follow=1"]);
    assert.deepEqual([exit, stdout], [0, ""]);
    assert.equal(
      stderr,
      `meanwhile trace: recording for 2.5 s; Ctrl-C ends it early\nmeanwhile trace: 2 events in ${file("new.json")}; events were lost 1 time\n`,
    );
    assert.equal(statSync(file("new.json")).mode & 0o777, 0o600);
    assert.ok(traceIn("new.json").traceEvents.some(({ name }) => name === "main"));
  });

  it("writes the last seconds with --past, and the recording itself if that is wanted", async () => {
    await using folder = new SocketFolder();
    await folder.start({ stream: TOLD });
    const args = ["trace", PID, "--past", "--seconds=5", "--format", "recording", "-o", "-"];
    assert.equal((await folder.cli(args)).stdout, linesOf(TOLD));
    assert.deepEqual(folder.asked, ["/v1/trace?seconds=5"]);
  });

  it("puts lines together that come in pieces", async () => {
    await using folder = new SocketFolder();
    const text = linesOf(TOLD);
    await folder.start({
      other: (response) => void Readable.from(text.match(/[^]{1,100}/g) ?? []).pipe(response),
    });
    const args = ["trace", PID, "--past", "--format", "recording", "-o", "-"];
    assert.equal((await folder.cli(args)).stdout, text);
  });

  it("ends in order by Ctrl-C, and when the program ends: the file is complete", async () => {
    for (const ends of ["signal", "program"]) {
      await using folder = new SocketFolder();
      const open = Promise.withResolvers<ServerResponse>();
      await folder.start({
        other: (response) => {
          response.write(linesOf(TOLD.slice(0, 3)), () => open.resolve(response));
        },
      });
      const { child, ended } = folder.startCli(["trace", PID, "-o", file("cut.json")]);
      const response = await open.promise;
      // The part is there when the first message has been read.
      while (!existsSync(file("cut.json.part"))) await turn();
      if (ends === "signal") child.kill("SIGINT");
      else response.destroy();
      const { exit, stderr } = await ended;
      assert.equal(exit, ends === "signal" ? 130 : 0);
      assert.equal(stderr.includes(`; ${PID} has ended, and this is what it had told by then\n`), ends === "program");
      traceIn("cut.json");
      assert.equal(existsSync(file("cut.json.part")), false);
    }
  });

  it("leaves the file that is there alone until the new one is complete", async () => {
    writeFileSync(file("old.json"), "old");
    await using folder = new SocketFolder();
    await folder.start({ other: (response) => response.writeHead(400).end('{"error":"level 1 records none"}') });
    const { exit, stderr } = await folder.cli(["trace", PID, "--past", "-o", file("old.json")]);
    assert.deepEqual([exit, stderr], [3, `meanwhile: ${PID} refuses: level 1 records none\n`]);
    assert.equal(readFileSync(file("old.json"), "utf8"), "old");
    assert.equal(existsSync(file("old.json.part")), false);
  });

  it("writes to what is no file without replacing it", async () => {
    symlinkSync("/dev/null", file("nowhere"));
    await using folder = new SocketFolder();
    await folder.start({ stream: TOLD });
    assert.equal((await folder.cli(["trace", PID, "-o", file("nowhere")])).exit, 0);
    assert.ok(statSync(file("nowhere")).isCharacterDevice());
  });

  it("says what cannot be meant", async () => {
    await using folder = new SocketFolder();
    const failure = async (...args: string[]): Promise<unknown[]> => {
      const { exit, stderr } = await folder.cli(["trace", ...args]);
      return [exit, stderr.trim()];
    };
    assert.deepEqual(await failure(PID), [2, "meanwhile: trace needs a file to write: -o trace.json"]);
    assert.deepEqual(await failure("-o", "x"), [
      2,
      "meanwhile: trace needs the PID of a program, or a recording: see meanwhile trace --help",
    ]);
    assert.equal((await failure(PID, "-o", "x", "--seconds", "0"))[0], 2);
    assert.equal((await failure(PID, "-o", "x", "--format", "svg"))[0], 2);
    assert.equal((await failure(PID, "-o", join(directory, "no", "x")))[0], 3);
  });
});

describe("meanwhile trace FILE", () => {
  const convert = async (text: string, ...args: string[]): Promise<unknown[]> => {
    writeFileSync(file("run.jsonl"), text);
    await using folder = new SocketFolder();
    const { exit, stderr } = await folder.cli(["trace", file("run.jsonl"), "-o", file("run.json"), ...args]);
    return [exit, stderr.replaceAll(directory, "").trim()];
  };

  it("turns a recording into a trace, also one that ends in the middle of a line", async () => {
    assert.deepEqual(await convert(`${linesOf(TOLD.slice(0, 3))}{"type":"events","events":[[4,23,"wa`), [
      0,
      "meanwhile trace: 2 events in /run.json",
    ]);
    assert.ok(traceIn("run.json").traceEvents.some(({ name }) => name === "main"));
  });

  it("says of what is no recording that it is none", async () => {
    assert.deepEqual(await convert('{"type":"bye","atMs":1}\n'), [3, 'meanwhile: "/run.jsonl" is not a recording']);
    assert.deepEqual(await convert(""), [3, 'meanwhile: "/run.jsonl" is not a recording: it is empty']);
    assert.match(String((await convert(linesOf([hello({ protocol: 7 })])))[1]), /version 7 of the protocol/);
    await using folder = new SocketFolder();
    const { exit, stderr } = await folder.cli(["trace", file("missing"), "-o", file("x")]);
    assert.deepEqual([exit, /no such file/.test(stderr)], [3, true]);
  });
});
