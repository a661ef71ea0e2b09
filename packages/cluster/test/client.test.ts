// What a client asks of the queue, whatever that answers.

import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";

import { connectCluster, serveCluster } from "@meanwhile/cluster";

import { Caretaker } from "../src/caretaker.ts";
import type { JobListener } from "../src/client-job.ts";
import { Client } from "../src/client.ts";
import { encodeValue } from "../src/encode.ts";
import type { ClientPort, Submission } from "../src/engine.ts";
import { checkClient, type ClusterOptions } from "../src/options.ts";
import { writeOutcome } from "../src/wire.ts";
import { FUNCTIONS, newQueue, until } from "./engines.ts";

/** A queue that does what it is told. */
class TestPort implements ClientPort {
  readonly maxTextBytes = Infinity;
  readonly submitted: string[] = [];
  readonly published: string[] = [];
  readonly forgotten: string[] = [];
  publishing: Promise<void> = Promise.resolve();
  beats = 0;
  isAway = false;
  /** What becomes of jobs that are put in. */
  submitting: (jobs: readonly Submission[]) => Promise<void> = async () => {};

  async submit(jobs: readonly Submission[]): Promise<void> {
    await this.submitting(jobs);
    this.submitted.push(...jobs.map(({ name }) => name));
  }

  async look(ids: readonly string[]): Promise<Array<{ state: "running" }>> {
    return ids.map(() => ({ state: "running" }));
  }

  async withdraw(): Promise<boolean> {
    return false;
  }

  async forget(id: string): Promise<void> {
    this.forgotten.push(id);
  }

  async publish(texts: readonly string[]): Promise<void> {
    this.published.push(...texts);
    await this.publishing;
  }

  async beat(): Promise<number> {
    if (this.isAway) throw new Error("nobody is there");
    this.beats += 1;
    return performance.now();
  }

  async close(): Promise<void> {}

  isPassing(): boolean {
    return false;
  }
}

const TERMS = { isEach: false, isIdempotent: true, graceMs: 0, wantsProgress: false, key: null };

/** A listener that writes down what it is told. */
function noted(into: string[]): JobListener {
  return {
    succeeded: () => into.push("succeeded"),
    failed: (makeError) => into.push(String((makeError() as { code?: unknown }).code)),
    cancelled: () => into.push("cancelled"),
    progressed() {},
  };
}

function clientOf(port: TestPort, options: Omit<ClusterOptions, "queue"> = {}): Client {
  const client = new Client("client", checkClient({ queue: "queue", ...options }));
  client.connected(port);
  return client;
}

