// What becomes of an error of the user's code in a server: nobody awaits it, and it must not be lost, nor end other connections.
// A client may be able to cause one, so it must not be able to flood a log with them.

import { callSafely } from "./callbacks.ts";
import { printable } from "./redact.ts";
import type { ServeErrorInfo } from "./serve-options.ts";

const QUIET_MS = 10_000;

const WHAT: Readonly<Record<ServeErrorInfo<never>["during"], string>> = {
  authenticate: "'authenticate'",
  handler: "A handler",
  handshake: "A handshake",
  listening: "The listening",
  subprotocol: "'subprotocols'",
};

/** The codes of the process warnings of this package. */
export type WebSocketWarningCode = "MW_WARN_WS_HANDLER" | "MW_WARN_WS_STUCK";

/** Tells `onError`; without one, at most one process warning in 10 s; the next one says how many were left out. */
export class HandlerFailures<User> {
  readonly #onError: ((error: unknown, info: ServeErrorInfo<User>) => unknown) | undefined;
  #quietUntil = 0;
  #leftOut = 0;
  #count = 0;

  constructor(onError: ((error: unknown, info: ServeErrorInfo<User>) => unknown) | undefined) {
    this.#onError = onError;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Never throws. */
  tell(error: unknown, info: ServeErrorInfo<User>): void {
    this.#count += 1;
    const onError = this.#onError;
    if (onError === undefined) this.#warn(error, info.during);
    else callSafely((given: unknown) => onError(given, info), error, "'onError' of a WebSocket server failed");
  }

  #warn(error: unknown, during: keyof typeof WHAT): void {
    if (performance.now() < this.#quietUntil) {
      this.#leftOut += 1;
      return;
    }
    this.#quietUntil = performance.now() + QUIET_MS;
    const more = this.#leftOut === 0 ? "" : `; ${this.#leftOut} more like it since the last one`;
    this.#leftOut = 0;
    const text = `${WHAT[during]} of a WebSocket server failed: ${shown(error)}; catch it there, or pass 'onError'${more}`;
    const stack = error instanceof Error ? (error.stack ?? "") : "";
    const detail = stack.replaceAll(/[^\P{C}\n]/gu, "");
    const code: WebSocketWarningCode = "MW_WARN_WS_HANDLER";
    process.emitWarning(text, { type: "MeanwhileWarning", code, detail });
  }
}

/** A client may have a say in the text: it must not draw on the reader's terminal. */
function shown(error: unknown): string {
  return error instanceof Error
    ? printable(`${error.name}: ${error.message}`)
    : `it threw what is no error (${typeof error})`;
}
