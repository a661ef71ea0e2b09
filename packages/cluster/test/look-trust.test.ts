// What is believed of those who look at jobs, and of those who answer: anybody may be able to write to a queue.

import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { describe, it } from "node:test";

import type { RemoteJob } from "meanwhile/lowlevel";

import type { ClientJob, JobListener } from "../src/client-job.ts";
import { Client } from "../src/client.ts";
import { encodeValue } from "../src/encode.ts";
import type { ClientPort, Found, WorkerPort } from "../src/engine.ts";
import { useOfLook, writeLookParts } from "../src/look-wire.ts";
import { checkClient } from "../src/options.ts";
import { RunningJob } from "../src/running-job.ts";
import { sealWith } from "../src/seal.ts";
import { readToWorkers, VERSION, writeLook } from "../src/wire.ts";
import { WorkerLooks } from "../src/worker-looks.ts";
import { until } from "./engines.ts";
import { diagnosticsOn } from "./looks.ts";

const secret = "a secret that both sides have, long enough";
const seal = sealWith(createSecretKey(Buffer.from(secret)));
const LISTENER: JobListener = { succeeded() {}, failed() {}, cancelled() {}, progressed() {} };
const TERMS = { isEach: false, isIdempotent: true, graceMs: 0, wantsProgress: false, key: null };

/** A queue that takes everything, and answers what it is told to. */
function portOf(found: Found): ClientPort & { readonly published: string[] } {
  const published: string[] = [];
  // What else a port has nobody asks of it here.
  const port: Partial<ClientPort> = {
    maxTextBytes: Infinity,
    submit: async () => {},
    look: async (ids) => ids.map(() => found),
    withdraw: async () => false,
    forget: async () => {},
    publish: async (texts) => void published.push(...texts),
    beat: async () => performance.now(),
    close: async () => {},
    isPassing: () => false,
  };
  return { ...(port as ClientPort), published };
}

/** A client with a job that is in the queue. */
async function clientWithJob(found: Found): Promise<{
  readonly client: Client;
  readonly job: ClientJob;
  readonly published: string[];
}> {
  const client = new Client("client-1", checkClient({ queue: "trust", secret }));
  const port = portOf(found);
  client.connected(port);
  const job = client.add("job-1", "crunch", () => encodeValue([], "args"), TERMS, LISTENER);
  await until(() => job.state === "sent");
  return { client, job, published: port.published };
}

/** The question that was published. */
function questionIn(published: readonly string[]): string {
  const { looks } = readToWorkers(seal.open("workers trust", published[0] ?? ""));
  return looks?.jobs[0]?.[0] ?? "";
}

function answerOf(note: string): string {
  const worker = { id: "w", host: "h", pid: 1, thread: 2 };
  const common = { function: "evil", id: "evil", attempt: 1, state: "running", worker, runningMs: 1 } as const;
  return writeLook({ ...common, note, tasks: [], leftOut: 0 });
}

describe("a question", () => {
  it("is none if its answer would go to others than a client", () => {
    const of = (client: string): unknown =>
      readToWorkers(JSON.stringify({ v: VERSION, cancel: [], looks: { client, jobs: [["q", "id"]] } })).looks;
    for (const client of ["*", "workers", ""]) assert.equal(of(client), null, client);
    assert.deepEqual(of("host-1"), { client: "host-1", jobs: [["q", "id"]] });
  });
});

