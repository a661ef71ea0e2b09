// What is remembered of an unfinished file, beside it: which version of it that is. The URL is kept only as a hash.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";

import type { Validators } from "./content-range.ts";
import { guarded, type MakeError } from "./part-file.ts";
import type { ResponseHead } from "./response-head.ts";
import { temporaryNameOf } from "./temporary-name.ts";

/** Which version of which file the first bytes are there of. */
export interface ResumeNote extends Validators {
  /** The hash of the URL it was asked from. */
  readonly source: string;
  /** How many bytes it will have; undefined if the server did not say. */
  readonly totalBytes: number | undefined;
}

// Windows has neither O_NOFOLLOW nor O_NONBLOCK: undefined, which counts as 0 here.
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const FORMAT = "meanwhile-download-1";
const LONGEST_BYTES = 8 * 1024;
const MODE = 0o600;

/** The hash of the URL an answer was asked from, before any redirect. */
export function sourceOf({ redirects: [first], url }: ResponseHead): string {
  return createHash("sha256")
    .update(first ?? url)
    .digest("hex");
}

/** Writes the note, so that there is all of it or none. */
export async function writeNote(path: string, note: ResumeNote, makeError: MakeError): Promise<void> {
  await guarded(makeError, "write", async () => {
    const temporary = temporaryNameOf(path);
    const handle = await open(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, MODE);
    try {
      await handle.writeFile(JSON.stringify({ format: FORMAT, ...note }));
      await handle.close();
      await rename(temporary, path);
    } catch (error) {
      await handle.close();
      await unlink(temporary).catch(nothing);
      throw error;
    }
  });
}

/** The note; null if there is none, or what is there is not one. */
export async function readNote(path: string): Promise<ResumeNote | null> {
  const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null);
  if (handle === null) return null;
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > LONGEST_BYTES) return null;
    return parseNote(await handle.readFile("utf8"));
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

/** Removes it. */
export async function removeNote(path: string): Promise<void> {
  await unlink(path).catch(nothing);
}

function parseNote(text: string): ResumeNote | null {
  const parsed: Readonly<Record<string, unknown>> | null = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null || parsed["format"] !== FORMAT) return null;
  const { source, etag, lastModified, totalBytes } = parsed;
  if (typeof source !== "string") return null;
  if (!isOptional(etag, "string") || !isOptional(lastModified, "string")) return null;
  if (!isOptional(totalBytes, "number") || (etag === undefined) === (lastModified === undefined)) return null;
  return { source, etag, lastModified, totalBytes };
}

function isOptional(value: unknown, type: "string"): value is string | undefined;
function isOptional(value: unknown, type: "number"): value is number | undefined;
function isOptional(value: unknown, type: string): boolean {
  return value === undefined || typeof value === type;
}

function nothing(): void {}
