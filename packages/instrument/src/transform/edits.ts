// The edits of one file: text put in between, in the order of the walk; nothing is moved and no line is added.

import { default as MagicStringText, type SourceMap } from "magic-string";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Collects what is put into a source text. Where several texts go to one place, the first one told stands first. */
export class Edits {
  readonly #edits: Edit[] = [];

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text });
  }

  /** Puts a text before all others told for the same place. */
  insertFirst(at: number, text: string): void {
    this.#edits.unshift({ start: at, end: at, text });
  }

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  /** The edited text. A load hook needs no map, and saves a fifth of the time (test/slow/speed.test.ts); a test compares both ways. */
  applyTo(code: string): string {
    let result = "";
    let at = 0;
    for (const { start, end, text } of this.#sorted()) {
      result += code.slice(at, start) + text;
      at = end;
    }
    return result + code.slice(at);
  }

  /** The same text, with a map to the original. */
  applyWithMap(code: string, source: string): { code: string; map: SourceMap } {
    const text = new MagicStringText(code);
    for (const edit of this.#sorted()) {
      if (edit.start === edit.end) text.appendLeft(edit.start, edit.text);
      else text.update(edit.start, edit.end, edit.text);
    }
    return { code: text.toString(), map: text.generateMap({ source, includeContent: true, hires: "boundary" }) };
  }

  #sorted(): Edit[] {
    return this.#edits.toSorted((left, right) => left.start - right.start);
  }
}
