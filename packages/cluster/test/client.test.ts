// What a client asks of the queue, whatever that answers.

import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";

import { connectCluster, serveCluster } from "@meanwhile/cluster";
import { cancelScope, type RetryPolicy } from "meanwhile";
import { throwIfCancelled } from "meanwhile/lowlevel";

import { Caretaker } from "../src/caretaker.ts";
import { ClientJob, type JobListener } from "../src/client-job.ts";
import { Client } from "../src/client.ts";
import { Cluster } from "../src/cluster.ts";
import { encodeValue } from "../src/encode.ts";
import type { ClientPort, Submission } from "../src/engine.ts";
import { isInTime } from "../src/in-time.ts";
import { mapInCluster } from "../src/map.ts";
import { checkClient, type ClusterOptions } from "../src/options.ts";
import { ServerClock } from "../src/server-clock.ts";
import { readJob, writeJob, writeOutcome } from "../src/wire.ts";
import { FUNCTIONS, newQueue, until } from "./engines.ts";

/** A queue that does what it is told. It looks whether it is cancelled, as it would if it were instrumented. */
class TestPort implements ClientPort {
  readonly maxTextBytes = Infinity;
  readonly submitted: string[] = [];
  readonly published: string[] = [];
  readonly forgotten: string[] = [];
  publishing: Promise<void> = Promise.resolve();
  readonly replaced: Array<readonly [id: string, text: string]> = [];
  /** Whether jobs have not begun. */
  isWaiting = false;
  beats = 0;
  isAway = false;
  /** What becomes of jobs that are put in. */
  submitting: (jobs: readonly Submission[]) => Promise<void> = async () => {};

  async submit(jobs: readonly Submission[]): Promise<void> {
    throwIfCancelled();
    await this.submitting(jobs);
    this.submitted.push(...jobs.map(({ name }) => name));
  }

  async look(ids: readonly string[]): Promise<Array<{ state: "running" }>> {
    throwIfCancelled();
    return ids.map(() => ({ state: "running" }));
  }

  async withdraw(): Promise<boolean> {
    throwIfCancelled();
    return false;
  }

  async replace(id: string, text: string): Promise<boolean> {
    throwIfCancelled();
    this.replaced.push([id, text]);
    return this.isWaiting;
  }

  async forget(id: string): Promise<void> {
    throwIfCancelled();
    this.forgotten.push(id);
  }

  async publish(texts: readonly string[]): Promise<void> {
    throwIfCancelled();
    this.published.push(...texts);
    await this.publishing;
  }

