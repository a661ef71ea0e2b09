// Whether an answer whose body broke off is asked for again, and when: by the rules for requests, within their number.

import { exponential, now } from "meanwhile";

import { HttpError, type HttpErrorCode } from "./errors.ts";
import type { ClientResponse } from "./response.ts";
import { type RetryOption, type RetryRules, retryRules } from "./retries.ts";

/** How a body breaks off that may be whole the next time. */
const CODES: ReadonlySet<HttpErrorCode> = new Set<HttpErrorCode>([
  "MW_ERR_HTTP_IDLE_TIMEOUT",
  "MW_ERR_HTTP_INCOMPLETE",
  "MW_ERR_HTTP_RESET",
  "MW_ERR_HTTP_TOO_SLOW",
]);

export class Rerun {
  readonly #option: RetryOption | undefined;
  readonly #startedAt: number = now();
  // Null until an answer has told what the session says.
  #rules: RetryRules | null = null;
  #used = 0;

  constructor(option: RetryOption | undefined) {
    this.#option = option;
  }

  /** What the next request is told: the attempts and the time that are left. */
  option(): RetryOption | undefined {
    if (this.#rules === null) return this.#option;
    const { attempts = 3, totalMs = Infinity } = this.#rules;
    const leftMs = Math.max(1, totalMs - (now() - this.#startedAt));
    return { ...this.#rules, attempts: Math.max(1, attempts - this.#used), totalMs: leftMs };
  }

  /** An answer has come. */
  count(response: ClientResponse): void {
    this.#used += response.attempts;
    this.#rules ??= retryRules(response.settled.retry, { method: "GET", url: response.url });
  }

  /** How long to wait before the next request. Throws the error if there shall be none. */
  async delayAfter(error: unknown): Promise<number> {
    if (this.#rules === null || !(error instanceof HttpError) || !CODES.has(error.code)) throw error;
    const { attempts = 3, methods, totalMs = Infinity, when, onRetry } = this.#rules;
    if (this.#used >= attempts || methods?.includes("GET") === false) throw error;
    const { backoff = exponential({ baseMs: 500, maxMs: 30_000 }) } = this.#rules;
    const delayMs = backoff(this.#used, error);
    if (now() + delayMs >= this.#startedAt + totalMs) throw error;
    if (when !== undefined && !(await when(error, this.#used))) throw error;
    onRetry?.({ error, attempt: this.#used, delayMs });
    return delayMs;
  }
}
