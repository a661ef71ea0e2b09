// The body of an answer as its reader sees it: unpacked, and never more of it than allowed.

import type { Answer } from "./answer.ts";
import { codingsOf, Decoder, encodingError } from "./decoding.ts";
import { type HttpError, TooLargeError } from "./errors.ts";

/** The ratio no honest body has; looked at when there is enough of it to tell. */
const BOMB_RATIO = 200;
const BOMB_FROM_BYTES = 1024 * 1024;

export class BodySource {
  readonly #answer: Answer;
  readonly #limit: number;
  readonly #limitName: string;
  readonly #codings: ReadonlyArray<string>;
  #decoder: Decoder | null = null;
  #packed = 0;
  #count = 0;

  /**
   * Throws if it is clear from the head that the body cannot be read.
   *
   * @param limit - how many bytes it may have; instead of `maxBodyBytes`
   */
  constructor(answer: Answer, limit?: number) {
    const { settled, request } = answer.plan;
    this.#answer = answer;
    this.#limit = limit ?? settled.maxBodyBytes;
    this.#limitName = limit === undefined ? "maxBodyBytes" : "maxBytes";
    this.#codings = settled.decompress ? codingsOf(answer.headers["content-encoding"], request) : [];
    const announced = Number(answer.headers["content-length"]);
    const hasBody = request.method !== "HEAD" && answer.status !== 304;
    if (hasBody && this.#codings.length === 0 && announced > this.#limit) throw this.#tooLarge();
  }

  /** The next bytes; null after the last. */
  async next(): Promise<Uint8Array | null> {
    const chunk = this.#codings.length === 0 ? await this.#answer.read() : await this.#unpacked();
    return chunk === null ? null : this.#counted(chunk);
  }

  /** All of it, if it has come already and needs no unpacking: that is not worth a wait. */
  takeAll(): Uint8Array[] | null {
    if (this.#codings.length > 0 || !this.#answer.isComplete) return null;
    const parts: Uint8Array[] = [];
    for (let chunk = this.#answer.take(); chunk !== undefined; chunk = this.#answer.take()) {
      parts.push(this.#counted(chunk));
    }
    return parts;
  }

  /** All that is left. */
  async collect(): Promise<Uint8Array[]> {
    const parts: Uint8Array[] = [];
    for (let chunk = await this.next(); chunk !== null; chunk = await this.next()) parts.push(chunk);
    return parts;
  }

  /** Drops what was not read. */
  destroy(): void {
    this.#decoder?.destroy();
  }

  async #unpacked(): Promise<Buffer | null> {
    for (;;) {
      const chunk = this.#read();
      if (chunk !== undefined) return chunk;
      if (this.#decoder?.isBusy === true) {
        await this.#decoder.wait();
        continue;
      }
      const packed = await this.#answer.read();
      // No byte at all is what many servers make of an empty body, whatever its coding.
      if (packed === null && this.#decoder === null) return null;
      if (packed === null) this.#decoder?.end();
      else this.#feed(packed);
    }
  }

  #feed(packed: Buffer): void {
    this.#packed += packed.length;
    // Codings may also blow up: empty blocks without end are bytes too.
    if (this.#packed > 2 * this.#limit + BOMB_FROM_BYTES) throw this.#tooLarge();
    this.#decoder ??= new Decoder(this.#codings, packed[0] ?? 0);
    this.#decoder.write(packed);
  }

  #read(): Buffer | null | undefined {
    try {
      return this.#decoder === null ? undefined : this.#decoder.read();
    } catch (cause) {
      throw encodingError(this.#answer.plan.request, "the body is not what its Content-Encoding says", { cause });
    }
  }

  #counted(chunk: Buffer): Uint8Array {
    this.#count += chunk.length;
    if (this.#count > this.#limit) throw this.#tooLarge();
    if (this.#packed > 0 && this.#count > BOMB_FROM_BYTES && this.#count > BOMB_RATIO * this.#packed) {
      throw this.#bomb();
    }
    return chunk;
  }

  #tooLarge(): HttpError {
    const what = `the body has more than the ${this.#limit} bytes of ${this.#limitName}; raise it if that is expected`;
    return new TooLargeError("MW_ERR_HTTP_BODY_TOO_LARGE", this.#answer.plan.request, what);
  }

  #bomb(): HttpError {
    const what = `the compressed body unpacks to more than ${BOMB_RATIO} times its size; pass decompress: false to get it raw`;
    return new TooLargeError("MW_ERR_HTTP_DECOMPRESSION_BOMB", this.#answer.plan.request, what);
  }
}
