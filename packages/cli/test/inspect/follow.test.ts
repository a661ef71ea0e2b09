// meanwhile pstree follows a call to the worker that runs it.

import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { type EmbeddedServer, startEmbedded } from "@meanwhile/postgres";
import type { Program, TaskRecord } from "meanwhile/diagnostics";

import { snapshot, task, wait } from "../../../meanwhile/test/diagnostics/reading/told.ts";
import { SocketFolder } from "./fake-program.ts";

const FUNCTIONS = fileURLToPath(new URL("./far/functions.ts", import.meta.url));
const PROGRAM = fileURLToPath(new URL("./far/program.ts", import.meta.url));

let server: Promise<EmbeddedServer> | null = null;
after(async () => (await server)?.stop());

async function serverUrl(): Promise<string> {
  server ??= startEmbedded({ settings: { fsync: false } });
  return (await server).dsn;
}

interface Told {
  readonly program: Program;
  readonly tasks: readonly TaskRecord[];
}

/** A worker and a program that waits for it, each a process of its own, with their sockets. */
class TwoProcesses implements AsyncDisposable {
  readonly folder: SocketFolder = new SocketFolder();
  readonly #started: ReadonlyArray<ReturnType<SocketFolder["startCli"]>>;
  static #queues = 0;

  constructor(url: string, ...options: string[]) {
    TwoProcesses.#queues += 1;
    const queue = `follow-${TwoProcesses.#queues}`;
    this.#started = [
      this.folder.startCli(["worker", FUNCTIONS, "--connect", url, "--queue", queue, "--drain", "0", ...options]),
      this.folder.startCli(["run", "--no-cache", PROGRAM, url, queue]),
    ];
  }

  /** The worker. */
  get workerPid(): number {
    return this.#started[0]?.child.pid ?? 0;
  }

  /** The number of the program, once it is told what is wanted of its call. */
  async pidWhen(isRight: (job: NonNullable<TaskRecord["waits"][number]["remote"]>) => boolean): Promise<string> {
    for (;;) {
      await turn();
      const { stdout } = await this.folder.cli(["ps", "--json"]);
      const all = JSON.parse(stdout) as Array<{ readonly pid: number; readonly program?: Program }>;
      const pid = String(all.find(({ program }) => program?.script === PROGRAM)?.pid ?? "");
      const asked = pid === "" ? null : await this.folder.cli(["pstree", pid, "--json"]);
      const told = asked?.exit === 0 ? (JSON.parse(asked.stdout) as Told) : null;
      const remotes = told?.tasks.flatMap(({ waits }) => waits.flatMap(({ remote }) => remote ?? []));
      if (remotes?.some(isRight) === true) return pid;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#started.toReversed()) child.kill();
    await Promise.all(this.#started.map(({ ended }) => ended));
    await this.folder[Symbol.asyncDispose]();
  }
}

describe("meanwhile pstree of a program that waits for a worker", () => {
  it("shows the worker, and where the tasks of the job wait there", async () => {
    await using both = new TwoProcesses(await serverUrl(), "--diagnostics");
    const pid = await both.pidWhen(({ tasks }) => tasks.length === 2);
    const { stdout, exit } = await both.folder.cli(["pstree", pid]);
    assert.equal(exit, 0);
    const head = `→ "crunch" runs for \\S+ m?s in thread \\d+ of process ${both.workerPid} on \\S+ \\(job \\S+, attempt 1\\)`;
    assert.match(
      stdout,
      new RegExp(`waiting .*: "crunch" in cluster follow-\\d\n(.*at .*program\\.ts:7:.*\n)? *${head}\n`),
    );
    assert.match(stdout, /^ +\d+ crunch {2}waiting: 1 of its tasks \(taskGroup\)$/m);
    assert.match(stdout, /└─ \d+ deep {2}waiting: sleepForever\n +at inner \(.*functions\.ts:6:/);
  });

  it("shows the worker alone if that has no diagnostics", async () => {
    await using both = new TwoProcesses(await serverUrl());
    const pid = await both.pidWhen(({ worker }) => worker?.host !== undefined && worker.host !== "");
    const { stdout } = await both.folder.cli(["pstree", pid]);
    assert.match(
      stdout,
      new RegExp(`in process ${both.workerPid} on .*\n +its worker has no diagnostics on; start it with`),
    );
    assert.doesNotMatch(stdout, /deep/);
  });

  it("asks nobody with --no-stacks", async () => {
    await using folder = new SocketFolder();
    await folder.start({});
    await folder.cli(["pstree", String(process.pid), "--no-stacks"]);
    await folder.cli(["pstree", String(process.pid)]);
    assert.deepEqual(
      folder.asked.filter((path) => path.startsWith("/v1/snapshot")),
      ["/v1/snapshot?stacks=0", "/v1/snapshot?remote=1"],
    );
  });
});

describe("meanwhile pstree of what a program says of calls", () => {
  const worker = { id: "far-7-x", host: "far", pid: 7, thread: 2 };
  const far = { function: "crunch", id: "job-1", attempt: 2, state: "running", worker, runningMs: 1_500 } as const;
  const waits = [{ for: "sleep", stack: [{ function: "inner", file: "/srv/far.ts", line: 3, column: 4 }] }];
  const tasks = [
    { id: 1, name: "crunch", parent: null, activity: "waiting", waits: [{ for: "3 of its tasks", stack: [] }] },
    ...[2, 3, 4].map((id) => ({ id, name: `part ${id}`, parent: 1, activity: "waiting", waits }) as const),
  ] as const;

  async function shown(all: readonly TaskRecord[], ...args: string[]): Promise<string> {
    await using folder = new SocketFolder();
    await folder.start({ snapshot: snapshot({ tasks: all }) });
    const { stdout, stderr } = await folder.cli(["pstree", String(process.pid), ...args]);
    assert.equal(stderr, "");
    return stdout.split("\n").slice(3).join("\n");
  }

  it("draws tasks there like those here, the same ones once", async () => {
    const remote = { ...far, note: null, tasks, leftOut: 7 };
    const caller = task(2, "caller", { waits: [wait('"crunch" in cluster math', { remote })] });
    assert.equal(
      await shown([task(1, "main"), caller, task(3, "other")]),
      `1 main  waiting 90.0 ms: Queue.get (it is empty)
├─ 2 caller  waiting 90.0 ms: "crunch" in cluster math
│     → "crunch" runs for 1.50 s in thread 2 of process 7 on far (job job-1, attempt 2)
│        1 crunch  waiting: 3 of its tasks
│        └─ 3 × part *  waiting: sleep
│                at inner (/srv/far.ts:3:4)
│        … and 7 more tasks
└─ 3 other  waiting 90.0 ms: Queue.get (it is empty)
`,
    );
  });

  it("says why there is less to see, and follows only some of many", async () => {
    const remote = { ...far, worker: null, runningMs: null, state: "queued", tasks: [], leftOut: 0 } as const;
    const callers = Array.from({ length: 9 }, (_, index) =>
      task(index + 2, `caller ${index}`, {
        waits: [wait('"crunch" in cluster math', { remote: { ...remote, id: `job-${index}`, note: "nobody has it" } })],
      }),
    );
    const text = await shown([task(1, "main"), ...callers]);
    assert.equal(text.match(/→ "crunch" waits for a worker \(job job-\d, attempt 2\)\n +nobody has it\n/g)?.length, 3);
    assert.match(text, /and 6 more like it elsewhere: see --all/);
    assert.equal((await shown([task(1, "main"), ...callers], "--all")).match(/→ "crunch"/g)?.length, 9);
  });

  it("shows what no program of ours would say as harmless text", async () => {
    const evil = {
      function: "\u001b[2J",
      note: "\u202e\n",
      state: {},
      worker: { id: "\u0007", pid: -1 },
      tasks: [{}, 4],
    };
    const odd = [evil, 4, "x", [], { tasks: "x", worker: [] }];
    const all = odd.map((remote, index) =>
      task(index + 2, `t${index}`, { waits: [wait("x", { remote: remote as never })] }),
    );
    const text = await shown([task(1, "main"), ...all]);
    // oxlint-disable-next-line no-control-regex -- that is the point
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202e]/);
    assert.match(text, /→ "\\u001b\[2J" is elsewhere in worker \\u0007/);
  });
});
