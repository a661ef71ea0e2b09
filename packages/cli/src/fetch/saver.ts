// Where a body is saved: its name, and whether a part of it is there already.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";

import { type ClientResponse, download, HttpError, safeFileName } from "@meanwhile/http";
import { cancellable } from "meanwhile";

import type { Brakes } from "./brakes.ts";
import { fileNameOf, withSuffix } from "./file-name.ts";
import type { FileOptions } from "./file-options.ts";
import type { Directory, PartFile } from "./files.ts";
import { fillTemplate } from "./name-template.ts";
import type { Outcome } from "./outcome.ts";
import { send, type SendOptions } from "./send.ts";
import type { Target } from "./target.ts";

/** A body is not the one that was asked for. */
export class WrongSumError extends Error {
  override readonly name = "WrongSumError";

  constructor(sum: string) {
    super(`its SHA-256 is ${sum}, which is not the one that was asked for`);
  }
}

/** What {@link Saver.resume} needs of a run. */
export interface ResumeOptions extends SendOptions {
  readonly brakes: Brakes;
  readonly maxBytes: number;
  readonly sha256: boolean;
  readonly checksum: string | undefined;
}

export interface Resuming {
  readonly outcome: Outcome;
  /** Called with every answer. */
  readonly note: (response: ClientResponse) => void;
}

export class Saver {
  readonly #directory: Directory;
  readonly #options: FileOptions;

  constructor(directory: Directory, options: FileOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** The directory everything is in. */
  get path(): string {
    return this.#directory.path;
  }

  /** The name of the file, if there is one and it is not to be fetched again. */
  async existing(target: Target): Promise<string | undefined> {
    if (this.#options.existing !== "skip") return undefined;
    const segments = this.#segmentsOf(target);
    return (await this.#directory.has(segments)) ? segments.join("/") : undefined;
  }

  /** Opens a file for the body of this answer. */
  async create(target: Target, response: ClientResponse): Promise<PartFile> {
    const proposed = this.#options.serverNames ? response.contentDisposition?.fileName : undefined;
    const segments = proposed === undefined ? this.#segmentsOf(target) : [safeFileName(proposed)];
    return this.#directory.create(await this.#directory.nameOf(segments));
  }

  /** Whether {@link resume} is the way to fetch it. */
  isResuming({ request }: Target): boolean {
    return this.#options.resume && request.body === undefined && (request.method ?? "GET") === "GET";
  }

  /**
   * Fetches the target into its file, going on where an earlier attempt ended.
   *
   * Cancellation: keeps what came, where the server says which version it is of.
   */
  async resume(target: Target, options: ResumeOptions, resuming: Resuming): Promise<void> {
    const name = await this.#directory.nameOf(this.#segmentsOf(target));
    for (let suffix = 0; ; suffix++) {
      const candidate = withSuffix(name, suffix);
      if (!this.#directory.reserve(candidate, target.index)) continue;
      try {
        await this.#download(target, candidate, { options, resuming });
        this.#directory.free(candidate);
        return;
      } catch (error) {
        // What failed keeps its name: its part is for the next attempt.
        if (!(error instanceof HttpError) || error.code !== "MW_ERR_HTTP_FILE_EXISTS") throw error;
        this.#directory.free(candidate);
      }
    }
  }

  async #download(target: Target, name: string, { options, resuming }: Download): Promise<void> {
    const { outcome, note } = resuming;
    const path = join(this.path, name);
    const checksum = target.request.checksum ?? options.checksum;
    let counted: number | undefined;
    const get: Parameters<typeof download>[0]["get"] = async (_url, more) => {
      await options.brakes.checkDisk(this.path);
      const response = await send(target, options, more);
      note(response);
      return response;
    };
    const saved = await download({ get }, options.plan.secrets.fillUrl(target.text), path, {
      retry: false,
      overwrite: this.#options.existing === "overwrite",
      fsync: this.#options.fsync,
      maxBytes: options.maxBytes,
      checksum: checksum === undefined ? undefined : { sha256: checksum },
      onProgress: ({ receivedBytes, resumedFrom }) => {
        options.brakes.countBytes(receivedBytes - (counted ?? resumedFrom));
        counted = receivedBytes;
      },
    });
    outcome.bytes = saved.bytes;
    outcome.file = name;
    if (saved.resumedFrom > 0) outcome.resumedFrom = saved.resumedFrom;
    if (options.sha256) outcome.sha256 = checksum ?? (await cancellable(sumOfFile(path)));
  }

  #segmentsOf({ text, index, request }: Target): string[] {
    const url = new URL(text);
    if (request.out !== undefined) return fillTemplate(literal(request.out), { url, index });
    const { template } = this.#options;
    return template === undefined ? [fileNameOf(url)] : fillTemplate(template, { url, index, id: request.id });
  }
}

interface Download {
  readonly options: ResumeOptions;
  readonly resuming: Resuming;
}

/** Braces in a name of the list are braces; a backslash parts as it does on Windows. */
function literal(name: string): string {
  return name.replaceAll(/[{}]/g, "_").replaceAll("\\", "/");
}

async function sumOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(Buffer.from(chunk));
  return hash.digest("hex");
}
