// One call of a function on the cluster, as a checkpoint of the caller.

import { createHash } from "node:crypto";

import { retry } from "meanwhile";
import { currentScopeNode, type Scope, suspend, type Waiter } from "meanwhile/lowlevel";

import type { ClientJob, JobListener, JobTerms } from "./client-job.ts";
import type { Client } from "./client.ts";
import { encodeValue } from "./encode.ts";
import { ClusterError } from "./errors.ts";
import { jobCancelled } from "./remote-error.ts";
import { writeJob } from "./wire.ts";

const { performance } = globalThis;

/** What is to be called, and how. */
export interface Call {
  readonly name: string;
  readonly args: unknown;
  readonly terms: JobTerms;
  /** Where the call was made, if that is not where it is awaited. */
  readonly site?: Error;
  readonly progressed?: (value: unknown) => void;
  /** Is told that the job is one of the client's: its arguments can be sent. */
  readonly taken?: () => void;
  /** Is told how long the function took, and how long its result was. */
  readonly took?: (ms: number, bytes: number) => void;
}

/** Calls the function, again and again if the policy says so. Waits for room first. */
export function callInCluster(client: Client, call: Call): Promise<unknown> {
  const policy = client.settings.retry;
  if (policy === null) return client.isFull ? callLater(client, call) : callOnce(client, call, 1);
  let attempt = 0;
  return retry(() => {
    attempt += 1;
    return client.isFull ? callLater(client, call, attempt) : callOnce(client, call, attempt);
  }, policy);
}

// Whoever is woken may find the room taken by a call that did not wait.
async function callLater(client: Client, call: Call, attempt: number = 1): Promise<unknown> {
  while (client.isFull && client.state === "open") await client.room.park();
  return await callOnce(client, call, attempt);
}

let last = 0;

function callOnce(client: Client, call: Call, attempt: number): Promise<unknown> {
  const { name, args, terms } = call;
  // Here and not when it is sent: what is changed after the call is not sent.
  const id = terms.key === null ? `${client.id}-${++last}` : sharedId(name, terms.key, attempt);
  const deadline = deadlineOf(currentScopeNode());
  const makeText = (): string => textOf(client, id, name, encodeArguments(client, name, args), terms, deadline);
  let job: ClientJob | null = null;
  return suspend<unknown>(
    (waiter) => {
      if (client.state !== "open") throw closedError(client.settings.name);
      const listener = new WaitingCall(waiter, call);
      const added = client.add(id, name, makeText, terms, listener);
      job = added;
      call.taken?.();
      return () => (client.leave(added, listener, waiter.scope?.effective?.reason) ? undefined : "wait");
    },
    {
      describe: () => `"${name}" in cluster ${client.settings.name}`,
      foreign: true,
      // There is a job as soon as somebody waits for it.
      remote: () => client.looks.look(job as ClientJob, attempt),
    },
  );
}

class WaitingCall implements JobListener {
  readonly #waiter: Waiter<unknown>;
  readonly #call: Call;

  constructor(waiter: Waiter<unknown>, call: Call) {
    this.#waiter = waiter;
    this.#call = call;
  }

  succeeded(value: unknown, ms: number, bytes: number): void {
    this.#call.took?.(ms, bytes);
    this.#waiter.wake(value);
  }

  failed(makeError: (site?: Error) => unknown): void {
    this.#waiter.failWith(() => makeError(this.#call.site));
  }

  cancelled(why: string): void {
    const waiter = this.#waiter;
    if ((waiter.scope?.effective ?? null) === null) waiter.failWith(() => jobCancelled(this.#call.name, why));
    else {
      waiter.abort = null; // there is nothing to take back any more
      waiter.interrupt();
    }
  }

  progressed(value: unknown): void {
    this.#call.progressed?.(value);
  }
}

/** The same for everybody who asks for the same. */
function sharedId(name: string, key: string, attempt: number): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([name, key, attempt]))
    .digest("base64url");
  return `key-${hash}`;
}

function encodeArguments({ settings }: Client, name: string, args: unknown): string {
  // A list with holes would be no list at the other end.
  const text = encodeValue(Array.from(args as ArrayLike<unknown>), "args");
  const bytes = Buffer.byteLength(text);
  if (bytes <= settings.maxPayloadBytes) return text;
  throw new ClusterError(
    "MW_ERR_CLUSTER_TOO_LARGE",
    `Cannot call "${name}": its arguments are ${bytes} bytes, 'maxPayloadBytes' is ${settings.maxPayloadBytes}; put the data where workers can read it and pass the place`,
  );
}

function textOf(client: Client, id: string, name: string, args: string, terms: JobTerms, deadline: number): string {
  const { settings, seal, clock } = client;
  const { isEach, isIdempotent, graceMs, wantsProgress, key } = terms;
  // A job that others share ends in time for none of them: each client cancels for those of its own whose time is up.
  const isTimed = deadline !== Infinity && key === null;
  const head = {
    name,
    isEach,
    client: client.id,
    isShared: key !== null,
    isIdempotent,
    isOwned: settings.orphans === "cancel",
    wantsProgress,
    graceMs: graceMs === Infinity ? null : graceMs,
    deadline: isTimed ? clock.at(deadline) : null,
  };
  return seal.close(`job ${settings.queue} ${id}`, writeJob(head, args));
}

/** When the scope is cancelled by a deadline of its own or of one around it, as `performance.now()` will tell it. */
function deadlineOf(from: Scope): number {
  let deadline = Infinity;
  for (let scope: Scope | null = from; scope !== null; scope = scope.shielded ? null : scope.parent) {
    if (scope.deadline < deadline) deadline = scope.deadline;
  }
  return deadline === Infinity ? deadline : performance.now() + (deadline - from.runner.clock.now());
}

/** Why a cluster that was closed does nothing. */
export function closedError(name: string): ClusterError {
  return new ClusterError(
    "MW_ERR_CLUSTER_CLOSED",
    `Cannot call a function in cluster ${name}: it was closed; connect again`,
  );
}
