// What a cluster does, whoever keeps its queue.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { connectCluster, serveCluster } from "@meanwhile/cluster";
import {
  cancelScope,
  fixed,
  gather,
  isCancelled,
  moveOnAfter,
  run,
  TaskCancelledError,
  timeout,
  TimeoutError,
} from "meanwhile";

import { FUNCTIONS, type Functions, linesOf, newFile, newQueue, pairOf, type TestEngine, until } from "./engines.ts";
import { describeLooks } from "./looks.ts";
import { describeOthers } from "./shared.ts";

/** The suite. */
export function describeBehaviours(engine: TestEngine): void {
  describe(`a cluster ${engine.name}`, { skip: engine.skip }, () => {
    describeCalls(engine);
    describeErrors(engine);
    describeCancellation(engine);
    describeJobs(engine);
    describeTrust(engine);
    describeEnds(engine);
    describeOthers(engine);
    describeLooks(engine);
  });
}

function describeCalls(engine: TestEngine): void {
  it("calls a function and gives its result", async () => {
    await using pair = await pairOf(engine);
    assert.equal(await pair.cluster.call("double", 21), 42);
  });

  it("carries what structured clone carries, there and back", async () => {
    await using pair = await pairOf(engine);
    const circle: Record<string, unknown> = { name: "circle", "\u0000\ud800": "odd" };
    circle["self"] = circle;
    const value = [undefined, null, -0, NaN, 2n ** 70n, new Date(5), new Map([[1, new Set(["a"])]]), /a+/giu, circle];
    const back = (await pair.cluster.call("echo", value)) as typeof value;
    assert.deepEqual(back, value);
    const bytes = new Float64Array([1.5, NaN]);
    assert.deepEqual(await pair.cluster.call("echo", bytes), bytes);
  });

  it("runs many calls at once and answers each with its own result", async () => {
    await using pair = await pairOf(engine);
    const numbers = Array.from({ length: 200 }, (_, i) => i);
    const results = await gather(numbers.map((n) => () => pair.cluster.call("double", n)));
    assert.deepEqual(
      results,
      numbers.map((n) => n * 2),
    );
    assert.equal(pair.cluster.statistics().completed, 200);
    assert.equal(pair.cluster.statistics().running, 0);
  });

  it("maps in the order of the items, and in any order if that is asked for", async () => {
    await using pair = await pairOf(engine);
    const items = Array.from({ length: 300 }, (_, i) => i);
    const expected = items.map((n) => n * 2);
    assert.deepEqual(await pair.cluster.map("double", items).toArray(), expected);
    const any = await pair.cluster.map("double", items, { ordered: false, chunk: 7 }).toArray();
    assert.deepEqual(
      any.toSorted((a, b) => a - b),
      expected,
    );
  });

  it("pulls no more items of a source than the window holds", async () => {
    await using pair = await pairOf(engine);
    let pulled = 0;
    const source = (function* () {
      for (;;) yield pulled++;
    })();
    let read = 0;
    for await (const value of pair.cluster.map("double", source, { window: 8, chunk: 2 })) {
      assert.equal(value, read * 2);
      read += 1;
      assert.ok(pulled <= read + 8 + 2, `${pulled} pulled, ${read} read`);
      if (read === 40) break;
    }
  });

  it("waits for room when maxQueued jobs are under way, and start refuses", async () => {
    await using pair = await pairOf(engine, { client: { maxQueued: 2 } });
    const first = [pair.cluster.call("hold", pair.file, 50), pair.cluster.call("hold", pair.file, 50)];
    const third = pair.cluster.call("double", 1);
    assert.equal(pair.cluster.statistics().waiting, 1);
    assert.throws(() => pair.cluster.start("double", [1]), { code: "MW_ERR_CLUSTER_QUEUE_FULL" });
    assert.deepEqual(await Promise.all([...first, third]), ["held", "held", 2]);
  });

  it("waits for a worker if there is none yet", async () => {
    const [queue, url] = [newQueue(), await engine.url()];
    await using cluster = await connectCluster<Functions>(url, { queue });
    const call = cluster.call("double", 4);
    await using _worker = await serveCluster(FUNCTIONS, { queue, url, concurrency: 1 });
    assert.equal(await call, 8);
  });
}

