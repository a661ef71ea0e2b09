import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { run, sleep, taskGroup, type TaskGroup } from "meanwhile";
import { readRemoteJob, type RemoteJob, type RemoteMessage, startDiagnostics } from "meanwhile/diagnostics";
import { areDiagnosticsOn, suspend } from "meanwhile/lowlevel";
import { ProcessPool, WorkerPool } from "meanwhile/workers";

import { ask, snapshotFrom } from "./asking.ts";

type Jobs = typeof import("./fixtures/remote-jobs.ts");
const JOBS = new URL("./fixtures/remote-jobs.ts", import.meta.url);
const OPTIONS = { report: false, blockedAfterMs: Infinity, warnings: false } as const;

type Pool = WorkerPool<Jobs> | ProcessPool<Jobs>;

function processes(): ProcessPool<Jobs> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new ProcessPool<Jobs>(JOBS, { threads: 1, graceMs: 0, env, execArgv: ["--conditions=@meanwhile/source"] });
}

/** Runs a program under diagnostics, with a group for its tasks. */
async function underDiagnostics(body: (socket: string | null, group: TaskGroup) => Promise<void>): Promise<void> {
  await using diagnostics = startDiagnostics(OPTIONS);
  const socket = await diagnostics.ready;
  await run(() =>
    taskGroup(async (group) => {
      await body(socket, group);
      group.cancel();
    }),
  );
}

/** What the waits of the task with this name are elsewhere, once they are as they should be. */
async function remoteOf(
  socket: string | null,
  name: string,
  isRight: (job: RemoteJob) => boolean = () => true,
): Promise<RemoteJob> {
  for (;;) {
    const { tasks } = await snapshotFrom(socket, "?remote=1");
    const remote = tasks.find((task) => task.name === name)?.waits[0]?.remote;
    if (remote !== undefined && isRight(remote)) return remote;
    await pause(5);
  }
}

/** Waits for something elsewhere that answers like this. */
function waitFor(remote: () => unknown): Promise<never> {
  return suspend<never>(() => () => {}, {
    describe: () => "something far",
    remote: remote as () => Promise<RemoteJob>,
  });
}