describe("a server that accepts and says nothing", () => {
  for (const protocol of ["redis", "postgres"]) {
    it(`is given up in time, and left (${protocol})`, async () => {
      const open = new Set<Socket>();
      const server = createServer((socket) => {
        open.add(socket);
        socket.on("error", () => {}).on("close", () => open.delete(socket));
        socket.resume();
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const url = `${protocol}://someone@127.0.0.1:${(server.address() as AddressInfo).port}`;
      const options = { queue: newQueue(), connectTimeoutMs: 100 };
      await assert.rejects(connectCluster(url, options), { code: "MW_ERR_CLUSTER_CONNECT" });
      const worker = { ...options, url, concurrency: 1 };
      await assert.rejects(serveCluster(FUNCTIONS, worker), { code: "MW_ERR_CLUSTER_CONNECT" });
      await until(() => open.size === 0);
      await new Promise((resolve) => server.close(resolve));
    });
  }
});

describe("a client", () => {
  it("fails a job that the server does not take, and no other one", async () => {
    const port = new TestPort();
    port.submitting = async (jobs) => {
      if (jobs.some(({ name }) => name === "bad")) throw new Error("not this one");
    };
    const client = clientOf(port);
    const told: string[] = [];
    for (const name of ["one", "bad", "two"]) client.add(name, name, () => "{}", TERMS, noted(told));
    await until(() => told.length > 0 && port.submitted.length === 2);
    assert.deepEqual(told, ["MW_ERR_CLUSTER_REFUSED"]);
    assert.deepEqual(port.submitted, ["one", "two"]);
  });

  it("cancels a job that arrives after it has failed", async () => {
    const port = new TestPort();
    const arriving = Promise.withResolvers<void>();
    port.submitting = () => arriving.promise;
    const client = clientOf(port);
    const job = client.add("late", "late", () => "{}", TERMS, noted([]));
    await until(() => job.state === "sending");
    client.failed(job, () => new Error("unreachable"));
    arriving.resolve();
    await until(() => port.published.length > 0);
    assert.match(String(port.published[0]), /"late"/);
  });

  it("has the queue forget large jobs that were answered, but none that others may ask for", async () => {
    const port = new TestPort();
    const client = clientOf(port);
    const worker = { id: "worker", host: "host", pid: 1 };
    const told: string[] = [];
    const one = (id: string, key: string | null, length: number): void => {
      const job = client.add(id, "job", () => "{}", { ...TERMS, key }, noted(told));
      const value = encodeValue("x".repeat(length), "value");
      const text = writeOutcome({ kind: "value", worker, ms: 1, value: null }, value);
      const message = [{ kind: "ended", id: job.id, text }];
      client.received(JSON.stringify(message));
    };
    one("small", null, 10);
    one("large", null, 10_000);
    one("shared", "key", 10_000);
    client.answered.sweep();
    assert.deepEqual([told, port.forgotten], [["succeeded", "succeeded", "succeeded"], []]);
    client.answered.sweep();
    assert.deepEqual(port.forgotten, ["large"]);
    one("last", null, 10_000);
    await client.answered.flush();
    assert.deepEqual(port.forgotten, ["large", "last"]);
  });

  it("says that it is there before it begins jobs again that were cancelled because it seemed to be gone", async () => {
    const port = new TestPort();
    const client = clientOf(port, { lostAfterMs: 300_000 });
    const caretaker = new Caretaker(client);
    const job = client.add("job", "job", () => "{}", TERMS, noted([]));
    await until(() => job.state === "sent");
    const worker = { id: "worker", host: "host", pid: 1 };
    const text = writeOutcome({ kind: "cancelled", worker, why: "its client is gone", isOrphan: true }, null);
    port.isAway = true;
    client.found(job, { state: "ended", text });
    await until(() => job.state === "sent");
    assert.deepEqual([port.submitted.length, port.beats, job.resent], [1, 0, 0]);
    port.isAway = false;
    client.found(job, { state: "ended", text });
    client.found(job, { state: "ended", text });
    await until(() => port.submitted.length === 2);
    assert.deepEqual([port.beats, job.resent], [1, 1]);
    caretaker.stop();
  });

  it("says nothing again while the server has not answered", async () => {
    const port = new TestPort();
    const answer = Promise.withResolvers<void>();
    port.publishing = answer.promise;
    const client = clientOf(port);
    const job = client.add("job", "job", () => "{}", TERMS, noted([]));
    await until(() => job.state === "sent");
    client.canceller.cancel(job, "not needed", null);
    await until(() => port.published.length === 1);
    client.canceller.tick(performance.now());
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(port.published.length, 1);
    answer.resolve();
    await until(() => {
      client.canceller.tick(performance.now());
      return port.published.length === 2;
    });
  });

  it("says that a job is cancelled until no worker can begin it any more", async () => {
    const port = new TestPort();
    const client = clientOf(port, { lostAfterMs: 300_000 });
    const told: string[] = [];
    const job = client.add("job", "job", () => "{}", TERMS, noted(told));
    await until(() => job.state === "sent");
    client.canceller.cancel(job, "not needed", null);
    client.canceller.tick(performance.now() + 400_000);
    assert.equal(client.size, 1);
    client.canceller.tick(performance.now() + 700_000);
    assert.equal(client.size, 0);
  });
});
