// What whoever looks at a call is told of its job, on each engine.

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { connectCluster } from "@meanwhile/cluster";
import { run, taskGroup, type TaskGroup } from "meanwhile";
import { currentScopeNode, noteDiagnostics, type RemoteJob, remoteWaitIn, type Scope } from "meanwhile/lowlevel";

import { type Functions, linesOf, newQueue, type Pair, pairOf, type TestEngine, until } from "./engines.ts";

/** Diagnostics are on as long as this is open. */
export function diagnosticsOn(): Disposable {
  noteDiagnostics(true);
  return { [Symbol.dispose]: () => noteDiagnostics(false) };
}

/** Looks at the first call in the scope until it is as it should be. */
export async function lookAt(scope: Scope, isRight: (job: RemoteJob) => boolean = () => true): Promise<RemoteJob> {
  for (;;) {
    const job = await remoteWaitIn(scope)?.remote();
    if (job !== undefined && isRight(job)) return job;
    await pause(5);
  }
}

/** Runs a task that calls, until something else is done. */
export async function whileCalling(
  call: () => PromiseLike<unknown>,
  body: (scope: Scope) => Promise<void>,
): Promise<void> {
  await run(() =>
    taskGroup(async (group: TaskGroup) => {
      group.createTask(async function caller() {
        await call();
      });
      await body(currentScopeNode());
      group.cancel();
    }),
  );
}

/** Tests of that. */
export function describeLooks(engine: TestEngine): void {
  const secret = "a secret that both sides have, long enough";

  it("follows a call to the tasks of its job in the thread of the worker", async () => {
    using _on = diagnosticsOn();
    await using pair = await pairOf(engine, { both: { secret } });
    await whileCalling(
      () => pair.cluster.call("holdInTasks", 3),
      async (scope) => assertFollowed(await lookAt(scope, ({ tasks }) => tasks.length === 4), pair),
    );
  });

  it("follows a job that was started, and an item of a map", async () => {
    using _on = diagnosticsOn();
    await using pair = await pairOf(engine);
    await whileCalling(
      async () => {
        await using job = pair.cluster.start("holdInTasks", [3]);
        await job;
      },
      async (scope) => assertFollowed(await lookAt(scope, ({ tasks }) => tasks.length === 4), pair),
    );
    await whileCalling(
      () => pair.cluster.map("holdInTasks", [3]).toArray(),
      async (scope) => assertFollowed(await lookAt(scope, ({ tasks }) => tasks.length === 4), pair),
    );
  });

  it("gives the whole answer of a job with many tasks, as far as there is room, in as many messages as it takes", async () => {
    using _on = diagnosticsOn();
    await using pair = await pairOf(engine, { both: { secret } });
    await whileCalling(
      () => pair.cluster.call("holdInTasks", 1_000),
      async (scope) => {
        const { tasks, leftOut } = await lookAt(scope, (job) => job.tasks.length > 100);
        assert.equal(tasks.length + leftOut, 1_001);
      },
    );
  });

  it("tells who runs it, and of no tasks, if the worker has no diagnostics", async () => {
    await using pair = await pairOf(engine);
    await whileCalling(
      () => pair.cluster.call("holdInTasks", 3),
      async (scope) => {
        const job = await lookAt(scope, ({ worker }) => worker?.host === hostname());
        assert.deepEqual(job.tasks, []);
        assert.equal(job.worker?.pid, process.pid);
        assert.match(job.note ?? "", /^its worker has no diagnostics on; start it with/);
      },
    );
  });

  it("tells that a job waits in the queue, and that its thread computes", async () => {
    using _on = diagnosticsOn();
    const [queue, url] = [newQueue(), await engine.url()];
    await using cluster = await connectCluster<Functions>(url, { queue, graceMs: 50 });
    await whileCalling(
      () => cluster.call("double", 2),
      async (scope) => {
        const job = await lookAt(scope, ({ note }) => note !== "it is on its way into the queue");
        assert.equal(job.state, "queued");
        assert.equal(job.note, "it waits in the queue: no worker has taken it");
      },
    );
    await using pair = await pairOf(engine, { client: { graceMs: 50 } });
    await whileCalling(
      () => pair.cluster.call("stubborn", pair.file, 60_000),
      async (scope) => {
        await until(() => linesOf(pair.file).length === 1);
        const { worker, note } = await lookAt(scope, (job) => (job.worker?.thread ?? null) !== null);
        assert.equal(worker?.pid, process.pid);
        assert.match(note ?? "", /^its thread does not answer: it computes/);
      },
    );
  });

  it("counts the attempts of the policy, and those whose worker was lost", async () => {
    using _on = diagnosticsOn();
    const retry = { attempts: 3, backoff: () => 0 } as const;
    await using pair = await pairOf(engine, { client: { retry } });
    await whileCalling(
      () => pair.cluster.call("failThenHold", pair.file, 2),
      async (scope) => {
        const job = await lookAt(scope, ({ tasks, attempt }) => tasks.length > 0 && attempt === 2);
        assert.equal(job.function, "failThenHold");
      },
    );
  });
}

function assertFollowed(job: RemoteJob, { worker }: Pair): void {
  const { id } = worker.identity;
  assert.equal(job.function, "holdInTasks");
  assert.notEqual(job.id, "");
  assert.equal(job.attempt, 1);
  assert.equal(job.state, "running");
  assert.equal(job.note, null);
  assert.ok((job.runningMs ?? -1) >= 0);
  assert.deepEqual({ ...job.worker, thread: 0 }, { id, host: hostname(), pid: process.pid, thread: 0 });
  assert.ok((job.worker?.thread ?? 0) > 0);
  const [main, ...others] = job.tasks;
  assert.equal(main?.parent, null);
  assert.deepEqual(
    others.map(({ name, parent, waits }) => [name, parent, waits[0]?.for]),
    [0, 1, 2].map((number) => [`holder ${number}`, main.id, "sleepForever"]),
  );
}
