// The body of a response: read once, in one of several ways. Whatever is thrown out of here leaves no connection behind.

import { shield } from "meanwhile";
import { currentScopeNode, enterCheckpoint } from "meanwhile/lowlevel";

import type { Answer } from "./answer.ts";
import { BodySource } from "./body-source.ts";
import { HttpError } from "./errors.ts";

/** Leaving a response unread is worth this much reading, to keep the connection. */
const DRAIN_BYTES = 64 * 1024;
const DRAIN_MS = 100;

const SETTLED: Promise<void> = Promise.resolve();

/** The body as its bytes come. */
export type ByteStream = AsyncIterableIterator<Uint8Array, undefined>;

export class ResponseBody {
  // Collected: one call has read all of it, so that nothing is to be waited for or given up.
  #use: "unread" | "read" | "collected" | "closed" = "unread";
  #reading: Promise<unknown> | null = null;
  readonly #answer: Answer;
  readonly #attempts: number;

  constructor(answer: Answer, attempts: number) {
    this.#answer = answer;
    this.#attempts = attempts;
  }

  get isUsed(): boolean {
    return this.#use !== "unread";
  }

  /** Reads all of it. `call` is who asks, for the error. Throws at once if it was read before. */
  collect(call: string): Promise<Uint8Array[]> {
    this.#begin(call);
    const reading = this.#collect();
    this.#reading = reading;
    return reading;
  }

  /** Reads it as it comes, with no limit on the time. `limit` is in bytes, instead of `maxBodyBytes`. */
  stream(call: string, limit?: number): ByteStream {
    this.#begin(call);
    this.#answer.forgetTotal();
    let source: BodySource | null = null;
    let isReading = false;
    const read = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      source ??= new BodySource(this.#answer, limit);
      const value = await source.next();
      return value === null ? { done: true, value: undefined } : { value };
    };
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      // Two who wait for the same bytes: one of them would wait for ever.
      if (isReading) throw this.#readTwice(call);
      isReading = true;
      try {
        return await this.#guarded(read);
      } finally {
        isReading = false;
      }
    };
    const end = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      source?.destroy();
      this.abandon();
      return { done: true, value: undefined };
    };
    const iterator = { next, return: end, [Symbol.asyncIterator]: () => iterator };
    return iterator;
  }

  /** Lets the disposal of the response wait for `work`, which reads this body. */
  hold<T>(work: Promise<T>): Promise<T> {
    this.#reading = work;
    return work;
  }

  /** Reads a little rest of an unread body so that the connection can be kept, or closes it. */
  async close(): Promise<void> {
    const answer = this.#answer;
    const isWorthKeeping = this.#use === "unread" && !answer.isOver && currentScopeNode().effective === null;
    if (this.#use === "unread") this.#use = "closed";
    if (isWorthKeeping && this.#restIsSmall()) {
      await shield(() => drain(answer), { timeoutMs: DRAIN_MS }).catch(nothing);
    }
    answer.abort();
  }

  /** {@link close}, when a reading that is under way has ended. */
  settle(): Promise<void> {
    // Nearly every response was read to its end by now.
    return this.#use === "collected" ? SETTLED : this.#settle();
  }

  /** Gives it up without waiting: an unread body closes the connection. */
  abandon(): void {
    if (this.#use === "unread") this.#use = "closed";
    this.#answer.abort();
  }

  /** Marks an error with how many attempts it took. */
  failed<E extends HttpError>(error: E): E {
    return Object.assign(error, { attempts: this.#attempts });
  }

  async #settle(): Promise<void> {
    await this.#reading?.catch(nothing);
    await this.close();
  }

  async #collect(): Promise<Uint8Array[]> {
    try {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
      const source = new BodySource(this.#answer);
      try {
        const parts = source.takeAll() ?? (await source.collect());
        this.#use = "collected";
        return parts;
      } finally {
        source.destroy();
      }
    } catch (error) {
      throw this.#givenUp(error);
    }
  }

  #begin(call: string): void {
    if (this.#use === "unread") {
      this.#use = "read";
      return;
    }
    const why = this.#use === "closed" ? "the response was closed" : "its body was read before";
    const what = `${call}() cannot read it: ${why}; read the body once and keep what you need`;
    throw this.failed(new HttpError("MW_ERR_HTTP_BODY_USED", this.#answer.plan.request, what));
  }

  #readTwice(call: string): HttpError {
    const what = `a next() of ${call}() is still under way; await it before the next one`;
    return this.failed(new HttpError("MW_ERR_HTTP_BODY_USED", this.#answer.plan.request, what));
  }

  async #guarded<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw this.#givenUp(error);
    }
  }

  /** No connection is left behind by an error. */
  #givenUp(error: unknown): unknown {
    this.abandon();
    return error instanceof HttpError ? this.failed(error) : error;
  }

  #restIsSmall(): boolean {
    const { headers, bytesReceived } = this.#answer;
    const announced = Number(headers["content-length"] ?? 0);
    return announced - bytesReceived <= DRAIN_BYTES;
  }
}

/** Reads and drops the rest, unless there is a lot of it. */
async function drain(answer: Answer): Promise<void> {
  let count = 0;
  for (let chunk = await answer.read(); chunk !== null && count <= DRAIN_BYTES; chunk = await answer.read()) {
    count += chunk.length;
  }
}

function nothing(): void {}
