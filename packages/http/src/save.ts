// Saves a body as a file: complete under its name, or not at all.

import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";

import { badArgument, checkCount, checkFlag } from "./checks.ts";
import { type Checksum, type Sum, sumOf } from "./checksum.ts";
import type { RequestLine } from "./errors.ts";
import { checkPlace, type MakeError, PartFile } from "./part-file.ts";
import type { ByteStream } from "./response-body.ts";
import type { ResponseHead } from "./response-head.ts";
import { temporaryNameOf } from "./temporary-name.ts";
import { type OnProgress, ProgressMeter } from "./transfer-progress.ts";

/** Options of {@link ClientResponse.saveTo}. */
export interface SaveOptions {
  /** Called with how far it is: at most every 100 ms, and at the end. */
  readonly onProgress?: OnProgress | undefined;
  /** What the complete file must be, like `{ sha256: "…" }`. Default: not checked. */
  readonly checksum?: Checksum | undefined;
  /** Whether a regular file of that name is replaced; a link, a device or a pipe never is. Default: `false`. */
  readonly overwrite?: boolean | undefined;
  /** Whether to wait until the disk has it. Default: `true`. */
  readonly fsync?: boolean | undefined;
  /** The largest file in bytes; `Infinity` for no limit. Default: `maxBodyBytes` of the request. */
  readonly maxBytes?: number | undefined;
}

/** A file that was saved. */
export interface Saved {
  /** Where it is: the path as it was given. */
  readonly path: string;
  /** Its size. */
  readonly bytes: number;
  /** How many of them an earlier run had received. */
  readonly resumedFrom: number;
  /** The `ETag` of the answer; undefined if it had none. */
  readonly etag: string | undefined;
}

/** Checked options of {@link saveBody}. */
export interface SettledSave {
  readonly path: string;
  readonly onProgress: OnProgress | undefined;
  readonly sum: Sum | undefined;
  readonly overwrite: boolean;
  readonly fsync: boolean;
  readonly maxBytes: number | undefined;
}

/** Longer names could not be given a suffix on most systems. */
const LONGEST_NAME_BYTES = 200;

/** Checks the options. */
export function saveOptions(path: string, options: SaveOptions, request: RequestLine): SettledSave {
  if (typeof path !== "string" || path === "" || path.includes("\0") || basename(path) === "") {
    throw badArgument(request, "path", path, "the path of a file");
  }
  if (typeof options !== "object" || options === null) throw badArgument(request, "options", options, "an object");
  const { onProgress, checksum, overwrite = false, fsync = true, maxBytes } = options;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw badArgument(request, "onProgress", onProgress, "a function");
  }
  checkFlag(request, "overwrite", overwrite);
  checkFlag(request, "fsync", fsync);
  checkCount(request, "maxBytes", maxBytes, 0);
  return { path, onProgress, sum: sumOf(checksum, request), overwrite, fsync, maxBytes };
}

/** Saves what is left of a response. When it throws, nothing is left of the file, and the response is closed. */
export async function saveBody(response: ResponseHead, stream: ByteStream, save: SettledSave): Promise<Saved> {
  const makeError: MakeError = (code, what, options) => response.error(code, what, options);
  try {
    await checkPlace(save.path, save.overwrite, makeError);
    const part = await PartFile.create(temporaryName(save.path), makeError);
    try {
      const meter = new ProgressMeter(save.onProgress, totalBytesOf(response), 0);
      await pour(stream, part, save.sum, meter);
      checkSum(save.sum, makeError);
      meter.finish(part.size);
      await part.publish(save.path, save);
    } catch (error) {
      await part.discard();
      throw error;
    }
    return savedAs(save.path, part.size, 0, response);
  } finally {
    await stream.return?.();
  }
}

/** Writes the rest of a body to a file. */
export async function pour(
  stream: ByteStream,
  part: PartFile,
  sum: Sum | undefined,
  meter: ProgressMeter,
): Promise<void> {
  for await (const chunk of stream) {
    await part.write(chunk);
    sum?.hash.update(chunk);
    meter.update(part.size);
  }
}

/** Throws if the file is not the one that was asked for. */
export function checkSum(sum: Sum | undefined, makeError: MakeError): void {
  const digest = sum?.hash.digest("hex");
  if (digest === sum?.expected) return;
  const what = `the ${sum?.algorithm} of the file is ${digest} and not ${sum?.expected}; it is damaged, or another one`;
  throw makeError("MW_ERR_HTTP_CHECKSUM", what);
}

/** How many bytes the file will have, where the body is sent as it is. */
export function totalBytesOf(response: ResponseHead): number | undefined {
  return isCoded(response) ? undefined : response.contentLength;
}

/** Whether the body is sent in another form than that of the file. */
export function isCoded({ rawHeaders }: ResponseHead): boolean {
  const codings = String(rawHeaders["content-encoding"] ?? "").trim();
  return codings !== "" && codings.toLowerCase() !== "identity";
}

/** What the caller gets in the end. */
export function savedAs(path: string, bytes: number, resumedFrom: number, response: ResponseHead): Saved {
  return { path, bytes, resumedFrom, etag: response.headers.get("etag") ?? undefined };
}

/** A name beside the file that nobody else has. */
export function temporaryName(path: string): string {
  return temporaryNameOf(besideOf(path));
}

/** The path, or, if its name leaves no room for a suffix, one that stands for it. */
export function besideOf(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= LONGEST_NAME_BYTES) return path;
  return join(dirname(path), createHash("sha256").update(name).digest("hex"));
}