describe("a client that looks at its jobs", () => {
  it("believes an answer only if it is signed, and for its own question", async () => {
    const { client, job, published } = await clientWithJob({ state: "running" });
    const looking = client.looks.look(job, 1);
    await until(() => published.length > 0);
    const question = questionIn(published);
    const texts = [
      answerOf("not signed"),
      sealWith(createSecretKey(Buffer.from("another secret, as long"))).close(
        useOfLook("trust", "job-1", question),
        answerOf("signed by others"),
      ),
      seal.close(useOfLook("trust", "job-1", "another question"), answerOf("the answer to another question")),
      seal.close(useOfLook("trust", "job-2", question), answerOf("of another job")),
      seal.close(useOfLook("trust", "job-1", question), answerOf("the true one")),
    ];
    for (const text of texts) for (const part of writeLookParts(question, text, 500)) client.received(part);
    const said = await looking;
    assert.equal(said.note, "the true one");
    assert.deepEqual([said.function, said.id], ["crunch", "job-1"]);
  });

  it("takes no harm from messages that are none", async () => {
    const { client, job, published } = await clientWithJob({ state: "running" });
    const looking = client.looks.look(job, 1);
    await until(() => published.length > 0);
    const id = questionIn(published);
    const odd = [
      { kind: "look", id, part: 0, of: 1e9, text: "x" },
      { kind: "look", id, part: -1, of: 2, text: "x" },
      { kind: "look", id, part: 0.5, of: 1, text: "x" },
      { kind: "look", id, part: 3, of: 2, text: "x" },
      { kind: "look", id, part: 0, of: 1, text: "x".repeat(1e6) },
      { kind: "look", id, part: 0, of: 1, text: null },
      { kind: "look", id: 4, part: 0, of: 1, text: "x" },
      { kind: "look", id: "of nobody", part: 0, of: 1, text: "x" },
      { kind: "look" },
    ];
    for (const message of odd) client.received(JSON.stringify([message]));
    for (let part = 0; part < 64; part++)
      client.received(JSON.stringify([{ kind: "look", id, part, of: 64, text: "" }]));
    const { state, note } = await looking;
    assert.equal(state, "unknown");
    assert.match(note ?? "", /^nobody says that it has it/);
  });

  it("asks again what was not answered, and then tells who has it by the word of the queue", async () => {
    const { client, job, published } = await clientWithJob({ state: "running", worker: "far-7-x" });
    const said = await client.looks.look(job, 1);
    assert.ok(published.length >= 2);
    assert.equal(questionIn(published), questionIn(published.slice(1)));
    assert.deepEqual(said.worker, { id: "far-7-x", host: "", pid: 0, thread: null });
    assert.equal(said.note, "its worker does not answer");
  });

  it("asks nobody of a job that is not in the queue, or has ended", async () => {
    const { client, job, published } = await clientWithJob({ state: "ended", text: "" });
    assert.equal((await client.looks.look(job, 1)).note, "it has ended, and its result is on the way");
    client.cancelled(job, "enough");
    assert.equal((await client.looks.look(job, 1)).note, "it has ended");
    assert.equal(published.length, 1);
  });
});

describe("a worker that is looked at", () => {
  function worker(): { looks: WorkerLooks; sent: Array<readonly [string, string]>; release: () => void } {
    const sent: Array<readonly [string, string]> = [];
    const gate = Promise.withResolvers<void>();
    const port = {
      maxTextBytes: Infinity,
      publish: async (messages: ReadonlyArray<readonly [string, string]>) => {
        sent.push(...messages);
        await gate.promise;
      },
    } as unknown as WorkerPort;
    const identity = { id: "w", host: "h", pid: 1 };
    return {
      looks: new WorkerLooks({ identity, queue: "trust", seal, port: () => port }),
      sent,
      release: gate.resolve,
    };
  }
  const head = { name: "crunch", client: "c", isEach: false, isShared: false, isIdempotent: true } as const;
  const running = new RunningJob({ ...head, isOwned: true, wantsProgress: false, graceMs: 0, deadline: null }, 1);
  const jobs = new Map([["job-1", running]]);

  it("answers no more than 64 questions at once, and nobody for jobs it has not", async () => {
    using _on = diagnosticsOn();
    const { looks, sent, release } = worker();
    for (let i = 0; i < 1_000; i++)
      looks.answer(
        {
          client: "c",
          jobs: [
            [`q${i}`, "job-1"],
            [`r${i}`, "job-2"],
          ],
        },
        jobs,
      );
    await until(() => sent.length === 64);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    looks.answer({ client: "c", jobs: [["again", "job-1"]] }, jobs);
    await until(() => sent.length === 65);
    const [client, text] = sent.at(-1) ?? [];
    assert.equal(client, "c");
    const [{ text: answer }] = JSON.parse(text ?? "") as [{ text: string }];
    const { job } = JSON.parse(seal.open(useOfLook("trust", "job-1", "again"), answer)) as { job: RemoteJob };
    assert.deepEqual([job.attempt, job.note], [2, "it is just beginning or ending"]);
  });

  it("reads no questions that everybody would be answered, nor any that are none", () => {
    const looksIn = (looks: unknown): unknown => readToWorkers(JSON.stringify({ v: 1, cancel: [], looks })).looks;
    const asked = [["q", "job-1"]];
    assert.deepEqual(looksIn({ client: "c", jobs: asked }), { client: "c", jobs: asked });
    for (const odd of [
      undefined,
      null,
      4,
      {},
      { client: "*", jobs: asked },
      { client: "c" },
      { client: "", jobs: asked },
    ])
      assert.equal(looksIn(odd), null);
    const long = Array.from({ length: 9_999 }, () => ["q", "x"]);
    assert.equal(
      (looksIn({ client: "c", jobs: [["q", 4], [], 4, ["x".repeat(999), "y"], ...long] }) as { jobs: [] }).jobs.length,
      26,
    );
  });
});