function describeErrors(engine: TestEngine): void {
  it("throws what the function throws, with class, code, properties, cause, both stacks and the worker", async () => {
    await using pair = await pairOf(engine);
    const error = await pair.cluster.call("sell").catch((thrown: unknown) => thrown);
    assert.ok(error instanceof RangeError);
    assert.equal(error.name, "OutOfStockError");
    const { code, left, worker } = error as unknown as Record<string, unknown>;
    assert.equal(code, "E_STOCK");
    assert.deepEqual(left, new Map([["pears", 2]]));
    assert.deepEqual(worker, pair.worker.identity);
    assert.ok(error.cause instanceof TypeError);
    const lines = String(error.stack).split("\n");
    assert.match(String(lines[1]), /at sell .*functions\.ts/);
    assert.match(String(error.stack), /at worker .*\n {2}called from\n.*behaviours\.ts/);
    assert.doesNotMatch(String(error.stack), /packages\/(cluster|meanwhile)\/src/);
  });

  it("throws what is no error as it is", async () => {
    await using pair = await pairOf(engine);
    await assert.rejects(pair.cluster.call("throwText"), (thrown) => thrown === "just a text");
  });

  it("carries names and messages that not every server can keep", async () => {
    await using pair = await pairOf(engine);
    const call = pair.cluster.call.bind(pair.cluster) as (name: string) => Promise<unknown>;
    const [bad, good] = [call("a\0b"), pair.cluster.call("double", 1)];
    await assert.rejects(bad, { code: "MW_ERR_CLUSTER_UNKNOWN_FUNCTION" });
    assert.equal(await good, 2);
    await assert.rejects(pair.cluster.call("complain", "bad\0message\ud800"), { message: "bad\0message\ud800" });
  });

  it("says where in the arguments, or in the result, lies what cannot be sent", async () => {
    await using pair = await pairOf(engine);
    const value = { user: { save() {} } };
    await assert.rejects(pair.cluster.call("echo", value), {
      code: "MW_ERR_CLUSTER_NOT_SENDABLE",
      message: /args\[0\]\.user\.save to another machine: it is a function/,
    });
  });

  it("fails a job whose thread dies with the exit code, and goes on", async () => {
    await using pair = await pairOf(engine, { client: { isIdempotent: false } });
    await assert.rejects(pair.cluster.call("die"), { code: "MW_ERR_WORKER_CRASHED", exitCode: 7 });
    assert.equal(await pair.cluster.call("double", 1), 2);
  });

  it("tries again as the policy says", async () => {
    await using pair = await pairOf(engine, { client: { retry: { attempts: 5, backoff: fixed(1) } } });
    assert.equal(await pair.cluster.call("failUntil", pair.file, 3), 3);
    assert.equal(linesOf(pair.file).length, 3);
    const error = await pair.cluster.call("sell").catch((thrown: unknown) => thrown);
    assert.equal((error as { attempts: number }).attempts, 5);
  });

  it("fails a map with the first failure", async () => {
    await using pair = await pairOf(engine);
    await assert.rejects(pair.cluster.map("root", [4, -1, 9], { chunk: 1 }).toArray(), { message: "no root of -1" });
  });
}

