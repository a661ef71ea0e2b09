// What becomes of jobs that are wanted by others than whoever ends them; for each engine.

import assert from "node:assert/strict";
import { it } from "node:test";

import { connectCluster, serveCluster } from "@meanwhile/cluster";
import { moveOnAfter, run, TaskCancelledError, TimeoutError } from "meanwhile";

import { FUNCTIONS, type Functions, linesOf, newFile, newQueue, pairOf, type TestEngine, until } from "./engines.ts";

/** Tests of that. */
export function describeOthers(engine: TestEngine): void {
  it("gives nobody the half of a result that a leaving worker was left with", async () => {
    await using pair = await pairOf(engine);
    const job = pair.cluster.start("halfOrWhole", [pair.file]);
    await until(() => linesOf(pair.file).length === 1);
    await using _other = await serveCluster(FUNCTIONS, { queue: pair.queue, url: pair.url, concurrency: 1 });
    await pair.worker.close({ timeoutMs: 0 });
    assert.equal(await job, "whole");
  });

  it("gives nobody the half of a result that somebody else of the same key was content with", async () => {
    await using pair = await pairOf(engine);
    await using other = await connectCluster<Functions>(pair.url, { queue: pair.queue, pollMs: 100 });
    const ask = (cluster: typeof other): ReturnType<typeof other.start<"halfOrWhole">> =>
      cluster.start("halfOrWhole", [pair.file], { idempotencyKey: "key" });
    const mine = ask(pair.cluster);
    await until(() => linesOf(pair.file).length === 1);
    const theirs = ask(other);
    mine.cancel();
    await assert.rejects(Promise.resolve(mine), TaskCancelledError);
    assert.equal(await theirs, "whole");
    assert.equal(await ask(pair.cluster), "whole");
  });

  it("ends a job of a key in time only for those who have said so", async () => {
    await using pair = await pairOf(engine);
    const options = { idempotencyKey: "key" };
    const hasty = pair.cluster.start("hold", [pair.file, 1_000], { ...options, timeoutMs: 300 });
    const patient = pair.cluster.start("hold", [pair.file, 1_000], options);
    await assert.rejects(Promise.resolve(hasty), TimeoutError);
    assert.equal(await patient, "held");
    assert.equal(pair.cluster.statistics().resent, 0);
  });

  it("keeps a job of a key that may not begin again for the others when it is cancelled before it began", async () => {
    const [queue, url, file] = [newQueue(), await engine.url(), newFile()];
    const options = { queue, pollMs: 50, isIdempotent: false };
    await using mine = await connectCluster<Functions>(url, options);
    await using other = await connectCluster<Functions>(url, options);
    const ask = (cluster: typeof other): ReturnType<typeof other.start<"note">> =>
      cluster.start("note", [file, "done"], { idempotencyKey: "key" });
    const [first, theirs] = [ask(mine), ask(other)];
    // Both are in the queue as soon as what is sent after them is cancelled there.
    for (const cluster of [mine, other]) await run(() => moveOnAfter(100, () => cluster.call("double", 1)));
    first.cancel();
    await assert.rejects(Promise.resolve(first), TaskCancelledError);
    await mine.close();
    await using _worker = await serveCluster(FUNCTIONS, { queue, url, concurrency: 1 });
    assert.equal(await theirs, "done");
    assert.equal(await ask(other), "done");
    assert.deepEqual(linesOf(file), ["done"]);
  });

  it("leaves what a function says of its worker alone", async () => {
    await using pair = await pairOf(engine);
    await assert.rejects(pair.cluster.call("blame", "the night shift"), { worker: "the night shift" });
  });

  it("maps items that are too large together in as many jobs as it takes", async () => {
    await using pair = await pairOf(engine, { both: { maxPayloadBytes: 10_000, maxResultBytes: 10_000 } });
    const items = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(i % 50 === 49 ? 6_000 : 1_000));
    assert.deepEqual(await pair.cluster.map("echo", items).toArray(), items);
    assert.deepEqual(await pair.cluster.map("echo", items, { chunk: 20 }).toArray(), items);
    const sizes = items.map((item) => item.length);
    assert.deepEqual(
      (await pair.cluster.map("large", sizes).toArray()).map(({ length }) => length),
      sizes,
    );
    await assert.rejects(pair.cluster.map("large", [1, 20_000]).toArray(), { code: "MW_ERR_CLUSTER_TOO_LARGE" });
  });

  it("runs no item of a map a second time that may not begin again", async () => {
    await using pair = await pairOf(engine, { both: { maxResultBytes: 3_000 }, client: { isIdempotent: false } });
    const map = pair.cluster.map("large", [2_000, 2_000], { chunk: 2 });
    await assert.rejects(map.toArray(), { code: "MW_ERR_CLUSTER_TOO_LARGE" });
    assert.equal(pair.worker.statistics().failed, 1);
  });

  it("gives the items of a map their time to end, and no more", async () => {
    await using pair = await pairOf(engine, { client: { graceMs: 20 }, worker: { pool: { graceMs: 60_000 } } });
    await run(async () => {
      await moveOnAfter(500, () => pair.cluster.map("stubbornItem", [pair.file]).toArray());
    });
    await until(() => pair.worker.statistics().running === 0);
    assert.deepEqual(linesOf(pair.file), ["begun"]);
  });

  it("gives jobs all the time there is, if they are given that", async () => {
    await using pair = await pairOf(engine, { client: { graceMs: Infinity } });
    assert.equal(await pair.cluster.call("double", 2), 4);
  });

  it("takes no result that is larger than this side has said", async () => {
    await using pair = await pairOf(engine, { client: { maxResultBytes: 100 } });
    await assert.rejects(pair.cluster.call("large", 50_000), {
      code: "MW_ERR_CLUSTER_TOO_LARGE",
      message: /'maxResultBytes' of this side/,
    });
  });

  it("gives all the progress there was, also the last of it", async () => {
    await using pair = await pairOf(engine);
    const job = pair.cluster.start("countTo", [3_000]);
    const seen: unknown[] = [];
    for await (const value of job.progress) seen.push(value);
    assert.deepEqual(
      seen,
      Array.from({ length: 3_000 }, (_, i) => i + 1),
    );
  });

  it("fails no job while the server answers, however seldom it is asked", async () => {
    await using pair = await pairOf(engine, { client: { unreachableMs: 300, lostAfterMs: 60_000, pollMs: 5_000 } });
    assert.equal(await pair.cluster.call("hold", pair.file, 1_500), "held");
  });

  it("takes any length of time for a silence", async () => {
    await using pair = await pairOf(engine, { both: { lostAfterMs: Infinity } });
    assert.equal(await pair.cluster.call("double", 2), 4);
  });
}
