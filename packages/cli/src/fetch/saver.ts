// Where a body is saved: its name, and whether a part of it is there already.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";

import { type ClientResponse, download, HttpError, type RequestOptions, safeFileName } from "@meanwhile/http";
import { cancellable } from "meanwhile";

import type { Brakes } from "./brakes.ts";
import { fileNameOf, withSuffix } from "./file-name.ts";
import type { FileOptions } from "./file-options.ts";
import type { Directory } from "./files.ts";
import { fillTemplate } from "./name-template.ts";
import type { Outcome } from "./outcome.ts";
import type { PartFile } from "./part-file.ts";
import type { RequestPlan } from "./request-plan.ts";
import { pairsOf, send, type SendOptions } from "./send.ts";
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
  // Where not each target is the first of its name.
  readonly #suffixes = new WeakMap<Target, number>();

  constructor(directory: Directory, options: FileOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  /** The directory everything is in. */
  get path(): string {
    return this.#directory.path;
  }

  /** The name of the file, if there is one and it is not to be fetched again. To be asked once for each target. */
  async existing(target: Target): Promise<string | undefined> {
    if (this.#options.existing !== "skip") return undefined;
    const { name, suffix } = await this.#directory.find(this.#segmentsOf(target));
    if (name === undefined && suffix > 0) this.#suffixes.set(target, suffix);
    return name;
  }

  /** Opens a file for the body of this answer. */
  async create(target: Target, response: ClientResponse): Promise<PartFile> {
    const { name, suffix } = await this.#placeOf(target, response);
    return this.#directory.create(name, suffix);
  }

  /** Saves a small body that is all here, and returns the name of the file. */
  async save(target: Target, response: ClientResponse, bytes: Uint8Array): Promise<string> {
    const { name, suffix } = await this.#placeOf(target, response);
    return this.#directory.save(name, bytes, suffix);
  }

  async #placeOf(target: Target, response: ClientResponse): Promise<Place> {
    const proposed = this.#options.serverNames ? response.contentDisposition?.fileName : undefined;
    if (proposed !== undefined) return { name: await this.#directory.nameOf([safeFileName(proposed)]) };
    const name = await this.#directory.nameOf(this.#segmentsOf(target));
    return { name, suffix: this.#options.existing === "skip" ? this.#suffixOf(target) : undefined };
  }

  /** Whether {@link resume} is the way to fetch it. */
  isResuming({ request }: Target, plan: Pick<RequestPlan, "body" | "method">): boolean {
    if (!this.#options.resume || (request.method ?? plan.method) !== "GET") return false;
    return request.body === undefined && plan.body === undefined;
  }

  /**
   * Fetches the target into its file, going on where an earlier attempt ended.
   *
   * @returns null, or an answer that is no file or a part of one: it is the caller's
   *
   * Cancellation: keeps what came, where the server says which version it is of.
   */
  async resume(target: Target, options: ResumeOptions, resuming: Resuming): Promise<ClientResponse | null> {
    const name = await this.#directory.nameOf(this.#segmentsOf(target));
    for (let suffix = this.#suffixOf(target); ; suffix++) {
      const candidate = withSuffix(name, suffix);
      if (!this.#directory.reserve(candidate, target.index)) continue;
      try {
        await this.#download(target, candidate, { options, resuming });
        this.#directory.free(candidate, true);
        return null;
      } catch (error) {
        if (error instanceof OtherAnswer) {
          this.#directory.free(candidate, false);
          return error.response;
        }
        // What failed keeps its name: its part is for the next attempt.
        if (!(error instanceof HttpError) || error.code !== "MW_ERR_HTTP_FILE_EXISTS") throw error;
        this.#directory.free(candidate, false);
      }
    }
  }

  async #download(target: Target, name: string, { options, resuming }: Download): Promise<void> {
    const { outcome, note } = resuming;
    const path = join(this.path, name);
    const checksum = target.request.checksum ?? options.checksum;
    let counted: number | undefined;
    const get: Parameters<typeof download>[0]["get"] = async (_url, more = {}) => {
      await options.brakes.checkDisk(this.path);
      const response = await send(target, options, ownFirst(more, target, options));
      note(response);
      if (!isOfFile(response, more, outcome)) throw new OtherAnswer(response);
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
    outcome.failure = undefined; // that there is nothing more to come is none
    outcome.bytes = saved.bytes;
    outcome.file = name;
    if (saved.resumedFrom > 0) outcome.resumedFrom = saved.resumedFrom;
    if (options.sha256) outcome.sha256 = checksum ?? (await cancellable(sumOfFile(path)));
  }

  #suffixOf(target: Target): number {
    return this.#suffixes.get(target) ?? 0;
  }

  #segmentsOf({ text, index, request }: Target): string[] {
    const url = new URL(text);
    if (request.out !== undefined) return fillTemplate(literal(request.out), { url, index });
    const { template } = this.#options;
    return template === undefined ? [fileNameOf(url)] : fillTemplate(template, { url, index, id: request.id });
  }
}

/** `suffix` as {@link Directory.create} takes it. */
interface Place {
  readonly name: string;
  readonly suffix?: number | undefined;
}

interface Download {
  readonly options: ResumeOptions;
  readonly resuming: Resuming;
}

/** Ends a download whose answer is none of a file. */
class OtherAnswer extends Error {
  override readonly name = "OtherAnswer";
  readonly response: ClientResponse;

  constructor(response: ClientResponse) {
    super(`the answer has status ${response.status}`);
    this.response = response;
  }
}

/** Whether the answer is a file, or says something of the rest of it that was asked for. */
function isOfFile({ status }: ClientResponse, { headers }: RequestOptions, { failure }: Outcome): boolean {
  if (status === 200) return failure === undefined;
  return (status === 206 || status === 416) && pairsOf(headers).some(([name]) => name === "range");
}

/** Without what the user has said otherwise. */
function ownFirst(more: RequestOptions, { request }: Target, { plan }: SendOptions): RequestOptions {
  const named = new Set([...plan.headers, ...(request.headers ?? [])].map(([name]) => name.toLowerCase()));
  const { retry: _, ...others } = more;
  return {
    ...others,
    headers: pairsOf(more.headers).filter(([name]) => name !== "accept-encoding" || !named.has(name)),
  };
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
