// A job that was started and is awaited later, or never.
//
// Invariants
// - `running → cancelling → done`, or straight to done. `#failure` is set only when it is done; a failure that nobody has met
//   is told once, by the block that the job is left with or as one that nobody has handled.
// - Its scope belongs to the cluster: whoever awaits it can be cancelled without ending it.

import { cancellable, now, Queue, shield, TimeoutError } from "meanwhile";
import {
  cancellableAs,
  currentScopeNode,
  type RemoteJob,
  remoteWaitIn,
  type Scope,
  type WaitTarget,
} from "meanwhile/lowlevel";
import type { Job } from "meanwhile/workers";

import { type Call, callInCluster } from "./call.ts";
import { showReason } from "./client-job.ts";
import type { Client } from "./client.ts";
import { detached } from "./detached.ts";
import { jobCancelled } from "./remote-error.ts";

/** Starts a job; it is nobody's but the cluster's. */
export function startInCluster(client: Client, call: Omit<Call, "progressed">, timeoutMs: number): Job<unknown> {
  return new StartedJob(client, call, timeoutMs);
}

class StartedJob implements Job<unknown> {
  readonly name: string;
  readonly #target: WaitTarget;
  // Where it waits for its worker.
  #scope: Scope | null = null;
  readonly #result: Promise<unknown>;
  #cancel: (reason: unknown) => void = ignore;
  // The same for all who read it: each value goes to one of them.
  #values: Queue<unknown> | null = null;
  #progress: AsyncIterable<unknown> | null = null;
  #newest: { readonly value: unknown } | null = null;
  #state: "running" | "cancelling" | "done" = "running";
  #failure: { readonly error: unknown; isMet: boolean } | null = null;
  #isAwaited = false;

  constructor(client: Client, call: Omit<Call, "progressed">, timeoutMs: number) {
    this.name = call.name;
    this.#target = {
      describe: () => `"${call.name}" in cluster ${client.settings.name}`,
      foreign: true,
      remote: () => this.#remote(),
    };
    const whole: Call = { ...call, progressed: (value) => this.#progressed(value) };
    this.#result = this.#run(client, whole, timeoutMs);
  }

  async #run(client: Client, call: Call, timeoutMs: number): Promise<unknown> {
    const deadline = timeoutMs === Infinity ? Infinity : now() + timeoutMs;
    try {
      const ending = await detached((scope) => {
        this.#cancel = (reason) => scope.cancel(reason);
        this.#scope = currentScopeNode();
        return callInCluster(client, call);
      }, deadline);
      if (ending.kind === "value") return ending.value;
      if (ending.by === "deadline") throw timedOut(this.name, timeoutMs);
      throw jobCancelled(this.name, "");
    } catch (error) {
      // Whoever has cancelled it knows.
      if (this.#state === "running") this.#failure = { error, isMet: this.#isAwaited };
      throw error;
    } finally {
      this.#state = "done";
      this.#values?.close();
    }
  }

  async #remote(): Promise<RemoteJob> {
    const wait = this.#scope === null ? null : remoteWaitIn(this.#scope);
    if (wait !== null) return await wait.remote();
    const note = this.done ? "it has ended" : "it waits before another attempt";
    const nothing = { id: "", attempt: 1, worker: null, runningMs: null, tasks: [], leftOut: 0 } as const;
    return { ...nothing, function: this.name, state: this.done ? "unknown" : "queued", note };
  }

  get done(): boolean {
    return this.#state === "done";
  }

  get progress(): AsyncIterable<unknown> {
    if (this.#progress !== null) return this.#progress;
    const values = new Queue<unknown>({ maxSize: Infinity });
    this.#values = values;
    if (this.#newest !== null) values.tryPut(this.#newest.value);
    if (this.done) values.close();
    // Whoever reads it meets the error there, but maybe long after the job has failed.
    this.#result.catch(ignore);
    this.#progress = { [Symbol.asyncIterator]: () => ({ next: () => this.#nextProgress(values) }) };
    return this.#progress;
  }

  async #nextProgress(values: Queue<unknown>): Promise<IteratorResult<unknown, undefined>> {
    const next = await values[Symbol.asyncIterator]().next();
    if (next.done === true && this.#failure !== null) this.#throwFailure();
    return next;
  }

  #throwFailure(): void {
    const failure = this.#failure;
    if (failure === null) return;
    failure.isMet = true;
    throw failure.error;
  }

  #progressed(value: unknown): void {
    if (this.#values === null) this.#newest = { value };
    else if (!this.done) this.#values.tryPut(value);
  }

  cancel(reason?: unknown): void {
    if (this.#state !== "running") return;
    this.#state = "cancelling";
    // Whoever cancels knows; it must not be reported as an error that nobody has handled.
    this.#result.catch(ignore);
    this.#cancel(showReason(reason));
  }

  then<A = unknown, B = never>(
    onFulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (this.#failure !== null) this.#failure.isMet = true;
    this.#isAwaited = true;
    return cancellableAs(this.#result, this.#target).then(onFulfilled, onRejected);
  }

  /**
   * Cancels the job and waits for its end.
   *
   * Cancellation: safe. It is held back until then.
   */
  get [Symbol.asyncDispose](): () => Promise<void> {
    // A block asks for it at its beginning: from there on it is the block that meets the error.
    this.#result.catch(ignore);
    return () => this.#dispose();
  }

  async #dispose(): Promise<void> {
    if (this.#failure?.isMet === false) this.#throwFailure();
    if (this.done) return;
    this.cancel("the block of the job was left");
    await shield(() => cancellable(this.#result.then(ignore, ignore)));
  }
}

function ignore(): void {}

function timedOut(name: string, ms: number): TimeoutError {
  return new TimeoutError(`Cannot finish "${name}" in a cluster in time: its timeout of ${ms} ms has passed`);
}
