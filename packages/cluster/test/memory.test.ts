import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connectCluster, serveCluster, type ServeOptions } from "@meanwhile/cluster";
import { cancellable, cancelScope, isCancelled, run, TaskCancelledError } from "meanwhile";
import { WorkerPool } from "meanwhile/workers";

import { expectWarning } from "../../../tools/test-setup.ts";
import { encodeValue } from "../src/encode.ts";
import type { ClientListener, WorkerListener, WorkerPort } from "../src/engine.ts";
import { memoryEngine } from "../src/memory-engine.ts";
import { loseMessages, loseWorkers } from "../src/memory-queue.ts";
import { checkClient } from "../src/options.ts";
import { checkServe } from "../src/serve-options.ts";
import { type JobHead, writeJob, writeToWorkers } from "../src/wire.ts";
import { WorkerCore } from "../src/worker-core.ts";
import { describeBehaviours } from "./behaviours.ts";
import { FUNCTIONS, linesOf, newFile, newQueue, pairOf, type TestEngine, until } from "./engines.ts";

const engine: TestEngine = { name: "inside this process", skip: false, url: async () => undefined };

describeBehaviours(engine);

describe("a worker that is lost", () => {
  it("loses its jobs to another one, and ends them itself", async () => {
    await using pair = await pairOf(engine);
    const call = pair.cluster.call("hold", pair.file, 200);
    await until(() => linesOf(pair.file).length > 0);
    loseWorkers(pair.queue);
    assert.equal(await call, "held");
    const lines = linesOf(pair.file);
    assert.equal(lines.filter((line) => line.startsWith("begun")).length, 2);
    assert.ok(lines.includes("cancelled"));
  });

  it("fails jobs that may not begin again", async () => {
    await using pair = await pairOf(engine, { client: { isIdempotent: false } });
    const call = pair.cluster.call("hold", pair.file, 60_000);
    await until(() => linesOf(pair.file).length > 0);
    loseWorkers(pair.queue);
    await assert.rejects(call, { code: "MW_ERR_CLUSTER_WORKER_LOST" });
  });

  it("fails a job that has lost too many of them", async () => {
    await using pair = await pairOf(engine, { worker: { maxLosses: 1 } });
    const call = pair.cluster.call("hold", pair.file, 60_000);
    for (const times of [1, 2]) {
      await until(() => linesOf(pair.file).filter((line) => line.startsWith("begun")).length === times);
      loseWorkers(pair.queue);
    }
    await assert.rejects(call, { code: "MW_ERR_CLUSTER_WORKER_LOST" });
  });
});

describe("messages that are lost", () => {
  it("cost time, and no answer", async () => {
    await using pair = await pairOf(engine, { client: { pollMs: 20 } });
    loseMessages(pair.queue, true);
    const results = await Promise.all([1, 2, 3].map((n) => pair.cluster.call("double", n)));
    assert.deepEqual(results, [2, 4, 6]);
    assert.equal(pair.cluster.statistics().polled, 3);
  });

  it("are said again, if they are to cancel a job", async () => {
    await using pair = await pairOf(engine, { client: { pollMs: 20 } });
    const job = pair.cluster.start("hold", [pair.file, 60_000]);
    await until(() => linesOf(pair.file).length > 0);
    loseMessages(pair.queue, true);
    job.cancel("not needed");
    loseMessages(pair.queue, false);
    await assert.rejects(Promise.resolve(job), { code: "MW_ERR_TASK_CANCELLED" });
    assert.ok(linesOf(pair.file).includes("cancelled"));
  });

  it("keep nobody who was cancelled for longer than a few seconds", async () => {
    await using pair = await pairOf(engine, { client: { graceMs: 0 } });
    await run(async () => {
      const started = performance.now();
      await cancelScope(async (scope) => {
        const call = pair.cluster.call("hold", pair.file, 60_000);
        const refused = assert.rejects(call, (error) => isCancelled(error));
        await cancellable(until(() => linesOf(pair.file).length > 0));
        loseMessages(pair.queue, true);
        scope.cancel();
        await refused;
      });
      assert.ok(performance.now() - started < 40_000);
      loseMessages(pair.queue, false);
    });
  });
});

