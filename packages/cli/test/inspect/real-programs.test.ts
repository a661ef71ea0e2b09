// Real programs in trouble, under meanwhile run, and what they answer.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { Program, Snapshot } from "meanwhile/diagnostics";

import { breachesIn, type WrittenTrace } from "../../../meanwhile/test/diagnostics/reading/trace-rules.ts";
import { SocketFolder } from "./fake-program.ts";

const PROGRAMS = fileURLToPath(new URL("./programs.ts", import.meta.url));

interface Told {
  readonly program: Program;
  readonly snapshot: Snapshot;
}

/** A program that runs until the end of the test. */
class RunningProgram implements AsyncDisposable {
  readonly folder: SocketFolder = new SocketFolder();
  readonly #started: ReturnType<SocketFolder["startCli"]>;

  constructor(name: string, ...options: string[]) {
    this.#started = this.folder.startCli(["run", "--no-cache", ...options, PROGRAMS, name]);
  }

  /** Its pid, once it answers. */
  async pid(): Promise<string> {
    for (;;) {
      await turn();
      const { stdout } = await this.folder.cli(["ps", "--json"]);
      const [found] = JSON.parse(stdout) as Array<{ readonly pid: number }>;
      if (found !== undefined) return String(found.pid);
    }
  }

  /** Asks until what is told is as it should be; the test has a time limit. */
  async ask(isRight: (told: Snapshot) => boolean): Promise<string> {
    const pid = await this.pid();
    for (;;) {
      const { stdout, exit } = await this.folder.cli(["ps", pid, "--json"]);
      if (exit === 0 && isRight((JSON.parse(stdout) as Told).snapshot)) return pid;
      await turn();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { child, ended } = this.#started;
    // What is blocked hears of no other signal; then the command that has started it ends too.
    for (const { pid } of JSON.parse((await this.folder.cli(["ps", "--json"])).stdout) as Array<{ pid: number }>) {
      process.kill(pid, "SIGKILL");
    }
    child.kill();
    await ended;
    await this.folder[Symbol.asyncDispose]();
  }
}

describe("A program under meanwhile run", () => {
  it("that is deadlocked shows the circle, and where each of it waits", async () => {
    await using program = new RunningProgram("deadlock");
    const pid = await program.ask(({ cycles }) => cycles.length > 0);
    const { stdout } = await program.folder.cli(["ps", pid]);
    assert.match(stdout, /! 2 tasks wait in a circle, and none of them can go on:/);
    assert.match(stdout, /task \d+ "Plato" waits for Lock\.acquire \(held by task \d+ "Kant"\)/);
    assert.match(stdout, /at philosopher \(.*programs\.ts:10:/);
  });

  it("with 5 000 tasks at one place shows one row, and one branch, for them", async () => {
    await using program = new RunningProgram("crowd");
    const pid = await program.ask(
      ({ tasks }) => tasks.filter(({ waits }) => waits.some((wait) => wait.for.startsWith("Queue"))).length === 5_000,
    );
    const { stdout } = await program.folder.cli(["ps", pid, "--filter", "worker"]);
    assert.match(stdout, /^5 000 × {2}worker \* {2}waiting /m);
    assert.match(stdout, /Queue\.get \(it is empty\)$/m);
    assert.equal(stdout.match(/worker \*/g)?.length, 1);
    const tree = await program.folder.cli(["pstree", pid]);
    assert.match(tree.stdout, /^└─ 5 000 × worker \* {2}waiting/m);
  });

  it("answers while its event loop is blocked, and names who blocks it", async () => {
    await using program = new RunningProgram("blocked");
    const pid = await program.ask(({ blocked }) => blocked !== null && blocked.task !== null);
    const { stdout } = await program.folder.cli(["ps", pid]);
    assert.match(
      stdout,
      /! The event loop has been blocked for .* by task \d+ "cruncher" at block \(.*programs\.ts:\d+/,
    );
    assert.match(stdout, /patient .*waiting .* sleep/);
  });

  it("cannot be asked with --no-diagnostics", async () => {
    await using folder = new SocketFolder();
    const { exit, stderr } = await folder.cli(["run", "--no-cache", "--no-diagnostics", PROGRAMS, "short"]);
    assert.deepEqual([exit, stderr, existsSync(join(folder.path, "1.sock"))], [5, "", false]);
  });
});

describe("A recording of meanwhile run --record", () => {
  it("has everything from the first task to process.exit(), and becomes a trace", async () => {
    await using folder = new SocketFolder();
    const directory = mkdtempSync(join(tmpdir(), "meanwhile-record-"));
    try {
      const [recording, trace] = [join(directory, "run.jsonl"), join(directory, "run.json")];
      const { exit } = await folder.cli(["run", "--no-cache", "--record", recording, PROGRAMS, "short"]);
      assert.equal(exit, 5);
      const lines = readFileSync(recording, "utf8").trim().split("\n");
      assert.match(lines.at(0) ?? "", /^\{"type":"hello"/);
      assert.match(lines.at(-1) ?? "", /^\{"type":"bye"/);
      assert.equal((await folder.cli(["trace", recording, "-o", trace])).exit, 0);
      const written = JSON.parse(readFileSync(trace, "utf8")) as WrittenTrace;
      assert.deepEqual(breachesIn(written), []);
      const spans = written.traceEvents.filter(({ ph, name }) => ph === "b" && ["one", "two"].includes(name));
      assert.equal(spans.length, 2);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("is not written over a file that is there, nor where none can be", async () => {
    await using folder = new SocketFolder();
    const failure = async (...args: string[]): Promise<unknown[]> => {
      const { exit, stderr } = await folder.cli(["run", ...args, PROGRAMS, "short"]);
      return [exit, stderr.trim()];
    };
    assert.deepEqual(await failure("--record", PROGRAMS), [
      3,
      `meanwhile: cannot record to "${PROGRAMS}": there is a file of that name`,
    ]);
    assert.equal((await failure("--record=/no/such/folder/run.jsonl"))[0], 3);
    const neither = await failure("--record=x", "--no-diagnostics");
    assert.deepEqual(neither, [2, "meanwhile: --record needs diagnostics: leave out --no-diagnostics"]);
  });
});
