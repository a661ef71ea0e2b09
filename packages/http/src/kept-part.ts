// An unfinished file that can be gone on with, and the note of what it is: NAME.part and NAME.part.json.
//
// The note is written first and removed last. So a file called NAME.part without one is somebody else's, and not touched.

import { constants } from "node:fs";
import { access, lstat, unlink } from "node:fs/promises";
import { dirname } from "node:path";

import { type ContentRange, isSameVersion, parseContentRange, type Validators } from "./content-range.ts";
import type { HttpError } from "./errors.ts";
import { guarded, type MakeError, PartFile } from "./part-file.ts";
import type { ResponseHead } from "./response-head.ts";
import { readNote, removeNote, type ResumeNote, sourceOf, writeNote } from "./resume-note.ts";
import { besideOf, isCoded, totalBytesOf } from "./save.ts";

/** A file that was begun, by an earlier run or by this one. */
export interface KeptPart {
  readonly file: PartFile;
  readonly note: ResumeNote;
}

export class PartPlace {
  readonly #path: string;
  readonly #notePath: string;

  constructor(target: string) {
    this.#path = `${besideOf(target)}.part`;
    this.#notePath = `${this.#path}.json`;
  }

  /** Opens what an earlier run has left; null if there is nothing one can go on with. */
  async reopen(makeError: MakeError): Promise<KeptPart | null> {
    const note = await readNote(this.#notePath);
    if (note === null) return null;
    const file = await PartFile.reopen(this.#path, makeError);
    if (file === null) return null;
    if (file.size > 0 && file.size <= (note.totalBytes ?? Infinity)) return { file, note };
    await file.close();
    return null;
  }

  /** Begins anew, with what an answer says of itself. */
  async create(response: ResponseHead, version: Validators, makeError: MakeError): Promise<PartFile> {
    const hadNote = (await readNote(this.#notePath)) !== null;
    if (!hadNote && ((await isThere(this.#path)) || (await isThere(this.#notePath)))) throw this.#taken(makeError);
    if (hadNote) await unlink(this.#path).catch(() => {});
    const note = { ...version, source: sourceOf(response), totalBytes: totalBytesOf(response) };
    await writeNote(this.#notePath, note, makeError);
    try {
      return await PartFile.create(this.#path, makeError);
    } catch (error) {
      await removeNote(this.#notePath);
      throw error;
    }
  }

  /** Forgets it: nothing of it is left on the disk. */
  async drop(file: PartFile): Promise<void> {
    await file.discard();
    await this.forget();
  }

  /** Removes the note of a file that is complete. */
  async forget(): Promise<void> {
    await removeNote(this.#notePath);
  }

  #taken(makeError: MakeError): HttpError {
    const what = `there is a file "${this.#path}" that is not one of an unfinished download; remove it, or pass resume: false`;
    return makeError("MW_ERR_HTTP_FILE_EXISTS", what);
  }
}

/** Throws if no file can be made beside the target. */
export async function checkDirectory(target: string, makeError: MakeError): Promise<void> {
  await guarded(makeError, "create", () => access(dirname(target), constants.W_OK | constants.X_OK));
}

/** What asks for the rest, and for all of it if it is not the same file any more. */
export function rangeFields({ file, note }: KeptPart): ReadonlyArray<readonly [string, string]> {
  return [
    ["range", `bytes=${file.size}-`],
    ["if-range", note.etag ?? note.lastModified ?? ""],
  ];
}

/** The size of the file, if the answer is the rest that was asked for: everything it says must agree. Null if it is not. */
export function totalOfRest(response: ResponseHead, kept: KeptPart): number | null {
  const found = rangeOf(response, kept);
  if (response.status !== 206 || found?.range?.first !== kept.file.size || isCoded(response)) return null;
  const totalBytes = found.totalBytes ?? kept.note.totalBytes;
  // A part of the rest, or one that may be: asking for all of it is simpler than to find out.
  return totalBytes !== undefined && found.range.last + 1 === totalBytes ? totalBytes : null;
}

/** Whether an answer says that there is no rest. */
export function isWhole(response: ResponseHead, kept: KeptPart): boolean {
  const found = rangeOf(response, kept);
  return response.status === 416 && found?.range === null && found.totalBytes === kept.file.size;
}

/** What the answer says of the same version of the same file; null if it may be another. */
function rangeOf(response: ResponseHead, { note }: KeptPart): ContentRange | null {
  const found = parseContentRange(response.rawHeaders["content-range"]);
  if (
    found === null ||
    !isSameVersion(note, response.status, response.rawHeaders) ||
    note.source !== sourceOf(response)
  )
    return null;
  const isSameSize = (note.totalBytes ?? found.totalBytes) === (found.totalBytes ?? note.totalBytes);
  return isSameSize ? found : null;
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
