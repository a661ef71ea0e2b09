// What the viewer shows: a program that is asked over its socket, or a recording.

import type { ServerResponse } from "node:http";

/** Answers the questions of the page, in the words of the protocol of diagnostics. */
export interface Source {
  /** Like `live` or `recording`: the page follows one and not the other. */
  readonly kind: "live" | "recording";
  /** Answers a path like `/v1/stream?events=1`. Never throws once the answer has begun. */
  answer(path: string, response: ServerResponse, method: string): Promise<void>;
}