function describeCancellation(engine: TestEngine): void {
  it("cancels a function that runs, and waits for its end", async () => {
    await using pair = await pairOf(engine);
    await run(async () => {
      await cancelScope(async (scope) => {
        const call = pair.cluster.call("hold", pair.file, 60_000);
        const asked = until(() => linesOf(pair.file).length > 0).then(() => scope.cancel("enough"));
        await assert.rejects(call, (error) => isCancelled(error));
        await asked;
      });
      assert.deepEqual(linesOf(pair.file).slice(1), ["cancelled", "ended"]);
    });
    assert.equal(pair.cluster.statistics().cancelled, 1);
  });

  it("tells a function that computes, and delivers what it returns in spite of it", async () => {
    await using pair = await pairOf(engine);
    await run(async () => {
      await cancelScope(async (scope) => {
        const call = pair.cluster.call("spin", pair.file, 60_000);
        const asked = until(() => linesOf(pair.file).length > 0).then(() => scope.cancel());
        assert.equal(await call, false);
        await asked;
      });
    });
  });

  it("ends the thread of a function that does not look", async () => {
    await using pair = await pairOf(engine, { client: { graceMs: 20 } });
    await moveOnAfter(300, () => pair.cluster.call("stubborn", pair.file, 60_000));
    await until(() => pair.worker.statistics().running === 0);
    assert.deepEqual(
      linesOf(pair.file).filter((line) => line === "ended"),
      [],
    );
  });

  it("tells workers of many cancellations at once, whatever the reasons", async () => {
    await using pair = await pairOf(engine, { worker: { concurrency: 40, threads: 1 }, client: { graceMs: 5_000 } });
    const jobs = Array.from({ length: 40 }, () => pair.cluster.start("hold", [pair.file, 60_000]));
    await until(() => linesOf(pair.file).length === 40);
    for (const job of jobs) job.cancel("nobody reads the answer any more ".repeat(10));
    for (const job of jobs) await assert.rejects(Promise.resolve(job), TaskCancelledError);
    assert.equal(linesOf(pair.file).filter((line) => line === "cancelled").length, 40);
  });

  it("delivers what functions return in spite of it, however late they are", async () => {
    await using pair = await pairOf(engine, { worker: { concurrency: 20, threads: 1 }, client: { graceMs: 5_000 } });
    const late = Array.from({ length: 20 }, (_, i) => pair.cluster.start("lateAnswer", [pair.file, 360 + i * 4]));
    await until(() => linesOf(pair.file).length === 20);
    for (const job of late) job.cancel();
    assert.deepEqual(await Promise.all(late), Array<string>(20).fill("in spite of it"));
  });

  it("takes a job that waits out of the queue", async () => {
    await using pair = await pairOf(engine, { worker: { concurrency: 1 } });
    const other = newFile();
    await using _first = pair.cluster.start("hold", [pair.file, 60_000]);
    await until(() => linesOf(pair.file).length > 0);
    await moveOnAfter(100, () => pair.cluster.call("note", other, "never"));
    assert.deepEqual(linesOf(other), []);
    assert.equal(pair.cluster.statistics().running, 1);
  });

  it("carries the deadline of the scope to the worker", async () => {
    await using pair = await pairOf(engine);
    await assert.rejects(
      timeout(300, () => pair.cluster.call("hold", pair.file, 60_000)),
      TimeoutError,
    );
    await until(() => pair.worker.statistics().running === 0);
    assert.ok(linesOf(pair.file).length === 0 || linesOf(pair.file).includes("cancelled"));
  });

  it("cancels what a map has under way when its loop is left", async () => {
    await using pair = await pairOf(engine);
    const source = ["now", pair.file, pair.file];
    const seen: unknown[] = [];
    for await (const value of pair.cluster.map("echo", source, { chunk: 1 })) {
      seen.push(value);
      break;
    }
    assert.deepEqual(seen, ["now"]);
    assert.equal(pair.cluster.statistics().running, 0);
  });
}

