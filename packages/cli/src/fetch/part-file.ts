// A body on its way to becoming a file: written beside its name, which it gets when it is complete.

import * as fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { withSuffix } from "./file-name.ts";
import type { Directory } from "./files.ts";
import { publish, replace } from "./publish.ts";
import { writeFully } from "./whole-file.ts";

// As in files.ts.
const write: (fd: number, bytes: Uint8Array, offset: number) => Promise<{ bytesWritten: number }> = promisify(fs.write);
const close = promisify(fs.close);
const unlink = promisify(fs.unlink);
const fsync = promisify(fs.fsync);

/** Smaller files are synced only if asked to: it would take longer than to fetch them. */
const SYNCED_BYTES = 1024 * 1024;

/** A file that is being written. */
export class PartFile {
  readonly #directory: Directory;
  // Null once it is closed: the system gives the number to somebody else then.
  #fd: number | null;
  readonly #name: string;
  readonly #part: string;
  #suffix: number;
  #size = 0;

  /** @param fd - null if it is written already */
  constructor(directory: Directory, fd: number | null, name: { name: string; suffix: number; part: string }) {
    this.#directory = directory;
    this.#fd = fd;
    this.#name = name.name;
    this.#suffix = name.suffix;
    this.#part = name.part;
  }

  /** Writes it at once if the disk is quick enough for that; false if it is {@link write} that must do it. */
  writeNow(chunk: Uint8Array): boolean {
    const fd = this.#fd;
    const { pace } = this.#directory;
    if (fd === null || !pace.isQuick()) return false;
    pace.time(() => writeFully(fd, chunk));
    this.#size += chunk.length;
    return true;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) at += (await write(this.#fd ?? -1, chunk, at)).bytesWritten;
    this.#size += chunk.length;
  }

  /** Gives the complete file its name and returns it. */
  async finish(): Promise<string> {
    if (this.#fd !== null && (this.#size >= SYNCED_BYTES || this.#directory.options.fsync === true)) {
      await fsync(this.#fd);
    }
    await this.#close();
    for (;;) {
      const name = withSuffix(this.#name, this.#suffix);
      if (await this.#publish(join(this.#directory.path, name))) return name;
      this.#suffix = this.#directory.nextSuffix(this.#name, this.#suffix);
      while (!this.#directory.claim(withSuffix(this.#name, this.#suffix))) this.#suffix += 1;
    }
  }

  #publish(path: string): Promise<boolean> {
    return this.#directory.options.overwrite === true ? replace(this.#part, path) : publish(this.#part, path);
  }

  async #close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) await close(fd);
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.#close();
    await unlink(this.#part);
    this.#directory.release(withSuffix(this.#name, this.#suffix));
  }
}

/** Writes these bytes to the file, as its last ones. When it throws, nothing is left. */
export async function savedTo(part: PartFile, bytes: Uint8Array): Promise<string> {
  try {
    await part.write(bytes);
    return await part.finish();
  } catch (error) {
    await part.discard();
    throw error;
  }
}
