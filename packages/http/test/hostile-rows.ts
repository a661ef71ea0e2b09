// One hostile answer, and what such answers are made of.

import type { Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

/** One hostile answer. */
export interface Hostile {
  readonly name: string;
  /** What is written, or who writes it. */
  readonly answer: string | Buffer | ((socket: Socket, head: string) => unknown);
  /** How it ends: a code without its `MW_ERR_HTTP_`, or status and body; several where the timing decides. */
  readonly ends: string | ReadonlyArray<string>;
  /** What happens behind the answer. Default: nothing. */
  readonly after?: "end" | "reset" | undefined;
  readonly method?: string | undefined;
  readonly body?: string | undefined;
  /** Default: 3 MiB. */
  readonly maxBodyBytes?: number | undefined;
  /** Whether it is one that may be kept: well formed after all. */
  readonly isHarmless?: boolean | undefined;
  /** Whether only a timeout ends it. */
  readonly isSlow?: boolean | undefined;
  /** Whether it makes no sense to send it a byte at a time. */
  readonly isLarge?: boolean | undefined;
}

export type Extra = Partial<Omit<Hostile, "name" | "answer" | "ends">>;

export const row = (name: string, answer: Hostile["answer"], ends: Hostile["ends"], extra: Extra = {}): Hostile => ({
  name,
  answer,
  ends,
  ...extra,
});
export const head = (...fields: ReadonlyArray<string>): string => ["HTTP/1.1 200 OK", ...fields, "", ""].join("\r\n");
export const OK: string = "Content-Length: 2";
export const CHUNKED: string = "Transfer-Encoding: chunked";
export const SLOW: Extra = { isSlow: true };
export const END: Extra = { after: "end" };
export const RESET: Extra = { after: "reset" };
export const HARMLESS: Extra = { isHarmless: true };
export const LARGE: Extra = { isLarge: true };
export const WHOLE: Extra = { isLarge: true, isHarmless: true };

/** Writes the same again and again, until the client has had enough. */
export const endless =
  (start: string, again: string): ((socket: Socket) => Promise<void>) =>
  async (socket) => {
    socket.write(start);
    while (!socket.destroyed && socket.writable) {
      if (!socket.write(again)) await new Promise((go) => socket.once("drain", go).once("close", go));
      await turn();
    }
  };