function describeJobs(engine: TestEngine): void {
  it("gives the progress of a started job, and its result", async () => {
    await using pair = await pairOf(engine);
    const job = pair.cluster.start("countTo", [5]);
    const seen: unknown[] = [];
    for await (const value of job.progress) seen.push(value);
    assert.equal(await job, 5);
    assert.ok(job.done);
    assert.equal(seen.at(-1), 5);
  });

  it("cancels a started job when its block is left, or when it is told to, or in time", async () => {
    await using pair = await pairOf(engine);
    {
      await using _job = pair.cluster.start("hold", [pair.file, 60_000]);
      await until(() => linesOf(pair.file).length > 0);
    }
    assert.ok(linesOf(pair.file).includes("cancelled"));
    const told = pair.cluster.start("hold", [newFile(), 60_000]);
    told.cancel("not needed");
    await assert.rejects(Promise.resolve(told), TaskCancelledError);
    const late = pair.cluster.start("hold", [newFile(), 60_000], { timeoutMs: 30 });
    await assert.rejects(Promise.resolve(late), TimeoutError);
  });

  it("runs jobs of one idempotency key once, for whoever asks", async () => {
    await using pair = await pairOf(engine);
    await using other = await connectCluster<Functions>(pair.url, { queue: pair.queue, pollMs: 100 });
    const ask = (cluster: typeof other): PromiseLike<string> =>
      cluster.start("note", [pair.file, "paid"], { idempotencyKey: "order 7" });
    assert.deepEqual(await Promise.all([ask(pair.cluster), ask(pair.cluster), ask(other)]), ["paid", "paid", "paid"]);
    assert.equal(await ask(other), "paid");
    assert.deepEqual(linesOf(pair.file), ["paid"]);
  });

  it("keeps the result of a key when one who asks for it later is cancelled", async () => {
    await using pair = await pairOf(engine);
    await using other = await connectCluster<Functions>(pair.url, { queue: pair.queue });
    const ask = (cluster: typeof other): ReturnType<typeof other.start<"note">> =>
      cluster.start("note", [pair.file, "paid"], { idempotencyKey: "order 8" });
    assert.equal(await ask(pair.cluster), "paid");
    const late = ask(other);
    await new Promise((resolve) => setImmediate(resolve));
    late.cancel();
    await Promise.allSettled([late]);
    assert.equal(await ask(pair.cluster), "paid");
    assert.deepEqual(linesOf(pair.file), ["paid"]);
  });

  it("keeps a job of a key for the others when one who asked for it is cancelled", async () => {
    await using pair = await pairOf(engine);
    await using other = await connectCluster<Functions>(pair.url, { queue: pair.queue, pollMs: 100 });
    const ask = (cluster: typeof other): ReturnType<typeof other.start<"hold">> =>
      cluster.start("hold", [pair.file, 300], { idempotencyKey: "key" });
    const [mine, theirs] = [ask(pair.cluster), ask(other)];
    await until(() => linesOf(pair.file).length > 0);
    mine.cancel("not needed");
    await assert.rejects(Promise.resolve(mine), TaskCancelledError);
    assert.equal(await theirs, "held");
  });
}

function describeTrust(engine: TestEngine): void {
  it("calls only functions that the module exports, and only those it may", async () => {
    await using pair = await pairOf(engine, { worker: { functions: ["double"] } });
    const call = pair.cluster.call.bind(pair.cluster) as (name: string) => Promise<unknown>;
    for (const name of ["../../evil.js", "notAFunction", "toString", "__proto__", "echo", ""]) {
      await assert.rejects(call(name), { code: "MW_ERR_CLUSTER_UNKNOWN_FUNCTION" }, name);
    }
    assert.equal(await pair.cluster.call("double", 2), 4);
  });

  it("refuses arguments and results that are too large", async () => {
    await using pair = await pairOf(engine, { both: { maxPayloadBytes: 1_000, maxResultBytes: 1_000 } });
    await assert.rejects(pair.cluster.call("echo", "x".repeat(2_000)), { code: "MW_ERR_CLUSTER_TOO_LARGE" });
    await assert.rejects(pair.cluster.call("large", 2_000), { code: "MW_ERR_CLUSTER_TOO_LARGE" });
    assert.equal((await pair.cluster.call("large", 500)).length, 500);
  });

  it("passes results on that are too long for a message", async () => {
    await using pair = await pairOf(engine);
    assert.equal((await pair.cluster.call("large", 200_000)).length, 200_000);
  });

  it("takes only what is signed with the secret, if there is one", async () => {
    const secret = "a secret of the tests, long enough";
    await using pair = await pairOf(engine, { both: { secret } });
    assert.equal(await pair.cluster.call("double", 2), 4);
    await using stranger = await connectCluster<Functions>(pair.url, { queue: pair.queue, pollMs: 50 });
    await assert.rejects(stranger.call("double", 2), { code: "MW_ERR_CLUSTER_REFUSED" });
    await using liar = await connectCluster<Functions>(pair.url, {
      queue: pair.queue,
      pollMs: 50,
      secret: "another secret, of others",
    });
    await assert.rejects(liar.call("double", 2), { code: "MW_ERR_CLUSTER_REFUSED" });
    assert.equal(await pair.cluster.call("double", 3), 6);
  });
}