describe("A task that waits for something that runs elsewhere", () => {
  let folder = "";
  const runtimeDir = process.env["XDG_RUNTIME_DIR"];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "meanwhile-test-"));
    process.env["XDG_RUNTIME_DIR"] = folder;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    if (runtimeDir === undefined) delete process.env["XDG_RUNTIME_DIR"];
    else process.env["XDG_RUNTIME_DIR"] = runtimeDir;
  });

  const pools: ReadonlyArray<readonly [name: string, make: () => Pool]> = [
    ["threads", () => new WorkerPool<Jobs>(JOBS, { threads: 1, graceMs: 0 })],
    ["processes", processes],
  ];
  for (const [name, makePool] of pools) {
    it(`shows the worker and the tasks of its job there, in a pool of ${name}`, async () => {
      await using pool = makePool();
      await underDiagnostics(async (socket, group) => {
        group.createTask(async function caller() {
          await (pool as WorkerPool<Jobs>).call("waitInTasks");
        });
        const job = await remoteOf(socket, "caller", ({ tasks }) => tasks.length === 3);
        assert.equal(job.function, "waitInTasks");
        assert.equal(job.state, "running");
        assert.equal(job.attempt, 1);
        assert.equal(job.note, null);
        assert.equal(job.worker?.host, hostname());
        assert.equal(job.worker.pid === process.pid, name === "threads");
        assert.equal(job.worker.thread === 0, name === "processes");
        const [main, holder, wants] = job.tasks;
        assert.equal(main?.name, "waitInTasks");
        assert.deepEqual([holder?.name, holder?.parent, holder?.waits[0]?.for], ["holder", main.id, "sleepForever"]);
        assert.equal(wants?.waits[0]?.for, `Lock.acquire (held by task ${holder?.id} "holder")`);
      });
    });
  }

  it("shows it of a job that was started and is awaited, and of an item of a map", async () => {
    await using pool = new WorkerPool<Jobs>(JOBS, { threads: 2, graceMs: 0 });
    await underDiagnostics(async (socket, group) => {
      group.createTask(async function waitsForJob() {
        await using job = pool.start("waitInTasks", []);
        await job;
      });
      const ofJob = await remoteOf(socket, "waitsForJob", ({ state }) => state === "running");
      assert.equal(ofJob.tasks[0]?.name, "waitInTasks");
      group.createTask(() => pool.map("crowd", [1]).toArray());
      const ofItem = await remoteOf(socket, "work", ({ tasks }) => tasks.length === 2);
      assert.equal(ofItem.function, "crowd");
    });
  });

  it("says so where the worker computes and cannot answer, and where the job has no worker yet", async () => {
    await using pool = new WorkerPool<Jobs>(JOBS, { threads: 1, graceMs: 0 });
    await underDiagnostics(async (socket, group) => {
      const cell = new Int32Array(new SharedArrayBuffer(8));
      group.createTask(() => pool.call("compute", cell), { name: "computes" });
      while (Atomics.load(cell, 1) === 0) await sleep(1);
      for (let i = 0; i < 200; i++) group.createTask(() => pool.call("compute", cell), { name: `queued ${i}` });
      const computing = await remoteOf(socket, "computes");
      assert.match(computing.note ?? "", /^its thread does not answer: it computes/);
      assert.equal(computing.worker?.pid, process.pid);
      const queued = await remoteOf(socket, "queued 90");
      assert.equal(queued.state, "queued");
      Atomics.store(cell, 0, 1);
    });
  });

  it("tells no more of many tasks than fits, and only what can be printed", async () => {
    await using pool = new WorkerPool<Jobs>(JOBS, { threads: 1, graceMs: 0 });
    await underDiagnostics(async (socket, group) => {
      group.createTask(async function caller() {
        await pool.call("crowd", 5_000);
      });
      const job = await remoteOf(socket, "caller", ({ tasks }) => tasks.length > 100);
      assert.ok(job.tasks.length <= 200);
      assert.equal(job.tasks.length + job.leftOut, 5_001);
      assert.ok(JSON.stringify(job).length < 100_000);
      assert.match(job.tasks[1]?.name ?? "", /^\\u001b\[31mlong long/);
    });
  });

  it("asks nobody unless it is asked to", async () => {
    let asked = 0;
    await underDiagnostics(async (socket, group) => {
      group.createTask(() => waitFor(() => (asked += 1)), { name: "waits" });
      await sleep(1);
      const { tasks } = await snapshotFrom(socket);
      assert.equal(tasks.find(({ name }) => name === "waits")?.waits[0]?.remote, undefined);
      await snapshotFrom(socket, "?remote=1&stacks=0");
      assert.equal(asked, 0);
      const { id } = tasks.find(({ name }) => name === "waits") ?? { id: 0 };
      const { body } = await ask(socket, `/v1/remote?task=${id}`);
      assert.equal((body as RemoteMessage).jobs.length, 1);
      assert.deepEqual((await ask(socket, "/v1/remote?task=1")).body, { type: "remote", task: 1, jobs: [] });
      assert.equal((await ask(socket, "/v1/remote?task=x")).status, 400);
      assert.equal(asked, 1);
    });
  });

  it("is shown without an answer, within a second or so, whatever is asked", async () => {
    await underDiagnostics(async (socket, group) => {
      const answers: ReadonlyArray<readonly [name: string, remote: () => unknown]> = [
        ["silent", () => new Promise(() => {})],
        [
          "throws",
          () => {
            throw new Error("no");
          },
        ],
        ["rejects", () => Promise.reject(new Error("no"))],
        ["odd", () => Promise.resolve({ tasks: { length: 9 }, worker: 4, state: {} })],
      ];
      for (const [name, remote] of answers) group.createTask(() => waitFor(remote), { name });
      await sleep(1);
      const asked = performance.now();
      const { tasks } = await snapshotFrom(socket, "?remote=1");
      assert.ok(performance.now() - asked < 10_000);
      const noteOf = (wanted: string): string | null | undefined =>
        tasks.find(({ name }) => name === wanted)?.waits[0]?.remote?.note;
      assert.equal(noteOf("silent"), "nobody has answered in 1 s");
      assert.equal(noteOf("throws"), "it cannot be asked");
      assert.equal(noteOf("rejects"), "it cannot be asked");
      assert.equal(noteOf("odd"), null);
    });
  });

  it("is shown as it was told last while the program is blocked", async () => {
    const fixture = fileURLToPath(new URL("fixtures/blocked-when-told.ts", import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, fixture], { stdio: ["pipe", "pipe", "inherit"] });
    const [text] = await once(child.stdout, "data");
    const socket = String(text).trim();
    const before = await remoteOf(socket, "waits");
    assert.equal(before.note, null);
    child.stdin.write("block\n");
    const blocked = await remoteOf(socket, "waits", ({ note }) => note !== null);
    assert.match(blocked.note ?? "", /^as it was \d+ s ago: the program cannot ask now$/);
    assert.deepEqual({ ...blocked, note: null }, before);
    child.kill("SIGKILL");
    await once(child, "exit");
  });

  it("counts diagnostics that are on, for who decides what is told to others", async () => {
    assert.equal(areDiagnosticsOn(), false);
    {
      await using _diagnostics = startDiagnostics({ ...OPTIONS, socket: false });
      assert.equal(areDiagnosticsOn(), true);
    }
    assert.equal(areDiagnosticsOn(), false);
  });
});

