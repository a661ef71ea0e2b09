// What happens in the process while a test runs, beside the test.

import { TestError } from "../errors.ts";

const { setImmediate } = globalThis;

/** One turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Fails the test for process warnings and unhandled rejections that come while it runs. */
export class ProcessWatch implements Disposable {
  readonly #expected: readonly string[];
  #failure: { readonly error: unknown } | null = null;
  readonly #onWarning = (warning: Error & { code?: string }): void => {
    if (this.#expected.includes(warning.code ?? warning.name) || this.#expected.includes(warning.name)) return;
    this.#failure ??= {
      error: new TestError(
        "MW_ERR_UNEXPECTED_WARNING",
        `Cannot accept the process warning ${warning.code ?? warning.name}: ${warning.message}; mend its cause, or name it in 'expectWarnings'`,
        { cause: warning },
      ),
    };
  };
  readonly #onRejection = (reason: unknown): void => {
    this.#failure ??= { error: reason };
  };

  /** @param expected - the codes or names of warnings that are no failure */
  constructor(expected: readonly string[]) {
    this.#expected = expected;
    process.on("warning", this.#onWarning);
    process.on("unhandledRejection", this.#onRejection);
  }

  /** Waits until everything that happened has been reported, and throws the first failure. */
  async settle(): Promise<void> {
    await nextTurn();
    if (this.#failure !== null) throw this.#failure.error;
  }

  [Symbol.dispose](): void {
    process.off("warning", this.#onWarning);
    process.off("unhandledRejection", this.#onRejection);
  }
}
