// Makes targets of the URLs of a list, one after the other.

import { Target, type TargetRequest } from "./target.ts";

/** A line that cannot be fetched; it still gets a record. */
export interface BadLine {
  readonly index: number;
  readonly text: string;
  readonly problem: string;
}

export class TargetMaker {
  // Invariant: #start is #origin and the slash behind it; neither is set before the first URL.
  #origin = "";
  #start = "";

  /** Checks a URL. Targets of the same origin share its text: thousands of them wait at a time. */
  make(index: number, text: string, request?: TargetRequest): Target | BadLine {
    // Most lists name a host many times, and whatever is behind its slash is the path of a URL of the same origin: looking
    // at it costs more than all the rest here (bench/README.md, row `fetch`).
    if (this.#start !== "" && text.startsWith(this.#start)) return new Target(index, text, this.#origin, request);
    const url = URL.parse(text);
    if (url === null) {
      const guess = URL.canParse(`http://${text}`) ? "; it needs http:// or https:// in front" : "";
      return { index, text, problem: `this is no URL${guess}` };
    }
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      return { index, text, problem: `only http: and https: can be fetched, not ${url.protocol}` };
    }
    this.#origin = url.origin;
    this.#start = `${url.origin}/`;
    return new Target(index, text, this.#origin, request);
  }
}