  async beat(): Promise<number> {
    throwIfCancelled();
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
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const url = `${protocol}://someone@${host}`;
      const error = {
        code: "MW_ERR_CLUSTER_CONNECT",
        message: new RegExp(
          `^Cannot connect to ${protocol}://${host}: there was no answer in 100 ms; .*'connectTimeoutMs'`,
        ),
      };
      const options = { queue: newQueue(), connectTimeoutMs: 100 };
      await assert.rejects(connectCluster(url, options), error);
      const worker = { ...options, url, concurrency: 1 };
      await assert.rejects(serveCluster(FUNCTIONS, worker), error);
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
    const text = writeOutcome(
      { kind: "cancelled", worker, why: "its client is gone", isOrphan: true, hasBegun: true },
      null,
    );
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

  it("lets whoever cancels go within a second if the server says nothing, and only then", async () => {
    const port = new TestPort();
    const client = clientOf(port);
    const told: string[] = [];
    const answered = client.add("answered", "job", () => "{}", TERMS, noted(told));
    await until(() => answered.state === "sent");
    client.canceller.cancel(answered, "not needed", null);
    await until(() => port.published.length === 1);
    const now = performance.now();
    for (const ms of [400, 800, 1_200]) client.canceller.tick(now + ms);
    assert.deepEqual(told, []);
    port.submitting = () => new Promise(() => {});
    port.publishing = new Promise(() => {});
    const sending = client.add("sending", "job", () => "{}", TERMS, noted(told));
    await until(() => sending.state === "sending");
    client.canceller.cancel(sending, "not needed", null);
    const later = performance.now();
    for (const ms of [0, 400]) client.canceller.tick(later + ms);
    assert.deepEqual(told, []);
    client.canceller.tick(later + 800);
    assert.deepEqual([told, client.size], [["cancelled"], 2]);
  });

  it("is closed without a wait for jobs whose callers were let go", async () => {
    const port = new TestPort();
    const client = clientOf(port, { graceMs: 10_000 });
    const cluster = new Cluster(client, new Caretaker(client));
    const told: string[] = [];
    const job = client.add("job", "job", () => "{}", TERMS, noted(told));
    await until(() => job.state === "sent");
    client.canceller.cancel(job, "not needed", null);
    client.canceller.tick(performance.now() + 5_000);
    assert.deepEqual([told, client.size], [["cancelled"], 1]);
    const closing = cluster.close({ timeoutMs: 10_000 });
    assert.ok(await isInTime(1_000, closing), "it is to take milliseconds, not ten seconds and more");
  });

  it("looks at a job that takes hours as often as at one that takes minutes", () => {
    const job = new ClientJob("id", "job", "{}", TERMS);
    job.state = "sent";
    for (const ms of [2, 60, 60 * 60].map((seconds) => seconds * 1_000)) {
      job.heardAt = ms;
      const wait = Math.min(30_000, ms);
      assert.deepEqual(
        [wait - 1, wait].map((later) => job.isToBeLookedAt(ms + later, 1_000)),
        [false, true],
      );
    }
  });

  it("takes a job that others may want out of nobody's hands", async () => {
    const port = new TestPort();
    port.isWaiting = true;
    const client = clientOf(port);
    const told: string[] = [];
    const head = { name: "job", isEach: false, client: "client", isShared: true, isOwned: true };
    const rest = { isIdempotent: false, wantsProgress: false, graceMs: 0, deadline: null };
    const text = writeJob({ ...head, ...rest }, encodeValue([], "args"));
    const job = client.add("id", "job", () => text, { ...TERMS, key: "key", isIdempotent: false }, noted(told));
    await until(() => job.state === "sent");
    client.canceller.cancel(job, "not needed", null);
    await until(() => told.length > 0);
    const [[id, withdrawn] = ["", ""]] = port.replaced;
    assert.deepEqual([told, id, readJob(withdrawn).head.isWithdrawn], [["cancelled"], "id", true]);
  });

  it("misses a job that may not begin again twice before it is lost: others may be about to begin it", async () => {
    const port = new TestPort();
    const client = clientOf(port);
    const told: string[] = [];
    const add = (id: string, key: string | null): ClientJob =>
      client.add(id, "job", () => "{}", { ...TERMS, key, isIdempotent: false }, noted(told));
    const [shared, own] = [add("shared", "key"), add("own", null)];
    await until(() => shared.state === "sent" && own.state === "sent");
    client.found(shared, { state: "unknown" });
    assert.deepEqual(told, []);
    client.found(shared, { state: "running" });
    client.found(shared, { state: "unknown" });
    assert.deepEqual(told, []);
    client.found(shared, { state: "unknown" });
    client.found(own, { state: "unknown" });
    assert.deepEqual(told, ["MW_ERR_CLUSTER_RESULT_LOST", "MW_ERR_CLUSTER_RESULT_LOST"]);
  });
});

describe("a client whose first caller is cancelled", () => {
  it("puts the jobs of the others in", async () => {
    const port = new TestPort();
    const client = clientOf(port);
    const told: string[] = [];
    await cancelScope(async (scope) => {
      for (const name of ["one", "other"]) client.add(name, name, () => "{}", TERMS, noted(told));
      scope.cancel();
    });
    await until(() => port.submitted.length + told.length > 0);
    assert.deepEqual([port.submitted, told], [["one", "other"], []]);
  });

  it("tells, asks and says that it is there as before", async () => {
    const port = new TestPort();
    const client = clientOf(port, { lostAfterMs: 1_000, pollMs: 10 });
    let caretaker: Caretaker | null = null;
    await cancelScope(async (scope) => {
      scope.cancel();
      caretaker = new Caretaker(client);
      const job = client.add("job", "job", () => "{}", TERMS, noted([]));
      await until(() => job.state === "sent");
      client.canceller.cancel(job, "not needed", null);
      await until(() => port.published.length > 0);
      client.looks.look(job, 1).catch(assert.fail);
      await until(() => port.published.some((text) => text.includes('"looks":')));
      const { heardAt } = client;
      await until(() => client.heardAt > heardAt && port.beats > 0);
    });
    (caretaker as Caretaker | null)?.stop();
  });
});

