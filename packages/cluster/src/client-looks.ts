// Asks workers what the jobs of a client do, because somebody looks at the tasks that wait for them.
//
//   asked ──a worker's answer, or the queue says that none has it──▶ answered
//     └──nobody says anything in time──▶ answered with what is known here
//
// Invariants
// - Nothing is asked, and nothing is kept but who has run a job, unless somebody looks.
// - An answer is believed only for the question it belongs to, and where there is a secret only if it is signed with that. What
//   it says is handed on as it came: whoever shows it reads it first (`meanwhile/diagnostics`).

import { randomBytes } from "node:crypto";

import type { RemoteJob, RemoteWorker } from "meanwhile/lowlevel";

import type { ClientJob } from "./client-job.ts";
import type { Client } from "./client.ts";
import { outside } from "./detached.ts";
import type { Found } from "./engine.ts";
import { type LookPart, useOfLook, writeLooks } from "./look-wire.ts";
import { readLook, VERSION } from "./wire.ts";

const { clearInterval, clearTimeout, queueMicrotask, setInterval, setTimeout } = globalThis;

/** How long a worker may take to answer. */
const LOOK_MS = 900;
/** After how long it is asked again: a message may be lost, or have come just before the job. */
const AGAIN_MS = 300;

/** What somebody says of a job. */
type Said = Partial<RemoteJob>;

interface Question {
  readonly job: ClientJob;
  readonly answer: (said: Said) => void;
  parts: Array<string | undefined>;
}

/** The questions of a client. */
export class ClientLooks {
  readonly #client: Client;
  readonly #open = new Map<string, Question>();
  /** Who was the last to say that it has a job. */
  readonly #workers = new WeakMap<ClientJob, RemoteWorker>();
  #toAsk: Array<readonly [question: string, job: ClientJob]> = [];

  constructor(client: Client) {
    this.#client = client;
  }

  /** What is known of the job, and what its worker says. Never rejects; takes a second at most. */
  async look(job: ClientJob, attempt: number): Promise<RemoteJob> {
    const said = await this.#ask(job);
    if (said.worker !== undefined && said.worker !== null) this.#workers.set(job, said.worker);
    const nothing = { state: "unknown", worker: null, runningMs: null, note: null, tasks: [], leftOut: 0 } as const;
    // How often it was begun: again by the client's policy, and again after a worker was lost.
    const begun = typeof said.attempt === "number" ? said.attempt - 1 : 0;
    return { ...nothing, ...said, function: job.name, id: job.id, attempt: attempt + begun };
  }

  #ask(job: ClientJob): Promise<Said> {
    if (job.state === "done") return Promise.resolve({ note: "it has ended" });
    if (job.state !== "sent") return Promise.resolve({ state: "queued", note: "it is on its way into the queue" });
    const { promise, resolve } = Promise.withResolvers<Said>();
    const id = randomBytes(12).toString("base64url");
    const timer = setTimeout(() => answer(this.#unanswered(job)), LOOK_MS);
    const again = setInterval(() => this.#askSoon(id, job), AGAIN_MS);
    timer.unref();
    again.unref();
    const answer = (said: Said): void => {
      clearTimeout(timer);
      clearInterval(again);
      this.#open.delete(id);
      resolve(said);
    };
    this.#open.set(id, { job, answer, parts: [] });
    this.#askSoon(id, job);
    return promise;
  }

  #askSoon(id: string, job: ClientJob): void {
    this.#toAsk.push([id, job]);
    if (this.#toAsk.length === 1) queueMicrotask(() => outside(() => this.#askAll()));
  }

  #unanswered(job: ClientJob): Said {
    const worker = this.#workers.get(job);
    const note = "nobody says that it has it: its worker is of an older version, is cut off or is blocked";
    return worker === undefined ? { note } : { state: "running", worker, note: "its worker does not answer" };
  }

  // Those that run are answered by their workers, the others by the queue: whoever is first.
  async #askAll(): Promise<void> {
    const { id: client, port, seal, settings } = this.#client;
    const asked = this.#toAsk;
    this.#toAsk = [];
    const texts = writeLooks(VERSION, { client, jobs: asked.map(([question, { id }]) => [question, id]) });
    const looking = port.look(asked.map(([, { id }]) => id)).then((found) => this.#found(asked, found));
    // What fails is as if nobody had answered.
    await Promise.allSettled([
      port.publish(texts.map((text) => seal.close(`workers ${settings.queue}`, text))),
      looking,
    ]);
  }

  #found(asked: ReadonlyArray<readonly [question: string, job: ClientJob]>, found: readonly Found[]): void {
    for (const [index, [id, job]] of asked.entries()) {
      const one = found[index];
      if (one === undefined) continue;
      if (one.state === "running") this.#noteWorker(job, one.worker);
      else this.#open.get(id)?.answer(saidByQueue(one));
    }
  }

  #noteWorker(job: ClientJob, id: string | undefined): void {
    if (id !== undefined && !this.#workers.has(job)) this.#workers.set(job, { id, host: "", pid: 0, thread: null });
  }

  /** Takes a part of an answer. It may come from anybody. */
  received({ id, part, of, text }: LookPart): void {
    const question = this.#open.get(id);
    if (question === undefined) return;
    if (question.parts.length !== of) question.parts = Array.from({ length: of });
    question.parts[part] = text;
    if (question.parts.includes(undefined)) return;
    const { queue } = this.#client.settings;
    try {
      const whole = this.#client.seal.open(useOfLook(queue, question.job.id, id), question.parts.join(""));
      question.answer(readLook(whole));
    } catch {
      question.parts = []; // not written by a worker of this queue: the true one may be on its way
    }
  }
}

function saidByQueue({ state }: Found): Said {
  if (state === "waiting") return { state: "queued", note: "it waits in the queue: no worker has taken it" };
  return { note: state === "unknown" ? "the queue does not know it" : "it has ended, and its result is on the way" };
}