describe("readRemoteJob", () => {
  it("makes something of anything", () => {
    const nothing = readRemoteJob(null);
    assert.deepEqual(nothing, {
      function: "",
      id: "",
      attempt: 1,
      state: "unknown",
      worker: null,
      runningMs: null,
      note: null,
      tasks: [],
      leftOut: 0,
    });
    for (const odd of [undefined, 4, "x", [], { tasks: null }, { worker: "x", note: 4, attempt: -5, runningMs: NaN }]) {
      assert.deepEqual(readRemoteJob(odd), nothing);
    }
  });

  it("takes no more than 200 tasks and 64 000 characters, however much there is", () => {
    const stack = Array.from({ length: 1_000 }, () => ({ function: "f".repeat(9_999), file: "x", line: 1, column: 1 }));
    const waits = Array.from({ length: 1_000 }, () => ({ for: "\u0007".repeat(9_999), stack }));
    const tasks = Array.from({ length: 1_000 }, (_, id) => ({ id: id + 1, name: "n", activity: "waiting", waits }));
    const large = readRemoteJob({ tasks });
    assert.ok(JSON.stringify(large).length < 200_000, `${JSON.stringify(large).length} characters`);
    assert.equal(large.tasks.length + large.leftOut, 1_000);
    const small = readRemoteJob({ tasks: tasks.map(({ id }) => ({ id, name: "n" })) });
    assert.equal(small.tasks.length, 200);
    assert.equal(small.leftOut, 800);
  });

  it("makes trees of tasks, whatever they say of their parents", () => {
    const said = [
      { id: 1, parent: 1 },
      { id: 1, parent: 1 },
      { id: 2, parent: 3 },
      { id: 3, parent: 2 },
      { id: 2, parent: 3 },
      { id: 0, parent: 0 },
      { parent: 0 },
    ];
    assert.deepEqual(
      readRemoteJob({ tasks: said }).tasks.map(({ id, parent }) => [id, parent]),
      [
        [1, null],
        [2, null],
        [3, 2],
      ],
    );
  });

  it("reads what it has read as it is", () => {
    const worker = { id: "far-1", host: "f\u202ear", pid: 7, thread: 2 };
    const wait = { for: "sleep", stack: [{ function: "f", file: "a.ts", line: 1, column: 2 }] };
    const tasks = [{ id: 4, name: "x".repeat(1_000), activity: "waiting", waits: [wait] }];
    const read = readRemoteJob({
      function: "crunch",
      id: "1",
      attempt: 3,
      state: "running",
      worker,
      runningMs: 5,
      tasks,
    });
    assert.equal(read.worker?.host, "f\\u202ear");
    assert.deepEqual(readRemoteJob(structuredClone(read)), read);
  });
});
