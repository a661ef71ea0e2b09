// One route of a mocked network: which requests it takes, how often, and what it answers.

import { badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";
import type { Matcher } from "./mock-match.ts";
import type { MockReplier } from "./mock-reply.ts";
import type { MockRequest } from "./mock-request.ts";

/** A route of a {@link MockNetwork}. Without `times` or `once` it takes any number of requests, and need not get one. */
export class MockRoute {
  /** The requests it has taken, in order. */
  readonly calls: MockRequest[] = [];
  /** @internal */
  readonly matcher: Matcher;
  /** @internal */
  readonly replier: MockReplier;
  #times: number | null = null;

  /** @internal */
  constructor(matcher: Matcher, replier: MockReplier) {
    this.matcher = matcher;
    this.replier = replier;
  }

  /**
   * It takes `count` requests; what comes after that goes to the next route that fits. `assertDone` wants all of them.
   *
   * @throws {@link HttpError} `MW_ERR_HTTP_INVALID_ARGUMENT` if `count` is no integer >= 1
   */
  times(count: number): this {
    const line: RequestLine = { method: "mock", url: "the network" };
    if (!Number.isInteger(count) || count < 1) throw badArgument(line, "count", count, "an integer >= 1");
    this.#times = count;
    return this;
  }

  /** The same as `times(1)`. */
  once(): this {
    return this.times(1);
  }

  /** The last request it has taken; undefined if there was none. */
  get lastCall(): MockRequest | undefined {
    return this.calls.at(-1);
  }

  /** Whether it takes no more. */
  get isSpent(): boolean {
    return this.#times !== null && this.calls.length >= this.#times;
  }

  /** How many requests are missing. */
  get missing(): number {
    return this.#times === null ? 0 : Math.max(0, this.#times - this.calls.length);
  }

  /** What it is for, and how much of that has come. */
  toString(): string {
    const { length } = this.calls;
    return `${this.matcher.name}: ${this.#times === null ? `asked ${length} times` : `asked ${length} of ${this.#times} times`}`;
  }
}