describe("a queue inside this process", () => {
  const settings = { ...checkServe({ queue: "q", concurrency: 1 }), ...checkClient({ queue: "q" }) };
  const client: ClientListener = { received() {}, gap() {} };
  const worker: WorkerListener = {
    run: async () => ({ kind: "value", text: "done" }),
    recorded() {},
    lost() {},
    received() {},
    trouble() {},
  };

  it("is the same for a worker that opens it while the last client leaves", async () => {
    const queue = newQueue();
    const former = await memoryEngine.openClient({ ...settings, queue }, "former", client);
    const port = await memoryEngine.openWorker({ ...settings, queue }, worker);
    await former.close();
    port.start();
    const next = await memoryEngine.openClient({ ...settings, queue }, "next", client);
    await next.submit([{ id: "1", name: "double", text: "" }]);
    await port.drain();
    assert.deepEqual(await next.look(["1"]), [{ state: "ended", text: "done" }]);
    await Promise.all([port.close(), next.close()]);
  });

  it("keeps as many ends as their client has said", async () => {
    const queue = newQueue();
    const port = await memoryEngine.openWorker({ ...settings, queue, concurrency: 3 }, worker);
    const few = await memoryEngine.openClient({ ...settings, queue, keepJobs: 1 }, "few", client);
    port.start();
    await few.submit(["1", "2", "3"].map((id) => ({ id, name: "double", text: "" })));
    await new Promise((resolve) => setImmediate(resolve));
    await port.drain();
    const found = await few.look(["1", "2", "3"]);
    assert.deepEqual(
      found.map(({ state }) => state),
      ["unknown", "unknown", "ended"],
    );
    await Promise.all([port.close(), few.close()]);
  });

  it("takes no list with holes for arguments: it may be longer than anything that is there", async () => {
    await using pair = await pairOf(engine);
    const port = await memoryEngine.openClient({ ...settings, queue: pair.queue }, "stranger", client);
    const head = { name: "double", isEach: false, client: "stranger", isShared: false, isOwned: false };
    const rest = { isIdempotent: true, wantsProgress: false, graceMs: 0, deadline: null };
    const text = writeJob({ ...head, ...rest }, '[["H",3]]');
    await port.submit([{ id: "1", name: "double", text }]);
    await until(() => pair.worker.statistics().failed === 1);
    const [found] = await port.look(["1"]);
    assert.match((found as { text: string }).text, /its arguments are no list/);
    await port.close();
  });
});

type Args = (...args: unknown[]) => unknown;

/** A worker of no queue. */
async function coreWith(
  port: Partial<WorkerPort>,
  options: Partial<ServeOptions> = {},
): Promise<AsyncDisposable & { core: WorkerCore }> {
  const settings = checkServe({ queue: "q", concurrency: 2, ...options });
  const pool = new WorkerPool<Record<string, Args>>(FUNCTIONS, { threads: 2 });
  const core = new WorkerCore(settings, pool);
  await core.connected({
    maxTextBytes: Infinity,
    start() {},
    publish: async () => {},
    alive: async (clients) => clients.map(() => true),
    serverTime: async () => performance.now(),
    drain: async () => {},
    close: async () => {},
    ...port,
  });
  return {
    core,
    async [Symbol.asyncDispose]() {
      await core.close();
      await pool[Symbol.asyncDispose]();
    },
  };
}

/** The text of a job of a client that is there. */
function textOf(name: string, args: unknown[], terms: Partial<JobHead> = {}): string {
  const head = { name, isEach: false, client: "c", isShared: false, isOwned: false };
  const rest = { isIdempotent: true, wantsProgress: false, graceMs: 1_000, deadline: null };
  return writeJob({ ...head, ...rest, ...terms }, encodeValue(args, "args"));
}

