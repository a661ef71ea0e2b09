// One request for one URL: what it brought, or why it did not.

import type { ClientResponse } from "@meanwhile/http";
import { timeout, TimeoutError } from "meanwhile";

import { reasonOf } from "../errors.ts";
import { diskFull } from "./brakes.ts";
import { diskCodeOf, failureOfError, failureOfStatus, isLocal } from "./failures.ts";
import type { Limits } from "./limits.ts";
import { noOutcome, type Outcome } from "./outcome.ts";
import { isSaved, receiveBody, type ReceiveOptions } from "./receive.ts";
import type { Failure } from "./record.ts";
import type { RequestPlan } from "./request-plan.ts";
import { restMsOf } from "./retry-after.ts";
import { DEFAULT_TIMEOUT_MS } from "./run-session.ts";
import { type Saver, WrongSumError } from "./saver.ts";
import { send, type SendOptions } from "./send.ts";
import type { Target } from "./target.ts";

export type { Outcome } from "./outcome.ts";

/** What all attempts of a run have in common. */
export interface AttemptOptions extends ReceiveOptions, SendOptions {
  readonly limits: Pick<Limits, "okStatuses" | "maxBytes" | "timeoutMs">;
}

/**
 * Requests the target once. Failures of the network, the server and the disk are outcomes, not errors.
 *
 * Cancellation: frees the connection and removes a file that is not complete, unless it is to be resumed.
 *
 * @throws {@link StopError} if the run must not go on
 */
export async function attempt(target: Target, options: AttemptOptions): Promise<Outcome> {
  const outcome = noOutcome();
  const { saver, limits, plan } = options;
  const { timeoutMs = saver === undefined ? DEFAULT_TIMEOUT_MS : Infinity } = limits;
  try {
    if (timeoutMs === Infinity) await fetchOnce(target, options, outcome);
    else await timeout(timeoutMs, () => fetchOnce(target, options, outcome));
  } catch (error) {
    const failure = failureOf(error, outcome, options);
    if (failure === undefined) throw error;
    outcome.failure = failure;
    if (isLocal(error)) outcome.isLocal = true;
  }
  return hideSecrets(outcome, plan);
}

async function fetchOnce(target: Target, options: AttemptOptions, outcome: Outcome): Promise<void> {
  const { saver, plan } = options;
  const noting = { options, outcome, started: performance.now() };
  const response =
    saver?.isResuming(target, plan) === true ? await resume(saver, target, noting) : await send(target, options);
  if (response === null) return;
  try {
    noteHead(response, noting);
    await receive(response, target, noting);
  } finally {
    outcome.wireBytes = response.wireBytes;
    // Where its body was read, or given up, there is nothing left to close.
    if (!response.bodyUsed) await response.close();
  }
}

async function resume(saver: Saver, target: Target, noting: Noting): Promise<ClientResponse | null> {
  const { options, outcome } = noting;
  let wireBytes = (): number | undefined => undefined;
  const note = (response: ClientResponse): void => {
    wireBytes = () => response.wireBytes;
    noteHead(response, noting);
  };
  try {
    return await saver.resume(target, { ...options, maxBytes: options.limits.maxBytes }, { outcome, note });
  } finally {
    outcome.wireBytes = wireBytes();
  }
}

/** The session's total timeout ends where a body is read as a stream. Only one that is saved may take longer. */
async function receive(response: ClientResponse, target: Target, { options, outcome }: Noting): Promise<void> {
  const receiving = { options, outcome };
  const isTimed = options.saver === undefined || options.limits.timeoutMs !== undefined;
  if (isTimed || isSaved(response, target, receiving)) await receiveBody(response, target, receiving);
  else await timeout(DEFAULT_TIMEOUT_MS, () => receiveBody(response, target, receiving));
}

interface Noting {
  readonly options: AttemptOptions;
  readonly outcome: Outcome;
  readonly started: number;
}

function noteHead(response: ClientResponse, { options, outcome, started }: Noting): void {
  const { status, redirects } = response;
  outcome.status = status;
  outcome.finalUrl = response.url;
  outcome.ttfbMs = performance.now() - started;
  outcome.ip = response.remoteAddress;
  outcome.type = response.contentType;
  if (redirects.length > 0) outcome.redirects = redirects;
  outcome.retryAfterMs = restMsOf(status, response.headers);
  outcome.failure = options.limits.okStatuses.has(status) ? undefined : failureOfStatus(status);
}

function hideSecrets(outcome: Outcome, { secrets }: RequestPlan): Outcome {
  if (secrets.isEmpty) return outcome;
  const { finalUrl, redirects, failure } = outcome;
  if (finalUrl !== undefined) outcome.finalUrl = secrets.hide(finalUrl);
  if (redirects !== undefined) outcome.redirects = redirects.map((url) => secrets.hide(url));
  if (failure !== undefined) outcome.failure = { ...failure, message: secrets.hide(failure.message) };
  return outcome;
}

function failureOf(error: unknown, { status }: Outcome, { saver }: AttemptOptions): Failure | undefined {
  if (error instanceof TimeoutError) {
    const what = status === undefined ? "there was no answer in time" : "the body was not complete in time";
    return { code: "timeout", message: what };
  }
  if (error instanceof WrongSumError) return { code: "checksum", message: error.message };
  const code = diskCodeOf(error);
  if ((code === "ENOSPC" || code === "EDQUOT") && saver !== undefined) throw diskFull(saver.path);
  const failure = failureOfError(error);
  if (failure !== undefined) return failure;
  return code === undefined ? undefined : { code: "write", message: `cannot save it: ${reasonOf(error)}` };
}
