// The edits of one file: text put in between, in the order of the walk, and lines behind the last; nothing is moved.

import { createRequire } from "node:module";

import type * as magicString from "magic-string";
import type { SourceMap, SourceMapSegment } from "magic-string";

// Taken when the first map is made: a program that asks for none need not wait until it is loaded.
const require = createRequire(import.meta.url);

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Collects what is put into a source text. Where several texts go to one place, the first one told stands first. */
export class Edits {
  readonly #edits: Edit[] = [];
  #ending = "";

  get isEmpty(): boolean {
    return this.#edits.length === 0 && this.#ending === "";
  }

  insert(at: number, text: string): void {
    this.#edits.push({ start: at, end: at, text });
  }

  /** Puts a text before all others told for the same place. */
  insertFirst(at: number, text: string): void {
    this.#edits.unshift({ start: at, end: at, text });
  }

  /** Puts a line behind the last one. */
  appendLine(line: string): void {
    this.#ending += `\n${line}`;
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
    return result + code.slice(at) + this.#ending;
  }

  /** The same text, with a map to the original. */
  applyWithMap(code: string, source: string): { code: string; map: SourceMap } {
    const { default: MagicString, SourceMap }: typeof magicString = require("magic-string");
    const text = new MagicString(code);
    for (const edit of this.#sorted()) {
      if (edit.start === edit.end) text.appendLeft(edit.start, edit.text);
      else text.update(edit.start, edit.end, edit.text);
    }
    const map = text.generateDecodedMap({ source, includeContent: true, hires: "boundary" });
    for (const line of this.#ending.split("\n").slice(1)) map.mappings.push(notMapped(line, lastPlace(map.mappings)));
    return { code: text.toString() + this.#ending, map: new SourceMap(map) };
  }

  #sorted(): Edit[] {
    return this.#edits.toSorted((left, right) => left.start - right.start);
  }
}

/** No place but at its end, where what encloses it ends too: Node's coverage would count its functions for the line before. */
function notMapped(line: string, [sourceLine, sourceColumn]: readonly [number, number]): SourceMapSegment[] {
  return [[0], [line.length - 1, 0, sourceLine, sourceColumn]];
}

function lastPlace(mappings: readonly SourceMapSegment[][]): readonly [line: number, column: number] {
  const [, , line = 0, column = 0] = mappings.findLast((segments) => segments.length > 0)?.at(-1) ?? [];
  return [line, column];
}
