// meanwhile run: what a program sees, how it ends, what is said of it.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

import { parseRunOptions } from "../../src/run/options.ts";
import { type CliOptions, type Ended, startCli, type Started } from "../support/cli.ts";

const program = (name: string): string => fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
const start = (args: readonly string[], options?: CliOptions): Started =>
  startCli(["run", "--no-cache", ...args], options);
const runCli = (args: readonly string[], options?: CliOptions): Promise<Ended> => start(args, options).ended;

/** Resolves when the program has written a text. */
async function written(child: ChildProcess, text: string): Promise<string> {
  let seen = "";
  for (;;) {
    const [chunk] = (await once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data")) as [Buffer];
    seen += chunk.toString();
    if (seen.includes(text)) return seen;
  }
}

const pick = ({ exit, stdout, stderr }: Ended) => ({ exit, stdout, stderr });

describe("A program under meanwhile run", () => {
  it("is the main module, has its arguments, a task around it, and its exit code", async () => {
    const { exit, stdout } = await runCli([program("ends.ts"), "facts", "--report", "-x"]);
    assert.deepEqual(JSON.parse(stdout), {
      main: true,
      args: ["facts", "--report", "-x"],
      task: "ends.ts",
      isInstrumented: true,
    });
    assert.equal(exit, 7);
  });

  it("is left as it is with --no-instrument, still inside of run()", async () => {
    const { stdout } = await runCli(["--no-instrument", program("ends.ts"), "facts"]);
    assert.deepEqual(JSON.parse(stdout), { main: true, args: ["facts"], task: "ends.ts", isInstrumented: false });
  });

  it("is the main module also if a link leads to it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "meanwhile-link-"));
    try {
      const link = join(folder, "link.ts");
      symlinkSync(program("ends.ts"), link);
      const { stdout } = await runCli([link, "facts"]);
      assert.equal((JSON.parse(stdout) as { main: unknown }).main, true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("may be CommonJS", async () => {
    const { exit, stdout, stderr } = await runCli([program("commonjs.cjs"), "a"]);
    assert.equal(stderr, "");
    assert.deepEqual(JSON.parse(stdout), { main: true, isInstrumented: true, args: ["a"] });
    assert.equal(exit, 0);
  });

  it("has instrumented workers", async () => {
    const { stdout } = await runCli([program("ends.ts"), "worker"]);
    assert.equal(stdout, "instrumented in the worker: true\n");
  });

  it("may call run() itself", async () => {
    const { exit, stdout } = await runCli([program("own-run.ts")]);
    assert.deepEqual({ exit, stdout }, { exit: 0, stdout: "cleaned up\nundefined\n" });
  });
});

describe("The end of a program under meanwhile run", () => {
  it("by process.exit is passed on", async () => {
    assert.equal((await runCli([program("ends.ts"), "exit"])).exit, 5);
  });

  it("by an error has Node's report and exit code", async () => {
    const { exit, stderr } = await runCli([program("ends.ts"), "throws"]);
    assert.equal(exit, 1);
    assert.match(stderr, /RangeError: on purpose\n +at .*throws .*ends\.ts:23:11/);
  });

  it("by a signal is the end of meanwhile by that signal", async () => {
    assert.equal((await runCli([program("ends.ts"), "killed"])).exit, "SIGKILL");
  });

  it("says where it hangs, if nothing can wake it", async () => {
    const { exit, stderr } = await runCli([program("ends.ts"), "hangs"]);
    assert.equal(exit, 1);
    assert.match(stderr, /DeadlockError: Cannot go on/);
    assert.match(stderr, /new Promise<never>\(\(\) => \{\}\) in waitsForNothing \(.*ends\.ts:10:10\)/);
    assert.match(stderr, /\n +at <module> \(.*ends\.ts:\d+:1\)/);
  });

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const) {
    it(`comes by ${signal} from the inside out, at every await of plain code`, async () => {
      const { child, ended } = start([program("cleans-up.ts")]);
      await written(child, "downloads\ndownloads\n");
      child.kill(signal);
      const { exit, stdout, stderr } = await ended;
      assert.equal(stdout, "downloads\ndownloads\ndownload cleaned up\ndownload cleaned up\nprogram cleaned up\n");
      assert.deepEqual({ exit, stderr }, { exit: code, stderr: "" });
    });
  }

  it("by a signal passes a run of its own, and leaves the module that waits for that", async () => {
    const { child, ended } = start([program("own-run-waits.ts")]);
    await written(child, "ready");
    child.kill("SIGTERM");
    assert.deepEqual(pick(await ended), { exit: 143, stdout: "ready\ncleaned up\nafter the run\n", stderr: "" });
  });

  it("by a signal that it handles itself is its own affair", async () => {
    for (const [way, signal] of [
      ["handler", "SIGTERM"],
      ["goesOn", "SIGINT"],
    ] as const) {
      const { child, ended } = start([program("own-signals.ts"), way]);
      await written(child, "ready");
      child.kill(signal);
      assert.deepEqual(pick(await ended), { exit: 0, stdout: "ready\ndatabase closed\n", stderr: "" }, way);
    }
  });

  it("by a signal that it handles itself lets its servers answer", async () => {
    const { child, ended } = start([program("own-signals.ts"), "drain"]);
    const [, port] = /port (\d+)/.exec(await written(child, "port")) ?? [];
    const answer = new Promise<string>((resolve, reject) => {
      get(`http://127.0.0.1:${port}/`, { agent: false }, (response) => void textOf(response).then(resolve, reject)).on(
        "error",
        reject,
      );
    });
    await written(child, "got a request");
    child.kill("SIGTERM");
    assert.equal(await answer, "answer");
    const { exit, stdout } = await ended;
    assert.match(stdout, /drained\n$/);
    assert.equal(exit, 0);
  });

  it("comes once: beforeExit too", async () => {
    const { exit, stdout } = await runCli([program("own-signals.ts"), "summary"]);
    assert.deepEqual({ exit, stdout }, { exit: 0, stdout: "summary\n" });
  });

  it("by a signal waits for the cleanup of requests to a server that knows nothing of meanwhile", async () => {
    const { child, ended } = start([program("server.ts")]);
    const [, port] = /port (\d+)/.exec(await written(child, "port")) ?? [];
    const request = get(`http://127.0.0.1:${port}/`);
    const closed = new Promise((resolve) => void request.once("close", resolve));
    request.on("error", () => {}).on("response", (response) => response.resume());
    await written(child, "got a request");
    child.kill("SIGINT");
    const { exit, stdout } = await ended;
    await closed;
    assert.match(stdout, /request cleaned up\n$/);
    assert.equal(exit, 130);
  });
});

describe("meanwhile run --report", () => {
  it("says where the program waited and was busy, what could have been at once, and what it left behind", async () => {
    const { stderr } = await runCli(["--report", program("waits.ts")]);
    assert.match(
      stderr,
      /Report of meanwhile: waits\.ts \(process \d+\) ran for .*; its async functions were busy for/,
    );
    assert.doesNotMatch(stderr, /program\.ts|runProgram|untilIdle/);
    assert.match(stderr, /Where it waited\n +times +total +longest\n/);
    assert.match(stderr, /waits\.ts:6:10 {2}await pause\(ms\) +6 /);
    assert.match(stderr, /Where it was busy\n +calls +total +longest\n/);
    assert.match(stderr, /waits\.ts:15:1 {2}main +1 /);
    assert.match(stderr, /waits\.ts:16:17 {2}lines 16, 17 waited .* in turn: gather\(\) would take/);
    assert.match(stderr, /waits\.ts:18:31 {2}a loop waited/);
    assert.doesNotMatch(stderr, /lines 16, 17, 19/);
    assert.match(stderr, /What it left behind\n {2}forgotten \(.*waits\.ts:24:3\) still waits for new Promise/);
  });
});

describe("The options of meanwhile run", () => {
  const NONE = {
    instrument: true,
    report: false,
    packages: [],
    cache: true,
    diagnostics: true,
    record: null,
    inspect: false,
    allow: [],
    debug: false,
  };
  const parsed: ReadonlyArray<readonly [args: readonly string[], options: object]> = [
    [["a.ts"], { ...NONE, file: "a.ts", args: [] }],
    [
      ["--report", "a.ts", "--report", "--", "b"],
      { ...NONE, report: true, file: "a.ts", args: ["--report", "--", "b"] },
    ],
    [
      ["--no-instrument", "--no-cache", "--debug", "a.ts"],
      { ...NONE, instrument: false, cache: false, debug: true, file: "a.ts", args: [] },
    ],
    [
      ["--packages", "p-map,@a/*", "--packages=b", "a.ts"],
      { ...NONE, packages: ["p-map", "@a/*", "b"], file: "a.ts", args: [] },
    ],
    [["--record", "a.jsonl", "a.ts"], { ...NONE, record: "a.jsonl", file: "a.ts", args: [] }],
    [["--record=a.jsonl", "--report", "a.ts"], { ...NONE, record: "a.jsonl", report: true, file: "a.ts", args: [] }],
    [["--no-diagnostics", "a.ts"], { ...NONE, diagnostics: false, file: "a.ts", args: [] }],
    [["--inspect", "a.ts", "--inspect"], { ...NONE, inspect: true, file: "a.ts", args: ["--inspect"] }],
    [["--allow", "cancel", "a.ts"], { ...NONE, allow: ["cancel"], file: "a.ts", args: [] }],
    [["--allow=cancel", "a.ts"], { ...NONE, allow: ["cancel"], file: "a.ts", args: [] }],
    [["--", "-odd.ts", "-x"], { ...NONE, file: "-odd.ts", args: ["-x"] }],
  ];
  for (const [args, options] of parsed) {
    it(`are read from: ${args.join(" ")}`, () => assert.deepEqual(parseRunOptions(args), options));
  }

  const refused: ReadonlyArray<readonly [args: readonly string[], text: RegExp]> = [
    [[], /^run needs a file: meanwhile run \[options\] app\.ts/],
    [["--report"], /^run needs a file/],
    [["--inspect=9229", "a.ts"], /^unknown option --inspect=9229 before the file; options of Node itself go into /],
    [
      ["--trace-gc", "a.ts"],
      /^unknown option --trace-gc before the file; options of Node itself go into NODE_OPTIONS$/,
    ],
    [["--allow", "eval", "a.ts"], /^--allow "eval" is not possible; pass cancel$/],
    [["--allow"], /^--allow "" is not possible; pass cancel$/],
    [["--inspect", "--no-diagnostics", "a.ts"], /^--inspect needs diagnostics: leave out --no-diagnostics$/],
    [["--allow=cancel", "--no-diagnostics", "a.ts"], /^--allow needs diagnostics: leave out --no-diagnostics$/],
    [["--report=yes", "a.ts"], /^unknown option --report=yes/],
    [["--report", "--no-instrument", "a.ts"], /^--report needs instrumented code: leave out --no-instrument$/],
    [["--packages"], /^--packages needs names/],
    [["--record"], /^--record needs a file/],
    [["--record=x", "--no-diagnostics", "a.ts"], /^--record needs diagnostics: leave out --no-diagnostics$/],
    [["--packages", "a,,b", "a.ts"], /^--packages needs names/],
  ];
  for (const [args, text] of refused) {
    it(`are refused: ${args.join(" ")}`, () =>
      assert.throws(() => parseRunOptions(args), { message: text, exitCode: 2 }));
  }

  it("of a file that is not there are refused before anything runs", async () => {
    const { exit, stderr } = await runCli(["nowhere.ts"]);
    assert.deepEqual({ exit, stderr }, { exit: 3, stderr: "meanwhile: nowhere.ts is not a file that can be run\n" });
  });

  it("include help and version", async () => {
    const help = await runCli(["--help"]);
    assert.equal(help.exit, 0);
    assert.match(help.stdout, /^Usage: meanwhile run \[options\] app\.ts/);
    for (const line of help.stdout.split("\n")) assert.ok(line.length <= 80, line);
    assert.match((await runCli(["-V"])).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