function describeEnds(engine: TestEngine): void {
  it("waits on close for what is under way, and takes nothing new", async () => {
    await using pair = await pairOf(engine);
    const call = pair.cluster.call("hold", pair.file, 100);
    const closing = pair.cluster.close();
    await assert.rejects(pair.cluster.call("double", 1), { code: "MW_ERR_CLUSTER_CLOSED" });
    assert.equal(await call, "held");
    await closing;
  });

  it("cancels what is under way when its block is left, and settles every call", async () => {
    await using pair = await pairOf(engine);
    const call = pair.cluster.call("hold", pair.file, 60_000);
    call.catch(() => {});
    await until(() => linesOf(pair.file).length > 0);
    await pair.cluster[Symbol.asyncDispose]();
    await assert.rejects(call, TaskCancelledError);
    assert.ok(linesOf(pair.file).includes("cancelled"));
  });

  it("lets a worker leave when its jobs have ended, and the next one takes over", async () => {
    await using pair = await pairOf(engine);
    const call = pair.cluster.call("hold", pair.file, 200);
    await until(() => linesOf(pair.file).length > 0);
    await pair.worker.close();
    assert.equal(await call, "held");
    const next = pair.cluster.call("double", 8);
    await using _other = await serveCluster(FUNCTIONS, { queue: pair.queue, url: pair.url, concurrency: 1 });
    assert.equal(await next, 16);
  });

  it("gives back the jobs of a worker that cannot wait; those that may not begin again fail", async () => {
    await using pair = await pairOf(engine);
    const again = pair.cluster.start("holdOnce", [pair.file]);
    const once = pair.cluster.start("hold", [newFile(), 60_000], { isIdempotent: false });
    const failed = assert.rejects(Promise.resolve(once), { code: "MW_ERR_CLUSTER_WORKER_LOST" });
    await until(() => pair.worker.statistics().running === 2 && linesOf(pair.file).length > 0);
    await using _other = await serveCluster(FUNCTIONS, { queue: pair.queue, url: pair.url, concurrency: 1 });
    await pair.worker.close({ timeoutMs: 0 });
    await failed;
    assert.equal(await again, "held");
    assert.equal(linesOf(pair.file).filter((line) => line.startsWith("begun")).length, 2);
    assert.equal(pair.worker.statistics().returned, 1);
  });

  it("refuses a module that cannot be loaded, and options that there are not", async () => {
    const [queue, url] = [newQueue(), await engine.url()];
    const missing = new URL("./nothing-here.ts", import.meta.url);
    await assert.rejects(serveCluster(missing, { queue, url }), { code: "MW_ERR_WORKER_MODULE" });
    const typo = { queue, url, functions: ["double", "duoble"] };
    await assert.rejects(serveCluster(FUNCTIONS, typo), {
      code: "MW_ERR_CLUSTER_INVALID_ARGUMENT",
      message: /'functions' is \[ 'double', 'duoble' \].*duoble is none/,
    });
    const bad = { queue, concurency: 3 } as unknown as { queue: string };
    await assert.rejects(serveCluster(FUNCTIONS, bad), { code: "MW_ERR_CLUSTER_INVALID_ARGUMENT" });
    await assert.rejects(connectCluster(url, bad), { code: "MW_ERR_CLUSTER_INVALID_ARGUMENT" });
    await assert.rejects(connectCluster(url, { queue: "no spaces" }), { code: "MW_ERR_CLUSTER_INVALID_ARGUMENT" });
  });
}