describe("a worker that is given a job again that it still runs", () => {
  it("ends the former run, and knows of both until then", async () => {
    await using server = await coreWith({});
    const { core } = server;
    const file = newFile();
    const text = textOf("hold", [file, 60_000]);
    const former = core.run({ id: "1", text, losses: 0 });
    await until(() => linesOf(file).length === 1);
    const newer = core.run({ id: "1", text, losses: 0 });
    assert.equal((await former).kind, "failure");
    await until(() => linesOf(file).filter((line) => line.startsWith("begun")).length === 2);
    assert.equal(core.running, 1);
    core.received(writeToWorkers({ cancel: [["1", "enough"]] }));
    assert.match(((await newer) as { message: string }).message, /^cancelled: enough/);
    assert.equal(core.running, 0);
  });
});

describe("a worker that is given a deadline by a clock that was set", () => {
  it("begins the job if its time is not up by the clock as it is, and does not end it too early", async () => {
    let ahead = 3_600_000;
    await using server = await coreWith({ serverTime: async () => performance.now() + ahead });
    const file = newFile();
    // The client has looked at the clock after it was set back, the worker has not.
    ahead = 0;
    const text = textOf("hold", [file, 50], { deadline: performance.now() + 60_000 });
    assert.equal((await server.core.run({ id: "1", text, losses: 0 })).kind, "value");
    ahead -= 100;
    const soon = textOf("hold", [newFile(), 600], { deadline: performance.now() + ahead + 400 });
    const late = textOf("hold", [newFile(), 60_000], { deadline: performance.now() + ahead - 100 });
    const [inTime, tooLate] = await Promise.all(
      [soon, late].map((job, i) => server.core.run({ id: `${i}`, text: job, losses: 0 })),
    );
    assert.equal(inTime?.kind, "value");
    assert.match((tooLate as { message: string }).message, /^cancelled: its time is up/);
  });
});

describe("a worker that leaves", () => {
  it("waits no longer than its own grace for functions that do not look, whatever their clients have said", async () => {
    await using pair = await pairOf(engine, {
      client: { graceMs: Infinity },
      worker: { concurrency: 3, threads: 3, pool: { graceMs: 50 } },
    });
    const again = pair.cluster.start("stubbornOnce", [pair.file]);
    const once = pair.cluster.start("stubborn", [newFile(), 60_000], { isIdempotent: false });
    const cancelled = pair.cluster.start("stubborn", [newFile(), 60_000]);
    const failed = assert.rejects(Promise.resolve(once), { code: "MW_ERR_CLUSTER_WORKER_LOST" });
    const ended = assert.rejects(Promise.resolve(cancelled), TaskCancelledError);
    await until(() => pair.worker.statistics().running === 3 && linesOf(pair.file).length > 0);
    cancelled.cancel("not needed");
    await pair.worker.close({ timeoutMs: 0 });
    await Promise.all([failed, ended]);
    await using _other = await serveCluster(FUNCTIONS, { queue: pair.queue, concurrency: 1 });
    assert.equal(await again, "begun twice");
  });
});

describe("a worker whose onError throws", () => {
  it("warns, and goes on", async () => {
    await using warnings = expectWarning("MW_WARN_CLUSTER_LISTENER");
    const onError = (): never => {
      throw new Error("no disk to log to");
    };
    await using server = await coreWith({}, { onError });
    server.core.trouble(new Error("the server is away"));
    assert.match((await warnings.first()).message, /no disk to log to/);
  });
});

describe("connectCluster", () => {
  it("says what URLs there are, and shows no password", async () => {
    const options = { queue: "q" };
    await assert.rejects(connectCluster("amqp://user:secret@host", options), (error: Error) => {
      assert.match(error.message, /redis:, rediss:, postgres: or postgresql:/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await assert.rejects(connectCluster("redis://user:secret@127.0.0.1:1", options), (error: Error) => {
      assert.equal((error as { code?: string }).code, "MW_ERR_CLUSTER_CONNECT");
      assert.match(error.message, /redis:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    await assert.rejects(connectCluster("postgres://user:secret@127.0.0.1:1/db", options), {
      code: "MW_ERR_CLUSTER_CONNECT",
    });
  });
});
