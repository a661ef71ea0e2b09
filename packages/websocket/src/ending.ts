// How a connection ends, and what everybody is told of it afterwards.
//
//   open ──ask──▶ asked ──┐
//    │                    ├──finish──▶ over       what breaks it is noted on the way
//    └────────────────────┘

import { ParkingLot } from "meanwhile/lowlevel";

import type { ClosedInfo } from "./close-codes.ts";
import { ConnectionClosedError } from "./errors.ts";
import { printable } from "./redact.ts";

/** What this side wanted the connection to end with. */
interface Asked {
  readonly code: number;
  readonly reason: string;
  /** Said in errors instead of the code and the reason. */
  readonly why: string | undefined;
  readonly isPingTimeout: boolean;
}

/** The error of `ws` for what a peer must not send. */
interface FrameError extends Error {
  readonly code: string;
}

const NO_CODE = 1006;

/** What we close with when the peer has sent what it must not; anything else breaks the protocol: 1002. */
const CODES: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
};

/** What is to be said of some of them. */
const REASONS: Readonly<Record<string, string>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: "the peer sent a message that is longer than 'maxMessageBytes' allows; raise it",
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: "the peer announced a message of more than 2 ** 53 bytes",
  WS_ERR_TOO_MANY_BUFFERED_PARTS: "the peer sent a message in more pieces than 'maxFragments' allows; raise it",
};

const LOST =
  "the connection was lost, and with it the messages that had come but not been received and were too many to keep; receive sooner, or ask for them again";

export class Ending {
  /** Null until the connection is over. */
  info: ClosedInfo | null = null;
  #asked: Asked | null = null;
  #frameError: FrameError | null = null;
  #networkError: Error | null = null;
  #hasLost = false;
  // Made when somebody waits.
  #waiting: ParkingLot<ClosedInfo> | null = null;
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  /** This side ends it, with this code. The first one counts. */
  ask(code: number, reason: string, details: { why?: string; isPingTimeout?: boolean } = {}): void {
    this.#asked ??= { code, reason, why: details.why, isPingTimeout: details.isPingTimeout === true };
  }

  /** This side cuts it. */
  cut(): void {
    this.ask(NO_CODE, "", { why: "this side terminated the connection; open another one" });
  }

  /** `ws` refuses what the peer has sent, and closes the connection. */
  noteFrameError(error: Error): void {
    if (!("code" in error) || typeof error.code !== "string") this.noteNetworkError(error);
    else this.#frameError ??= Object.assign(error, { code: error.code });
  }

  /** The network has failed. */
  noteNetworkError(error: Error): void {
    this.#networkError ??= error;
  }

  /** What had come was dropped, as it was too much to keep after the socket was gone. */
  noteLoss(): void {
    this.#hasLost = true;
  }

  /** It is over. `code` is that of the close frame of the peer; 1006 if there was none. */
  finish(code: number, reason: string): ClosedInfo {
    this.info = this.#infoOf(code, reason);
    this.#waiting?.unparkAll(this.info);
    return this.info;
  }

  /**
   * Waits until the connection is over.
   *
   * Cancellation: safe. It has no effect.
   */
  async wait(): Promise<ClosedInfo> {
    if (this.info !== null) return this.info;
    this.#waiting ??= new ParkingLot({ describe: () => `the end of ${this.#what}`, foreign: true });
    return this.#waiting.park();
  }

  /** The error for what cannot be done as it is over. */
  error(doing: string): ConnectionClosedError {
    const info = this.info ?? { code: NO_CODE, reason: "", by: "network", wasClean: false };
    const why = this.#why(info);
    const code = this.#asked?.isPingTimeout === true ? "MW_ERR_WS_PING_TIMEOUT" : "MW_ERR_WS_CLOSED";
    const cause = this.#frameError ?? this.#networkError;
    return new ConnectionClosedError(doing, info, {
      code,
      ...(why === undefined ? {} : { why }),
      ...(cause === null ? {} : { cause }),
    });
  }

  #infoOf(code: number, reason: string): ClosedInfo {
    const asked = this.#asked;
    const frameError = this.#frameError;
    if (asked !== null) return { code: asked.code, reason: asked.reason, by: "us", wasClean: code !== NO_CODE };
    if (frameError !== null) {
      return { code: codeOf(frameError), reason: "", by: "us", wasClean: false };
    }
    // With messages missing it has not ended well, whatever the peer has said after them.
    return code === NO_CODE || this.#hasLost
      ? { code: NO_CODE, reason: "", by: "network", wasClean: false }
      : { code, reason, by: "peer", wasClean: true };
  }

  #why({ by }: ClosedInfo): string | undefined {
    if (this.#asked !== null) return this.#asked.why;
    const frameError = this.#frameError;
    if (frameError !== null) {
      const known = Object.hasOwn(REASONS, frameError.code) ? REASONS[frameError.code] : undefined;
      return (
        known ?? `the peer broke the protocol (${printable(frameError.message)}), so this side closed the connection`
      );
    }
    const error = this.#networkError;
    if (by !== "network") return undefined;
    if (this.#hasLost) return LOST;
    if (error === null) return undefined;
    const what = "code" in error ? String(error.code) : error.name;
    return `the connection was lost (${what}), without a close frame; open another one`;
  }
}

function codeOf({ code }: FrameError): number {
  if (Object.hasOwn(CODES, code)) return CODES[code] ?? 1002;
  // What zlib cannot unpack.
  return code.startsWith("Z_") ? 1007 : 1002;
}