describe("a map", () => {
  const ENDS: ReadonlyArray<readonly [what: string, table: unknown]> = [
    ["fewer results than items", [["A", 1]]],
    ["more results than items", [["A", 1, 2, 3]]],
    ["no list", [["O", "length", 2]]],
    ["something that says it is a long list", [["O", "length", 4_000_000_000]]],
    ["a list that is said to be long", [["H", 4_294_967_295]]],
  ];
  for (const [what, table] of ENDS) {
    it(`refuses an end with ${what}`, async () => {
      const port = new TestPort();
      const client = clientOf(port);
      port.submitting = async ([job]) => {
        const outcome = { kind: "value", worker: { id: "worker", host: "host", pid: 1 }, ms: 1, value: null } as const;
        const text = writeOutcome(outcome, JSON.stringify(table));
        client.received(JSON.stringify([{ kind: "ended", id: job?.id, text }]));
      };
      await assert.rejects(mapInCluster(client, "double", [1, 2], { chunk: 2 }).toArray(), {
        code: "MW_ERR_CLUSTER_REFUSED",
        message: /^Cannot take the results of "double": the end of a job of 2 items /,
      });
    });
  }
});

describe("a client with a secret", () => {
  const secret = "a secret of the tests, long enough";
  const worker = { id: "worker", host: "host", pid: 1 };

  it("takes no end of a key that was signed longer ago than ends are kept", async () => {
    const port = new TestPort();
    const client = clientOf(port, { secret, keepMs: 1_000 });
    await client.clock.read();
    const told: string[] = [];
    const job = client.add("id", "job", () => "{}", { ...TERMS, key: "key" }, noted(told));
    await until(() => job.state === "sent");
    const endAt = (at: number): string =>
      client.seal.close(
        "end queue id",
        writeOutcome({ kind: "value", worker, ms: 1, value: null, at }, encodeValue(1, "it")),
      );
    const old = endAt(performance.now() - 2_000);
    client.received(JSON.stringify([{ kind: "ended", id: "id", text: old }]));
    assert.deepEqual([told, port.forgotten], [[], []]);
    client.found(job, { state: "ended", text: old });
    await until(() => port.submitted.length === 2);
    assert.deepEqual([told, port.forgotten], [[], ["id"]]);
    await until(() => job.state === "sent");
    client.found(job, { state: "ended", text: endAt(performance.now() - 500) });
    assert.deepEqual(told, ["succeeded"]);
  });

  it("does not repeat what anybody may have written into the queue", async () => {
    const messages: string[] = [];
    for (const options of [{}, { secret }]) {
      const client = clientOf(new TestPort(), options);
      const failed = (makeError: () => unknown): void => void messages.push((makeError() as Error).message);
      const job = client.add("id", "job", () => "{}", TERMS, { ...noted([]), failed });
      await until(() => job.state === "sent");
      client.found(job, { state: "lost", why: "call 555-0100" });
    }
    assert.match(String(messages[0]), /call 555-0100/);
    assert.doesNotMatch(String(messages[1]), /555/);
  });
});

describe("connectCluster", () => {
  it("refuses a policy of retries that is none", async () => {
    const retry = { attempts: "3" } as unknown as RetryPolicy;
    await assert.rejects(connectCluster(undefined, { queue: newQueue(), retry }), {
      code: "MW_ERR_CLUSTER_INVALID_ARGUMENT",
      message: /'retry' is no policy: .*'attempts' is "3"/,
    });
  });
});

describe("the clock of a server", () => {
  it("is held to leave the most time when it was set a moment ago", async () => {
    let ahead = 1_000_000;
    const clock = new ServerClock(async () => performance.now() + ahead);
    assert.equal(clock.at(0), null);
    assert.equal(clock.msUntil(0), Infinity);
    await clock.read();
    const deadline = Number(clock.at(performance.now() + 10_000));
    ahead += 3_600_000;
    await clock.read();
    assert.ok(clock.msUntil(deadline) > 9_000, "set forward: the other side goes by the old time");
    ahead -= 2 * 3_600_000;
    await clock.read();
    assert.ok(Math.abs(Number(clock.at(0)) - ahead) < 1_000);
    assert.ok(clock.msUntil(deadline) > 9_000, "set back");
  });
});
