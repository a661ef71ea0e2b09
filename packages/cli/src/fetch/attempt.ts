// One request for one URL: what it brought, or why it did not.

import { type ClientSession, type ClientResponse } from "@meanwhile/http";
import { timeout, TimeoutError } from "meanwhile";

import { reasonOf, systemCodeOf } from "../errors.ts";
import { failureOfError, failureOfStatus } from "./failures.ts";
import { fileNameOf } from "./file-name.ts";
import type { Directory } from "./files.ts";
import type { BodyStyle } from "./options.ts";
import type { Failure } from "./record.ts";
import { parseRetryAfterMs } from "./retry-after.ts";
import type { Target } from "./target.ts";

/** What one attempt brought. */
export interface Outcome {
  bytes: number;
  status?: number;
  finalUrl?: string;
  redirects?: readonly string[];
  file?: string;
  body?: string;
  bodyBase64?: string;
  failure?: Failure;
  /** How long the server wants to be left alone. */
  retryAfterMs?: number | undefined;
}

/** What all attempts of a run have in common. */
export interface AttemptOptions {
  readonly session: ClientSession;
  readonly directory: Directory | undefined;
  readonly body: BodyStyle;
  /** For a body that is saved; the session limits the rest. */
  readonly saveMs: number;
}

/**
 * Requests the target once. Failures of the network, the server and the disk are outcomes, not errors.
 *
 * Cancellation: frees the connection and removes a file that is not complete.
 */
export async function attempt(target: Target, options: AttemptOptions): Promise<Outcome> {
  const outcome: Outcome = { bytes: 0 };
  try {
    await using response = await options.session.get(target.text);
    noteHead(response, outcome);
    await receive(response, target, { options, outcome });
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    outcome.failure = failure;
  }
  return outcome;
}

function noteHead(response: ClientResponse, outcome: Outcome): void {
  const { status, redirects } = response;
  outcome.status = status;
  outcome.finalUrl = response.url;
  if (redirects.length > 0) {
    outcome.redirects = redirects;
  }
  if (status < 400) return;
  outcome.failure = failureOfStatus(status);
  outcome.retryAfterMs = parseRetryAfterMs(response.headers.get("retry-after"));
}

interface Receiving {
  readonly options: AttemptOptions;
  readonly outcome: Outcome;
}

async function receive(response: ClientResponse, target: Target, { options, outcome }: Receiving): Promise<void> {
  const { directory, body, saveMs } = options;
  if (body !== "none") {
    const bytes = Buffer.from(await response.bytes());
    outcome.bytes = bytes.length;
    if (body === "text") outcome.body = bytes.toString("utf8");
    else outcome.bodyBase64 = bytes.toString("base64");
  } else if (directory === undefined || outcome.failure !== undefined) {
    for await (const chunk of response.stream()) outcome.bytes += chunk.length;
  } else if (saveMs === Infinity) await save(response, fileNameOf(new URL(target.text)), { directory, outcome });
  else await timeout(saveMs, () => save(response, fileNameOf(new URL(target.text)), { directory, outcome }));
}

interface Saving {
  readonly directory: Directory;
  readonly outcome: Outcome;
}

async function save(response: ClientResponse, name: string, { directory, outcome }: Saving): Promise<void> {
  const part = await directory.create(name);
  try {
    for await (const chunk of response.stream()) {
      outcome.bytes += chunk.length;
      await part.write(chunk);
    }
    outcome.file = await part.finish();
  } catch (error) {
    await part.discard();
    throw error;
  }
}

function failureOf(error: unknown): Failure | undefined {
  if (error instanceof TimeoutError) return { code: "timeout", message: "the body was not complete in time" };
  const failure = failureOfError(error);
  if (failure !== undefined) return failure;
  return systemCodeOf(error) === undefined
    ? undefined
    : { code: "write", message: `cannot save it: ${reasonOf(error)}` };
}
