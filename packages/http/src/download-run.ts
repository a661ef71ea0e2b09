// One download: asks, takes what comes, and asks again, until the file is complete.
//
//   look for a beginning ──▶ ask ──▶ 206, the rest of it ─────┬──▶ write ──▶ check ──▶ give it its name
//     ▲    ▲                     ├─▶ 416, nothing is missing ─┼───────────────▲         │
//     │    └── drop the beginning┼── 206 or 416, another one  │                         │
//     │                          └─▶ 200, all of it ──────────┘                         │
//     └──────────────────────── the body broke off, and retry allows it ◀───────────────┘

import { sleep } from "meanwhile";

import { validatorsOf } from "./content-range.ts";
import { HttpError, type HttpErrorCode } from "./errors.ts";
import { isWhole, type KeptPart, type PartPlace, rangeFields, totalOfRest } from "./kept-part.ts";
import { type MakeError, PartFile } from "./part-file.ts";
import { Rerun } from "./rerun.ts";
import type { ClientResponse } from "./response.ts";
import type { RetryOption } from "./retries.ts";
import { checkSum, isCoded, pour, type Saved, savedAs, type SettledSave, temporaryName, totalBytesOf } from "./save.ts";
import { ProgressMeter } from "./transfer-progress.ts";

/** What a download is about. */
export interface DownloadPlan {
  ask(fields: ReadonlyArray<readonly [string, string]>, retry: RetryOption | undefined): Promise<ClientResponse>;
  readonly retry: RetryOption | undefined;
  readonly save: SettledSave;
  /** Where a beginning is kept; null if nothing shall be resumed. */
  readonly place: PartPlace | null;
  readonly makeError: MakeError;
}

/** A file that is not complete, and how it gets so. */
interface Unfinished {
  readonly file: PartFile;
  /** Whether it is worth keeping when it breaks off. */
  readonly isKept: boolean;
  readonly totalBytes: number | undefined;
  readonly response: ClientResponse;
}

/** After one of these, what was received is of no use. */
const USELESS: ReadonlySet<HttpErrorCode> = new Set<HttpErrorCode>([
  "MW_ERR_HTTP_BODY_TOO_LARGE",
  "MW_ERR_HTTP_CHECKSUM",
  "MW_ERR_HTTP_FILE_EXISTS",
]);

export class DownloadRun {
  readonly #plan: DownloadPlan;
  readonly #rerun: Rerun;
  // What was there before this call; undefined until it has been looked at.
  #resumedFrom: number | undefined;

  constructor(plan: DownloadPlan) {
    this.#plan = plan;
    this.#rerun = new Rerun(plan.retry);
  }

  /** Goes on until the file is complete, or it cannot be. */
  async toEnd(): Promise<Saved> {
    const { place, makeError } = this.#plan;
    for (;;) {
      const kept = (await place?.reopen(makeError)) ?? null;
      this.#resumedFrom ??= kept?.file.size ?? 0;
      const response = await this.#ask(kept);
      try {
        const saved = await this.#receive(response, kept);
        if (saved !== null) return saved;
      } catch (error) {
        await sleep(await this.#rerun.delayAfter(error));
      } finally {
        await response.close();
      }
    }
  }

  async #ask(kept: KeptPart | null): Promise<ClientResponse> {
    try {
      const response = await this.#plan.ask(kept === null ? [] : rangeFields(kept), this.#rerun.option());
      this.#rerun.count(response);
      return response;
    } catch (error) {
      await kept?.file.close();
      throw error;
    }
  }

  /** Takes what the answer has; null if that is no part of what is there, which is dropped then. */
  async #receive(response: ClientResponse, kept: KeptPart | null): Promise<Saved | null> {
    const { status } = response;
    if (kept !== null && (status === 206 || status === 416)) {
      const { file } = kept;
      const isComplete = isWhole(response, kept);
      const totalBytes = isComplete ? file.size : totalOfRest(response, kept);
      if (totalBytes !== null) {
        return this.#finish({ file, isKept: true, totalBytes, response }, isComplete ? null : response);
      }
      await this.#plan.place?.drop(file);
      return null;
    }
    if (status !== 200) {
      await kept?.file.close();
      const what = "the server answered with a part of the file that was not asked for";
      throw status === 206 ? response.error("MW_ERR_HTTP_PROTOCOL", what) : response.statusError();
    }
    if (kept !== null) await this.#plan.place?.drop(kept.file);
    return this.#finish(await this.#begin(response), response);
  }

  /** A new file, kept if its version can be named later. */
  async #begin(response: ClientResponse): Promise<Unfinished> {
    const { save, place, makeError } = this.#plan;
    this.#resumedFrom = 0;
    const totalBytes = totalBytesOf(response);
    const hasRanges = response.headers.get("accept-ranges")?.toLowerCase() !== "none";
    const version = hasRanges && !isCoded(response) ? validatorsOf(response.rawHeaders) : undefined;
    if (place === null || version === undefined) {
      const file = await PartFile.create(temporaryName(save.path), makeError);
      return { file, isKept: false, totalBytes, response };
    }
    return { file: await place.create(response, version, makeError), isKept: true, totalBytes, response };
  }

  /** Adds the rest, if there is one, checks the whole, and gives it its name. */
  async #finish(unfinished: Unfinished, rest: ClientResponse | null): Promise<Saved> {
    const { file, isKept, totalBytes, response } = unfinished;
    const { save, place } = this.#plan;
    const meter = new ProgressMeter(save.onProgress, totalBytes, this.#resumedFrom ?? 0);
    try {
      const sum = save.sum === undefined ? undefined : { ...save.sum, hash: save.sum.hash.copy() };
      const stream = rest?.openBytes("download", save.maxBytes === undefined ? Infinity : save.maxBytes - file.size);
      if (sum !== undefined) await file.forEachPiece((piece) => sum.hash.update(piece));
      if (stream !== undefined) await pour(stream, file, sum, meter);
      if (file.size !== (totalBytes ?? file.size)) {
        throw response.error("MW_ERR_HTTP_INCOMPLETE", `the file has ${file.size} bytes and not ${totalBytes}`);
      }
      checkSum(sum, (...error) => response.error(...error));
      meter.finish(file.size);
      await file.publish(save.path, save);
      if (isKept) await place?.forget();
      return savedAs(save.path, file.size, this.#resumedFrom ?? 0, response);
    } catch (error) {
      await this.#putAway(unfinished, error);
      throw error;
    }
  }

  async #putAway({ file, isKept, totalBytes = Infinity }: Unfinished, error: unknown): Promise<void> {
    const isUseless = (error instanceof HttpError && USELESS.has(error.code)) || file.size > totalBytes;
    if (isKept && !isUseless && file.size > 0) return file.close();
    if (isKept) await this.#plan.place?.drop(file);
    else await file.discard();
  }
}
