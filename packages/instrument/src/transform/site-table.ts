// What the runtime is told of a file: its functions and the places where they wait.

/** What kind of place it is; "call" is a statement that may have forgotten its `await`. */
export type WaitKind = "await" | "for await" | "yield" | "call";

/** The functions and waits of one file, as the instrumented file tells the runtime. Lines and columns count from 1. */
export interface SiteTable {
  /** Says that a file is instrumented, wherever its code ends up. */
  readonly "meanwhile.frames": 1;
  readonly id: string;
  /** Name, line and column. */
  readonly functions: ReadonlyArray<readonly [string, number, number]>;
  /** Line, column, kind, and what is waited for as it stands in the source. */
  readonly waits: ReadonlyArray<readonly [number, number, WaitKind, string]>;
}

const LONGEST_TEXT = 40;

/** Numbers the sites of a file in the order in which they are told. */
export class SiteTableBuilder {
  readonly #code: string;
  readonly #lineStarts: number[] = [0];
  readonly #functions: Array<[string, number, number]> = [];
  readonly #waits: Array<[number, number, WaitKind, string]> = [];

  constructor(code: string) {
    this.#code = code;
    for (const { 0: end, index } of code.matchAll(/\r\n|[\n\r\u2028\u2029]/g))
      this.#lineStarts.push(index + end.length);
  }

  get isEmpty(): boolean {
    return this.#functions.length + this.#waits.length === 0;
  }

  addFunction(name: string, at: number): number {
    return this.#functions.push([name, ...this.placeOf(at)]) - 1;
  }

  addWait(kind: WaitKind, at: number, start: number, end: number): number {
    // More than is shown, as white space is about to be squeezed; but not all of an expression of many lines.
    const text = this.#code.slice(start, Math.min(end, start + 4 * LONGEST_TEXT)).replaceAll(/\s+/g, " ");
    return this.#waits.push([...this.placeOf(at), kind, text.trim().slice(0, LONGEST_TEXT)]) - 1;
  }

  build(id: string): SiteTable {
    return { "meanwhile.frames": 1, id, functions: this.#functions, waits: this.#waits };
  }

  /** Line and column, both from 1. */
  placeOf(at: number): [line: number, column: number] {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle;
    }
    return [low + 1, at - (this.#lineStarts[low] ?? 0) + 1];
  }
}
