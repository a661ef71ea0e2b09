// Takes the body of an answer: into the record, into a file, or only counted.

import { createHash, type Hash } from "node:crypto";

import type { ClientResponse } from "@meanwhile/http";

import type { BodyPrinter } from "./body-printer.ts";
import type { Brakes } from "./brakes.ts";
import type { BodyStyle } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import type { PartFile } from "./part-file.ts";
import type { RequestPlan } from "./request-plan.ts";
import { type Saver, WrongSumError } from "./saver.ts";
import type { Target } from "./target.ts";

/** Bodies up to this many bytes are not read as streams where they are here already. */
const WHOLE_BYTES = 64 * 1024;

/** What is to become of bodies. */
export interface ReceiveOptions {
  readonly plan: RequestPlan;
  /** Undefined if bodies are not saved. */
  readonly saver: Saver | undefined;
  readonly body: BodyStyle;
  readonly brakes: Brakes;
  /** Undefined if bodies are not printed. */
  readonly printer: BodyPrinter | undefined;
  /** Whether the SHA-256 of every body is wanted. */
  readonly sha256: boolean;
  /** What the body of every target must have; there is only one then. */
  readonly checksum: string | undefined;
}

export interface Receiving {
  readonly options: ReceiveOptions;
  readonly outcome: Outcome;
}

/**
 * Reads the body to its end and notes in the outcome what became of it.
 *
 * Cancellation: loses the rest of the body, and the file.
 *
 * @throws {@link WrongSumError}, {@link StopError}, and what the session and the disk throw
 */
export async function receiveBody(response: ClientResponse, target: Target, receiving: Receiving): Promise<void> {
  const { options, outcome } = receiving;
  const { saver, body, brakes } = options;
  const meter = new BodyMeter(target, receiving);
  const printer = outcome.failure === undefined ? options.printer : undefined;
  const place = saver !== undefined && isSaved(response, target, receiving) ? saver : undefined;
  if (body === "none" && (printer !== undefined || !isHere(response))) {
    if (place === undefined) return passOn(response, meter, printer);
    return saveStream(response, meter, await place.create(target, response), { saver: place, brakes, outcome });
  }
  const bytes = await response.bytes();
  meter.count(bytes);
  meter.finish();
  if (body !== "none") return putIntoRecord(bytes, receiving);
  if (place === undefined) return;
  await brakes.checkDisk(place.path);
  outcome.file = await place.save(target, response, bytes);
}

/** Whether all of the body has come with its head, as small ones do, and needs no unpacking. */
function isHere({ wireBytes, contentLength, headers }: ClientResponse): boolean {
  return wireBytes === contentLength && wireBytes <= WHOLE_BYTES && !headers.has("content-encoding");
}

/** Whether the body becomes a file: an answer that has none must not empty one that is there. */
export function isSaved({ status }: ClientResponse, { request }: Target, { options, outcome }: Receiving): boolean {
  const { saver, body, plan } = options;
  if (saver === undefined || body !== "none" || outcome.failure !== undefined) return false;
  if ((request.method ?? plan.method) === "HEAD") return false;
  return status >= 200 && status < 300 && status !== 204 && status !== 205;
}

async function passOn(response: ClientResponse, meter: BodyMeter, printer: BodyPrinter | undefined): Promise<void> {
  for await (const chunk of response.stream()) {
    meter.count(chunk);
    await printer?.write(chunk);
  }
  await printer?.end();
  meter.finish();
}

interface Saving {
  readonly saver: Saver;
  readonly brakes: Brakes;
  readonly outcome: Outcome;
}

async function saveStream(
  response: ClientResponse,
  meter: BodyMeter,
  part: PartFile,
  { saver, brakes, outcome }: Saving,
): Promise<void> {
  try {
    for await (const chunk of response.stream()) {
      meter.count(chunk);
      if (!part.writeNow(chunk)) await part.write(chunk);
      await brakes.checkDisk(saver.path);
    }
    meter.finish();
    outcome.file = await part.finish();
  } catch (error) {
    await part.discard();
    throw error;
  }
}

function putIntoRecord({ buffer, byteOffset, length }: Uint8Array, { options, outcome }: Receiving): void {
  const bytes = Buffer.from(buffer, byteOffset, length);
  if (options.body === "text") outcome.body = bytes.toString("utf8");
  else outcome.bodyBase64 = bytes.toString("base64");
}

/** Counts and hashes a body as it comes. */
class BodyMeter {
  readonly #options: ReceiveOptions;
  readonly #outcome: Outcome;
  readonly #expected: string | undefined;
  readonly #hash: Hash | undefined;

  constructor(target: Target, { options, outcome }: Receiving) {
    this.#options = options;
    this.#outcome = outcome;
    this.#expected = outcome.failure === undefined ? (target.request.checksum ?? options.checksum) : undefined;
    this.#hash = options.sha256 || this.#expected !== undefined ? createHash("sha256") : undefined;
  }

  count(chunk: Uint8Array): void {
    this.#outcome.bytes += chunk.length;
    this.#options.brakes.countBytes(chunk.length);
    this.#hash?.update(chunk);
  }

  finish(): void {
    const sum = this.#hash?.digest("hex");
    if (sum !== undefined) this.#outcome.sha256 = sum;
    if (this.#expected !== undefined && sum !== this.#expected) throw new WrongSumError(sum ?? "");
  }
}
