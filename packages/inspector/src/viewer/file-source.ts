// A recording: the whole file is the answer to every question for a stream.

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

import { parseMessage } from "meanwhile/diagnostics";

import { InspectorError, systemCodeOf } from "../errors.ts";
import { RefusedRequest } from "./refusal.ts";
import type { Source } from "./source.ts";

/** A longer first line is none of ours. */
const LONGEST_HELLO = 64 * 1024;

/** A file is read in pieces of so many bytes: in smaller ones most of the time goes into handing them on. */
const PIECE = 1024 * 1024;

/** Shows a file. */
export class FileSource implements Source {
  readonly kind = "recording";
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async answer(path: string, response: ServerResponse): Promise<void> {
    const [pathname = ""] = path.split("?");
    if (pathname === "/v1/cancel") throw new RefusedRequest(403, "Cannot cancel a task: this is a recording of it");
    if (pathname === "/v1/hello") {
      response.setHeader("content-type", "application/json");
      response.end(await firstLineOf(this.#path));
    } else if (pathname === "/v1/stream" || pathname === "/v1/trace") {
      response.setHeader("content-type", "application/x-ndjson");
      await pipeline(createReadStream(this.#path, { highWaterMark: PIECE }), response).catch(() => response.destroy());
    } else throw new RefusedRequest(404, "Cannot find this in a recording: ask for /v1/hello or /v1/stream");
  }
}

/**
 * Checks that a file is a recording: that it begins with the hello of one.
 *
 * @throws {@link InspectorError} `MW_ERR_INSPECTOR_NOT_A_RECORDING` if it is none, or cannot be read
 */
export async function checkRecording(path: string): Promise<void> {
  let line: string;
  try {
    line = await firstLineOf(path);
  } catch (error) {
    throw notARecording(path, systemCodeOf(error) ?? String(error), error);
  }
  try {
    if (parseMessage(line)?.type === "hello") return;
  } catch (error) {
    throw notARecording(path, error instanceof Error ? error.message : String(error), error);
  }
  throw notARecording(path, "it does not begin with the hello of a program");
}

function notARecording(path: string, why: string, cause?: unknown): InspectorError {
  const text = `Cannot show ${path} as a recording: ${why}; make one with meanwhile run --record`;
  return new InspectorError("MW_ERR_INSPECTOR_NOT_A_RECORDING", text, { cause });
}

async function firstLineOf(path: string): Promise<string> {
  await using file = await open(path);
  const buffer = Buffer.alloc(LONGEST_HELLO);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
  const [line = ""] = buffer.toString("utf8", 0, bytesRead).split("\n", 1);
  return line;
}
